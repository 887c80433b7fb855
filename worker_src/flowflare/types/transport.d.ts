/** How a Worker's updates reach the service: whatever the Worker is bound to, within a few seconds, or not. */
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
 * Sends updates; never throws.
 * @param {TrackingEnv} env
 * @param {object} updates what /api/workflows/update takes
 * @returns {Promise<any>} the answer's `result` or `results`; false if the updates did not arrive or were refused
 */
export declare function sendUpdates(env: TrackingEnv, updates: object): Promise<any>;
