/** A client Worker in TypeScript: sends a mail in a tracked Workflow, and shows how far it is. */

import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers';
import { WorkflowClient, WorkflowServiceError } from '@b-i-g-g-i-d-e-a/flowflare/client';
import {
  recordStepRetry,
  trackedWorkflow,
  trackStep,
  updateWorkflowInstance,
  updateWorkflowStep,
} from '@b-i-g-g-i-d-e-a/flowflare/workflow';

interface Env {
  WORKFLOW_SERVICE: Fetcher;
  WORKFLOW_TRACKER: DurableObjectNamespace;
  WORKFLOW_API_KEY: string;
  MAIL: Workflow<Mail>;
}

interface Mail {
  to: string;
}

export class MailWorkflow extends WorkflowEntrypoint<Env, Mail> {
  override async run(event: Readonly<WorkflowEvent<Mail>>, step: WorkflowStep): Promise<number> {
    const { env } = this;
    const id = event.instanceId;
    await updateWorkflowInstance({ id, status: 'Running' }, env);
    const sent = await step.do('send', () =>
      trackStep(env, id, 'send', 1, async () => ({ to: event.payload.to, at: 5 }), {
        maxRetries: 2,
        backoffType: 'linear',
      }),
    );
    // What a step returns keeps its type.
    const at: number = sent.at;
    const place = { workflow_run_id: id, step_name: 'count', step_index: 2 };
    await updateWorkflowStep({ ...place, status: 'Retrying' }, env);
    await recordStepRetry({ ...place, retry_count: 1, retry_at: new Date(0) }, env);
    await updateWorkflowStep({ ...place, status: 'Completed', state: { at } }, env);
    await updateWorkflowInstance({ id, status: 'Completed', output_result: sent }, env);
    return at;
  }
}

/** The same, with its start, sleeps and end reported. */
export const WrappedWorkflow = trackedWorkflow(MailWorkflow, { workflowType: 'mail' });
WrappedWorkflow satisfies typeof MailWorkflow;

export default {
  async fetch(request, env): Promise<Response> {
    const client = new WorkflowClient({
      serviceBinding: env.WORKFLOW_SERVICE,
      apiKey: env.WORKFLOW_API_KEY,
      throwOnError: true,
    });
    const { searchParams } = new URL(request.url);
    const id = searchParams.get('id');
    try {
      if (id !== null) return Response.json(await client.getWorkflow(id));
      const to = searchParams.get('to') ?? 'nobody';
      const params: Mail = { to };
      const { workflowId } = await client.startWorkflow('mail', { ...params }, to, 'recipient');
      await env.MAIL.create({ id: workflowId, params });
      const { workflows } = await client.getWorkflowsByRef({ ref_id: to, ref_type: 'recipient' });
      return Response.json({ workflowId, found: workflows.length });
    } catch (error) {
      if (!(error instanceof WorkflowServiceError)) throw error;
      return Response.json({ error: error.message }, { status: error.status });
    }
  },
} satisfies ExportedHandler<Env>;
