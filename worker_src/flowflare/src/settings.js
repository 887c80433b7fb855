/** The options of this script's service, for those whom Cloudflare constructs: the feed and the RPC entrypoint. */

/** A run is silent after this many minutes without an event, unless the service says otherwise. */
const STUCK_AFTER_MINUTES = 60;

/** @type {import('./service.js').ServiceOptions} */
let options = {};

/** @param {import('./service.js').ServiceOptions} given what `createWorkflowService` was called with */
export const configure = (given) => {
  options = given;
};

/** What the service of this script was made with; nothing, in a script that makes none. */
export const settings = () => options;

/** @returns {number} milliseconds; Infinity if no run is ever to count as silent */
export function stuckAfter() {
  const minutes = options.stuckAfterMinutes ?? STUCK_AFTER_MINUTES;
  return minutes > 0 ? minutes * 60_000 : Number.POSITIVE_INFINITY;
}
