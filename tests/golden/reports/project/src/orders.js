import { DurableObject, WorkflowEntrypoint } from "cloudflare:workers";

export class Cart extends DurableObject {
  items() {
    return this.ctx.storage.list();
  }
}

export class OrderWorkflow extends WorkflowEntrypoint {
  async run(event, step) {
    const order = await step.do("read the order", () => event.payload);
    await step.do("charge the card", () => ({ charged: order.total }));
    return { order: order.id };
  }
}

export default {
  fetch: () => new Response("orders"),
};
