/** What Workflows report their progress with. Nothing here ever fails the Workflow that calls it. */

import { jsonText } from './json-text.js';
import { annotated, planRetry } from './retry-plan.js';
import { failure, MAX_STATE_BYTES } from './step-failure.js';
import { sendUpdates, warnOnce } from './transport.js';

export { trackedStep } from './tracked-step.js';

/** @typedef {import('./transport.js').TrackingEnv} TrackingEnv */
/** @typedef {import('./retry-plan.js').RetryConfig} RetryConfig */

/**
 * What happened to a run: `id`, and what of `status`, `output_result`, `metadata`, `sleep_until`,
 * `input_params` is to change. A run that is not known yet is registered under `workflow_name`.
 * @typedef {{id: string, status?: 'Running' | 'Sleeping' | 'Completed' | 'Errored', output_result?: unknown,
 *   metadata?: unknown, sleep_until?: string | number | Date, input_params?: unknown, workflow_name?: string,
 *   ref_id?: string, ref_type?: string, restart?: boolean, [field: string]: unknown}} RunUpdate
 */

/**
 * What happened to a step, which run, index and name identify, or `id`.
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
 * @param {RunUpdate} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} what the service made of it, or false
 */
export const updateWorkflowInstance = (data, env) =>
  sendUpdates(env, { type: 'run_update', run_update: data });

/**
 * @param {StepUpdate} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} what the service made of it, with the step's `id` and `attempt`, or false
 */
export const updateWorkflowStep = (data, env) =>
  sendUpdates(env, { type: 'step_update', step_update: data });

/**
 * @param {StepRetry} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} what the service made of it, or false
 */
export const recordStepRetry = (data, env) =>
  sendUpdates(env, { type: 'retry_update', retry_update: data });

/** @typedef {false | {attempt: number, status: string, ignored?: boolean}} Started the answer to a step's start */

/**
 * Runs one attempt of a step and records it. It does not retry: an error is recorded, told when its retry
 * is due, and thrown on, so that the caller (best a `step.do` around it) tries again.
 * @template T
 * @param {TrackingEnv} env
 * @param {string} workflowInstanceId the run's id: `event.instanceId`
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
    // On the step object of a Workflow every name is a function, instanceId as well.
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
    // A step that is done is done, even if a replay of it fails.
    if (!isDone(started)) await sendUpdates(env, { updates: failure(step, attempt, thrown, plan) });
    throw annotated(thrown, plan);
  }
  const state = jsonText(result, MAX_STATE_BYTES);
  await updateWorkflowStep({ ...step, status: 'Completed', state, attempt }, env);
  return result;
}

/** @param {Started} started */
const isDone = (started) =>
  started !== false && started.ignored === true && started.status === 'Completed';

/**
 * The attempt that begins; undefined if the service did not answer, which then counts by itself.
 * @param {Started} started
 */
function attemptOf(started) {
  if (!started) return undefined;
  // A step that had failed for good is being attempted all the same.
  return started.ignored && started.status === 'Failed' ? started.attempt + 1 : started.attempt;
}
