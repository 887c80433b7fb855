/**
 * Turn an account's document into Miniflare's options: pure functions from data to data.
 *
 * The options have the shape of Miniflare 4, which version 5 still accepts through
 * `convertV4MiniflareOptions`. The field names of version 5 are not stable yet.
 */

import { SECRET_HEADER, STORE_HEADER, serviceBinding, storeBinding } from './bindings.mjs';
import { DISTANCE_HEADER, DISTANT_CALL, distantClasses, wrapClasses } from './distance.mjs';
import { hasSourceMap, listTails, nameInStacks } from './source_maps.mjs';
import { tailWorkers } from './tails.mjs';

/** @import { V4DurableObject, V4ModuleDefinition, V4SourceOptions, V4WorkerOptions } from 'miniflare' */
/** @import { Access } from './bindings.mjs' */
/** @import { BoundObject, BoundTarget, Module, ObjectClass, Worker } from './wire.d.ts' */

/** The name of bindings that exist only so that Miniflare's stores run. */
export const BOOT = 'emulator-boot';

/** The name of the Worker in front of the stores. */
export const STORES = 'emulator-stores';

/** The name of the Worker that binds Workflows which no other Worker binds. */
const WORKFLOWS = 'emulator-workflows';

/** The module that wraps an uploaded main module whose Workflows need names, or objects a distance. */
const ENTRY = 'emulator-entry.js';

/** Miniflare's services that hold the data, by store. */
const SERVICES = {
  d1: 'd1:db:entry',
  kv: 'kv:ns:entry',
  r2: 'r2:bucket:entry',
  ratelimit: 'ratelimit:ns:entry',
};

/**
 * The Worker in front of the stores: it forwards requests that carry the secret.
 * @param {string} secret
 * @returns {V4WorkerOptions}
 */
export function storesWorker(secret) {
  const contents = `
const [secret, key, store, distance] = ${JSON.stringify([secret, SECRET_HEADER, STORE_HEADER, DISTANCE_HEADER])};
${DISTANT_CALL}
export default {
  async fetch(request, env) {
    const headers = new Headers(request.headers);
    if (headers.get(key) !== secret) return new Response("The secret is missing or wrong.", { status: 403 });
    const kind = headers.get(store);
    headers.delete(key);
    headers.delete(store);
    const call = () => env[kind].fetch(new Request(request, { headers }));
    return headers.has(distance) ? distant(headers, call) : call();
  },
};
`;
  return {
    name: STORES,
    compatibilityDate: '2026-01-01',
    modules: [{ type: 'ESModule', path: 'stores.js', contents }],
    d1Databases: { BOOT_D1: BOOT },
    kvNamespaces: { BOOT_KV: BOOT },
    r2Buckets: { BOOT_R2: BOOT },
    ratelimits: { BOOT_LIMIT: { namespace_id: BOOT, simple: { limit: 1, period: 60 } } },
    unsafeBindings: Object.entries(SERVICES).map(([name, service]) =>
      serviceBinding(name, service),
    ),
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  };
}

/**
 * The Worker that binds the Workflows which no other Worker binds, because Miniflare runs only
 * bound ones and clients of the API can start any.
 * @param {Worker[]} workers of one unit
 * @returns {V4WorkerOptions[]} none if all Workflows are bound
 */
export function workflowsWorkers(workers) {
  const bound = new Set(
    workers.flatMap(({ workflows }) => Object.values(workflows).map(({ id }) => id)),
  );
  const unbound = workers.flatMap(({ key, workflow_names }) =>
    Object.entries(workflow_names).flatMap(([className, names]) =>
      Object.keys(names)
        .filter((id) => !bound.has(id))
        .map((id) => [id, { name: id, className, scriptName: key }]),
    ),
  );
  /** @type {V4ModuleDefinition[]} */
  const modules = [{ type: 'ESModule', path: 'workflows.js', contents: 'export default {};' }];
  const worker = { name: WORKFLOWS, compatibilityDate: '2026-01-01', modules };
  return unbound.length ? [{ ...worker, workflows: Object.fromEntries(unbound) }] : [];
}

/**
 * @param {Worker} worker one Worker of an account's document
 * @param {Module[]} modules its code
 * @param {string} newestDate the newest compatibility date that workerd knows
 * @param {{d1: Access, stores: Access, queues: Access}} access
 * @returns {V4WorkerOptions}
 */
export function workerOptions(worker, modules, newestDate, access) {
  const targets = Object.entries(worker.targets);
  const stores = { ...access.stores, distance: worker.distance };
  const d1 = { ...access.d1, distance: worker.distance };
  /** @param {Exclude<BoundTarget['kind'], 'secret'>} kind @param {Access} from */
  const bindTargets = (kind, from) =>
    targets
      .filter(([, target]) => target.kind === kind)
      .map(([name, { key }]) => storeBinding(name, kind, key, from));
  return {
    name: worker.key,
    compatibilityDate: supportedDate(worker.compatibility_date, newestDate),
    compatibilityFlags: worker.compatibility_flags,
    ...sourceOptions(worker, modules),
    bindings: worker.vars,
    durableObjects: Object.fromEntries(
      Object.entries(worker.objects).map(([name, object]) => [name, durableObject(object)]),
    ),
    additionalUnboundDurableObjects: worker.unbound_objects.map(durableObject),
    serviceBindings: Object.fromEntries(
      Object.entries(worker.services).map(([name, service]) => [
        name,
        { name: service.worker, entrypoint: service.entrypoint ?? undefined },
      ]),
    ),
    workflows: Object.fromEntries(
      Object.entries(worker.workflows).map(([name, workflow]) => [
        name,
        {
          name: workflow.id,
          className: workflow.class_name,
          scriptName: workflow.worker,
        },
      ]),
    ),
    analyticsEngineDatasets: Object.fromEntries(
      Object.entries(worker.datasets).map(([name, dataset]) => [name, { dataset }]),
    ),
    unsafeBindings: [
      ...Object.entries(worker.d1).map(([name, id]) => storeBinding(name, 'd1', id, d1)),
      ...bindTargets('kv', stores),
      ...bindTargets('r2', stores),
      ...bindTargets('queue', access.queues),
      ...targets
        .filter(([, { kind }]) => kind === 'secret')
        .map(([name, { key, value }]) =>
          storeBinding(name, 'secret', key, access.stores, { value }),
        ),
      ...Object.entries(worker.rate_limits).map(([name, { namespace_id, simple }]) =>
        storeBinding(name, 'ratelimit', namespace_id, access.stores, simple),
      ),
    ],
    assets: assetOptions(worker),
    tails: [...listTails(modules), ...tailWorkers(worker)],
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  };
}

