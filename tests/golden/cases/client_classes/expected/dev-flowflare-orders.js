// class migrations up to "v2"
var __defProp = Object.defineProperty;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });

// orders.js
import { DurableObject } from "cloudflare:workers";
var Cart = class extends DurableObject {
  static {
    __name(this, "Cart");
  }
};
var Counter = class extends DurableObject {
  static {
    __name(this, "Counter");
  }
};
var orders_default = {
  fetch: /* @__PURE__ */ __name(() => new Response("orders"), "fetch")
};
export {
  Cart,
  Counter,
  orders_default as default
};
