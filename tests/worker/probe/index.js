/** Call the library inside workerd on request, so that tests see what users' code would see. */

import { WorkflowEntrypoint } from 'cloudflare:workers';
import { NonRetryableError } from 'cloudflare:workflows';
import { run as sampleClient } from 'sample:client';
import { run as sampleTracking } from 'sample:tracking+retry';
import { WorkflowClient } from '@b-i-g-g-i-d-e-a/flowflare/client';
import {
  recordStepRetry,
  trackedStep,
  trackedWorkflow,
  trackStep,
  updateWorkflowInstance,
  updateWorkflowStep,
} from '@b-i-g-g-i-d-e-a/flowflare/workflow';
import { publish } from '../../../worker_src/flowflare/src/feed.js';
import { together } from '../../../worker_src/flowflare/src/together.js';
import { ENVS } from './envs.js';
import { STEPS } from './steps.js';
import { executions } from './timed-workflow.js';

export { TimedWorkflow } from './timed-workflow.js';

export default {
  async fetch(request, env, ctx) {
    const call = await request.json();
    return Response.json(await CALLS[new URL(request.url).pathname.slice(1)](call, env, ctx));
  },
};

/** Ends with its own payload, which shows what it received. */
export class EchoWorkflow extends WorkflowEntrypoint {
  async run({ payload }) {
    return payload;
  }
}

/** One step that fails or hangs as often as its payload says, in any form. */
export class TrackedWorkflow extends WorkflowEntrypoint {
  async run({ instanceId, payload }, step) {
    const { form, failures = 0, hangs = 0, limit = 3, bound = 'service', final = false } = payload;
    const env = ENVS[bound](this.env);
    const work = async ({ attempt } = { attempt: 1 }) => {
      if (final) throw new NonRetryableError('never');
      if (attempt <= hangs) await scheduler.wait(HANGS_MS);
      if (attempt <= failures) throw new Error(`attempt ${attempt}`);
      return { attempt };
    };
    if (form === 'trackStep') return trackStep(env, instanceId, 'charge', 1, work);
    const retries = { limit, delay: 10, backoff: 'constant' };
    const config = { retries, ...(hangs > 0 && { timeout: TIMEOUT_MS }) };
    if (form === 'step.do') {
      return step.do('charge', config, (context) =>
        trackStep(env, instanceId, 'charge', 1, () => work(context)),
      );
    }
    const result = await trackedStep(step, env, instanceId, 'charge', 1, work, config);
    await step.sleep('a while', 10);
    return result;
  }
}

/** Nothing in it but a step reports anything; its payload says what it does. */
export const WrappedWorkflow = trackedWorkflow(
  class extends WorkflowEntrypoint {
    async run({ instanceId, payload }, step) {
      const { sleep = 0, wait = false, error, hangs = false, final = false } = payload;
      const work = () => {
        if (final) throw new NonRetryableError('never');
        return hangs ? scheduler.wait(HANGS_MS) : 'done';
      };
      await step.do('first', { retries: { limit: 0, delay: 1 }, timeout: TIMEOUT_MS }, () =>
        trackStep(this.env, instanceId, 'first', 1, work),
      );
      if (sleep > 0) await step.sleep('a while', sleep);
      if (wait) await step.waitForEvent('a signal', { type: 'signal', timeout: '1 minute' });
      if (error) throw new RangeError(error);
      return { by: this.constructor.name, order: payload.order };
    }
  },
);

/** Run the API reference's sample unchanged, with a string as ID and with the real step object. */
export class SampleWorkflow extends WorkflowEntrypoint {
  async run({ instanceId, payload }, step) {
    let payments = 0;
    const processPayment = async () => ({ paid: ++payments });
    const given = payload.id === 'text' ? { instanceId } : step;
    const type = typeof given.instanceId;
    const { result } = await sampleTracking({ env: this.env, step: given, processPayment });
    return { result, type, payments };
  }
}

/** A step's timeout, and how long a step takes that does not keep it. */
const TIMEOUT_MS = 100;
const HANGS_MS = 400;

let batches = 0;
/** Names of batches that are no longer held. */
const released = new Set();

const REPORTS = { updateWorkflowInstance, updateWorkflowStep, recordStepRetry };

