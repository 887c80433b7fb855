/**
 * The functions that Workflows report their progress with. None of them ever fails the calling
 * Workflow.
 */

import { jsonText } from './json-text.js';
import { acknowledged, report } from './outbox.js';
import { annotated, planRetry } from './retry-plan.js';
import { completed, failure, MAX_STATE_BYTES } from './step-reports.js';
import { warnOnce } from './transport.js';

export { trackedStep } from './tracked-step.js';

/** @typedef {import('./transport.js').TrackingEnv} TrackingEnv */
/** @typedef {import('./retry-plan.js').RetryConfig} RetryConfig */

/**
 * An update of a run: `id`, and those of `status`, `output_result`, `metadata`, `sleep_until`,
 * `input_params` that change. An unknown run is registered under `workflow_name`.
 * @typedef {{id: string, status?: 'Running' | 'Sleeping' | 'Completed' | 'Errored', output_result?: unknown,
 *   metadata?: unknown, sleep_until?: string | number | Date, input_params?: unknown, workflow_name?: string,
 *   ref_id?: string, ref_type?: string, restart?: boolean, [field: string]: unknown}} RunUpdate
 */

/**
 * An update of a step, which run, index and name identify, or `id`.
 * @typedef {{workflow_run_id?: string, step_name?: string, step_index?: number, id?: number,
 *   status?: 'Pending' | 'Running' | 'Completed' | 'Failed' | 'Retrying', state?: unknown, attempt?: number,
 *   [field: string]: unknown}} StepUpdate
 */

/**
 * A retry of a step, which run and index identify, or `workflow_step_id`.
 * @typedef {{workflow_step_id?: number, workflow_run_id?: string, step_index?: number, step_name?: string,
 *   retry_count?: number, retry_at?: string | number | Date, last_error?: string, [field: string]: unknown}} StepRetry
 */

/**
 * Report one update, and wait up to half a second for the service to acknowledge it. An update
 * without an acknowledgement is sent again in the background.
 * @param {TrackingEnv} env
 * @param {string} type
 * @param {unknown} data
 */
async function acknowledgedUpdate(env, type, data) {
  const answers = await acknowledged(env, report(env, [{ type, [type]: data }]));
  return answers === false ? false : answers[0];
}

/**
 * @param {RunUpdate} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} the service's result; false if it is not known, or if the update was
 *   refused
 */
export const updateWorkflowInstance = (data, env) => acknowledgedUpdate(env, 'run_update', data);

/**
 * @param {StepUpdate} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} the service's result with the step's `id` and `attempt`; false if it is
 *   not known, or if the update was refused
 */
export const updateWorkflowStep = (data, env) => acknowledgedUpdate(env, 'step_update', data);

/**
 * @param {StepRetry} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} the service's result; false if it is not known, or if the retry was
 *   refused
 */
export const recordStepRetry = (data, env) => acknowledgedUpdate(env, 'retry_update', data);

/**
 * @typedef {false | {attempt: number, status: string, ignored?: boolean}} Started the answer to a
 *   step's start
 */

/**
 * Run one attempt of a step and record it. This function does not retry. It records an error, adds
 * the time of the retry to it and throws it, so that the caller (best a `step.do` around it)
 * retries. It waits up to half a second for the service before the attempt, and not at all after
 * it.
 * @template T
 * @param {TrackingEnv} env
 * @param {string} workflowInstanceId the run's ID: `event.instanceId`
 * @param {string} stepName
 * @param {number} stepIndex
 * @param {() => T | Promise<T>} execute
 * @param {RetryConfig} [retryConfig]
 * @returns {Promise<T>} what `execute` returned
 * @throws what `execute` threw, with `retryCount`, `retryDelay`, `nextRetryAt`, or `nonRetryable`
 */
export async function trackStep(
  env,
  workflowInstanceId,
  stepName,
  stepIndex,
  execute,
  retryConfig,
) {
  if (typeof workflowInstanceId !== 'string' || workflowInstanceId === '') {
    // On a Workflow's step object every name is a function, even instanceId.
    warnOnce('trackStep records nothing: pass event.instanceId as workflowInstanceId');
    return execute();
  }
  const step = { workflow_run_id: workflowInstanceId, step_name: stepName, step_index: stepIndex };
  const started = await updateWorkflowStep({ ...step, status: 'Running' }, env);
  const attempt = attemptOf(started);
  /** @type {T} */
  let result;
  try {
    result = await execute();
  } catch (thrown) {
    const plan = planRetry(thrown, attempt ?? 1, retryConfig ?? {});
    // A completed step stays completed, even if a replay of it fails.
    if (!isDone(started)) report(env, failure(step, attempt, thrown, plan));
    throw annotated(thrown, plan);
  }
  // The step is complete, so waiting now could only undo that.
  const state = jsonText(result, MAX_STATE_BYTES);
  report(env, [completed(step, attempt, state)]);
  return result;
}

/** @param {Started} started */
const isDone = (started) =>
  started !== false && started.ignored === true && started.status === 'Completed';

/**
 * Return the attempt that begins; undefined if the service did not answer, in which case it counts
 * itself.
 * @param {Started} started
 */
function attemptOf(started) {
  if (!started) return undefined;
  // A step that had failed permanently is attempted again all the same.
  return started.ignored && started.status === 'Failed' ? started.attempt + 1 : started.attempt;
}
