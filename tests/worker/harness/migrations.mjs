// Reads the schema's statements from the migration files.
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../../migrations/', import.meta.url);

export function readMigrations() {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.sql'));
  return files
    .sort()
    .map((name) => readFileSync(new URL(name, FOLDER), 'utf8').replaceAll(/--.*$/gm, ''))
    .flatMap((sql) => sql.split(';'))
    .filter((statement) => statement.trim() !== '');
}
