/** How a Worker's updates reach the service: by whatever the Worker is bound to. */
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
     * its Durable Object, typed by another script if at all
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
/** @param {string} message said once in the life of an isolate: a Workflow with a mistake makes it at every step */
export declare function warnOnce(message: string): void;
/**
 * Every way there is, the best first; the service may be bound under either of two names.
 * @param {TrackingEnv} env
 * @returns {Transport[]}
 */
export declare function transportsOf(env: TrackingEnv): Transport[];
/**
 * Tries each way in turn; never throws.
 * @param {Transport[]} transports
 * @param {string} body JSON
 * @returns {Promise<Reply>} the service's answer, or status 0 with what went wrong
 */
export declare function deliver(transports: Transport[], body: string): Promise<Reply>;
