/** Run a step that the platform retries, and record each attempt. */
export type TrackingEnv = import('./transport.js').TrackingEnv;
export type StepContext = {
    attempt?: number;
};
export type StepConfig = {
    retries?: {
        limit: number;
        delay: string | number;
        backoff?: 'constant' | 'linear' | 'exponential';
    };
    timeout?: string | number;
};
export type StepLike = {
    do: (...values: any[]) => Promise<any>;
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
export declare function trackedStep<T>(step: StepLike, env: TrackingEnv, workflowInstanceId: string, stepName: string, stepIndex: number, execute: (context: StepContext) => T | Promise<T>, config?: StepConfig): Promise<T>;
