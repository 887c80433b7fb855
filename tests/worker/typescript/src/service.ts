/** A service in TypeScript, as the API reference writes it in JavaScript. */

import { createWorkflowService, trackStep, type WorkflowTracker } from '@b-i-g-g-i-d-e-a/flowflare';

export default createWorkflowService({ allowedOrigins: ['https://app.example.com'], debug: false });

export { WorkflowTracker } from '@b-i-g-g-i-d-e-a/flowflare';

/** A Worker that has the class can bind it with its type. */
export const count = (env: { WORKFLOW_TRACKER: DurableObjectNamespace<WorkflowTracker> }) =>
  trackStep(env, 'run', 'count', 1, () => 1) satisfies Promise<number>;

// @ts-expect-error -- a misspelt option is refused
createWorkflowService({ allowedOrigin: [] });
