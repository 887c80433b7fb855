/** The states of runs and steps, and how Cloudflare's states map to them. */
export declare const RUN_STATUSES: readonly ['Running', 'Sleeping', 'Completed', 'Errored'];
export declare const STEP_STATUSES: readonly ['Pending', 'Running', 'Completed', 'Failed', 'Retrying'];
export type RunStatus = typeof RUN_STATUSES[number];
export type StepStatus = typeof STEP_STATUSES[number];
/** @typedef {typeof RUN_STATUSES[number]} RunStatus */
/** @typedef {typeof STEP_STATUSES[number]} StepStatus */
/**
 * Cloudflare's states, from developers.cloudflare.com/workflows/build/workers-api/#instancestatus.
 * @type {Readonly<Record<string, RunStatus>>}
 */
export declare const NATIVE_STATUSES: Readonly<Record<string, RunStatus>>;
