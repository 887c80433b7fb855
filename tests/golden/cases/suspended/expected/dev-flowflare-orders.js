// orders.js
import { WorkflowEntrypoint } from "cloudflare:workers";
var OrderWorkflow = class extends WorkflowEntrypoint {
};
var orders_default = {
  fetch: () => new Response("orders"),
  scheduled: () => {
  }
};
export {
  OrderWorkflow,
  orders_default as default
};
