/** The service Worker: its routes, and what all routes share (keys, origins, limits, errors). */

import { takeUpdates } from './apply-updates.js';
import { requireKey } from './auth.js';
import { corsHeaders, preflight } from './cors.js';
import { publish } from './feed.js';
import { invalid } from './fields.js';
import { json, readJson } from './http.js';
import { readListRequest } from './list-request.js';
import { costText, metered } from './metered.js';
import { OPENAPI } from './openapi.js';
import { asProblem, Problem } from './problem.js';
import { answerQuery } from './query.js';
import { readPage, readRun, readWorkflow } from './read-runs.js';
import { deleteExpired } from './retention.js';
import { configure } from './settings.js';
import { startRun } from './start-run.js';
import { together } from './together.js';
import { watch } from './watch.js';
import { issueTicket } from './ws-ticket.js';

/**
 * @typedef {object} ServiceOptions
 * @property {string[]} [allowedOrigins] web origins that may call /api and open the WebSocket, exactly as listed
 * @property {boolean} [debug] log every request, and report its cost in the header X-Flowflare-D1
 * @property {'required' | 'off'} [apiAuth] 'off' opens /api to callers without a key, as the
 *   original did
 * @property {Record<string, string>} [workflows] the types that may be started, each with the name
 *   of its Workflow binding; without it, the binding ORDER_PROCESSING, if it exists, starts the
 *   type order-processing
 * @property {import('./retention.js').Retention} [retention] how long ended runs are kept; needs a
 *   cron trigger
 * @property {number} [stuckAfterMinutes] after how long without an event a run counts as stuck;
 *   default 60, 0 means never
 */

/**
 * The service's bindings, apart from the Workflows that it starts.
 * @typedef {{DB: D1Database, WORKFLOW_TRACKER: DurableObjectNamespace<import('./tracker.js').WorkflowTracker>} &
 *   import('./auth.js').Keys} ServiceEnv
 */

/**
 * A request while a route answers it.
 * @typedef {object} Call
 * @property {Request} request
 * @property {ServiceEnv} env
 * @property {D1Database} writes the same database, for writes that may be batched with other
 *   requests' writes
 * @property {ServiceOptions} options
 * @property {(events: import('./feed.js').FeedEvent[]) => void} announce broadcasts what is stored
 * @property {boolean} trusted the request comes over a binding, which is itself the permission
 */

/**
 * @typedef {object} Route
 * @property {'GET' | 'POST'} method
 * @property {'open' | 'service' | 'api' | 'watch'} access
 * @property {(call: Call) => Promise<Response>} answer
 */

/** @type {Readonly<Record<string, Route>>} */
const ROUTES = Object.freeze({
  '/healthz': {
    method: 'GET',
    access: 'open',
    answer: async () => json({ success: true, status: 'ok' }),
  },
  '/openapi.json': { method: 'GET', access: 'service', answer: async () => json(OPENAPI) },
  '/service/start-workflow': { method: 'POST', access: 'service', answer: start },
  '/service/get-workflow': { method: 'POST', access: 'service', answer: get },
  '/service/list-workflows': { method: 'POST', access: 'service', answer: list },
  '/service/get-workflows-by-ref': { method: 'POST', access: 'service', answer: byRef },
  '/api/workflows/update': { method: 'POST', access: 'api', answer: update },
  '/api/workflows/query': { method: 'POST', access: 'api', answer: query },
  '/api/ws-ticket': { method: 'POST', access: 'api', answer: ticket },
  // Checks key or ticket itself.
  '/api/tracker-websocket': { method: 'GET', access: 'watch', answer: watch },
});

/**
 * @param {ServiceOptions} [options]
 * @returns {{fetch: (request: Request, env: ServiceEnv, ctx: ExecutionContext) => Promise<Response>,
 *   scheduled: (controller: ScheduledController, env: ServiceEnv) => Promise<void>}} a Worker's handlers
 */
export function createWorkflowService(options = {}) {
  configure(options);
  return {
    fetch: (request, env, ctx) => respond(request, env, ctx, options),
    scheduled: async (_controller, env) => {
      const { runs, more } = await deleteExpired(env.DB, options.retention);
      if (options.debug)
        console.log(`flowflare: ${runs} runs deleted, ${more ? 'more to come' : 'no more'}`);
    },
  };
}

/**
 * @param {Request} request
 * @param {ServiceEnv} env
 * @param {ExecutionContext} ctx
 * @param {ServiceOptions} options
 * @param {{trusted?: boolean}} [caller] a `trusted` caller needs no key
 * @returns {Promise<Response>}
 */
