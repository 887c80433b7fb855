/** When a failed step would be tried again, and how its error is told so. */

/**
 * @typedef {object} RetryConfig
 * @property {number} [maxRetries] retries after the first attempt; 3 if not given
 * @property {number} [baseDelay] milliseconds before the first retry; 1,000 if not given
 * @property {'exponential' | 'linear' | 'constant'} [backoffType] exponential if not given
 */

/**
 * @typedef {object} RetryPlan
 * @property {number} retryCount retries so far, with the one that is due
 * @property {number} [retryDelay] milliseconds
 * @property {string} [nextRetryAt]
 * @property {boolean} [nonRetryable] there is no further retry
 */

/** A longer delay than a year is a mistake, and would leave the calendar. */
const MAX_DELAY_MS = 365 * 24 * 3600 * 1000;

/**
 * @param {unknown} error what the attempt failed with
 * @param {number} attempt 1 for the first
 * @param {RetryConfig} [config]
 * @returns {RetryPlan}
 */
export function planRetry(error, attempt, { maxRetries = 3, baseDelay = 1000, backoffType } = {}) {
  const final = /** @type {{name?: unknown} | null} */ (error)?.name === 'NonRetryableError';
  if (final || attempt > maxRetries) return { retryCount: attempt - 1, nonRetryable: true };
  const factor = factorOf(backoffType, attempt);
  const retryDelay = Math.min(Math.max(Number(baseDelay) * factor || 0, 0), MAX_DELAY_MS);
  return {
    retryCount: attempt,
    retryDelay,
    nextRetryAt: new Date(Date.now() + retryDelay).toISOString(),
  };
}

/**
 * @param {RetryConfig['backoffType']} backoffType
 * @param {number} attempt
 */
function factorOf(backoffType, attempt) {
  if (backoffType === 'constant') return 1;
  return backoffType === 'linear' ? attempt : 2 ** (attempt - 1);
}

/**
 * Puts the plan on what was thrown, as far as it lets itself be changed.
 * @param {unknown} thrown
 * @param {RetryPlan} plan
 * @returns {unknown} what to throw: the same, or an Error around it if it is no object
 */
export function annotated(thrown, plan) {
  const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function';
  const error = isObject ? thrown : new Error(String(thrown), { cause: thrown });
  for (const [name, value] of Object.entries(plan)) {
    try {
      /** @type {Record<string, unknown>} */ (error)[name] = value;
    } catch {
      // A frozen error is thrown as it is.
    }
  }
  return error;
}

/**
 * @param {unknown} thrown
 * @returns {{name: string, message: string}} whatever was thrown
 */
export function describe(thrown) {
  try {
    const { name = 'Error', message = thrown } =
      /** @type {{name?: unknown, message?: unknown}} */ (Object(thrown));
    return { name: String(name), message: String(message) };
  } catch {
    return { name: 'Error', message: 'An error that cannot be read' };
  }
}
