/** Calls the library inside workerd on request, so that the tests see what users' code would see. */

import { WorkflowEntrypoint } from 'cloudflare:workers';
import { run as sampleClient } from 'sample:client';
import { run as sampleTracking } from 'sample:tracking+retry';
import { WorkflowClient } from '@b-i-g-g-i-d-e-a/flowflare/client';
import {
  recordStepRetry,
  trackStep,
  updateWorkflowInstance,
  updateWorkflowStep,
} from '@b-i-g-g-i-d-e-a/flowflare/workflow';
import { together } from '../../../worker_src/flowflare/src/together.js';
import { STEPS } from './steps.js';

export default {
  async fetch(request, env, ctx) {
    const call = await request.json();
    return Response.json(await CALLS[new URL(request.url).pathname.slice(1)](call, env, ctx));
  },
};

/** Ends with its own payload, which shows what reached it. */
export class EchoWorkflow extends WorkflowEntrypoint {
  async run({ payload }) {
    return payload;
  }
}

/** Runs the API reference's sample as it stands, with a string for an id and with the real step object. */
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

/** What Workers may be bound to. */
const ENVS = {
  service: ({ WORKFLOW_SERVICE, WORKFLOW_API_KEY }) => ({ WORKFLOW_SERVICE, WORKFLOW_API_KEY }),
  tracker: ({ WORKFLOW_TRACKER }) => ({ WORKFLOW_TRACKER }),
  url: ({ WORKFLOW_API_KEY }, url) => ({ TRACKER_API_URL: url, SERVICE_API_KEY: WORKFLOW_API_KEY }),
  'service-down': ({ DOWN }) => ({ WORKFLOW_SERVICE: DOWN }),
  'service-down-but-tracker': ({ DOWN, WORKFLOW_TRACKER }) => ({
    WORKFLOW_SERVICE: DOWN,
    WORKFLOW_TRACKER,
  }),
  'wrong-key': ({ WORKFLOW_SERVICE }) => ({ WORKFLOW_SERVICE, WORKFLOW_API_KEY: 'wrong' }),
  nothing: () => ({}),
};

const REPORTS = { updateWorkflowInstance, updateWorkflowStep, recordStepRetry };

const CALLS = {
  async sql({ sql, values = [] }, env) {
    const { results, meta } = await env.DB.prepare(sql)
      .bind(...values)
      .all();
    return { rows: results, rows_read: meta.rows_read };
  },

  async together({ statements, milliseconds = 10 }, env, ctx) {
    let sent = 0;
    const counting = {
      prepare: (sql) => env.DB.prepare(sql),
      batch: async (list) => {
        sent = Math.max(sent, list.length);
        await scheduler.wait(milliseconds); // Others come meanwhile.
        return env.DB.batch(list);
      },
    };
    const db = together(counting, (promise) => ctx.waitUntil(promise));
    try {
      const results = await db.batch(
        statements.map(({ sql, values }) => db.prepare(sql).bind(...values)),
      );
      return { rows: results.map((result) => result.results), sent };
    } catch (error) {
      return { error: String(error) };
    }
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

  async client({ method, values, options }, env) {
    const serviceBinding = env.WORKFLOW_SERVICE;
    const client = new WorkflowClient({ serviceBinding, apiKey: env.WORKFLOW_API_KEY, ...options });
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
