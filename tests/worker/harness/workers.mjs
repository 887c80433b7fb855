// The Workers under test: the service in several configurations, its clients, and a probe to look through.
import { bundle, LIBRARY_ENTRY } from './bundles.mjs';

const COMPATIBILITY_DATE = '2026-11-01';
const KEY = 'ff_test_key';
const TRACKER = { className: 'WorkflowTracker', useSQLite: true };

const RETENTION = { days: 30, byStatus: { Errored: 60, Running: 90 } };

const workflows = {
  ORDER_PROCESSING: { name: 'order-processing', className: 'OrderWorkflow', scriptName: 'orders' },
  ECHO: { name: 'echo', className: 'EchoWorkflow', scriptName: 'probe' },
  TRACKED: { name: 'tracked', className: 'TrackedWorkflow', scriptName: 'probe' },
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
    // A service binding answers to every method's name: it must not pass for a Workflow.
    serviceBindings: { SOME_SERVICE: 'probe' },
    bindings,
  });

const client = (name, contents, bindings = {}) =>
  worker(name, contents, {
    d1Databases: { DB: 'tracking', RETAINED: 'retained' },
    serviceBindings: {
      WORKFLOW_SERVICE: 'service',
      WORKFLOW_SERVICE_RPC: { name: 'service', entrypoint: 'FlowflareService' },
      ...bindings,
    },
    durableObjects: { WORKFLOW_TRACKER: { ...TRACKER, scriptName: 'service' } },
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

export async function workers() {
  const [library, sample, orders, probe] = await Promise.all([
    bundle(LIBRARY_ENTRY),
    bundle('tests/worker/samples/service.js'),
    bundle('worker_src/orders/src/index.js'),
    bundle('tests/worker/probe/index.js'),
  ]);
  // As the toolkit renders it: the finished bundle, then the stack's part.
  const rendered = (options) =>
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
    service('service', rendered({ allowedOrigins: ['https://app.example.com'] }), keys),
    service('open-api', rendered({ allowedOrigins: ['*'], apiAuth: 'off' }), keys),
    service('debugging', rendered({ debug: true, stuckAfterMinutes: 5 }), keys),
    service('rotated', rendered({}), { SERVICE_API_KEY: 'ff_second_key', SERVICE_API_KEY_1: KEY }),
    service('retaining', rendered({ retention: RETENTION }), keys, 'retained'),
    service('keyless', rendered({}), {}),
    service('allow-list', rendered({ workflows: { mail: 'ECHO', lost: 'UNBOUND' } }), keys),
    service('sample', sample, keys),
    client('orders', orders),
    client('probe', probe, { DOWN: () => new Response('down', { status: 500 }) }),
  ];
}
