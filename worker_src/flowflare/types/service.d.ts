/** The service Worker: its routes, and what all routes share (keys, origins, limits, errors). */
export type ServiceOptions = {
    /**
     * web origins that may call /api and open the WebSocket, exactly as listed
     */
    allowedOrigins?: string[];
    /**
     * log every request, and report its cost in the header X-Flowflare-D1
     */
    debug?: boolean;
    /**
     * 'off' opens /api to callers without a key, as the
     * original did
     */
    apiAuth?: 'required' | 'off';
    /**
     * the types that may be started, each with the name
     * of its Workflow binding; without it, the binding ORDER_PROCESSING, if it exists, starts the
     * type order-processing
     */
    workflows?: Record<string, string>;
    /**
     * how long ended runs are kept; needs a
     * cron trigger
     */
    retention?: import('./retention.js').Retention;
    /**
     * after how long without an event a run counts as stuck;
     * default 60, 0 means never
     */
    stuckAfterMinutes?: number;
};
export type ServiceEnv = {
    DB: D1Database;
    WORKFLOW_TRACKER: DurableObjectNamespace<import('./tracker.js').WorkflowTracker>;
} & import('./auth.js').Keys;
export type Call = {
    request: Request;
    env: ServiceEnv;
    /**
     * the same database, for writes that may be batched with other
     * requests' writes
     */
    writes: D1Database;
    options: ServiceOptions;
    /**
     * broadcasts what is stored
     */
    announce: (events: import('./feed.js').FeedEvent[]) => void;
    /**
     * the request comes over a binding, which is itself the permission
     */
    trusted: boolean;
};
export type Route = {
    method: 'GET' | 'POST';
    access: 'open' | 'service' | 'api' | 'watch';
    answer: (call: Call) => Promise<Response>;
};
/**
 * @param {ServiceOptions} [options]
 * @returns {{fetch: (request: Request, env: ServiceEnv, ctx: ExecutionContext) => Promise<Response>,
 *   scheduled: (controller: ScheduledController, env: ServiceEnv) => Promise<void>}} a Worker's handlers
 */
export declare function createWorkflowService(options?: ServiceOptions): {
    fetch: (request: Request, env: ServiceEnv, ctx: ExecutionContext) => Promise<Response>;
    scheduled: (controller: ScheduledController, env: ServiceEnv) => Promise<void>;
};
/**
 * @param {Request} request
 * @param {ServiceEnv} env
 * @param {ExecutionContext} ctx
 * @param {ServiceOptions} options
 * @param {{trusted?: boolean}} [caller] a `trusted` caller needs no key
 * @returns {Promise<Response>}
 */
export declare function respond(request: Request, env: ServiceEnv, ctx: ExecutionContext, options: ServiceOptions, { trusted }?: {
    trusted?: boolean;
}): Promise<Response>;
