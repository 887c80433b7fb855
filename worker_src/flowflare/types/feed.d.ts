/** How events reach the live feed: one Durable Object for each deployment of the service. */
export type FeedEvent = {
    type: 'run_update';
    run_update: Record<string, unknown>;
} | {
    type: 'step_update';
    step_update: Record<string, unknown>;
} | {
    type: 'retry_update';
    retry_update: Record<string, unknown>;
};
/**
 * @typedef {{type: 'run_update', run_update: Record<string, unknown>}
 *   | {type: 'step_update', step_update: Record<string, unknown>}
 *   | {type: 'retry_update', retry_update: Record<string, unknown>}} FeedEvent
 */
/** A deployment serves one tenant, so one object is this tenant's; the number leaves room for another layout. */
export declare const FEED_NAME = "feed:v1";
/**
 * @template {Rpc.DurableObjectBranded | undefined} T
 * @param {DurableObjectNamespace<T>} namespace
 */
export declare const feedOf: <T extends Rpc.DurableObjectBranded | undefined>(namespace: DurableObjectNamespace<T>) => DurableObjectStub<T>;
/**
 * Broadcasts what is already stored. Whoever watches can be told late or not at all; the caller whose
 * update is stored must not be told that it failed.
 * @param {DurableObjectNamespace<import('./tracker.js').WorkflowTracker>} namespace
 * @param {FeedEvent[]} events
 */
export declare function publish(namespace: DurableObjectNamespace<import('./tracker.js').WorkflowTracker>, events: FeedEvent[]): Promise<void>;
