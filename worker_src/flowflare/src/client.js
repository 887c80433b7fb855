/** The client of the service, for other Workers. */

/** Thrown by a client with `throwOnError` if the service does not answer with success. */
export class WorkflowServiceError extends Error {
  /**
   * @param {number} status
   * @param {{error?: string}} body the service's answer
   */
  constructor(status, body) {
    super(body.error ?? `The workflow service answered ${status}`);
    this.name = 'WorkflowServiceError';
    this.status = status;
    this.body = body;
  }
}

/**
 * @typedef {object} ClientOptions
 * @property {{fetch: typeof fetch}} [serviceBinding] the service binding, such as env.WORKFLOW_SERVICE
 * @property {ServiceRpc} [rpcBinding] a binding to the service's entrypoint FlowflareService, which needs no apiKey
 * @property {string} [apiKey]
 * @property {string} [baseUrl] the service's address, for a client without a binding
 * @property {boolean} [throwOnError] throw WorkflowServiceError instead of returning `{success: false}`
 * @property {number} [timeout] milliseconds; default 30,000
 */

/**
 * @typedef {object} ListOptions
 * @property {'Running' | 'Sleeping' | 'Completed' | 'Errored'} [status]
 * @property {string} [workflowType]
 * @property {string} [ref_id]
 * @property {string} [ref_type]
 * @property {string} [created_after]
 * @property {string} [created_before]
 * @property {Record<string, string | number | boolean>} [metadata] values by key
 * @property {number} [limit] up to 100; default 20
 * @property {number} [offset]
 * @property {string} [cursor] the next_cursor of the previous page
 * @property {boolean} [stuck] true lists only runs that are overdue or silent
 * @property {('steps' | 'retries')[]} [include]
 * @property {'runs' | 'workflows'} [view]
 */

/**
 * The service's answer: `success`, then the requested members, or `error` and the members of RFC
 * 9457.
 * @typedef {{success: boolean, error?: string, status?: any, [member: string]: any}} Answer
 */

/**
 * The methods that are called on a binding to FlowflareService.
 * @typedef {{startWorkflow: (start: any, options?: any) => Promise<any>, getWorkflow: (id: string) => Promise<any>,
 *   listWorkflows: (options?: any) => Promise<any>, getWorkflowsByRef: (options: any) => Promise<any>}} ServiceRpc
 */

export class WorkflowClient {
  #options;

  /** @param {ClientOptions} options */
  constructor(options) {
    if (!options.serviceBinding && !options.rpcBinding && !options.baseUrl) {
      throw new TypeError(
        'WorkflowClient needs serviceBinding (such as env.WORKFLOW_SERVICE), rpcBinding or baseUrl',
      );
    }
    this.#options = options;
  }

  /**
   * @param {string} workflowType
   * @param {Record<string, unknown>} [params] passed to the Workflow as event.payload
   * @param {string} [ref_id]
   * @param {string} [ref_type]
   * @param {Record<string, unknown>} [metadata]
   * @param {{idempotencyKey?: string, runId?: string}} [options] either makes the call safe to
   *   repeat
   * @returns {Promise<Answer>} with `workflowId`, the run's ID
   */
  startWorkflow(workflowType, params, ref_id, ref_type, metadata, { idempotencyKey, runId } = {}) {
    /** @type {Record<string, string>} */
    const headers = idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey };
    const start = { workflowType, params, ref_id, ref_type, metadata, runId };
    return this.#ask('start-workflow', start, headers, (rpc) =>
      rpc.startWorkflow(start, { idempotencyKey }),
    );
  }

  /**
   * @param {string} workflowId the run's ID
   * @returns {Promise<Answer>} with `workflow`: the run and its steps; null if the run does not
   *   exist
   */
  getWorkflow(workflowId) {
    return this.#ask('get-workflow', { workflowId }, {}, (rpc) => rpc.getWorkflow(workflowId));
  }

  /**
   * @param {ListOptions} [options]
   * @returns {Promise<Answer>} with `workflows`, newest first, and `next_cursor`
   */
  listWorkflows(options = {}) {
    return this.#ask('list-workflows', options, {}, (rpc) => rpc.listWorkflows(options));
  }

  /**
   * @param {ListOptions} options with ref_id, ref_type or both
   * @returns {Promise<Answer>} with `workflows`, newest first, and `next_cursor`
   */
  getWorkflowsByRef(options) {
    return this.#ask('get-workflows-by-ref', options, {}, (rpc) => rpc.getWorkflowsByRef(options));
  }

  /**
   * Use the service binding if it is set, otherwise RPC, otherwise the address.
   * @param {string} route
   * @param {object} body
   * @param {Record<string, string>} headers
   * @param {(rpc: ServiceRpc) => Promise<Answer>} call
   * @returns {Promise<Answer>}
   */
  async #ask(route, body, headers, call) {
    const { serviceBinding, rpcBinding, throwOnError } = this.#options;
    const answer =
      rpcBinding && !serviceBinding
        ? await this.#inTime(call(rpcBinding))
        : await this.#post(route, body, headers);
    if (throwOnError && !answer.success)
      throw new WorkflowServiceError(answer.status ?? 500, answer);
    return answer;
  }

  /**
   * @param {string} route
   * @param {object} body
   * @param {Record<string, string>} headers
   * @returns {Promise<Answer>}
   */
  async #post(route, body, headers) {
    const { serviceBinding, baseUrl, apiKey = '' } = this.#options;
    // A service binding also requires a full URL, though only its path matters.
    const url = new URL(
      `/service/${route}`,
      serviceBinding ? 'https://flowflare.internal' : baseUrl,
    );
    const response = await (serviceBinding ?? globalThis).fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': apiKey, ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(this.#timeout),
    });
    return answerOf(response);
  }

  get #timeout() {
    return this.#options.timeout ?? 30_000;
  }

  /**
   * @param {Promise<Answer>} answer
   * @returns {Promise<Answer>}
   */
  async #inTime(answer) {
    const answered = new AbortController();
    const late = scheduler.wait(this.#timeout, { signal: answered.signal }).then(() => {
      throw new DOMException('The workflow service did not answer in time', 'TimeoutError');
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      answered.abort();
    }
  }
}

/**
 * @param {Response} response
 * @returns {Promise<Answer>}
 */
async function answerOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return {
      success: false,
      status: response.status,
      error: `The workflow service answered ${response.status} without JSON`,
    };
  }
}
