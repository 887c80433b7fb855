/** Send a Worker's updates to the service over any of the Worker's bindings. */

import { feedOf } from './feed.js';

/**
 * The bindings and variables in a Worker's env; one of the first five is required.
 * @typedef {object} TrackingEnv
 * @property {{fetch: typeof fetch}} [WORKFLOW_TRACKER_API] the service
 * @property {{fetch: typeof fetch}} [WORKFLOW_SERVICE] the service
 * @property {{update: (updates: any) => Promise<any>}} [WORKFLOW_SERVICE_RPC] its entrypoint FlowflareService
 * @property {DurableObjectNamespace} [WORKFLOW_TRACKER] its Durable Object, whose type another
 *   script defines
 * @property {string} [TRACKER_API_URL] its address
 * @property {string} [SERVICE_API_KEY]
 * @property {string} [WORKFLOW_API_KEY]
 */

/** @typedef {{status: number, text: string}} Reply */
/** @typedef {(body: string) => Promise<Reply>} Transport */

/** How long a transport may take to answer before it is abandoned. */
const DEADLINE_MS = 5000;
const PATH = '/api/workflows/update';

/** @type {Set<string>} */
const warned = new Set();

/**
 * @param {string} message logged once per isolate, because a misconfigured Workflow would log it at
 *   every step
 */
export function warnOnce(message) {
  if (warned.has(message)) return;
  warned.add(message);
  console.warn(`flowflare: ${message}`);
}

/**
 * List all available transports, best first. The service may be bound under either of two names.
 * @param {TrackingEnv} env
 * @returns {Transport[]}
 */
export function transportsOf(env) {
  const key = env.SERVICE_API_KEY ?? env.WORKFLOW_API_KEY ?? '';
  const service = env.WORKFLOW_TRACKER_API ?? env.WORKFLOW_SERVICE;
  const rpc = env.WORKFLOW_SERVICE_RPC;
  const tracker = env.WORKFLOW_TRACKER;
  const url = env.TRACKER_API_URL;
  return [
    service &&
      ((/** @type {string} */ body) => post(service, 'https://flowflare.internal', key, body)),
    rpc && ((/** @type {string} */ body) => call(rpc, body)),
    // Typed as any, because the RPC types of a class in another script belong to that script.
    tracker &&
      (async (/** @type {string} */ body) => /** @type {any} */ (feedOf(tracker)).update(body)),
    url && ((/** @type {string} */ body) => post(globalThis, url, key, body)),
  ].filter((transport) => typeof transport === 'function');
}

/**
 * Try each transport in turn; never throws.
 * @param {Transport[]} transports
 * @param {string} body JSON
 * @returns {Promise<Reply>} the service's answer, or status 0 with the error
 */
export async function deliver(transports, body) {
  let reply = { status: 0, text: 'not sent' };
  for (const transport of transports) {
    reply = await inTime(transport(body)).catch((error) => ({ status: 0, text: String(error) }));
    if (!isWorthAnotherWay(reply.status)) return reply;
  }
  return reply;
}

/**
 * @param {Promise<Reply>} reply
 * @returns {Promise<Reply>} the reply, or status 0 if it does not arrive in time
 */
async function inTime(reply) {
  const answered = new AbortController();
  const late = scheduler
    .wait(DEADLINE_MS, { signal: answered.signal })
    .then(() => ({ status: 0, text: 'no answer in time' }));
  try {
    return await Promise.race([reply, late]);
  } finally {
    answered.abort();
  }
}

/**
 * @param {number} status after a wrong key another transport may work; after an invalid update none
 *   does
 */
const isWorthAnotherWay = (status) =>
  status < 200 || status >= 500 || [401, 403, 408, 429].includes(status);

/**
 * @param {{fetch: typeof fetch}} fetcher
 * @param {string} origin
 * @param {string} key
 * @param {string} body
 * @returns {Promise<Reply>}
 */
async function post(fetcher, origin, key, body) {
  const response = await fetcher.fetch(new URL(PATH, origin), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-API-Key': key },
    body,
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  return { status: response.status, text: await response.text() };
}

/**
 * @param {{update: (updates: any) => Promise<any>}} rpc
 * @param {string} body
 * @returns {Promise<Reply>}
 */
async function call(rpc, body) {
  const answer = await rpc.update(JSON.parse(body));
  return { status: answer.success ? 200 : Number(answer.status), text: JSON.stringify(answer) };
}
