// Bundle Workers with esbuild: read one JSON request from stdin, write one JSON line to stdout.
//
// The documented specifiers of the runtime library resolve into their own namespace, so that the
// bundle contains no path of this machine: it has the same bytes from a wheel and from a checkout.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { nodeCompat } from './node_compat.mjs';

/** wrangler's default rules for texts: developers.cloudflare.com/workers/wrangler/bundling. */
const TEXTS = { '.txt': 'text', '.html': 'text', '.sql': 'text' };
/** wrangler's default rules for files that are uploaded as modules of their own. */
const MODULES = { '.wasm': 'application/wasm', '.bin': 'application/octet-stream' };
const OUTPUT = 'worker.js';

const request = JSON.parse(await text(process.stdin));
const esbuild = (await import(pathToFileURL(request.esbuild).href)).default;

const answers = await Promise.all(request.entries.map(bundle));
await esbuild.stop?.();
process.stdout.write(`${JSON.stringify(answers)}\n`);

async function bundle(entry) {
  const leftOut = new Set();
  const modules = new Map();
  try {
    const result = await esbuild.build({
      ...entryOf(entry),
      absWorkingDir: entry.folder,
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      target: 'es2022',
      conditions: ['workerd', 'worker', 'browser'],
      mainFields: ['browser', 'module', 'main'],
      external: ['cloudflare:*', 'node:*'],
      loader: TEXTS,
      legalComments: 'none',
      logLevel: 'silent',
      metafile: true,
      outfile: OUTPUT,
      write: false,
      sourcemap: entry.sourceMap,
      // An error's line needs only the mappings.
      sourcesContent: false,
      plugins: [
        library(request.library),
        ...(entry.nodeCompat ? [await nodeCompat(request.wrangler, entry.nodeCompat)] : []),
        moduleRules(modules),
        packages(request.packages, leftOut),
        regularFiles(),
      ],
      ...(entry.tsconfig ? { tsconfig: entry.tsconfig } : { tsconfigRaw: {} }),
    });
    const files = [...modules.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
    const read = (end) => result.outputFiles.find(({ path }) => path.endsWith(end))?.text ?? '';
    return {
      content: withoutPlaces(read(OUTPUT)),
      exports: result.metafile.outputs[OUTPUT].exports,
      modules: files.map(({ file, ...module }) => module),
      sourceMap: withoutPlacesInMap(read(`${OUTPUT}.map`)),
      inputs: [
        ...Object.keys(result.metafile.inputs),
        ...files.map(({ file }) => path.relative(entry.folder, file).split(path.sep).join('/')),
      ],
      leftOut: [...leftOut].sort(),
    };
  } catch (error) {
    if (!error.errors) throw error;
    return {
      errors: error.errors.map(({ text, location }) => ({
        text,
        ...findCause(text),
        file: location?.file,
        line: location?.line,
        column: location?.column,
        lineText: location?.lineText,
      })),
    };
  }
}

/** Names the cause of an error for which there is a remedy. */
function findCause(text) {
  const [, missing] = /^Could not resolve "(.*)"$/.exec(text) ?? [];
  return builtinModules.includes(missing) ? { 'built-in': true } : {};
}

/**
 * Keeps the imports of WebAssembly and of data, and collects the files, which are uploaded beside
 * the bundle. As in wrangler, a file's module is named by the digest of its content.
 */
function moduleRules(modules) {
  return {
    name: 'module-rules',
    setup(build) {
      const filter = /\.(wasm(\?module)?|bin)$/;
      build.onResolve({ filter }, async ({ path: asked, pluginData, ...where }) => {
        if (pluginData === modules) return undefined;
        const { importer, kind, namespace, resolveDir } = where;
        const place = { importer, kind, namespace, resolveDir, pluginData: modules };
        const found = await build.resolve(asked.replace(/\?module$/, ''), place);
        if (found.errors.length > 0 || found.external) return found;
        if (!(await stat(found.path)).isFile()) return notAFile(found.path);
        const content = await readFile(found.path);
        const digest = createHash('sha1').update(content).digest('hex');
        const name = `${digest}-${path.basename(found.path)}`;
        modules.set(name, {
          name,
          contentType: MODULES[path.extname(found.path)],
          base64: content.toString('base64'),
          file: found.path,
        });
        return { path: `./${name}`, external: true };
      });
    },
  };
}

/** Removes the installation folder of packages from the source names of a recording. */
function withoutPlaces(code) {
  if (request.packages === 'required') return code;
  return code.replace(/^(\/\/ )(?:\.\.\/)+(?:[^\n]*?\/)?(?=node_modules\/)/gm, '$1');
}

/** The same for the sources of a source map. */
function withoutPlacesInMap(text) {
  if (request.packages === 'required' || text === '') return text;
  const map = JSON.parse(text);
  const names = map.sources.map((name) => name.replace(/^(\.\.\/)+(.*?\/)?(?=node_modules\/)/, ''));
  return JSON.stringify({ ...map, sources: names });
}

/** Returns the source itself, or a module that exports only some of its names. */
function entryOf({ source, names, folder }) {
  if (names.length === 0) return { entryPoints: [source] };
  const contents = `export { ${names.join(', ')} } from ${JSON.stringify(source)};`;
  return { stdin: { contents, resolveDir: folder } };
}

/** Resolves the library's specifiers and the imports between its files. */
function library({ namespace, folder, specifiers }) {
  return {
    name: namespace,
    setup(build) {
      build.onResolve({ filter: /^@b-i-g-g-i-d-e-a\/flowflare(\/|$)/ }, ({ path: specifier }) =>
        Object.hasOwn(specifiers, specifier)
          ? { path: specifiers[specifier], namespace, sideEffects: false }
          : {
              errors: [
                { text: `"${specifier}" is not one of ${Object.keys(specifiers).join(', ')}` },
              ],
            },
      );
      build.onResolve({ filter: /^\.\.?\//, namespace }, ({ path: relative, importer }) => ({
        path: path.posix.join(path.posix.dirname(importer), relative),
        namespace,
      }));
      build.onLoad({ filter: /.*/, namespace }, async ({ path: file }) => ({
        contents: await readFile(path.join(folder, file), 'utf8'),
        loader: 'js',
      }));
    },
  };
}

