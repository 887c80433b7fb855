var __defProp = Object.defineProperty;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });

// orders.js
var orders_default = {
  fetch: /* @__PURE__ */ __name(() => new Response("orders"), "fetch")
};
export {
  orders_default as default
};
