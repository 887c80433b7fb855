/** Send events to the live feed: one Durable Object for each deployment of the service. */

/**
 * @typedef {{type: 'run_update', run_update: Record<string, unknown>}
 *   | {type: 'step_update', step_update: Record<string, unknown>}
 *   | {type: 'retry_update', retry_update: Record<string, unknown>}} FeedEvent
 */

/**
 * A deployment serves one tenant, so one object is enough. The version in the name allows another
 * layout later.
 */
export const FEED_NAME = 'feed:v1';

/**
 * @template {Rpc.DurableObjectBranded | undefined} T
 * @param {DurableObjectNamespace<T>} namespace
 */
export const feedOf = (namespace) => namespace.get(namespace.idFromName(FEED_NAME));

/**
 * Events of this period go to the object in one call, because a call costs more than many events.
 */
const GATHER_MS = 20;
/** A request that should have sent, and has not after this time, has died. */
const GIVEN_UP_MS = 200;
const MAX_EVENTS = 500;

/**
 * The events that this isolate's requests want to broadcast. Requests share no I/O, but they share
 * memory, so one request sends the events of all.
 * @type {FeedEvent[]}
 */
const waiting = [];
/** When a request started to gather events. */
let gatheringSince = 0;

/**
 * Broadcast what is already stored. A broadcast may be late or lost, but the caller whose update is
 * stored must not see it fail.
 * @param {DurableObjectNamespace<import('./tracker.js').WorkflowTracker>} namespace
 * @param {FeedEvent[]} events
 */
export async function publish(namespace, events) {
  if (events.length === 0) return;
  waiting.push(...events);
  if (Date.now() - gatheringSince < GIVEN_UP_MS) {
    // Another request gathers these events. Check later whether it lived long enough to send them.
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
