var __defProp = Object.defineProperty;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });

// shop.js
var shop_default = { fetch: /* @__PURE__ */ __name((request, env) => env.ASSETS.fetch(request), "fetch") };
export {
  shop_default as default
};
