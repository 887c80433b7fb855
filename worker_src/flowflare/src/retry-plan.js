/** Plan when a failed step is retried, and add the plan to its error. */

/**
 * @typedef {object} RetryConfig
 * @property {number} [maxRetries] retries after the first attempt; default 3
 * @property {number} [baseDelay] milliseconds before the first retry; default 1,000
 * @property {'exponential' | 'linear' | 'constant'} [backoffType] default exponential
 */

/**
 * @typedef {object} RetryPlan
 * @property {number} retryCount retries so far, including the planned one
 * @property {number} [retryDelay] milliseconds
 * @property {string} [nextRetryAt]
 * @property {boolean} [nonRetryable] no further retry follows
 */

/** A delay longer than a year is a mistake, and could exceed the valid dates. */
const MAX_DELAY_MS = 365 * 24 * 3600 * 1000;

/** @type {Record<string, {is: (value: any) => boolean, means: string}>} */
const MEMBERS = {
  maxRetries: {
    is: (value) => Number.isInteger(value) && value >= 0,
    means: 'a whole number of retries; 3 is used',
  },
  baseDelay: {
    is: (value) => Number.isFinite(value) && value >= 0,
    means: 'a number of milliseconds; 1000 is used',
  },
  backoffType: {
    is: (value) => ['exponential', 'linear', 'constant'].includes(value),
    means: "'exponential', 'linear' or 'constant'; 'exponential' is used",
  },
};

/**
 * @param {string} name
 * @param {unknown} value
 */
const isUsable = (name, value) =>
  value !== undefined && Object.hasOwn(MEMBERS, name) && MEMBERS[name].is(value);

/**
 * @param {RetryConfig | undefined} config
 * @returns {string[]} what is wrong with each member that is not used
 */
export const faultsOf = (config) =>
  Object.entries(config ?? {})
    .filter(([name, value]) => value !== undefined && !isUsable(name, value))
    .map(([name]) =>
      Object.hasOwn(MEMBERS, name)
        ? `${name} must be ${MEMBERS[name].means}`
        : `${name} is unknown; use ${Object.keys(MEMBERS).join(', ')}`,
    );

/**
 * @param {unknown} error the attempt's error
 * @param {number} attempt 1 for the first attempt
 * @param {RetryConfig} [config]
 * @returns {RetryPlan}
 */
export function planRetry(error, attempt, config = {}) {
  const given = Object.entries(config).filter(([name, value]) => isUsable(name, value));
  const {
    maxRetries = 3,
    baseDelay = 1000,
    backoffType,
  } = /** @type {RetryConfig} */ (Object.fromEntries(given));
  if (isFinal(error) || attempt > maxRetries)
    return { retryCount: attempt - 1, nonRetryable: true };
  const factor = factorOf(backoffType, attempt);
  const retryDelay = Math.min(baseDelay * factor, MAX_DELAY_MS);
  return {
    retryCount: attempt,
    retryDelay,
    nextRetryAt: new Date(Date.now() + retryDelay).toISOString(),
  };
}

/** The errors whose members come from `annotated`, and not from the user. */
const planned = new WeakSet();

/** @param {unknown} error whether its thrower wants no retry */
function isFinal(error) {
  try {
    const { name, nonRetryable } = /** @type {{name?: unknown, nonRetryable?: unknown}} */ (
      Object(error)
    );
    return name === 'NonRetryableError' || (nonRetryable === true && !planned.has(Object(error)));
  } catch {
    return false;
  }
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
 * Add the plan to the thrown value, as far as the value can be changed.
 * @param {unknown} thrown
 * @param {RetryPlan} plan
 * @returns {unknown} what to throw: the same value, or an Error around a value that is not an
 *   object
 */
export function annotated(thrown, plan) {
  const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function';
  const error = isObject ? thrown : new Error(String(thrown), { cause: thrown });
  if (!isFinal(error)) planned.add(error);
  for (const [name, value] of Object.entries(plan)) {
    try {
      /** @type {Record<string, unknown>} */ (error)[name] = value;
    } catch {
      // A frozen error is thrown unchanged.
    }
  }
  return error;
}

/**
 * @param {unknown} thrown
 * @returns {{name: string, message: string}} of any thrown value
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
