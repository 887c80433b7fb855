// flowflare:src/client.js
var WorkflowServiceError = class extends Error {
  /**
   * @param {number} status
   * @param {{error?: string}} body the service's answer
   */
  constructor(status, body) {
    super(body.error ?? `The workflow service answered ${status}`);
    this.name = "WorkflowServiceError";
    this.status = status;
    this.body = body;
  }
};
var WorkflowClient = class {
  #options;
  /** @param {ClientOptions} options */
  constructor(options) {
    if (!options.serviceBinding && !options.baseUrl) {
      throw new TypeError(
        "WorkflowClient needs serviceBinding (such as env.WORKFLOW_SERVICE) or baseUrl"
      );
    }
    this.#options = options;
  }
  /**
   * @param {string} workflowType
   * @param {Record<string, unknown>} [params] what the Workflow gets as event.payload
   * @param {string} [ref_id]
   * @param {string} [ref_type]
   * @param {Record<string, unknown>} [metadata]
   * @param {{idempotencyKey?: string, runId?: string}} [options] what makes it safe to repeat the call
   * @returns {Promise<Answer>} with `workflowId`, the run's id
   */
  startWorkflow(workflowType, params, ref_id, ref_type, metadata, { idempotencyKey, runId } = {}) {
    const headers = idempotencyKey === void 0 ? {} : { "Idempotency-Key": idempotencyKey };
    return this.#post(
      "start-workflow",
      { workflowType, params, ref_id, ref_type, metadata, runId },
      headers
    );
  }
  /**
   * @param {string} workflowId the run's id
   * @returns {Promise<Answer>} with `workflow`: the run and its steps; null if there is no such run
   */
  getWorkflow(workflowId) {
    return this.#post("get-workflow", { workflowId });
  }
  /**
   * @param {ListOptions} [options]
   * @returns {Promise<Answer>} with `workflows`, newest first, and `next_cursor`
   */
  listWorkflows(options = {}) {
    return this.#post("list-workflows", options);
  }
  /**
   * @param {ListOptions} options with ref_id, ref_type or both
   * @returns {Promise<Answer>} with `workflows`, newest first, and `next_cursor`
   */
  getWorkflowsByRef(options) {
    return this.#post("get-workflows-by-ref", options);
  }
  /**
   * @param {string} route
   * @param {object} body
   * @param {Record<string, string>} [headers]
   * @returns {Promise<Answer>}
   */
  async #post(route, body, headers = {}) {
    const { serviceBinding, baseUrl, apiKey, timeout = 3e4, throwOnError } = this.#options;
    const url = new URL(
      `/service/${route}`,
      serviceBinding ? "https://flowflare.internal" : baseUrl
    );
    const response = await (serviceBinding ?? globalThis).fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-API-Key": apiKey, ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeout)
    });
    const answer = await answerOf(response);
    if (throwOnError && !answer.success) throw new WorkflowServiceError(response.status, answer);
    return answer;
  }
};
async function answerOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return {
      success: false,
      error: `The workflow service answered ${response.status} without JSON`
    };
  }
}

// flowflare:src/json-text.js
function jsonText(value, maxBytes = Infinity) {
  const text = stringify(value);
  if (text.length * 3 <= maxBytes) return text;
  const bytes = new TextEncoder().encode(text).length;
  return bytes <= maxBytes ? text : JSON.stringify({ __truncated: true, bytes });
}
function stringify(value) {
  try {
    return JSON.stringify(value, replacer()) ?? "null";
  } catch {
    return '{"__unserializable":true}';
  }
}
function replacer() {
  const ancestors = [];
  return function(_key, value) {
    if (typeof value === "bigint") return value.toString();
    if (typeof value !== "object" || value === null) return value;
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
    if (ancestors.includes(value)) return "[Circular]";
    ancestors.push(value);
    return value instanceof Error ? { name: value.name, message: value.message } : value;
  };
}

