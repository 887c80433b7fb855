/**
 * Run the embedded Cloudflare's Workers: each line on stdin is a request, a number and JSON; each
 * line on stdout is a JSON answer or event.
 *
 * A line or promise that fails is answered or logged, and does not affect others.
 *
 * Everything else is printed to stderr, which the Python side writes to the log file. When stdin
 * ends, because the Python side stopped or was killed, workerd and this process stop.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { databasePath, holdsObjects, objectsOf } from './files.mjs';
import { Ports } from './ports.mjs';
import { Probe } from './probe.mjs';
import { Queues } from './queues.mjs';
import { Runtime } from './runtime.mjs';

const { values } = parseArgs({
  options: { data: { type: 'string' }, 'node-modules': { type: 'string' } },
});
console.log = console.info = console.debug = console.error;

/** @param {object} message */
function send(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

const nodeModules = path.join(path.resolve(values['node-modules']), 'x.js');
let programs;
try {
  const require = createRequire(nodeModules);
  programs = { miniflare: require('miniflare'), workerd: require('workerd') };
} catch (error) {
  send({ event: 'failed', reason: 'missing', message: messageOf(error) });
  process.exit(1);
}

const emit = (event, detail = {}) => send({ event, ...detail });
const queues = new Queues({
  data: values.data,
  deliver: ({ account, worker, name }, messages) =>
    runtime.handle({ account, key: worker }, (instance) =>
      instance.deliver(worker, name, messages),
    ),
  note: (message) => emit('note', { message }),
});
const runtime = new Runtime({ ...programs, nodeModules, data: values.data, emit, queues });
const ports = new Ports({ runtime, emit });
const probe = new Probe({
  workerd: programs.workerd,
  data: values.data,
  emit,
});

/** The operations that the Python side can request, by name. */
const operations = {
  start: async (request) => {
    const started = await runtime.start(request);
    await queues.start(request.known.targets);
    return started;
  },
  account: async ({ change, code }) => {
    const taken = await ports.listen(change);
    runtime.accountChanged(change, code);
    queues.accountChanged(change);
    return { taken };
  },
  d1: (request) => runtime.d1(request),
  objects: async ({ namespace }) => ({ ids: await objectsOf(values.data, namespace) }),
  bucket: async ({ bucket }) => ({ holds_objects: holdsObjects(values.data, bucket) }),
  d1_file: async ({ database }) => ({ path: databasePath(values.data, database) }),
  probe: (request) => runtime.duringUpload(() => probe.run(request)),
  settle: ({ account }) => runtime.settle(account),
  scheduled: async ({ account, key, cron, time }) => {
    const event = { cron, scheduledTime: new Date(time) };
    const { outcome } = await runtime.handle({ account, key }, (instance) =>
      instance.scheduled(key, event),
    );
    return { outcome };
  },
  forget: async (deleted) => {
    queues.forget(deleted.targets ?? []);
    await runtime.forget(deleted);
  },
  limit: async ({ units, idle }) => runtime.limit({ units, idle }),
  workers: async () => runtime.describe(),
};

async function stop() {
  setTimeout(() => process.exit(1), 6_000);
  queues.dispose();
  probe.dispose();
  await ports.close();
  await runtime.dispose();
  process.exit(0);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const end = line.indexOf(' ');
  const id = Number(line.slice(0, end));
  try {
    const request = JSON.parse(line.slice(end));
    send({ id, ok: (await operations[request.op](request)) ?? {} });
  } catch (error) {
    send({ id, error: messageOf(error) });
  }
});
lines.on('close', stop);
process.on('unhandledRejection', (error) => emit('note', { message: messageOf(error) }));
process.on('SIGTERM', stop);
process.on('SIGINT', () => {});
process.stdout.on('error', stop);
emit('up', { pid: process.pid });
