// orders.js
import { WorkflowEntrypoint } from "cloudflare:workers";
var OrderWorkflow = class extends WorkflowEntrypoint {
};
var RefundWorkflow = class extends WorkflowEntrypoint {
};
var orders_default = { fetch: () => new Response("orders") };
export {
  OrderWorkflow,
  RefundWorkflow,
  orders_default as default
};
