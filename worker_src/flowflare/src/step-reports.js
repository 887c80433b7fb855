/** Build the reports of a step's attempt: started, completed or failed. */

import { jsonText } from './json-text.js';
import { describe } from './retry-plan.js';

export const MAX_STATE_BYTES = 256 * 1024;

/** @typedef {import('./workflow.js').StepUpdate} StepUpdate */

/**
 * @param {StepUpdate} step
 * @param {number | undefined} attempt undefined if the service counts
 */
export const running = (step, attempt) => ({
  type: 'step_update',
  step_update: { ...step, status: 'Running', attempt },
});

/**
 * @param {StepUpdate} step
 * @param {number | undefined} attempt
 * @param {string} state
 */
export const completed = (step, attempt, state) => ({
  type: 'step_update',
  step_update: { ...step, status: 'Completed', state, attempt },
});

/**
 * @param {StepUpdate} step
 * @param {number | undefined} attempt
 * @param {unknown} thrown
 * @param {import('./retry-plan.js').RetryPlan} plan
 */
export function failure(step, attempt, thrown, plan) {
  const error = describe(thrown);
  const status = plan.nonRetryable ? 'Failed' : 'Retrying';
  const failed = { ...step, status, attempt, state: jsonText({ error, ...plan }, MAX_STATE_BYTES) };
  const retry = {
    ...step,
    retry_count: attempt,
    retry_at: plan.nextRetryAt,
    last_error: error.message,
  };
  return [
    { type: 'step_update', step_update: failed },
    ...(plan.nonRetryable ? [] : [{ type: 'retry_update', retry_update: retry }]),
  ];
}
