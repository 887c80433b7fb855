/**
 * Start an uploaded Worker alone in its own workerd to find out whether it starts and what it
 * exports. Cloudflare's upload validation does the same. Errors are in workerd's words.
 */
import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { messageOf } from './messages.mjs';
import { contents, supportedDate } from './options.mjs';

/** @import { ChildProcess } from 'node:child_process' */
/** @import { Programs } from './programs.mjs' */
/** @import { Event, Export, Module, ProbeAnswer, Upload } from './wire.d.ts' */

const PATIENCE = 10_000;
const KINDS = {
  ESModule: 'esModule',
  CommonJS: 'commonJsModule',
  Text: 'text',
  Data: 'data',
  CompiledWasm: 'wasm',
  JSON: 'json',
};
const ENTRY = 'emulator-probe.js';

/** Runs inside workerd and describes what the uploaded module exports. */
const DESCRIBE = `
import * as platform from "cloudflare:workers";
const bases = ["DurableObject", "WorkflowEntrypoint", "WorkerEntrypoint"];
function methods(prototype) {
  const names = new Set();
  for (let each = prototype; each && each !== Object.prototype; each = Object.getPrototypeOf(each))
    for (const name of Object.getOwnPropertyNames(each))
      if (name !== "constructor") names.add(name);
  return [...names];
}
function describe([name, value]) {
  if (typeof value === "function") {
    const own = Object.getOwnPropertyDescriptor(value, "prototype");
    const isClass = own !== undefined && !own.writable;
    const base = isClass ? bases.find((each) => value.prototype instanceof platform[each]) : undefined;
    return { name, kind: isClass ? "class" : "function", base: base ?? null, handlers: isClass ? methods(value.prototype) : [] };
  }
  const handlers = value !== null && typeof value === "object"
    ? Object.keys(value).filter((key) => typeof value[key] === "function") : [];
  return { name, kind: value === null ? "null" : typeof value, base: null, handlers };
}
export default {
  async fetch() {
    const uploaded = await import(MAIN);
    return Response.json(Object.entries(uploaded).map(describe));
  },
};
`;

export class Probe {
  #binary;
  #newestDate;
  #folder;
  #emit;
  #count = 0;
  /** @type {Set<ChildProcess>} */
  #children = new Set();

  /** @param {{workerd: Programs['workerd'], data: string, emit: (event: Event) => void}} options */
  constructor({ workerd, data, emit }) {
    this.#binary = workerd.default;
    this.#newestDate = workerd.compatibilityDate;
    this.#folder = path.join(data, 'probe');
    this.#emit = emit;
  }

  /**
   * @param {Upload} upload
   * @returns {Promise<ProbeAnswer>} its exports, or why it does not start
   */
  async run({ modules, service_worker, compatibility_date, compatibility_flags }) {
    const folder = path.join(this.#folder, `${process.pid}-${this.#count++}`);
    await mkdir(folder, { recursive: true });
    try {
      const date = supportedDate(compatibility_date, this.#newestDate);
      const config = await this.#write(folder, modules, {
        date,
        flags: compatibility_flags,
        service_worker,
      });
      return await this.#start(config, service_worker);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  dispose() {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /**
   * @param {string} folder @param {Module[]} modules
   * @param {{date: string, flags: string[], service_worker: boolean}} settings
   */
  async #write(folder, modules, { date, flags, service_worker }) {
    const embeds = [];
    const main = JSON.stringify(modules[0].name);
    const probe = `import ${main};${DESCRIBE.replace('MAIN', main)}`;
    /** @type {Module[]} */
    const all = service_worker
      ? modules
      : [{ name: ENTRY, type: 'ESModule', text: probe }, ...modules];
    for (const [index, module] of all.entries()) {
      if (module.type === 'SourceMap') continue;
      const file = `m${index}`;
      await writeFile(path.join(folder, file), contents(module));
      embeds.push(
        service_worker
          ? `serviceWorkerScript = embed "${file}"`
          : `(name = ${JSON.stringify(module.name)}, ${KINDS[module.type]} = embed "${file}")`,
      );
    }
    const source = service_worker ? embeds[0] : `modules = [${embeds.join(', ')}]`;
    const config = path.join(folder, 'probe.capnp');
    await writeFile(
      config,
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "probe", worker = (${source},
    compatibilityDate = ${JSON.stringify(date)},
    compatibilityFlags = [${flags.map((flag) => JSON.stringify(flag)).join(', ')}]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "probe")]);
`,
    );
    return config;
  }

  /**
   * @param {string} config @param {boolean} service_worker
   * @returns {Promise<ProbeAnswer>}
   */
  async #start(config, service_worker) {
    const child = spawn(this.#binary, ['serve', config, '--control-fd=3'], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    let errors = '';
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    const timer = setTimeout(() => {
      errors += '\nScript startup exceeded CPU time limit.';
      child.kill('SIGKILL');
    }, PATIENCE);
    try {
      const port = await waitForPort(child);
      if (port === undefined) return { problem: problemOf(errors) };
      if (service_worker) return { exports: [] };
      const response = await fetch(`http://127.0.0.1:${port}/`);
      if (!response.ok) return { problem: problemOf(errors) };
      return { exports: /** @type {Export[]} */ (await response.json()) };
    } catch (error) {
      this.#emit({ event: 'note', message: `probe: ${messageOf(error)}` });
      return { problem: problemOf(errors) };
    } finally {
      clearTimeout(timer);
      child.kill('SIGKILL');
      this.#children.delete(child);
    }
  }
}

/**
 * @param {ChildProcess} child
 * @returns {Promise<number | undefined>} the port, or undefined if workerd ended
 */
function waitForPort(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdio[3]?.on('data', (chunk) => {
      text += chunk;
      for (const line of text.split('\n').slice(0, -1)) {
        const message = JSON.parse(line);
        if (message.event === 'listen') resolve(message.port);
      }
    });
    child.on('close', () => resolve(undefined));
    child.on('error', reject);
  });
}

/**
 * workerd's report without its own prefix and our file names.
 * @param {string} errors
 */
function problemOf(errors) {
  const lines = errors
    .split('\n')
    .map((line) => line.replace(/^service probe: /, '').trimEnd())
    .filter((line) => line !== '' && !line.includes(ENTRY));
  return lines.join('\n') || 'The script did not start.';
}
