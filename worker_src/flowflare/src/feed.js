/** How events reach the live feed: one Durable Object for each deployment of the service. */

/**
 * @typedef {{type: 'run_update', run_update: Record<string, unknown>}
 *   | {type: 'step_update', step_update: Record<string, unknown>}
 *   | {type: 'retry_update', retry_update: Record<string, unknown>}} FeedEvent
 */

/** A deployment serves one tenant, so one object is this tenant's; the number leaves room for another layout. */
export const FEED_NAME = 'feed:v1';

/**
 * @template {Rpc.DurableObjectBranded | undefined} T
 * @param {DurableObjectNamespace<T>} namespace
 */
export const feedOf = (namespace) => namespace.get(namespace.idFromName(FEED_NAME));

/** Events of this long go to the object in one call: a call costs it more than many events. */
const GATHER_MS = 20;
/** A request that was to send, and has not for this long, has died. */
const GIVEN_UP_MS = 200;
const MAX_EVENTS = 500;

/**
 * What this isolate's requests have to broadcast. Requests share no I/O, but they share memory: one of them
 * sends what all have left here.
 * @type {FeedEvent[]}
 */
const waiting = [];
/** When a request took it on to send. */
let gatheringSince = 0;

/**
 * Broadcasts what is already stored. Whoever watches can be told late or not at all; the caller whose
 * update is stored must not be told that it failed.
 * @param {DurableObjectNamespace<import('./tracker.js').WorkflowTracker>} namespace
 * @param {FeedEvent[]} events
 */
export async function publish(namespace, events) {
  if (events.length === 0) return;
  waiting.push(...events);
  if (Date.now() - gatheringSince < GIVEN_UP_MS) {
    // Another request has taken it on. Whether it lived to do it is seen later.
    await scheduler.wait(GIVEN_UP_MS);
    if (!waiting.includes(events[0])) return;
  } else {
    gatheringSince = Date.now();
    await scheduler.wait(GATHER_MS);
    gatheringSince = 0;
  }
  while (waiting.length > 0) {
    const gathered = waiting.splice(0, MAX_EVENTS);
    try {
      await feedOf(namespace).publish(gathered);
    } catch (error) {
      console.warn(`flowflare: ${gathered.length} events were not broadcast: ${error}`);
    }
  }
}
