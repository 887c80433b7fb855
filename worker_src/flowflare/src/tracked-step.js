/** Run a step that the platform retries, and record each attempt. */

import { Attempt } from './attempts.js';
import { milliseconds } from './durations.js';
import { planRetry } from './retry-plan.js';
import { warnOnce } from './transport.js';

/** @typedef {import('./transport.js').TrackingEnv} TrackingEnv */
/** @typedef {{attempt?: number}} StepContext passed by the platform: 1 for the first attempt */

/**
 * A step's configuration, as for `step.do`.
 * @typedef {{retries?: {limit: number, delay: string | number, backoff?: 'constant' | 'linear' | 'exponential'},
 *   timeout?: string | number}} StepConfig
 */

/** A Workflow's `step`. @typedef {{do: (...values: any[]) => Promise<any>}} StepLike */

/** The platform's defaults: developers.cloudflare.com/workflows/build/sleeping-and-retrying/ */
const DEFAULT_RETRIES = { limit: 5, delay: 10_000, backoff: 'exponential' };

/**
 * Run a step with `step.do` and record each attempt. The platform stores the result, so a replay
 * neither runs nor records anything. The platform also retries, so errors are thrown to it
 * unchanged.
 * @template T
 * @param {StepLike} step the Workflow's step object
 * @param {TrackingEnv} env
 * @param {string} workflowInstanceId the run's ID: `event.instanceId`
 * @param {string} stepName
 * @param {number} stepIndex
 * @param {(context: StepContext) => T | Promise<T>} execute
 * @param {StepConfig} [config] retries and timeout, as for `step.do`
 * @returns {Promise<T>} what `step.do` returns
 * @throws what `step.do` throws, once the platform has given up
 */
export async function trackedStep(
  step,
  env,
  workflowInstanceId,
  stepName,
  stepIndex,
  execute,
  config = {},
) {
  const id = typeof workflowInstanceId === 'string' ? workflowInstanceId : '';
  if (id === '') {
    warnOnce('trackedStep records nothing: pass event.instanceId as workflowInstanceId');
    return step.do(stepName, config, execute);
  }
  const place = { workflow_run_id: id, step_name: stepName, step_index: stepIndex };
  /** @type {Attempt | undefined} */
  let last;
  try {
    return await step.do(stepName, config, (/** @type {StepContext} */ context) => {
      last = new Attempt(env, place, context?.attempt);
      return attempted(last, context, execute, config);
    });
  } catch (error) {
    last?.giveUp(true);
    throw error;
  }
}

/**
 * @template T
 * @param {Attempt} attempt
 * @param {StepContext} context
 * @param {(context: StepContext) => T | Promise<T>} execute
 * @param {StepConfig} config
 * @returns {Promise<T>}
 */
async function attempted(attempt, context, execute, config) {
  /** @type {T} */
  let result;
  try {
    result = await execute(context);
  } catch (thrown) {
    attempt.fail(thrown, planRetry(thrown, context?.attempt ?? 1, retriesOf(config)));
    throw thrown;
  }
  attempt.complete(result);
  return result;
}

/**
 * @param {StepConfig} config
 * @returns {import('./retry-plan.js').RetryConfig}
 */
function retriesOf({ retries }) {
  const { limit, delay, backoff } = { ...DEFAULT_RETRIES, ...retries };
  return {
    maxRetries: limit,
    baseDelay: milliseconds(delay),
    backoffType: /** @type {'constant' | 'linear' | 'exponential'} */ (backoff),
  };
}
