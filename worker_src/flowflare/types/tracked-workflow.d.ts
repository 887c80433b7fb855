/** Track a Workflow from its start to its end, with its sleeps, without calls in its code. */
export type TrackingEnv = import('./transport.js').TrackingEnv;
export type RunUpdate = import('./workflow.js').RunUpdate;
export type RunEvent = {
    instanceId: string;
    workflowName?: string;
    payload?: any;
};
export type TrackedWorkflowOptions = {
    /**
     * the name under which runs are listed; default the Workflow's
     * own name
     */
    workflowType?: string;
};
/**
 * Extend a Workflow so that its runs report their start, sleeps, waits, end and error. Its steps
 * are reported by `trackedStep` or `trackStep`. Tracking never fails or delays the Workflow.
 *
 * The run's reference is `ref_id` and `ref_type` of the payload, if they are texts.
 * @template {new (...values: any[]) => any} T
 * @param {T} Workflow a class that extends WorkflowEntrypoint
 * @param {TrackedWorkflowOptions} [options]
 * @returns {T} the class to export
 */
export declare function trackedWorkflow<T extends new (...values: any[]) => any>(Workflow: T, { workflowType }?: TrackedWorkflowOptions): T;
