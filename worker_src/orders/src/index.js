/** Accept orders over HTTP, and show the progress of each order's Workflow. */

import { WorkflowClient } from '@b-i-g-g-i-d-e-a/flowflare/client';

export { OrderWorkflow } from './order-workflow.js';

/**
 * @typedef {object} Env
 * @property {Fetcher} WORKFLOW_SERVICE
 * @property {string} WORKFLOW_API_KEY
 */

const ENDPOINTS = {
  'POST /orders': 'start an order: {"order_id"?, "items"?: [{"sku", "quantity", "price"}]}',
  'GET /orders/{order_id}': "the latest run of the order's Workflow, with its steps",
};

const ORDER_ID = /^[\w.-]{1,64}$/;
const SAMPLE_ITEMS = [{ sku: 'tea', quantity: 1, price: 450 }];

export default {
  /**
   * @param {Request} request
   * @param {Env} env
   */
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const client = new WorkflowClient({
      serviceBinding: env.WORKFLOW_SERVICE,
      apiKey: env.WORKFLOW_API_KEY,
    });
    const order = /^\/orders\/(.+)$/.exec(pathname);
    if (request.method === 'GET' && pathname === '/')
      return Response.json({ endpoints: ENDPOINTS });
    if (request.method === 'POST' && pathname === '/orders') return startOrder(request, client);
    if (request.method === 'GET' && order) return showOrder(order[1], client);
    return Response.json({ error: 'Not found', endpoints: ENDPOINTS }, { status: 404 });
  },
};

/**
 * @param {Request} request
 * @param {WorkflowClient} client
 */
async function startOrder(request, client) {
  const body = await request.text();
  let order;
  try {
    order = { order_id: crypto.randomUUID(), items: SAMPLE_ITEMS, ...JSON.parse(body || '{}') };
  } catch {
    return Response.json({ error: 'The body is not JSON' }, { status: 400 });
  }
  const { order_id, items } = order;
  if (!ORDER_ID.test(order_id) || !Array.isArray(items)) {
    const error = 'order_id must be 1 to 64 of A-Z a-z 0-9 _ . -, and items a list';
    return Response.json({ error }, { status: 400 });
  }
  const started = await client.startWorkflow(
    'order-processing',
    { order_id, items },
    order_id,
    'order',
    { source: 'orders' },
    { idempotencyKey: request.headers.get('Idempotency-Key') ?? undefined },
  );
  if (!started.success) return Response.json(started, { status: started.status });
  const status_url = new URL(`/orders/${order_id}`, request.url).href;
  return Response.json(
    { order_id, workflowId: started.workflowId, status_url },
    { status: 202, headers: { Location: status_url } },
  );
}

/**
 * @param {string} order_id
 * @param {WorkflowClient} client
 */
async function showOrder(order_id, client) {
  const found = await client.getWorkflowsByRef({ ref_id: order_id, ref_type: 'order', limit: 1 });
  if (!found.success) return Response.json(found, { status: found.status });
  if (found.workflows.length === 0) {
    return Response.json({ error: `There is no order ${order_id}` }, { status: 404 });
  }
  const { workflow } = await client.getWorkflow(found.workflows[0].id);
  return Response.json(workflow);
}
