/**
 * Flowflare's runtime: the service and its feed, the client, and the functions that report from
 * Workflows.
 */
export { WorkflowClient, WorkflowServiceError } from './client.js';
export { FlowflareService } from './rpc.js';
export { createWorkflowService } from './service.js';
export { WorkflowTracker } from './tracker.js';
export { recordStepRetry, trackedStep, trackedWorkflow, trackStep, updateWorkflowInstance, updateWorkflowStep, } from './workflow.js';
