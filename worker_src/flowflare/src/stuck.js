/** Find stuck runs: those that sleep beyond their time, or run without an event. */

import { stuckAfter } from './settings.js';

/** @typedef {Record<string, unknown>} Row */
/** @typedef {'overslept' | 'silent'} Stuck */

/**
 * The limits by which a run counts as stuck.
 * @param {number} now milliseconds since 1970
 * @returns {{now: string, silentSince: string}} ISO texts; a run with an event after `silentSince`
 *   is not silent
 */
export function bounds(now = Date.now()) {
  const silent = Math.max(now - stuckAfter(), 0);
  return { now: new Date(now).toISOString(), silentSince: new Date(silent).toISOString() };
}

/** The same as `stuckOf`, for a list's rows; binds `now`, then `silentSince`. */
export const IS_STUCK = `((status = 'Sleeping' AND sleep_until < ?) OR (status = 'Running' AND updated_at < ?))`;

/**
 * @param {Row} run
 * @param {ReturnType<typeof bounds>} judged
 * @returns {Stuck | null}
 */
function stuckOf({ status, sleep_until, updated_at }, { now, silentSince }) {
  if (status === 'Sleeping' && sleep_until && String(sleep_until) < now) return 'overslept';
  return status === 'Running' && String(updated_at) < silentSince ? 'silent' : null;
}

/**
 * Add to each run whether it is stuck, and why.
 * @param {Row[]} runs
 * @returns {Row[]}
 */
export function marked(runs) {
  const judged = bounds();
  return runs.map((run) => ({ ...run, stuck: stuckOf(run, judged) }));
}
