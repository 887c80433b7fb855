import { WorkflowClient } from '@b-i-g-g-i-d-e-a/flowflare/client';

const client = new WorkflowClient({
  serviceBinding: env.WORKFLOW_SERVICE,
  apiKey: env.WORKFLOW_API_KEY
});
