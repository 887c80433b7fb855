// shop.js
var shop_default = { fetch: (request, env) => env.ASSETS.fetch(request) };
export {
  shop_default as default
};