/** @param {Worker} worker @returns {V4WorkerOptions['assets']} */
function assetOptions({ assets }) {
  if (!assets) return undefined;
  const { directory, binding, run_worker_first, has_user_worker, ...assetConfig } = assets;
  return {
    directory,
    binding: binding ?? undefined,
    run_worker_first,
    routerConfig: { has_user_worker },
    assetConfig,
  };
}

/**
 * Lower a date to workerd's newest, because workerd refuses dates after its release. Cloudflare's
 * servers are newer than any release.
 * @param {string} date @param {string} newestDate
 */
export function supportedDate(date, newestDate) {
  return date > newestDate ? newestDate : date;
}

/** @param {BoundObject | ObjectClass} object @returns {V4DurableObject} */
function durableObject(object) {
  return {
    className: object.class_name,
    scriptName: ('worker' in object && object.worker) || undefined,
    useSQLite: object.use_sqlite,
    unsafeUniqueKey: object.namespace,
  };
}

/** @param {Worker} worker @param {Module[]} code @returns {V4SourceOptions} */
function sourceOptions(worker, code) {
  if (worker.service_worker) return { script: String(contents(code[0])) };
  /** @type {V4ModuleDefinition[]} */
  const modules = code.flatMap((module) =>
    module.type === 'SourceMap' ? [] : moduleOptions(module, worker, code),
  );
  if (Object.keys(worker.workflow_names).length > 0 || distantClasses(worker).length > 0) {
    modules.unshift({
      type: 'ESModule',
      path: ENTRY,
      contents: entry(worker, code[0].name),
    });
  }
  return { modules };
}

/**
 * Miniflare has no JSON modules, which Cloudflare has.
 * @param {Exclude<Module, {type: 'SourceMap'}>} module
 * @param {Worker} worker
 * @param {Module[]} code all its modules
 * @returns {V4ModuleDefinition}
 */
function moduleOptions(module, worker, code) {
  const { name, type } = module;
  if (type === 'ESModule' && hasSourceMap(code, name)) {
    const named = `${module.text}\n//# sourceURL=${nameInStacks(worker, name)}\n`;
    return { type, path: name, contents: named };
  }
  if (type !== 'JSON') return { type, path: name, contents: contents(module) };
  const source = `export default JSON.parse(${JSON.stringify(module.text)});`;
  return { type: 'ESModule', path: name, contents: source };
}

/** @param {Module} module */
export function contents(module) {
  return 'text' in module ? module.text : Buffer.from(module.base64, 'base64');
}

/**
 * The code that keeps Cloudflare's limit of 1 MiB for a step's result. Miniflare's engine says so
 * too, and means SQLite's limit, which is twice as high.
 */
const LIMIT = `
import { NonRetryableError } from "cloudflare:workflows";
const sizeOf = (value) => value?.byteLength ?? new TextEncoder().encode(
  typeof value === "string" ? value : JSON.stringify(value) ?? "").length;
const check = (name, value) => {
  if (value instanceof ReadableStream || sizeOf(value) <= 2 ** 20) return value;
  throw new NonRetryableError(\`Step \${name} output is too large. Maximum allowed size is 1MiB.\`);
};
const limit = (step) => new Proxy(step, {
  get(target, key) {
    if (key !== "do") return (...given) => target[key](...given);
    return (name, ...rest) => {
      const at = rest.findIndex((part) => typeof part === "function");
      const run = rest[at];
      if (run) rest[at] = async (...given) => check(name, await run(...given));
      return target.do(name, ...rest);
    };
  },
});
`;

/**
 * Miniflare knows Workflows by their ID, so that two accounts may use one name and a deleted
 * Workflow's data is never found again. The class still sees its own name in the event.
 * @param {Worker} worker @param {string} mainName
 */
function entry(worker, mainName) {
  const main = JSON.stringify(`./${mainName}`);
  const classes = Object.entries(worker.workflow_names).map(
    ([name, names]) => `
export class ${name} extends uploaded.${name} {
  run(event, step) {
    const names = ${JSON.stringify(names)};
    return super.run({ ...event, workflowName: names[event.workflowName] ?? event.workflowName }, limit(step));
  }
}`,
  );
  const standard = worker.has_default
    ? `export { default } from ${main};\n`
    : 'export default {};\n';
  return `${LIMIT}import * as uploaded from ${main};\nexport * from ${main};\n${standard}${classes.join('\n')}${wrapClasses(worker)}\n`;
}
