// Bundles Workers with esbuild, the documented specifiers resolved to the library's sources.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const LIBRARY = `${ROOT}worker_src/flowflare/`;
const { name, exports } = JSON.parse(readFileSync(`${LIBRARY}package.json`, 'utf8'));
const alias = Object.fromEntries(
  Object.entries(exports).map(([path, file]) => [
    path.replace('.', name),
    `${LIBRARY}${file.default}`,
  ]),
);

export const LIBRARY_ENTRY = alias[name];

/** @param {string} entry a path from the repository's root */
export async function bundle(entry) {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external: ['cloudflare:*'],
    alias,
    plugins: [samples],
    logLevel: 'error',
  });
  return outputFiles[0].text;
}

/**
 * The API reference's samples are lines of some function. `sample:a+b` is a module of samples a and b
 * exporting that function: `run`, which takes the names that the samples expect and returns those they make.
 */
const samples = {
  name: 'samples',
  setup(plugin) {
    plugin.onResolve({ filter: /^sample:/ }, ({ path }) => ({ path, namespace: 'sample' }));
    plugin.onLoad({ filter: /.*/, namespace: 'sample' }, ({ path }) => {
      const names = path.slice('sample:'.length).split('+');
      const text = names
        .map((file) => readFileSync(`${ROOT}tests/worker/samples/${file}.js`, 'utf8'))
        .join('\n');
      const imports = /^import[^;]*;$/gm;
      const made = [...text.matchAll(/^const (\w+)/gm)].map((match) => match[1]);
      return {
        contents: `${text.match(imports)?.join('\n')}
          export async function run({ env, step, processPayment }) {
            ${text.replaceAll(imports, '')}
            return { ${made.join(', ')} };
          }`,
        resolveDir: ROOT,
      };
    });
  },
};
