/**
 * The options of this script's service, for the objects that Cloudflare constructs: the feed and
 * the RPC entrypoint.
 */

/**
 * After how many minutes without an event a run counts as silent, unless the service sets another
 * number.
 */
const STUCK_AFTER_MINUTES = 60;

/** @type {import('./service.js').ServiceOptions} */
let options = {};

/** @param {import('./service.js').ServiceOptions} given the argument of `createWorkflowService` */
export const configure = (given) => {
  options = given;
};

/** Return the options of this script's service; empty if the script creates no service. */
export const settings = () => options;

/** @returns {number} milliseconds; Infinity if runs never count as silent */
export function stuckAfter() {
  const minutes = options.stuckAfterMinutes ?? STUCK_AFTER_MINUTES;
  return minutes > 0 ? minutes * 60_000 : Number.POSITIVE_INFINITY;
}
