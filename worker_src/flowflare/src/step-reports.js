/** Build the reports of a step's attempt: started, completed or failed. */

import { jsonText } from './json-text.js';
import { describe } from './retry-plan.js';

export const MAX_STATE_BYTES = 256 * 1024;

/** @typedef {import('./workflow.js').StepUpdate} StepUpdate */

/**
 * @param {StepUpdate} step
 * @param {number | undefined} attempt undefined if the service counts
 * @param {number} order
 */
export const running = (step, attempt, order) => ({
  type: 'step_update',
  step_update: { ...step, status: 'Running', attempt, order },
});

/**
 * @param {StepUpdate} step
 * @param {number | undefined} attempt
 * @param {string} state
 * @param {number} order
 */
export const completed = (step, attempt, state, order) => ({
  type: 'step_update',
  step_update: { ...step, status: 'Completed', state, attempt, order },
});

/**
 * @param {StepUpdate} step
 * @param {number | undefined} attempt
 * @param {unknown} thrown
 * @param {import('./retry-plan.js').RetryPlan} plan
 * @param {number} order when it was thrown
 */
export function failure(step, attempt, thrown, plan, order) {
  const error = describe(thrown);
  const status = plan.nonRetryable ? 'Failed' : 'Retrying';
  const state = jsonText({ error, ...plan }, MAX_STATE_BYTES);
  const failed = { ...step, status, attempt, state, order };
  const retry = {
    ...step,
    retry_count: attempt,
    retry_at: plan.nextRetryAt,
    last_error: error.message,
    order,
  };
  return [
    { type: 'step_update', step_update: failed },
    ...(plan.nonRetryable ? [] : [{ type: 'retry_update', retry_update: retry }]),
  ];
}

const GIVEN_UP =
  'The platform stopped this attempt: it took longer than its timeout, or was interrupted';

/**
 * @param {StepUpdate} step
 * @param {number | undefined} attempt
 * @param {boolean} isLast whether no other attempt follows
 * @param {number} order
 */
export function givenUp(step, attempt, isLast, order) {
  const error = { name: 'StepInterrupted', message: GIVEN_UP };
  const status = isLast ? 'Failed' : 'Retrying';
  const failed = { ...step, status, attempt, state: jsonText({ error }), order };
  const retry = { ...step, retry_count: attempt, last_error: GIVEN_UP, order };
  return [
    { type: 'step_update', step_update: failed },
    ...(isLast ? [] : [{ type: 'retry_update', retry_update: retry }]),
  ];
}

/**
 * @param {StepUpdate} step
 * @param {number} attempt
 * @param {string} how it ended, after the platform had given it up
 */
export const endedLate = (step, attempt, how) => [
  {
    type: 'retry_update',
    retry_update: {
      ...step,
      retry_count: attempt,
      last_error: `${GIVEN_UP}. Later its work ${how}`,
    },
  },
];
