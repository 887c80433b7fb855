// Run services in one workerd, each with its own D1 database. Read one line of JSON, a key and
// services {name, bundle, migrations}; print their URLs as one line of JSON; then run
// {service, sql} commands, one a line, each answered with {}, until stdin closes.
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';

const COMPATIBILITY_DATE = '2026-11-01';
const SERVICE = `
import * as library from './library.js';
export const WorkflowTracker = library.WorkflowTracker;
export default library.createWorkflowService({ allowedOrigins: ['http://127.0.0.1'] });
`;
const COUNTED = readFileSync(new URL('counted.mjs', import.meta.url), 'utf8');

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { key, services } = JSON.parse((await lines.next()).value);

const worker = (name, bundle, database, counted) => ({
  name,
  compatibilityDate: COMPATIBILITY_DATE,
  modules: [
    ...(counted ? [{ type: 'ESModule', path: 'counted.js', contents: COUNTED }] : []),
    { type: 'ESModule', path: 'service.js', contents: SERVICE },
    { type: 'ESModule', path: 'library.js', contents: readFileSync(bundle, 'utf8') },
  ],
  unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  d1Databases: { DB: database },
  durableObjects: { WORKFLOW_TRACKER: { className: 'WorkflowTracker', useSQLite: true } },
  bindings: { SERVICE_API_KEY: key },
});

const scripts = services.flatMap(({ name, bundle }) => [
  worker(name, bundle, name, false),
  worker(`${name}-counted`, bundle, name, true),
]);
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: '127.0.0.1',
    port: 0,
    handleRuntimeStdio(stdout, stderr) {
      stdout.pipe(process.stderr);
      stderr.pipe(process.stderr);
    },
    workers: scripts,
  }),
);
await miniflare.ready;

for (const { name, migrations } of services) {
  const database = await miniflare.getD1Database('DB', name);
  await database.batch(statementsIn(migrations).map((sql) => database.prepare(sql)));
}
const urls = {};
for (const { name } of scripts) urls[name] = (await miniflare.unsafeGetDirectURL(name)).origin;
console.log(JSON.stringify(urls));

for await (const line of lines) {
  const { service, sql } = JSON.parse(line);
  await (await miniflare.getD1Database('DB', service)).prepare(sql).run();
  console.log('{}');
}
await miniflare.dispose();

function statementsIn(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => readFileSync(`${folder}/${file}`, 'utf8').replaceAll(/--.*$/gm, ''))
    .flatMap((sql) => sql.split(';'))
    .filter((sql) => sql.trim() !== '');
}
