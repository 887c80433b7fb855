import { DurableObject } from "cloudflare:workers";

export class Cart extends DurableObject {}

export class Counter extends DurableObject {}

export default {
  fetch: () => new Response("orders"),
};
