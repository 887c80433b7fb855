// class migrations up to "v1"
var __defProp = Object.defineProperty;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });

// stock.js
import { DurableObject } from "cloudflare:workers";
var Stock = class extends DurableObject {
  static {
    __name(this, "Stock");
  }
};
var stock_default = {
  fetch: /* @__PURE__ */ __name(() => new Response("orders"), "fetch")
};
export {
  Stock,
  stock_default as default
};
