/** Run a step that the platform retries, and record each attempt. */

import { jsonText } from './json-text.js';
import { acknowledged, report } from './outbox.js';
import { planRetry } from './retry-plan.js';
import { completed, failure, MAX_STATE_BYTES, running } from './step-reports.js';
import { warnOnce } from './transport.js';

/** @typedef {import('./transport.js').TrackingEnv} TrackingEnv */
/** @typedef {import('./workflow.js').StepUpdate} StepUpdate */
/** @typedef {{attempt?: number}} StepContext passed by the platform: 1 for the first attempt */

/**
 * A step's configuration, as for `step.do`.
 * @typedef {{retries?: {limit: number, delay: string | number, backoff?: 'constant' | 'linear' | 'exponential'},
 *   timeout?: string | number}} StepConfig
 */

/** A Workflow's `step`. @typedef {{do: (...values: any[]) => Promise<any>}} StepLike */

/** The platform's defaults: developers.cloudflare.com/workflows/build/sleeping-and-retrying/ */
const DEFAULT_RETRIES = { limit: 5, delay: 10_000, backoff: 'exponential' };

/** @type {Record<string, number>} milliseconds */
const UNITS = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000,
  year: 365 * 86_400_000,
};

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
export function trackedStep(
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
  return step.do(stepName, config, (/** @type {StepContext} */ context) =>
    attempted(env, place, context, execute, config),
  );
}

/**
 * @template T
 * @param {TrackingEnv} env
 * @param {StepUpdate} place
 * @param {StepContext} context
 * @param {(context: StepContext) => T | Promise<T>} execute
 * @param {StepConfig} config
 * @returns {Promise<T>}
 */
async function attempted(env, place, context, execute, config) {
  const told = context?.attempt;
  const patience = { isOver: false };
  const begun = await acknowledged(env, begin(env, place, told, patience));
  patience.isOver = true;
  const { attempt, done } = begun || { attempt: told, done: false };
  /** @type {T} */
  let result;
  try {
    result = await execute(context);
  } catch (thrown) {
    const plan = planRetry(thrown, told ?? attempt ?? 1, retriesOf(config));
    // A completed step stays completed, even if it has to run again and fails.
    if (!done) report(env, failure(place, attempt, thrown, plan));
    throw thrown;
  }
  // The step is complete, so waiting now could only undo that.
  const state = jsonText(result, MAX_STATE_BYTES);
  report(env, [completed(place, attempt, state)]);
  return result;
}

/**
 * Record that an attempt begins. The platform counts from 1 again when a Workflow is restarted; the
 * record continues its count.
 * @param {TrackingEnv} env
 * @param {StepUpdate} place
 * @param {number | undefined} told the platform's number of the attempt
 * @param {{isOver: boolean}} patience once it is over, the start of the attempt is not reported
 *   again
 * @returns {Promise<{attempt: number | undefined, done: boolean}>} the record's number of the
 *   attempt
 */
async function begin(env, place, told, patience) {
  const [started] = await report(env, [running(place, told)]);
  if (!started) return { attempt: told, done: false };
  const done = started.ignored === true && started.status === 'Completed';
  if (started.ignored !== true || done) return { attempt: started.attempt, done };
  // A service of the previous release reads the platform's number as an earlier attempt.
  const failed = ['Failed', 'Retrying'].includes(started.status);
  const attempt = started.attempt + (failed ? 1 : 0);
  if (!patience.isOver) await report(env, [running(place, attempt)]);
  return { attempt, done };
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

/** @param {string | number} duration such as 500 or '5 seconds' */
function milliseconds(duration) {
  const [, count, unit] = /^\s*([\d.]+)\s*([a-z]+?)s?\s*$/i.exec(String(duration)) ?? [];
  return unit === undefined ? Number(duration) : Number(count) * (UNITS[unit.toLowerCase()] ?? 0);
}
