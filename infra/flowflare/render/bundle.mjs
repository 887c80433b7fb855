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

/** wrangler's default rules: developers.cloudflare.com/workers/wrangler/bundling. */
const RULES = [
  { type: 'Text', globs: ['**/*.txt', '**/*.html', '**/*.sql'] },
  { type: 'Data', globs: ['**/*.bin'] },
  { type: 'CompiledWasm', globs: ['**/*.wasm', '**/*.wasm?module'] },
];
/** What is uploaded as a module of its own, with the ending by which the default rules find it. */
const MODULES = {
  CompiledWasm: { contentType: 'application/wasm', ending: '.wasm' },
  Data: { contentType: 'application/octet-stream', ending: '.bin' },
};
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
      // Without it, a class that refers to itself is named `_Cart` instead of `Cart`.
      keepNames: entry.names.length === 0,
      platform: 'neutral',
      target: 'es2024',
      supported: { 'import-source': true, using: true },
      conditions: ['workerd', 'worker', 'browser'],
      mainFields: ['browser', 'module', 'main'],
      external: ['cloudflare:*', 'node:*'],
      loader: { '.js': 'jsx', '.mjs': 'jsx', '.cjs': 'jsx' },
      define: Object.fromEntries(
        ['', 'global.', 'globalThis.'].map((at) => [`${at}process.env.NODE_ENV`, '"production"']),
      ),
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
        moduleRules(entry.rules, modules),
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
  if (builtinModules.includes(missing)) return { 'built-in': true };
  return text.startsWith('No loader is configured for') ? { rule: true } : {};
}

/**
 * Applies the client's rules, then wrangler's. Texts become part of the bundle. Imports of
 * WebAssembly and of data stay, and the files are collected, which are uploaded beside the bundle.
 * As in wrangler, a file's module is named by the digest of its content.
 */
function moduleRules(own, modules) {
  const rules = listRules(own);
  const findRule = (asked) => rules.find(({ patterns }) => patterns.some((one) => one.test(asked)));
  return {
    name: 'module-rules',
    setup(build) {
      const sources = rules.flatMap(({ patterns }) => patterns.map(({ source }) => source));
      const filter = new RegExp(sources.join('|'));
      build.onResolve({ filter }, async ({ path: asked, pluginData, ...where }) => {
        const { importer, kind, namespace, resolveDir } = where;
        if (pluginData === modules || kind === 'entry-point') return undefined;
        const { type, globs, isShadowed } = findRule(asked);
        if (isShadowed) return refuseImport(asked, type, globs);
        const place = { importer, kind, namespace, resolveDir, pluginData: modules };
        const found = await build.resolve(asked.replace(/\?.*$/, ''), place);
        if (found.errors.length > 0 || found.external) return found;
        if (!(await stat(found.path)).isFile()) return notAFile(found.path);
        if (type === 'Text') return { path: found.path, pluginData: rules };
        const content = await readFile(found.path);
        const { contentType, ending } = MODULES[type];
        const digest = createHash('sha1').update(content).digest('hex');
        const base = path.basename(found.path);
        const name = `${digest}-${base.endsWith(ending) ? base : base + ending}`;
        const base64 = content.toString('base64');
        modules.set(name, { name, contentType, base64, file: found.path });
        return { path: `./${name}`, external: true };
      });
      build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path: file, pluginData }) =>
        pluginData === rules ? { contents: await readFile(file), loader: 'text' } : undefined,
      );
    },
  };
}

/**
 * Lists rules in the order in which they apply: wrangler ignores a rule after a rule of its type
 * without `fallthrough`, and refuses imports that only such a rule matches.
 */
function listRules(own) {
  const closed = new Set();
  const rules = [...own, ...RULES].map(({ type, globs, fallthrough }) => {
    const isShadowed = closed.has(type);
    if (!fallthrough) closed.add(type);
    return { type, globs, isShadowed, patterns: globs.map(makePattern) };
  });
  return rules.sort((one, other) => one.isShadowed - other.isShadowed);
}

/** Makes the pattern of a glob as wrangler's `glob-to-regexp` does: a star also matches slashes. */
function makePattern(glob) {
  const parts = glob.split(/\*+/).map((part) => part.replace(/[\\^$.|?+()[\]{}/]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

function refuseImport(asked, type, globs) {
  const text =
    `${asked} matches only ${globs.join(', ')}, a rule for ${type} that does not apply, because ` +
    `an earlier rule for ${type} does not have \`fallthrough: true\``;
  return { errors: [{ text }] };
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
