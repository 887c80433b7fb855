import { WorkflowEntrypoint } from "cloudflare:workers";

export class OrderWorkflow extends WorkflowEntrypoint {}

export default {
  fetch: () => new Response("orders"),
  scheduled: () => {},
};
