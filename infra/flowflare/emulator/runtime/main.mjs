/**
 * Run the embedded Cloudflare's Workers: each line on stdin is a request, a number and JSON; each
 * line on stdout is a JSON answer or event.
 *
 * A line or promise that fails is answered or logged, and does not affect others.
 *
 * Everything else is printed to stderr, which the Python side writes to the log file. When stdin
 * ends, because the Python side stopped or was killed, workerd and this process stop.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { databasePath, measureBucket, objectsOf } from './files.mjs';
import { changeInstance, createInstance } from './instance_control.mjs';
import { listInstances, readInstance } from './instances.mjs';
import { messageOf } from './messages.mjs';
import { Ports } from './ports.mjs';
import { Probe } from './probe.mjs';
import { loadPrograms } from './programs.mjs';
import { Queues } from './queues.mjs';
import { Runtime } from './runtime.mjs';
import { Publisher } from './subscriptions.mjs';
import { Tails } from './tails.mjs';

/** @import { Answers, Event, Requests } from './wire.d.ts' */
/** @typedef {keyof Requests} Operation */

const { values } = parseArgs({
  options: { data: { type: 'string' }, 'node-modules': { type: 'string' } },
});
const folders = /** @type {{data: string, 'node-modules': string}} */ (values);
console.log = console.info = console.debug = console.error;

/** @param {Event | {id: number, ok: object} | {id: number, error: string}} message */
function send(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** @returns {import('./programs.mjs').Programs} */
function findPrograms() {
  try {
    return loadPrograms(folders['node-modules']);
  } catch (error) {
    send({ event: 'failed', reason: 'missing', message: messageOf(error) });
    process.exit(1);
  }
}

/** @param {string} message */
const note = (message) => send({ event: 'note', message });
const programs = findPrograms();
const queues = new Queues({
  data: folders.data,
  deliver: ({ account, worker, name }, messages) =>
    runtime.handle({ account, key: worker }, (instance) =>
      instance.deliver(worker, name, messages),
    ),
  note,
});
const publisher = new Publisher({ data: folders.data, queues, note });
const tails = new Tails(programs);
const runtime = new Runtime({ programs, data: folders.data, emit: send, queues, tails });
const ports = new Ports({ runtime, emit: send });
const probe = new Probe({ workerd: programs.workerd, data: folders.data, emit: send });

/**
 * The operations that the Python side can request, by name.
 * @type {{[Name in Operation]: (request: Requests[Name]) => Promise<Answers[Name]>}}
 */
const operations = {
  start: async (request) => {
    const started = await runtime.start(request);
    await queues.start(request.known.targets);
    return started;
  },
  account: async (request) => {
    const taken = await ports.listen(request.change);
    tails.accountChanged(request.change);
    runtime.accountChanged(request);
    queues.accountChanged(request.change);
    return { taken };
  },
  d1: (request) => runtime.d1(request),
  objects: async ({ namespace }) => ({ ids: await objectsOf(folders.data, namespace) }),
  stores: async () => runtime.stores.access,
  bucket: async ({ bucket }) => measureBucket(folders.data, bucket),
  d1_file: async ({ database }) => ({ path: databasePath(folders.data, database) }),
  probe: (request) => runtime.duringUpload(() => probe.run(request)),
  settle: (request) => runtime.settle(request),
  scheduled: async ({ account, key, cron, time }) => {
    const event = { cron, scheduledTime: new Date(time) };
    const { outcome } = await runtime.handle({ account, key }, (instance) =>
      instance.scheduled(key, event),
    );
    return { outcome };
  },
  instances: async ({ workflow }) => ({
    instances: await listInstances(folders.data, workflow, note),
  }),
  instance: async ({ workflow, id }) => readInstance(folders.data, workflow, id),
  instance_create: ({ account, key, workflow, given }) =>
    runtime.handle({ account, key }, async (instance) => {
      await createInstance(await instance.engines(workflow), folders.data, workflow, given);
      return {};
    }),
  instance_change: ({ account, key, workflow, id, change }) =>
    runtime.handle({ account, key }, async (instance) => {
      const engines = await instance.engines(workflow);
      publisher.publish(workflow, id); // a restart and a deletion remove what was logged
      await changeInstance(engines, folders.data, workflow, id, change);
      return {};
    }),
  subscriptions: async (request) => {
    await publisher.configure(request);
    return {};
  },
  queues: async (request) => {
    queues.configure(request);
    return {};
  },
  queue_push: async (request) => queues.push(request),
  queue_pull: async (request) => queues.pull(request),
  queue_ack: async (request) => queues.acknowledge(request),
  queue_metrics: async (request) => queues.metrics(request),
  queue_purge: async ({ queue }) => {
    queues.forget([queue]);
    return {};
  },
  forget: async (deleted) => {
    queues.forget(deleted.targets);
    await runtime.forget(deleted);
    return {};
  },
  limit: async ({ units, idle }) => {
    runtime.limit({ units, idle });
    return {};
  },
  tails: async () => ({ port: await tails.port }),
  workers: async () => runtime.describe(),
};

async function stop() {
  setTimeout(() => process.exit(1), 6_000);
  publisher.dispose();
  queues.dispose();
  tails.dispose();
  probe.dispose();
  await ports.close();
  await runtime.dispose();
  process.exit(0);
}

/**
 * @template {Operation} Name
 * @param {Name} name @param {Requests[Name]} request
 */
function answer(name, request) {
  return operations[name](request);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const end = line.indexOf(' ');
  const id = Number(line.slice(0, end));
  try {
    const { op, ...request } = JSON.parse(line.slice(end));
    send({ id, ok: await answer(op, request) });
  } catch (error) {
    send({ id, error: messageOf(error) });
  }
});
lines.on('close', stop);
process.on('unhandledRejection', (error) => send({ event: 'note', message: messageOf(error) }));
process.on('SIGTERM', stop);
process.on('SIGINT', () => {});
process.stdout.on('error', stop);
send({ event: 'up', pid: process.pid });
