/** The client of the service, for other Workers. */
/** Thrown by a client with `throwOnError` if the service does not answer with success. */
export declare class WorkflowServiceError extends Error {
    status: number;
    body: {
        error?: string;
    };
    /**
     * @param {number} status
     * @param {{error?: string}} body the service's answer
     */
    constructor(status: number, body: {
        error?: string;
    });
}
export type ClientOptions = {
    /**
     * the service binding, such as env.WORKFLOW_SERVICE
     */
    serviceBinding?: {
        fetch: typeof fetch;
    };
    /**
     * a binding to the service's entrypoint FlowflareService, which needs no apiKey
     */
    rpcBinding?: ServiceRpc;
    apiKey?: string;
    /**
     * the service's address, for a client without a binding
     */
    baseUrl?: string;
    /**
     * throw WorkflowServiceError instead of returning `{success: false}`
     */
    throwOnError?: boolean;
    /**
     * milliseconds; default 30,000
     */
    timeout?: number;
};
export type ListOptions = {
    status?: 'Running' | 'Sleeping' | 'Completed' | 'Errored';
    workflowType?: string;
    ref_id?: string;
    ref_type?: string;
    created_after?: string;
    created_before?: string;
    /**
     * values by key
     */
    metadata?: Record<string, string | number | boolean>;
    /**
     * up to 100; default 20
     */
    limit?: number;
    offset?: number;
    /**
     * the next_cursor of the previous page
     */
    cursor?: string;
    /**
     * true lists only runs that are overdue or silent
     */
    stuck?: boolean;
    include?: ('steps' | 'retries')[];
    view?: 'runs' | 'workflows';
};
export type Answer = {
    success: boolean;
    error?: string;
    status?: any;
    [member: string]: any;
};
export type ServiceRpc = {
    startWorkflow: (start: any, options?: any) => Promise<any>;
    getWorkflow: (id: string) => Promise<any>;
    listWorkflows: (options?: any) => Promise<any>;
    getWorkflowsByRef: (options: any) => Promise<any>;
};
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
export declare class WorkflowClient {
    #private;
    /** @param {ClientOptions} options */
    constructor(options: ClientOptions);
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
    startWorkflow(workflowType: string, params?: Record<string, unknown>, ref_id?: string, ref_type?: string, metadata?: Record<string, unknown>, { idempotencyKey, runId }?: {
        idempotencyKey?: string;
        runId?: string;
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
}
