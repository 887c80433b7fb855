/** Plan when a failed step is retried, and add the plan to its error. */
export type RetryConfig = {
    /**
     * retries after the first attempt; default 3
     */
    maxRetries?: number;
    /**
     * milliseconds before the first retry; default 1,000
     */
    baseDelay?: number;
    /**
     * default exponential
     */
    backoffType?: 'exponential' | 'linear' | 'constant';
};
export type RetryPlan = {
    /**
     * retries so far, including the planned one
     */
    retryCount: number;
    /**
     * milliseconds
     */
    retryDelay?: number;
    nextRetryAt?: string;
    /**
     * no further retry follows
     */
    nonRetryable?: boolean;
};
/**
 * @param {RetryConfig | undefined} config
 * @returns {string[]} what is wrong with each member that is not used
 */
export declare const faultsOf: (config: RetryConfig | undefined) => string[];
/**
 * @param {unknown} error the attempt's error
 * @param {number} attempt 1 for the first attempt
 * @param {RetryConfig} [config]
 * @returns {RetryPlan}
 */
export declare function planRetry(error: unknown, attempt: number, config?: RetryConfig): RetryPlan;
/**
 * Add the plan to the thrown value, as far as the value can be changed.
 * @param {unknown} thrown
 * @param {RetryPlan} plan
 * @returns {unknown} what to throw: the same value, or an Error around a value that is not an
 *   object
 */
export declare function annotated(thrown: unknown, plan: RetryPlan): unknown;
/**
 * @param {unknown} thrown
 * @returns {{name: string, message: string}} of any thrown value
 */
export declare function describe(thrown: unknown): {
    name: string;
    message: string;
};
