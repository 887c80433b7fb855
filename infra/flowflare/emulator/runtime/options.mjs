/**
 * Turns an account's document into Miniflare's options: pure functions from data to data.
 *
 * Options have the shape of Miniflare 4, which its successor still takes through
 * `convertV4MiniflareOptions`; the field names of version 5 still move.
 */

/** The D1 database that exists only so that the D1 service runs before any Worker does. */
export const BOOT_DATABASE = 'emulator-boot';

/** The module that stands in front of an uploaded main module where Workflows need their names. */
const ENTRY = 'emulator-entry.js';

/** The Worker that is always there, so that D1 can be asked without any uploaded script. */
export const SYSTEM_WORKER = {
  name: 'emulator-system',
  compatibilityDate: '2026-01-01',
  modules: [
    {
      type: 'ESModule',
      path: 'system.js',
      contents: 'export default { fetch: () => new Response("no such Worker", { status: 404 }) };',
    },
  ],
  d1Databases: { BOOT: BOOT_DATABASE },
};

/**
 * @param {object} worker one Worker of an account's document
 * @param {string} newestDate the newest compatibility date workerd knows
 */
export function workerOptions(worker, newestDate) {
  return {
    name: worker.key,
    compatibilityDate: supportedDate(worker.compatibility_date, newestDate),
    compatibilityFlags: worker.compatibility_flags,
    ...source(worker),
    bindings: worker.vars,
    d1Databases: worker.d1,
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
    kvNamespaces: worker.kv,
    r2Buckets: worker.r2,
    queueProducers: mapped(worker.queues, (queueName) => ({ queueName })),
    analyticsEngineDatasets: mapped(worker.datasets, (dataset) => ({ dataset })),
    ratelimits: worker.rate_limits,
    versionMetadata: worker.version_metadata[0],
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  };
}

/**
 * workerd refuses dates after its release; Cloudflare's servers are newer than any release.
 *
 * @param {string} date @param {string} newestDate
 */
export function supportedDate(date, newestDate) {
  return date > newestDate ? newestDate : date;
}

function mapped(named, change) {
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

function source(worker) {
  if (worker.service_worker) {
    return { script: worker.modules[0].text };
  }
  const modules = worker.modules.map((module) => ({
    type: module.type,
    path: module.name,
    contents: contents(module),
  }));
  if (Object.keys(worker.workflow_names).length > 0) {
    modules.unshift({
      type: 'ESModule',
      path: ENTRY,
      contents: entry(worker),
    });
  }
  return { modules };
}

/** @param {{text?: string, base64?: string}} module */
export function contents(module) {
  return module.base64 === undefined ? module.text : Buffer.from(module.base64, 'base64');
}

/**
 * Workflows are known to Miniflare by their id, so that two accounts may use one name and a deleted
 * Workflow's data is never met again; the class still sees its own name in the event.
 */
function entry(worker) {
  const main = JSON.stringify(`./${worker.modules[0].name}`);
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
