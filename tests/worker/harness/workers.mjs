// The Workers under test: the service in several configurations, its clients, and a probe.
import { bundle, LIBRARY_ENTRY } from './bundles.mjs';

const COMPATIBILITY_DATE = '2026-11-01';
const KEY = 'ff_test_key';
const TRACKER = { className: 'WorkflowTracker', useSQLite: true };

const RETENTION = { days: 30, byStatus: { Errored: 60, Running: 90 } };

const workflows = {
  ORDER_PROCESSING: { name: 'order-processing', className: 'OrderWorkflow', scriptName: 'orders' },
  ECHO: { name: 'echo', className: 'EchoWorkflow', scriptName: 'probe' },
  TIMED: { name: 'timed', className: 'TimedWorkflow', scriptName: 'probe' },
  TRACKED: { name: 'tracked', className: 'TrackedWorkflow', scriptName: 'probe' },
  WRAPPED: { name: 'wrapped', className: 'WrappedWorkflow', scriptName: 'probe' },
  SAMPLE: { name: 'sample', className: 'SampleWorkflow', scriptName: 'probe' },
};

const worker = (name, contents, bindings) => ({
  name,
  compatibilityDate: COMPATIBILITY_DATE,
  modules: [{ type: 'ESModule', path: `${name}.js`, contents }],
  unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  ...bindings,
});

const service = (name, contents, bindings, database = 'tracking') =>
  worker(name, contents, {
    d1Databases: { DB: database },
    durableObjects: { WORKFLOW_TRACKER: TRACKER },
    workflows,
    // A service binding answers to every method's name, but must not count as a Workflow.
    serviceBindings: { SOME_SERVICE: 'probe' },
    bindings,
  });

const client = (name, contents, bindings = {}, objects = {}) =>
  worker(name, contents, {
    d1Databases: { DB: 'tracking', RETAINED: 'retained' },
    serviceBindings: {
      WORKFLOW_SERVICE: 'service',
      WORKFLOW_SERVICE_RPC: { name: 'service', entrypoint: 'FlowflareService' },
      ...bindings,
    },
    durableObjects: { WORKFLOW_TRACKER: { ...TRACKER, scriptName: 'service' }, ...objects },
    bindings: { WORKFLOW_API_KEY: KEY },
    workflows: Object.fromEntries(
      Object.entries(workflows)
        .filter(([, { scriptName }]) => scriptName === name)
        .map(([binding, { name: workflow, className }]) => [
          binding,
          { name: workflow, className },
        ]),
    ),
  });

/** Faulty services by name, each with its delay. */
const UNWELL = {
  hanging: { TAKES_MS: 600_000 },
  slow: { TAKES_MS: 60_000 },
  late: { TAKES_MS: 1200 },
  deaf: { ANSWERS_MS: 20_000 },
  recovering: { REFUSALS: 6 },
};

const isDown = () => new Response('down', { status: 500 });

/** Clients do not wait for a service that was silent for another caller, so each has its own. */
const PROBE_BINDINGS = {
  DOWN: isDown,
  DOWN_TOO: isDown,
  DOWN_AS_WELL: isDown,
  HANGING_RPC: { name: 'hanging', entrypoint: 'FlowflareService' },
  ...Object.fromEntries(Object.keys(UNWELL).map((name) => [name.toUpperCase(), name])),
};

export async function workers() {
  const [library, sample, orders, probe, delayed] = await Promise.all([
    bundle(LIBRARY_ENTRY),
    bundle('tests/worker/samples/service.js'),
    bundle('worker_src/orders/src/index.js'),
    bundle('tests/worker/probe/index.js'),
    bundle('tests/worker/probe/delayed.js'),
  ]);
  // As the toolkit renders it: the finished bundle, followed by the stack's part.
  const render = (options) =>
    `${library}\nexport default createWorkflowService(${JSON.stringify(options)});\n`;
  const keys = {
    SERVICE_API_KEY: KEY,
    SERVICE_API_KEY_PREVIOUS: 'ff_previous_key',
    SERVICE_API_KEY_2: 'ff_second_key',
    SERVICE_API_KEY_10: 'ff_tenth_key',
    // None of these is a generation.
    SERVICE_API_KEY_0: 'ff_no_key',
    SERVICE_API_KEY_: 'ff_no_key',
    SERVICE_API_KEY_2B: 'ff_no_key',
  };
  return [
    service('service', render({ allowedOrigins: ['https://app.example.com'] }), keys),
    service('open-api', render({ allowedOrigins: ['*'], apiAuth: 'off' }), keys),
    service('debugging', render({ debug: true, stuckAfterMinutes: 5 }), keys),
    service('rotated', render({}), { SERVICE_API_KEY: 'ff_second_key', SERVICE_API_KEY_1: KEY }),
    service('retaining', render({ retention: RETENTION }), keys, 'retained'),
    service('keyless', render({}), {}),
    service('allow-list', render({ workflows: { mail: 'ECHO', lost: 'UNBOUND' } }), keys),
    service('sample', sample, keys),
    client('orders', orders),
    ...Object.entries(UNWELL).map(([name, bindings]) =>
      worker(name, delayed, {
        serviceBindings: { SERVICE: 'service' },
        durableObjects: { WORKFLOW_TRACKER: TRACKER },
        bindings,
      }),
    ),
    client('probe', probe, PROBE_BINDINGS, {
      HANGING_TRACKER: { ...TRACKER, scriptName: 'hanging' },
    }),
  ];
}
