// Flowflare; class migrations up to "workflow-tracker-v1"
// ... the bundle ...
export default createWorkflowService({
  "allowedOrigins": ["https://app.example", "https://\u003c/script>"],
  "debug": true,
  "retention": {"days": 30},
  "stuckAfterMinutes": 15,
});
export { WorkflowTracker as WorkflowTracker };
export { FlowflareService as FlowflareService };
