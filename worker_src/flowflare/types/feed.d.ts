/** Send events to the live feed: one Durable Object for each deployment of the service. */
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
/**
 * A deployment serves one tenant, so one object is enough. The version in the name allows another
 * layout later.
 */
export declare const FEED_NAME = "feed:v1";
/**
 * @template {Rpc.DurableObjectBranded | undefined} T
 * @param {DurableObjectNamespace<T>} namespace
 */
export declare const feedOf: <T extends Rpc.DurableObjectBranded | undefined>(namespace: DurableObjectNamespace<T>) => DurableObjectStub<T>;
/**
 * Broadcast what is already stored. A broadcast may be late or lost, but the caller whose update is
 * stored must not see it fail.
 * @param {DurableObjectNamespace<import('./tracker.js').WorkflowTracker>} namespace
 * @param {FeedEvent[]} events
 */
export declare function publish(namespace: DurableObjectNamespace<import('./tracker.js').WorkflowTracker>, events: FeedEvent[]): Promise<void>;
