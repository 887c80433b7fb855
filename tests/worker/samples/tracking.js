import { 
  trackStep, 
  updateWorkflowInstance 
} from '@b-i-g-g-i-d-e-a/flowflare/workflow';
