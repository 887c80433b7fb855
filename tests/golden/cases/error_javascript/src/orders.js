import { price } from "./price.js";
export default { fetch: () => new Response(price(1)) };
