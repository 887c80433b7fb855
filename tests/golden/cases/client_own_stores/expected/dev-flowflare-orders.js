// orders.js
var orders_default = {
  fetch: () => new Response("orders")
};
export {
  orders_default as default
};
