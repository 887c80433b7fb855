/**
 * Turn an account's document into Miniflare's options: pure functions from data to data.
 *
 * The options have the shape of Miniflare 4, which version 5 still accepts through
 * `convertV4MiniflareOptions`. The field names of version 5 are not stable yet.
 */

import { SECRET_HEADER, STORE_HEADER, serviceBinding, storeBinding } from './bindings.mjs';

/** The name of bindings that exist only so that Miniflare's stores run. */
export const BOOT = 'emulator-boot';

/** The name of the Worker in front of the stores. */
export const STORES = 'emulator-stores';

/** The module that wraps an uploaded main module whose Workflows need their names. */
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
 */
export function storesWorker(secret) {
  const contents = `
const [secret, key, store] = ${JSON.stringify([secret, SECRET_HEADER, STORE_HEADER])};
export default {
  async fetch(request, env) {
    const headers = new Headers(request.headers);
    if (headers.get(key) !== secret) return new Response("The secret is missing or wrong.", { status: 403 });
    const target = env[headers.get(store)];
    headers.delete(key);
    headers.delete(store);
    return target.fetch(new Request(request, { headers }));
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
 * @param {object} worker one Worker of an account's document
 * @param {object[]} modules its code
 * @param {string} newestDate the newest compatibility date that workerd knows
 * @param {{stores: object, queues: object}} access address and secret of each, for `storeBinding`
 */
export function workerOptions(worker, modules, newestDate, access) {
  const targets = Object.entries(worker.targets);
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
    analyticsEngineDatasets: mapValues(worker.datasets, (dataset) => ({ dataset })),
    unsafeBindings: [
      ...Object.entries(worker.d1).map(([name, id]) => storeBinding(name, 'd1', id, access.stores)),
      ...bindTargets('kv', access.stores),
      ...bindTargets('r2', access.stores),
      ...bindTargets('queue', access.queues),
      ...Object.entries(worker.rate_limits).map(([name, { namespace_id, simple }]) =>
        storeBinding(name, 'ratelimit', namespace_id, access.stores, simple),
      ),
    ],
    versionMetadata: worker.version_metadata[0],
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
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

function mapValues(named, change) {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, change(value)]));
}

function durableObject(object) {
  return {
    className: object.class_name,
    scriptName: object.worker ?? undefined,
    useSQLite: object.use_sqlite,
    unsafeUniqueKey: object.namespace,
  };
}

function sourceOptions(worker, code) {
  if (worker.service_worker) {
    return { script: code[0].text };
  }
  const modules = code.map((module) => ({
    type: module.type,
    path: module.name,
    contents: contents(module),
  }));
  if (Object.keys(worker.workflow_names).length > 0) {
    modules.unshift({
      type: 'ESModule',
      path: ENTRY,
      contents: entry(worker, code[0].name),
    });
  }
  return { modules };
}

/** @param {{text?: string, base64?: string}} module */
export function contents(module) {
  return module.base64 === undefined ? module.text : Buffer.from(module.base64, 'base64');
}

/**
 * Miniflare knows Workflows by their ID, so that two accounts may use one name and a deleted
 * Workflow's data is never found again. The class still sees its own name in the event.
 */
function entry(worker, mainName) {
  const main = JSON.stringify(`./${mainName}`);
  const classes = Object.entries(worker.workflow_names).map(
    ([name, names]) => `
export class ${name} extends uploaded.${name} {
  run(event, step) {
    const names = ${JSON.stringify(names)};
    return super.run({ ...event, workflowName: names[event.workflowName] ?? event.workflowName }, step);
  }
}`,
  );
  const standard = worker.has_default
    ? `export { default } from ${main};\n`
    : 'export default {};\n';
  return `import * as uploaded from ${main};\nexport * from ${main};\n${standard}${classes.join('\n')}\n`;
}
