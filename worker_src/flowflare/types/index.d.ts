/** Flowflare's runtime: the service and its feed, the client, and what Workflows report with. */
export { WorkflowClient, WorkflowServiceError } from './client.js';
export { createWorkflowService } from './service.js';
export { WorkflowTracker } from './tracker.js';
export { recordStepRetry, trackStep, updateWorkflowInstance, updateWorkflowStep, } from './workflow.js';
