// Flowflare; class migrations up to "workflow-tracker-v1"
// ... the bundle ...
export default createWorkflowService({"allowedOrigins": ["https://app.example", "https://\u003c/script>"], "debug": true});
export { WorkflowTracker as WorkflowTracker };
