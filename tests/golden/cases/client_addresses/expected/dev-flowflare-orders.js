// orders.js
var orders_default = {
  fetch: () => new Response("orders"),
  scheduled: () => {
  }
};
export {
  orders_default as default
};
