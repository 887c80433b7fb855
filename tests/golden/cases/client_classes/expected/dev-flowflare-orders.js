// class migrations up to "v2"
// orders.js
import { DurableObject } from "cloudflare:workers";
var Cart = class extends DurableObject {
};
var Counter = class extends DurableObject {
};
var orders_default = {
  fetch: () => new Response("orders")
};
export {
  Cart,
  Counter,
  orders_default as default
};
