import { createWorkflowService } from '@b-i-g-g-i-d-e-a/flowflare';

export default createWorkflowService({
  allowedOrigins: ['https://your-app.com'],
  debug: true
});

export { WorkflowTracker } from '@b-i-g-g-i-d-e-a/flowflare';
