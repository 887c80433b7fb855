/** The service for Workers that are bound to its entrypoint: they call methods and need no key. */
import { WorkerEntrypoint } from 'cloudflare:workers';
export type Answer = import('./client.js').Answer;
export type ListOptions = import('./client.js').ListOptions;
/** @typedef {import('./client.js').Answer} Answer */
/** @typedef {import('./client.js').ListOptions} ListOptions */
/**
 * A binding to this entrypoint is the permission. Only Workers of the same account can have a
 * binding, and a call needs no other credentials.
 * @extends {WorkerEntrypoint<import('./service.js').ServiceEnv>}
 */
export declare class FlowflareService extends WorkerEntrypoint<import('./service.js').ServiceEnv> {
    #private;
    /**
     * Answer as the service does, without requiring a key.
     * @param {Request} request
     */
    fetch(request: Request): Promise<Response>;
    /**
     * @param {{workflowType: string, params?: Record<string, unknown>, ref_id?: string, ref_type?: string,
     *   metadata?: unknown, runId?: string}} start
     * @param {{idempotencyKey?: string}} [options]
     * @returns {Promise<Answer>} with `workflowId`, the run's ID
     */
    startWorkflow(start: {
        workflowType: string;
        params?: Record<string, unknown>;
        ref_id?: string;
        ref_type?: string;
        metadata?: unknown;
        runId?: string;
    }, { idempotencyKey }?: {
        idempotencyKey?: string;
    }): Promise<Answer>;
    /**
     * @param {string} workflowId the run's ID
     * @returns {Promise<Answer>} with `workflow`: the run and its steps; null if the run does not
     *   exist
     */
    getWorkflow(workflowId: string): Promise<Answer>;
    /**
     * @param {ListOptions} [options]
     * @returns {Promise<Answer>} with `workflows`, newest first, and `next_cursor`
     */
    listWorkflows(options?: ListOptions): Promise<Answer>;
    /**
     * @param {ListOptions} options with ref_id, ref_type or both
     * @returns {Promise<Answer>} with `workflows`, newest first, and `next_cursor`
     */
    getWorkflowsByRef(options: ListOptions): Promise<Answer>;
    /**
     * @param {object} updates as /api/workflows/update accepts them
     * @returns {Promise<Answer>} with `result` or `results`
     */
    update(updates: object): Promise<Answer>;
    /**
     * @param {object} params as /api/workflows/query accepts them
     * @returns {Promise<Answer>} with `data` and `next_cursor`
     */
    query(params: object): Promise<Answer>;
}
