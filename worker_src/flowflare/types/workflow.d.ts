/** What Workflows report their progress with. Nothing here ever fails the Workflow that calls it. */
export { trackedStep } from './tracked-step.js';
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
/** @typedef {import('./transport.js').TrackingEnv} TrackingEnv */
/** @typedef {import('./retry-plan.js').RetryConfig} RetryConfig */
/**
 * What happened to a run: `id`, and what of `status`, `output_result`, `metadata`, `sleep_until`,
 * `input_params` is to change. A run that is not known yet is registered under `workflow_name`.
 * @typedef {{id: string, status?: 'Running' | 'Sleeping' | 'Completed' | 'Errored', output_result?: unknown,
 *   metadata?: unknown, sleep_until?: string | number | Date, input_params?: unknown, workflow_name?: string,
 *   ref_id?: string, ref_type?: string, restart?: boolean, [field: string]: unknown}} RunUpdate
 */
/**
 * What happened to a step, which run, index and name identify, or `id`.
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
 * @param {RunUpdate} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} what the service made of it, or false
 */
export declare const updateWorkflowInstance: (data: RunUpdate, env: TrackingEnv) => Promise<any>;
/**
 * @param {StepUpdate} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} what the service made of it, with the step's `id` and `attempt`, or false
 */
export declare const updateWorkflowStep: (data: StepUpdate, env: TrackingEnv) => Promise<any>;
/**
 * @param {StepRetry} data
 * @param {TrackingEnv} env
 * @returns {Promise<any>} what the service made of it, or false
 */
export declare const recordStepRetry: (data: StepRetry, env: TrackingEnv) => Promise<any>;
export type Started = false | {
    attempt: number;
    status: string;
    ignored?: boolean;
};
/** @typedef {false | {attempt: number, status: string, ignored?: boolean}} Started the answer to a step's start */
/**
 * Runs one attempt of a step and records it. It does not retry: an error is recorded, told when its retry
 * is due, and thrown on, so that the caller (best a `step.do` around it) tries again.
 * @template T
 * @param {TrackingEnv} env
 * @param {string} workflowInstanceId the run's id: `event.instanceId`
 * @param {string} stepName
 * @param {number} stepIndex
 * @param {() => T | Promise<T>} execute
 * @param {RetryConfig} [retryConfig]
 * @returns {Promise<T>} what `execute` returned
 * @throws what `execute` threw, with `retryCount`, `retryDelay`, `nextRetryAt`, or `nonRetryable`
 */
export declare function trackStep<T>(env: TrackingEnv, workflowInstanceId: string, stepName: string, stepIndex: number, execute: () => T | Promise<T>, retryConfig?: RetryConfig): Promise<T>;
