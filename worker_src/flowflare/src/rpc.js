/** The service for Workers that are bound to its entrypoint: they call methods and need no key. */

import { WorkerEntrypoint } from 'cloudflare:workers';
import { asProblem, Problem } from './problem.js';
import { respond } from './service.js';
import { settings } from './settings.js';

/** @typedef {import('./client.js').Answer} Answer */
/** @typedef {import('./client.js').ListOptions} ListOptions */

/**
 * A binding to this entrypoint is the permission. Only Workers of the same account can have a
 * binding, and a call needs no other credentials.
 * @extends {WorkerEntrypoint<import('./service.js').ServiceEnv>}
 */
export class FlowflareService extends WorkerEntrypoint {
  /**
   * Answer as the service does, without requiring a key.
   * @param {Request} request
   */
  fetch(request) {
    return respond(request, this.env, this.ctx, settings(), { trusted: true });
  }

  /**
   * @param {{workflowType: string, params?: Record<string, unknown>, ref_id?: string, ref_type?: string,
   *   metadata?: unknown, runId?: string}} start
   * @param {{idempotencyKey?: string}} [options]
   * @returns {Promise<Answer>} with `workflowId`, the run's ID
   */
  startWorkflow(start, { idempotencyKey } = {}) {
    /** @type {Record<string, string>} */
    const headers = idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey };
    return this.#call('/service/start-workflow', start, headers);
  }

  /**
   * @param {string} workflowId the run's ID
   * @returns {Promise<Answer>} with `workflow`: the run and its steps; null if the run does not
   *   exist
   */
  getWorkflow(workflowId) {
    return this.#call('/service/get-workflow', { workflowId });
  }

  /**
   * @param {ListOptions} [options]
   * @returns {Promise<Answer>} with `workflows`, newest first, and `next_cursor`
   */
  listWorkflows(options = {}) {
    return this.#call('/service/list-workflows', options);
  }

  /**
   * @param {ListOptions} options with ref_id, ref_type or both
   * @returns {Promise<Answer>} with `workflows`, newest first, and `next_cursor`
   */
  getWorkflowsByRef(options) {
    return this.#call('/service/get-workflows-by-ref', options);
  }

  /**
   * @param {object} updates as /api/workflows/update accepts them
   * @returns {Promise<Answer>} with `result` or `results`
   */
  update(updates) {
    return this.#call('/api/workflows/update', updates);
  }

  /**
   * @param {object} params as /api/workflows/query accepts them
   * @returns {Promise<Answer>} with `data` and `next_cursor`
   */
  query(params) {
    return this.#call('/api/workflows/query', params);
  }

  /**
   * A method's arguments may be more than JSON, so they are read like a request's body, within the
   * same limits.
   * @param {string} path
   * @param {unknown} body
   * @param {Record<string, string>} [headers]
   * @returns {Promise<Answer>}
   */
  async #call(path, body, headers = {}) {
    try {
      const request = new Request(`https://flowflare.internal${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: jsonOf(body),
      });
      return await (await this.fetch(request)).json();
    } catch (error) {
      return asProblem(error).body(crypto.randomUUID());
    }
  }
}

/**
 * @param {unknown} value
 * @throws {Problem} 400
 */
function jsonOf(value) {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    throw new Problem(400, 'What is passed must be JSON');
  }
}