// flowflare:src/retry-plan.js
var MAX_DELAY_MS = 365 * 24 * 3600 * 1e3;
function planRetry(error, attempt, { maxRetries = 3, baseDelay = 1e3, backoffType } = {}) {
  const final = (
    /** @type {{name?: unknown} | null} */
    error?.name === "NonRetryableError"
  );
  if (final || attempt > maxRetries) return { retryCount: attempt - 1, nonRetryable: true };
  const factor = backoffType === "linear" ? attempt : 2 ** (attempt - 1);
  const retryDelay = Math.min(Math.max(Number(baseDelay) * factor || 0, 0), MAX_DELAY_MS);
  return {
    retryCount: attempt,
    retryDelay,
    nextRetryAt: new Date(Date.now() + retryDelay).toISOString()
  };
}
function annotated(thrown, plan) {
  const isObject = typeof thrown === "object" && thrown !== null || typeof thrown === "function";
  const error = isObject ? thrown : new Error(String(thrown), { cause: thrown });
  for (const [name, value] of Object.entries(plan)) {
    try {
      error[name] = value;
    } catch {
    }
  }
  return error;
}
function describe(thrown) {
  try {
    const { name = "Error", message = thrown } = (
      /** @type {{name?: unknown, message?: unknown}} */
      Object(thrown)
    );
    return { name: String(name), message: String(message) };
  } catch {
    return { name: "Error", message: "An error that cannot be read" };
  }
}

// flowflare:src/feed.js
var FEED_NAME = "feed:v1";
var feedOf = (namespace) => namespace.get(namespace.idFromName(FEED_NAME));

// flowflare:src/transport.js
var DEADLINE_MS = 4e3;
var ATTEMPTS = 3;
var FIRST_PAUSE_MS = 50;
var PATH = "/api/workflows/update";
var warned = /* @__PURE__ */ new Set();
function warnOnce(message) {
  if (warned.has(message)) return;
  warned.add(message);
  console.warn(`flowflare: ${message}`);
}
async function sendUpdates(env, updates) {
  try {
    const transports = transportsOf(env ?? {});
    if (transports.length === 0) {
      warnOnce(
        "nothing is tracked: bind WORKFLOW_SERVICE or WORKFLOW_TRACKER, or set TRACKER_API_URL"
      );
      return false;
    }
    const { status, text } = await withDeadline(deliver(transports, jsonText(updates)));
    const answer = status === 200 ? JSON.parse(text) : {};
    if (answer.success) return answer.result ?? answer.results;
    console.warn(`flowflare: an update was not recorded: ${status} ${text.slice(0, 500)}`);
  } catch (error) {
    console.warn(`flowflare: an update was not recorded: ${error}`);
  }
  return false;
}
async function withDeadline(reply) {
  const answered = new AbortController();
  const late = scheduler.wait(DEADLINE_MS, { signal: answered.signal }).then(() => ({ status: 0, text: "no answer in time" }));
  try {
    return await Promise.race([reply, late]);
  } finally {
    answered.abort();
  }
}
function transportsOf(env) {
  const key = env.SERVICE_API_KEY ?? env.WORKFLOW_API_KEY ?? "";
  const service = env.WORKFLOW_TRACKER_API ?? env.WORKFLOW_SERVICE;
  const tracker = env.WORKFLOW_TRACKER;
  const url = env.TRACKER_API_URL;
  return [
    service && ((body) => post(service, "https://flowflare.internal", key, body)),
    // Typed as any: the RPC types of a class in another script are that script's.
    tracker && (async (body) => (
      /** @type {any} */
      feedOf(tracker).update(body)
    )),
    url && ((body) => post(globalThis, url, key, body))
  ].filter((transport) => typeof transport === "function");
}
async function deliver(transports, body) {
  let reply = { status: 0, text: "not sent" };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await scheduler.wait(FIRST_PAUSE_MS * 4 ** attempt * Math.random());
    for (const transport of transports) {
      reply = await transport(body).catch((error) => ({ status: 0, text: String(error) }));
      if (!isWorthAnotherWay(reply.status)) return reply;
    }
    if (reply.status === 401 || reply.status === 403) return reply;
  }
  return reply;
}
var isWorthAnotherWay = (status) => status < 200 || status >= 500 || [401, 403, 408, 429].includes(status);
async function post(fetcher, origin, key, body) {
  const response = await fetcher.fetch(new URL(PATH, origin), {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-API-Key": key },
    body,
    signal: AbortSignal.timeout(DEADLINE_MS)
  });
  return { status: response.status, text: await response.text() };
}

