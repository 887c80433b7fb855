/** Send a Worker's updates to the service over any of the Worker's bindings. */
export type TrackingEnv = {
    /**
     * the service
     */
    WORKFLOW_TRACKER_API?: {
        fetch: typeof fetch;
    };
    /**
     * the service
     */
    WORKFLOW_SERVICE?: {
        fetch: typeof fetch;
    };
    /**
     * its entrypoint FlowflareService
     */
    WORKFLOW_SERVICE_RPC?: {
        update: (updates: any) => Promise<any>;
    };
    /**
     * its Durable Object, whose type another
     * script defines
     */
    WORKFLOW_TRACKER?: DurableObjectNamespace;
    /**
     * its address
     */
    TRACKER_API_URL?: string;
    SERVICE_API_KEY?: string;
    WORKFLOW_API_KEY?: string;
};
export type Reply = {
    status: number;
    text: string;
};
export type Transport = (body: string) => Promise<Reply>;
/**
 * @param {string} message logged once per isolate, because a misconfigured Workflow would log it at
 *   every step
 */
export declare function warnOnce(message: string): void;
/**
 * List all available transports, best first. The service may be bound under either of two names.
 * @param {TrackingEnv} env
 * @returns {Transport[]}
 */
export declare function transportsOf(env: TrackingEnv): Transport[];
/**
 * Try each transport in turn; never throws.
 * @param {Transport[]} transports
 * @param {string} body JSON
 * @returns {Promise<Reply>} the service's answer, or status 0 with the error
 */
export declare function deliver(transports: Transport[], body: string): Promise<Reply>;
