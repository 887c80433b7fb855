/**
 * Name lines of sources in the log, for Workers that were uploaded with source maps.
 *
 * Cloudflare does so in its logs. workerd reads no source maps, and does not log the stack of an
 * uncaught exception: a Tail Worker logs it here.
 */
import { SourceMap } from 'node:module';

/** @import { V4WorkerOptions } from 'miniflare' */
/** @import { Module, Worker } from './wire.d.ts' */
/** @typedef {Map<string, SourceMap>} SourceMaps by the names that modules have in stacks */

/** A position in a stack: module, line and column. */
const POSITION = /([\w./@+-]+):(\d+):(\d+)/g;

export const TAIL_NAME = 'emulator-tail';

/** @type {V4WorkerOptions} */
export const TAIL = {
  name: TAIL_NAME,
  compatibilityDate: '2026-01-01',
  modules: [
    {
      type: 'ESModule',
      path: 'tail.js',
      contents: `
export default {
  tail(events) {
    for (const { exceptions } of events)
      for (const { name, message, stack } of exceptions)
        console.error(\`Uncaught \${name}: \${message}\\n\${stack ?? ''}\`);
  },
};
`,
    },
  ],
};

/**
 * The name of a module in stacks. Workers of one unit may have modules of the same name.
 * @param {Worker} worker @param {string} module
 */
export function nameInStacks({ script }, module) {
  return `${script}/${module}`;
}

/** The Tail Workers of a Worker with these modules. @param {Module[]} modules */
export function listTails(modules) {
  return modules.some(({ type }) => type === 'SourceMap') ? [TAIL_NAME] : [];
}

/** @param {Module[]} modules @param {string} name of a module */
export function hasSourceMap(modules, name) {
  return modules.some((module) => module.type === 'SourceMap' && module.name === `${name}.map`);
}

/**
 * @param {Worker[]} workers
 * @param {(worker: Worker) => Module[]} modulesOf returns a Worker's code
 * @returns {SourceMaps}
 */
export function readSourceMaps(workers, modulesOf) {
  /** @type {SourceMaps} */
  const maps = new Map();
  for (const worker of workers) {
    for (const module of modulesOf(worker)) {
      if (module.type !== 'SourceMap') continue;
      try {
        const map = new SourceMap(JSON.parse(module.text));
        maps.set(nameInStacks(worker, module.name.replace(/\.map$/, '')), map);
      } catch {
        // An invalid source map explains nothing.
      }
    }
  }
  return maps;
}

/**
 * Make a function that replaces each position of a bundle in a message by that of its source.
 * @param {SourceMaps} maps
 * @returns {(message: string) => string}
 */
export function nameSources(maps) {
  return (message) =>
    message.replace(POSITION, (position, module, line, column) => {
      const found = maps.get(module)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (!found || !('originalSource' in found)) return position;
      return `${found.originalSource}:${found.originalLine + 1}:${found.originalColumn + 1}`;
    });
}
