// class migrations up to "v1"
// stock.js
import { DurableObject } from "cloudflare:workers";
var Stock = class extends DurableObject {
};
var stock_default = {
  fetch: () => new Response("orders")
};
export {
  Stock,
  stock_default as default
};
