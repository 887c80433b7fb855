/** The states of runs and steps, and how Cloudflare's states map to them. */

export const RUN_STATUSES = /** @type {const} */ (['Running', 'Sleeping', 'Completed', 'Errored']);
export const STEP_STATUSES = /** @type {const} */ ([
  'Pending',
  'Running',
  'Completed',
  'Failed',
  'Retrying',
]);

/** @typedef {typeof RUN_STATUSES[number]} RunStatus */
/** @typedef {typeof STEP_STATUSES[number]} StepStatus */

/**
 * Cloudflare's states, from developers.cloudflare.com/workflows/build/workers-api/#instancestatus.
 * @type {Readonly<Record<string, RunStatus>>}
 */
export const NATIVE_STATUSES = Object.freeze({
  queued: 'Running',
  running: 'Running',
  rollingBack: 'Running',
  paused: 'Sleeping',
  waiting: 'Sleeping',
  waitingForPause: 'Sleeping',
  complete: 'Completed',
  errored: 'Errored',
  terminated: 'Errored',
});
