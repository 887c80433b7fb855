/** The service Worker: routes, and what every route has in common (keys, origins, limits, errors). */
export type ServiceOptions = {
    /**
     * web origins that may call /api and open the WebSocket, exactly as listed
     */
    allowedOrigins?: string[];
    /**
     * log every request, and tell what it cost in the header X-Flowflare-D1
     */
    debug?: boolean;
    /**
     * 'off' opens /api to callers without a key, as the original did
     */
    apiAuth?: 'required' | 'off';
    /**
     * types that may be started, each with the name of its Workflow
     * binding; without it a type such as order-processing is started by the binding ORDER_PROCESSING, if there is one
     */
    workflows?: Record<string, string>;
    /**
     * how long ended runs are kept; needs a cron trigger
     */
    retention?: import('./retention.js').Retention;
    /**
     * a run counts as stuck after so long without an event; 60 if not given,
     * never if 0
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
     * the same database, for what may be written along with other requests' writes
     */
    writes: D1Database;
    options: ServiceOptions;
    /**
     * broadcasts what is stored
     */
    announce: (events: import('./feed.js').FeedEvent[]) => void;
    /**
     * comes over a binding that is itself the permission
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
 * @param {{trusted?: boolean}} [caller] `trusted` needs no key
 * @returns {Promise<Response>}
 */
export declare function respond(request: Request, env: ServiceEnv, ctx: ExecutionContext, options: ServiceOptions, { trusted }?: {
    trusted?: boolean;
}): Promise<Response>;
