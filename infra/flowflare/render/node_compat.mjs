// Resolve Node's built-in modules as wrangler does for a Worker with nodejs_compat.
//
// The preset of the installed wrangler says which modules workerd has at a compatibility date. Such
// a module stays an import of `node:<name>`; unenv, which is bundled, replaces every other one.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const PRESET = '@cloudflare/unenv-preset';
/** The esbuild namespace of unenv's files: a bundle has no path of this machine. */
const REPLACED = 'unenv';
const REQUIRED = 'required';
const GLOBALS = 'globals';

/**
 * Makes the esbuild plugin of a Worker.
 *
 * @param {string} wrangler a file of the installed wrangler
 * @param {{date: string, flags: string[]}} compatibility the Worker's compatibility date and flags
 */
export async function nodeCompat(wrangler, { date, flags }) {
  const locate = createRequire(wrangler);
  const { alias, external, inject, polyfill } = await readPreset(locate, date, flags);
  const isBuiltIn = new Set(external);
  const globals = writeGlobals(inject, polyfill);
  return {
    name: 'node-compat',
    setup(build) {
      if (globals) build.initialOptions.inject = [GLOBALS];
      build.onResolve({ filter: /^globals$/ }, ({ kind }) =>
        kind === 'entry-point' ? { path: GLOBALS, namespace: GLOBALS } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: GLOBALS }, () => ({ contents: globals }));

      build.onResolve({ filter: /^[^./]/ }, ({ path: asked, kind }) => {
        const target = Object.hasOwn(alias, asked) ? alias[asked] : asked;
        const isReplaced = /^(unenv|@cloudflare\/unenv-preset)\//.test(target);
        if (!isBuiltIn.has(target) && !target.startsWith('node:') && !isReplaced) return undefined;
        // An ES module has no `require`: a module that imports it answers the call.
        const isSpecial = !isReplaced || /^unenv\/(npm|mock)\//.test(target);
        if (kind === 'require-call' && isSpecial)
          return { path: asked, namespace: REQUIRED, pluginData: { isReplaced } };
        if (!isReplaced) return { path: `node:${target.replace(/^node:/, '')}`, external: true };
        return place(locate.resolve(target));
      });
      build.onLoad({ filter: /.*/, namespace: REQUIRED }, ({ path: asked, pluginData }) => ({
        contents: writeRequired(asked, pluginData.isReplaced),
      }));

      build.onResolve({ filter: /^\.\.?\//, namespace: REPLACED }, ({ path: asked, pluginData }) =>
        place(path.resolve(path.dirname(pluginData), asked)),
      );
      build.onLoad({ filter: /.*/, namespace: REPLACED }, async ({ pluginData: file }) => ({
        contents: await readFile(file, 'utf8'),
        pluginData: file,
      }));
    },
  };
}

async function readPreset(locate, date, flags) {
  // The preset exports no file for `require`, so its `package.json` is located.
  const [{ defineEnv }, { getCloudflarePreset }] = await Promise.all(
    ['unenv', PRESET]
      .map((name) => path.join(locate.resolve(`${name}/package.json`), '../dist/index.mjs'))
      .map((file) => import(pathToFileURL(file).href)),
  );
  const preset = getCloudflarePreset({ compatibilityDate: date, compatibilityFlags: flags });
  // wrangler bundles the package `debug` itself, not unenv's.
  const own = { alias: { debug: 'debug' } };
  return defineEnv({ presets: [preset, own], npmShims: true }).env;
}

/** Writes the module that sets the globals which workerd does not have at the date. */
function writeGlobals(inject, polyfill) {
  const imports = polyfill.map((module) => `import ${JSON.stringify(module)};`);
  const values = Object.entries(inject).map(([name, source], index) => {
    const [module, exported] = Array.isArray(source) ? source : [source, 'default'];
    const from = JSON.stringify(module);
    return `import { ${exported} as value${index} } from ${from};\nglobalThis.${name} = value${index};`;
  });
  return [...imports, ...values].join('\n');
}

function writeRequired(asked, isReplaced) {
  const from = JSON.stringify(asked);
  if (!isReplaced) return `import value from ${from};\nmodule.exports = value;`;
  return `import * as all from ${from};
const { default: value = {}, ...named } = all;
module.exports = Object.defineProperties(value, Object.getOwnPropertyDescriptors(named));`;
}

/** Names a file of unenv or of the preset by its path below `node_modules`. */
function place(file) {
  const inside = file
    .split(path.sep)
    .join('/')
    .replace(/^.*\/node_modules\//, '');
  return { path: inside, namespace: REPLACED, pluginData: file };
}