const CALLS = {
  async sql({ sql, values = [], database = 'DB' }, env) {
    const { results, meta } = await env[database]
      .prepare(sql)
      .bind(...values)
      .all();
    return { rows: results, rows_read: meta.rows_read };
  },

  /**
   * `end` is what becomes of this request while its batch is under way, unless it answers; `held` names a batch
   * that is under way until it is released.
   */
  async together({ statements, milliseconds = 10, end = 'answer', held }, env, ctx) {
    let sent = 0;
    const counting = {
      prepare: (sql) => env.DB.prepare(sql),
      batch: async (list) => {
        sent = Math.max(sent, list.length);
        batches++;
        if (end === 'abort') ctx.abort('as at the end of its CPU time');
        do {
          await scheduler.wait(milliseconds); // Other requests arrive meanwhile.
        } while (held !== undefined && !released.has(held));
        return env.DB.batch(list);
      },
    };
    // Without waitUntil a request ends when its client disconnects, as it does with it after half a
    // minute.
    const db = together(counting, (promise) => end === 'cancel' || ctx.waitUntil(promise));
    try {
      const results = await db.batch(
        statements.map(({ sql, values }) => db.prepare(sql).bind(...values)),
      );
      return { rows: results.map((result) => result.results), sent };
    } catch (error) {
      return { error: String(error) };
    }
  },

  /** Broadcast an event; a request that dies does so while it gathers other requests' events. */
  async publish({ run, dies = false }, env, ctx) {
    const event = { type: 'run_update', run_update: { id: run, status: 'Running' } };
    ctx.waitUntil(publish(env.WORKFLOW_TRACKER, [event]));
    if (dies) ctx.abort('as at the end of its CPU time');
    return {};
  },

  async release({ held }) {
    released.add(held);
    return {};
  },

  /** How many batches `together` has sent so far. */
  async batches() {
    return { batches };
  },

  async tracking({ name, data, bound = 'service', url }, env) {
    return { result: await REPORTS[name](data, ENVS[bound](env, url)) };
  },

  async step({ step, run, name = 'probed', index = 1, config, bound = 'service' }, env) {
    let calls = 0;
    const { returns, throws } = STEPS[step];
    const work = () => {
      calls++;
      if (throws) throw throws();
      return returns();
    };
    try {
      const result = await trackStep(ENVS[bound](env), run, name, index, work, config);
      return { calls, type: typeof result };
    } catch (error) {
      const {
        name: type,
        message,
        cause,
        retryCount,
        retryDelay,
        nextRetryAt,
        nonRetryable,
      } = error;
      return { calls, type, message, cause, retryCount, retryDelay, nextRetryAt, nonRetryable };
    }
  },

  /** Track a step, and return the states that each request to the service carried. */
  async requests({ run }, { WORKFLOW_SERVICE, WORKFLOW_API_KEY }) {
    const requests = [];
    const counting = {
      fetch: async (url, init) => {
        const { updates, ...single } = JSON.parse(init.body);
        requests.push((updates ?? [single]).map(({ step_update }) => step_update.status));
        return WORKFLOW_SERVICE.fetch(url, init);
      },
    };
    const env = { WORKFLOW_SERVICE: counting, WORKFLOW_API_KEY };
    await trackStep(env, run, 'quick', 1, () => 'done');
    while (!requests.flat().includes('Completed')) await scheduler.wait(5);
    return { requests };
  },

  /** Run a completed step again and again, and return what is logged of it. */
  async replays({ run, name, times, config }, env) {
    const { warn } = console;
    const lines = [];
    console.warn = (line) => line.includes(name) && lines.push(line);
    try {
      const bound = ENVS.service(env);
      const place = { workflow_run_id: run, step_name: name, step_index: 1 };
      await updateWorkflowStep({ ...place, status: 'Completed' }, bound);
      for (let time = 0; time < times; time++) {
        await trackStep(bound, run, name, 1, () => time, config);
        // Behind the reports of this step in the outbox.
        await updateWorkflowStep({ ...place, status: 'Completed' }, bound);
      }
    } finally {
      console.warn = warn;
    }
    return { lines };
  },

  async client({ method, values, options, rpc }, env) {
    const { WORKFLOW_SERVICE, WORKFLOW_SERVICE_RPC, WORKFLOW_API_KEY } = env;
    const bound = rpc
      ? { rpcBinding: WORKFLOW_SERVICE_RPC }
      : { serviceBinding: WORKFLOW_SERVICE, apiKey: WORKFLOW_API_KEY };
    const client = new WorkflowClient({ ...bound, ...options });
    try {
      return await client[method](...values);
    } catch (error) {
      return { thrown: error.name, message: error.message, status: error.status };
    }
  },

  async sample(_call, env) {
    const { client } = await sampleClient({ env });
    return client.listWorkflows({ limit: 1 });
  },

  async rpc({ method, values }, env) {
    return env.WORKFLOW_SERVICE_RPC[method](...values);
  },

  async 'rpc-odd'({ odd }, env) {
    const loop = {};
    loop.loop = loop;
    const odds = { bigint: { n: 10n }, loop, nothing: undefined, date: new Date(0) };
    return env.WORKFLOW_SERVICE_RPC.update(odds[odd]);
  },

  async 'rpc-fetch'({ path, body }, env) {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
    const url = `https://flowflare.internal${path}`;
    const response = await env.WORKFLOW_SERVICE_RPC.fetch(url, {
      ...init,
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  },

  /** How often each step of a run was executed. */
  async executions({ run }) {
    return Object.fromEntries([...executions].filter(([key]) => key.startsWith(`${run} `)));
  },

  async create({ binding, id, params }, env) {
    await env[binding].create({ id, params });
    return {};
  },

  /** pause, resume, terminate or restart an instance, or send an event to it. */
  async control({ binding, id, action, values = [] }, env) {
    await (await env[binding].get(id))[action](...values);
    return {};
  },

  async restart({ binding, id }, env) {
    await (await env[binding].get(id)).restart();
    return {};
  },

  async instance({ binding, id }, env) {
    return (await env[binding].get(id)).status();
  },

  async 'tracker-fetch'(_call, env) {
    const tracker = env.WORKFLOW_TRACKER.getByName('feed:v1');
    return {
      status: (await tracker.fetch('https://tracker/websocket', { method: 'POST' })).status,
    };
  },
};
