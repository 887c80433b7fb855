// Writes the runtime library's .d.ts files, which tsc makes of its JSDoc, into the folder that is given:
// those that the package exports, and those that they need.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LIBRARY = path.join(ROOT, 'worker_src/flowflare');
const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc');

const target = path.resolve(process.argv[2]);
const emitted = mkdtempSync(path.join(tmpdir(), 'declarations-'));
try {
  execFileSync(
    process.execPath,
    [
      TSC,
      ...['-p', path.join(ROOT, 'tsconfig.json'), '--noEmit', 'false'],
      ...['--declaration', '--emitDeclarationOnly'],
      ...['--rootDir', path.join(ROOT, 'worker_src'), '--outDir', emitted],
    ],
    { stdio: 'inherit' },
  );
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const [name, text] of readNeeded(path.join(emitted, 'flowflare/src'))) {
    writeFileSync(path.join(target, name), text);
  }
} finally {
  rmSync(emitted, { recursive: true, force: true });
}

/**
 * @param {string} folder
 * @returns {Map<string, string>} the exported files and everything that they import, by name
 */
function readNeeded(folder) {
  const { exports } = JSON.parse(readFileSync(path.join(LIBRARY, 'package.json'), 'utf8'));
  const names = Object.values(exports).map(({ types }) => path.basename(types));
  const texts = new Map();
  for (const name of names) {
    if (texts.has(name)) continue;
    const text = readFileSync(path.join(folder, name), 'utf8');
    texts.set(name, text);
    // The loop also visits the names that are appended here.
    for (const [, file] of text.matchAll(/(?:from |import\()'\.\/([\w-]+)\.js'/g)) {
      names.push(`${file}.d.ts`);
    }
  }
  return texts;
}
