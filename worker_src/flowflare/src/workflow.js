/**
 * The functions that Workflows report their progress with. None of them ever fails the calling
 * Workflow.
 */

import { Attempt } from './attempts.js';
import { acknowledged, report } from './outbox.js';
import { annotated, faultsOf, planRetry } from './retry-plan.js';
import { warnOnce } from './transport.js';

export { trackedStep } from './tracked-step.js';
export { trackedWorkflow } from './tracked-workflow.js';

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
 * Run one attempt of a step and record it. This function does not retry. It records an error, adds
 * the time of the retry to it and throws it, so that the caller (best a `step.do` around it)
 * retries. It waits for the service only after an error, and for less than half a second.
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
  for (const fault of faultsOf(retryConfig)) {
    warnOnce(`the retryConfig of step ${stepName}: ${fault}`);
  }
  const attempt = new Attempt(env, step);
  /** @type {T} */
  let result;
  try {
    result = await execute();
  } catch (thrown) {
    const plan = planRetry(thrown, (await attempt.number()) ?? 1, retryConfig ?? {});
    attempt.fail(thrown, plan);
    throw annotated(thrown, plan);
  }
  attempt.complete(result);
  return result;
}
