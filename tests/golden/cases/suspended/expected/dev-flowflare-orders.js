var __defProp = Object.defineProperty;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });

// orders.js
import { WorkflowEntrypoint } from "cloudflare:workers";
var OrderWorkflow = class extends WorkflowEntrypoint {
  static {
    __name(this, "OrderWorkflow");
  }
};
var orders_default = {
  fetch: /* @__PURE__ */ __name(() => new Response("orders"), "fetch"),
  scheduled: /* @__PURE__ */ __name(() => {
  }, "scheduled")
};
export {
  OrderWorkflow,
  orders_default as default
};
