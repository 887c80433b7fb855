/** A service in TypeScript, as the API reference writes it in JavaScript. */

import { createWorkflowService, trackStep, type WorkflowTracker } from '@b-i-g-g-i-d-e-a/flowflare';

export default createWorkflowService({ allowedOrigins: ['https://app.example.com'], debug: false });

export { WorkflowTracker } from '@b-i-g-g-i-d-e-a/flowflare';

/** Whoever knows the class may bind it with its type. */
export const count = (env: { WORKFLOW_TRACKER: DurableObjectNamespace<WorkflowTracker> }) =>
  trackStep(env, 'run', 'count', 1, () => 1) satisfies Promise<number>;

// @ts-expect-error -- an option that is misspelt is not taken
createWorkflowService({ allowedOrigin: [] });
