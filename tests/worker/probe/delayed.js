/** A faulty service: it accepts or answers updates late, fails at first, or never answers. */

import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';

/** How often each run's updates were refused. */
const refused = new Map();

export default {
  async fetch(request, { SERVICE, TAKES_MS = 0, ANSWERS_MS = 0, REFUSALS = 0 }) {
    const body = await request.text();
    const run = /"workflow_run_id":"([^"]*)"/.exec(body)?.[1];
    refused.set(run, (refused.get(run) ?? 0) + 1);
    if (refused.get(run) <= REFUSALS) return new Response('not now', { status: 500 });
    await scheduler.wait(TAKES_MS);
    const { method, headers, url } = request;
    const answer = await SERVICE.fetch(url, { method, headers, body });
    await scheduler.wait(ANSWERS_MS);
    return answer;
  },
};

const NEVER_MS = 600_000;

export class FlowflareService extends WorkerEntrypoint {
  update() {
    return scheduler.wait(NEVER_MS);
  }
}

export class WorkflowTracker extends DurableObject {
  update() {
    return scheduler.wait(NEVER_MS);
  }
}
