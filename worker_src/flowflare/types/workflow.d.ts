/**
 * The functions that Workflows report their progress with. None of them ever fails the calling
 * Workflow.
 */
export { trackedStep } from './tracked-step.js';
export { trackedWorkflow } from './tracked-workflow.js';
export type TrackingEnv = import('./transport.js').TrackingEnv;
export type RetryConfig = import('./retry-plan.js').RetryConfig;
export type RunUpdate = {
    id: string;
    status?: 'Running' | 'Sleeping' | 'Completed' | 'Errored';
    output_result?: unknown;
    metadata?: unknown;
    sleep_until?: string | number | Date;
    input_params?: unknown;
    workflow_name?: string;
    ref_id?: string;
    ref_type?: string;
    restart?: boolean;
    [field: string]: unknown;
};
export type StepUpdate = {
    workflow_run_id?: string;
    step_name?: string;
    step_index?: number;
    id?: number;
    status?: 'Pending' | 'Running' | 'Completed' | 'Failed' | 'Retrying';
    state?: unknown;
    attempt?: number;
    [field: string]: unknown;
};
export type StepRetry = {
    workflow_step_id?: number;
    workflow_run_id?: string;
    step_index?: number;
    step_name?: string;
    retry_count?: number;
    retry_at?: string | number | Date;
    last_error?: string;
    [field: string]: unknown;
};
/**
 * @param {RunUpdate} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} the service's result; false if it is not known, or if the update was
 *   refused
 */
export declare const updateWorkflowInstance: (data: RunUpdate, env: TrackingEnv) => Promise<any>;
/**
 * @param {StepUpdate} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} the service's result with the step's `id` and `attempt`; false if it is
 *   not known, or if the update was refused
 */
export declare const updateWorkflowStep: (data: StepUpdate, env: TrackingEnv) => Promise<any>;
/**
 * @param {StepRetry} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} the service's result; false if it is not known, or if the retry was
 *   refused
 */
export declare const recordStepRetry: (data: StepRetry, env: TrackingEnv) => Promise<any>;
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
export declare function trackStep<T>(env: TrackingEnv, workflowInstanceId: string, stepName: string, stepIndex: number, execute: () => T | Promise<T>, retryConfig?: RetryConfig): Promise<T>;