// flowflare:src/workflow.js
var MAX_STATE_BYTES = 256 * 1024;
var updateWorkflowInstance = (data, env) => sendUpdates(env, { type: "run_update", run_update: data });
var updateWorkflowStep = (data, env) => sendUpdates(env, { type: "step_update", step_update: data });
var recordStepRetry = (data, env) => sendUpdates(env, { type: "retry_update", retry_update: data });
async function trackStep(env, workflowInstanceId, stepName, stepIndex, execute, retryConfig) {
  if (typeof workflowInstanceId !== "string" || workflowInstanceId === "") {
    warnOnce("trackStep records nothing: pass event.instanceId as workflowInstanceId");
    return execute();
  }
  const step = { workflow_run_id: workflowInstanceId, step_name: stepName, step_index: stepIndex };
  const started = await updateWorkflowStep({ ...step, status: "Running" }, env);
  const attempt = attemptOf(started);
  let result;
  try {
    result = await execute();
  } catch (thrown) {
    const plan = planRetry(thrown, attempt ?? 1, retryConfig ?? {});
    if (!isDone(started)) await sendUpdates(env, { updates: failure(step, attempt, thrown, plan) });
    throw annotated(thrown, plan);
  }
  const state = jsonText(result, MAX_STATE_BYTES);
  await updateWorkflowStep({ ...step, status: "Completed", state, attempt }, env);
  return result;
}
var isDone = (started) => started !== false && started.ignored === true && started.status === "Completed";
function attemptOf(started) {
  if (!started) return void 0;
  return started.ignored && started.status === "Failed" ? started.attempt + 1 : started.attempt;
}
function failure(step, attempt, thrown, plan) {
  const error = describe(thrown);
  const status = plan.nonRetryable ? "Failed" : "Retrying";
  const failed = { ...step, status, attempt, state: jsonText({ error, ...plan }, MAX_STATE_BYTES) };
  const retry = {
    ...step,
    retry_count: attempt,
    retry_at: plan.nextRetryAt,
    last_error: error.message
  };
  return [
    { type: "step_update", step_update: failed },
    ...plan.nonRetryable ? [] : [{ type: "retry_update", retry_update: retry }]
  ];
}

// caller.js
var UPDATES = { updateWorkflowInstance, updateWorkflowStep, recordStepRetry };
var BOUND = {
  service: ({ WORKFLOW_SERVICE, WORKFLOW_API_KEY }) => ({ WORKFLOW_SERVICE, WORKFLOW_API_KEY }),
  tracker: ({ WORKFLOW_TRACKER }) => ({ WORKFLOW_TRACKER }),
  url: ({ WORKFLOW_API_KEY }, url) => ({ TRACKER_API_URL: url, WORKFLOW_API_KEY })
};
var caller_default = {
  async fetch(request, env) {
    const { name, values, bound, url } = await request.json();
    const client = new WorkflowClient({
      serviceBinding: env.WORKFLOW_SERVICE,
      apiKey: env.WORKFLOW_API_KEY
    });
    if (name in client) return Response.json(await client[name](...values));
    const tracking = BOUND[bound](env, url);
    if (name in UPDATES) return Response.json(await UPDATES[name](values[0], tracking));
    const [run, step, index, { returns, throws }] = values;
    const work = () => {
      if (throws !== void 0) throw new Error(throws);
      return returns;
    };
    try {
      return Response.json({ returned: await trackStep(tracking, run, step, index, work) });
    } catch ({ message, retryCount, nextRetryAt }) {
      return Response.json({ message, retryCount, nextRetryAt });
    }
  }
};
export {
  caller_default as default
};
