/** A client that makes the requested calls, with the library that it was bundled with. */

import { WorkflowClient } from '@b-i-g-g-i-d-e-a/flowflare/client';
import {
  recordStepRetry,
  trackStep,
  updateWorkflowInstance,
  updateWorkflowStep,
} from '@b-i-g-g-i-d-e-a/flowflare/workflow';

const UPDATES = { updateWorkflowInstance, updateWorkflowStep, recordStepRetry };

/** A client's possible bindings; each is a transport for its updates. */
const BOUND = {
  service: ({ WORKFLOW_SERVICE, WORKFLOW_API_KEY }) => ({ WORKFLOW_SERVICE, WORKFLOW_API_KEY }),
  tracker: ({ WORKFLOW_TRACKER }) => ({ WORKFLOW_TRACKER }),
  url: ({ WORKFLOW_API_KEY }, url) => ({ TRACKER_API_URL: url, WORKFLOW_API_KEY }),
};

export default {
  async fetch(request, env) {
    const { name, values, bound, url } = await request.json();
    const client = new WorkflowClient({
      serviceBinding: env.WORKFLOW_SERVICE,
      apiKey: env.WORKFLOW_API_KEY,
    });
    if (name in client) return Response.json(await client[name](...values));
    const tracking = BOUND[bound](env, url);
    if (name in UPDATES) return Response.json(await UPDATES[name](values[0], tracking));
    const [run, step, index, { returns, throws }] = values;
    const work = () => {
      if (throws !== undefined) throw new Error(throws);
      return returns;
    };
    try {
      return Response.json({ returned: await trackStep(tracking, run, step, index, work) });
    } catch ({ message, retryCount, nextRetryAt }) {
      return Response.json({ message, retryCount, nextRetryAt });
    }
  },
};
