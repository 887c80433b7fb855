import { DurableObject } from "cloudflare:workers";

export class Stock extends DurableObject {}


export default {
  fetch: () => new Response("orders"),
};
