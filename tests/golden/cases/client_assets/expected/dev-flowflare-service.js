// Flowflare; class migrations up to "workflow-tracker-v1"
// ... the bundle ...
export default createWorkflowService({
  "allowedOrigins": [],
  "debug": false,
});
export { WorkflowTracker as WorkflowTracker };
export { FlowflareService as FlowflareService };