export async function respond(request, env, ctx, options, { trusted = false } = {}) {
  const requestId = request.headers.get('CF-Ray') ?? crypto.randomUUID();
  const { pathname } = new URL(request.url);
  const route = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname] : null;
  /** @type {Call['announce']} */
  const announce = (events) => ctx.waitUntil(publish(env.WORKFLOW_TRACKER, events));
  const meter = options.debug ? metered(env.DB) : null;
  let response;
  try {
    const bound = meter ? { ...env, DB: meter.db } : env;
    // The cost is counted for one request only, so it must not share batches.
    const writes = meter?.db ?? together(env.DB, (promise) => ctx.waitUntil(promise));
    response = await answerTo(route, { request, env: bound, writes, options, announce, trusted });
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status >= 500) console.error(`flowflare: ${pathname} ${requestId}:`, error);
    response = json(problem.body(requestId), problem.status, problem.headers);
  }
  if (options.debug) {
    console.log(`flowflare: ${request.method} ${pathname} ${response.status} ${requestId}`);
  }
  if (response.status === 101) return response;
  const cors = isForBrowsers(route) ? corsHeaders(request, options.allowedOrigins ?? []) : {};
  const headers = { ...cors, 'X-Request-Id': requestId, 'Cache-Control': 'no-store' };
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  if (meter) response.headers.set('X-Flowflare-D1', costText(meter.cost));
  return response;
}

/**
 * @param {Route | null} route
 * @param {Call} call
 */
async function answerTo(route, call) {
  const { request, env, options, trusted } = call;
  if (route === null) throw new Problem(404, 'There is no such route');
  if (isForBrowsers(route) && request.method === 'OPTIONS') {
    return preflight(request, options.allowedOrigins ?? []);
  }
  if (request.method !== route.method) {
    throw new Problem(405, `Use ${route.method}`, { headers: { Allow: route.method } });
  }
  const needsKey =
    route.access === 'service' || (route.access === 'api' && options.apiAuth !== 'off');
  if (needsKey && !trusted) await requireKey(request, env);
  return route.answer(call);
}

/** @param {Route | null} route */
const isForBrowsers = (route) => route?.access === 'api' || route?.access === 'watch';

/** @param {Call} call */
async function start({ request, env, writes, options, announce }) {
  const context = {
    db: writes,
    env: /** @type {any} */ (env),
    workflows: options.workflows,
    announce,
  };
  return json(
    await startRun(context, await readJson(request), request.headers.get('Idempotency-Key')),
  );
}

/** @param {Call} call */
async function get({ request, env }) {
  const body = /** @type {Record<string, unknown> | null} */ (await readJson(request));
  const id = body?.workflowId ?? body?.runId ?? body?.workflow_instance_id ?? body?.id;
  if ((typeof id !== 'string' || id === '') && typeof id !== 'number') {
    throw invalid([{ path: 'workflowId', message: 'workflowId is required' }]);
  }
  const workflow = await runOrWorkflow(env.DB, String(id));
  if (workflow === null) {
    throw new Problem(404, 'There is no such workflow', { members: { workflow } });
  }
  return json({ success: true, workflow });
}

/**
 * Read a run by its ID, or else a workflow by its number.
 * @param {D1Database} db
 * @param {string} id
 */
async function runOrWorkflow(db, id) {
  const run = await readRun(db, id);
  return run ?? (/^\d{1,15}$/.test(id) ? readWorkflow(db, id) : null);
}

/** @param {Call} call */
async function list({ request, env }) {
  return json(await listed(env.DB, await readJson(request)));
}

/** @param {Call} call */
async function byRef({ request, env }) {
  const body = /** @type {Record<string, unknown> | null} */ (await readJson(request));
  if (!body?.ref_id && !body?.ref_type) {
    throw new Problem(400, 'Either ref_id or ref_type must be provided');
  }
  return json(await listed(env.DB, body));
}

/**
 * @param {D1Database} db
 * @param {unknown} body
 */
async function listed(db, body) {
  const { rows, ...page } = await readPage(db, readListRequest(body));
  return { success: true, workflows: rows, ...page };
}

/** @param {Call} call */
async function update({ request, writes, announce }) {
  const { answer, events } = await takeUpdates(writes, await readJson(request));
  announce(events);
  return json(answer);
}

/** @param {Call} call */
async function query({ request, env }) {
  const found = await answerQuery(env.DB, await readJson(request));
  return json({ success: true, type: 'query_result', ...found });
}

/** @param {Call} call */
async function ticket({ request, env }) {
  return json(await issueTicket(env, await readJson(request)));
}
