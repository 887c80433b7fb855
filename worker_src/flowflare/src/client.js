/** The client of the service, for other Workers. */

/** Thrown by a client with `throwOnError`: the service's answer was no success. */
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
 * @property {string} apiKey
 * @property {string} [baseUrl] the service's address, for a client without a service binding
 * @property {boolean} [throwOnError] throw WorkflowServiceError instead of returning `{success: false}`
 * @property {number} [timeout] milliseconds; 30,000 if not given
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
 * @property {number} [limit] up to 100; 20 if not given
 * @property {number} [offset]
 * @property {string} [cursor] the next_cursor of the page before
 * @property {('steps' | 'retries')[]} [include]
 * @property {'runs' | 'workflows'} [view]
 */

/**
 * The service's answer: `success`, then what was asked for, or `error` and the members of RFC 9457.
 * @typedef {{success: boolean, error?: string, status?: any, [member: string]: any}} Answer
 */

export class WorkflowClient {
  #options;

  /** @param {ClientOptions} options */
  constructor(options) {
    if (!options.serviceBinding && !options.baseUrl) {
      throw new TypeError(
        'WorkflowClient needs serviceBinding (such as env.WORKFLOW_SERVICE) or baseUrl',
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
    /** @type {Record<string, string>} */
    const headers = idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey };
    return this.#post(
      'start-workflow',
      { workflowType, params, ref_id, ref_type, metadata, runId },
      headers,
    );
  }

  /**
   * @param {string} workflowId the run's id
   * @returns {Promise<Answer>} with `workflow`: the run and its steps; null if there is no such run
   */
  getWorkflow(workflowId) {
    return this.#post('get-workflow', { workflowId });
  }

  /**
   * @param {ListOptions} [options]
   * @returns {Promise<Answer>} with `workflows`, newest first, and `next_cursor`
   */
  listWorkflows(options = {}) {
    return this.#post('list-workflows', options);
  }

  /**
   * @param {ListOptions} options with ref_id, ref_type or both
   * @returns {Promise<Answer>} with `workflows`, newest first, and `next_cursor`
   */
  getWorkflowsByRef(options) {
    return this.#post('get-workflows-by-ref', options);
  }

  /**
   * @param {string} route
   * @param {object} body
   * @param {Record<string, string>} [headers]
   * @returns {Promise<Answer>}
   */
  async #post(route, body, headers = {}) {
    const { serviceBinding, baseUrl, apiKey, timeout = 30_000, throwOnError } = this.#options;
    // A service binding wants a whole URL as well, though only its path matters.
    const url = new URL(
      `/service/${route}`,
      serviceBinding ? 'https://flowflare.internal' : baseUrl,
    );
    const response = await (serviceBinding ?? globalThis).fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': apiKey, ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeout),
    });
    const answer = await answerOf(response);
    if (throwOnError && !answer.success) throw new WorkflowServiceError(response.status, answer);
    return answer;
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
      error: `The workflow service answered ${response.status} without JSON`,
    };
  }
}