/**
 * Keeps imports of npm packages instead of bundling them: all of them for `sources`, and unless
 * packages are `required`, those that are not installed.
 */
function packages(mode, leftOut) {
  return {
    name: 'packages',
    setup(build) {
      if (mode === 'required') return;
      build.onResolve({ filter: /^[^./]/ }, async ({ path: name, pluginData, ...where }) => {
        if (pluginData === build || where.kind === 'entry-point') return undefined;
        if (/^(cloudflare|node):/.test(name)) return undefined;
        const { importer, kind, namespace, resolveDir } = where;
        const asked = { importer, kind, namespace, resolveDir, pluginData: build };
        const found = await build.resolve(name, asked);
        const foreign = found.errors.length > 0 || /[\\/]node_modules[\\/]/.test(found.path);
        if (!foreign || (mode === 'installed' && found.errors.length === 0)) return found;
        leftOut.add(name);
        return { path: name, external: true };
      });
    },
  };
}

/** Refuses a named pipe, a socket or a device, which would block esbuild forever. */
function regularFiles() {
  return {
    name: 'regular-files',
    setup(build) {
      build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path: file }) => {
        const found = await stat(file).catch(() => undefined);
        if (!found || found.isFile() || found.isDirectory()) return undefined;
        return notAFile(file);
      });
    },
  };
}

function notAFile(file) {
  return { errors: [{ text: `${path.relative(process.cwd(), file)} is not a file` }] };
}

async function text(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
