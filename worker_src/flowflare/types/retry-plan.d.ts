/** When a failed step would be tried again, and how its error is told so. */
export type RetryConfig = {
    /**
     * retries after the first attempt; 3 if not given
     */
    maxRetries?: number;
    /**
     * milliseconds before the first retry; 1,000 if not given
     */
    baseDelay?: number;
    /**
     * exponential if not given
     */
    backoffType?: 'exponential' | 'linear' | 'constant';
};
export type RetryPlan = {
    /**
     * retries so far, with the one that is due
     */
    retryCount: number;
    /**
     * milliseconds
     */
    retryDelay?: number;
    nextRetryAt?: string;
    /**
     * there is no further retry
     */
    nonRetryable?: boolean;
};
/**
 * @param {unknown} error what the attempt failed with
 * @param {number} attempt 1 for the first
 * @param {RetryConfig} [config]
 * @returns {RetryPlan}
 */
export declare function planRetry(error: unknown, attempt: number, { maxRetries, baseDelay, backoffType }?: RetryConfig): RetryPlan;
/**
 * Puts the plan on what was thrown, as far as it lets itself be changed.
 * @param {unknown} thrown
 * @param {RetryPlan} plan
 * @returns {unknown} what to throw: the same, or an Error around it if it is no object
 */
export declare function annotated(thrown: unknown, plan: RetryPlan): unknown;
/**
 * @param {unknown} thrown
 * @returns {{name: string, message: string}} whatever was thrown
 */
export declare function describe(thrown: unknown): {
    name: string;
    message: string;
};
