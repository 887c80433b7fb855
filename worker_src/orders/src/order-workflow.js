/** Process an order: reserve, charge (which fails once), sleep, ship. Every step is tracked. */

import { WorkflowEntrypoint } from 'cloudflare:workers';
import { trackStep, updateWorkflowInstance } from '@b-i-g-g-i-d-e-a/flowflare/workflow';

/** @typedef {{sku: string, quantity: number, price: number}} Item price in cents */
/** @typedef {{order_id: string, items: Item[]}} Order */

const SLEEP_MS = 1000;
const RETRIES = { limit: 3, delay: 250, backoff: /** @type {const} */ ('linear') };
const TRACKED_RETRIES = {
  maxRetries: RETRIES.limit,
  baseDelay: RETRIES.delay,
  backoffType: RETRIES.backoff,
};

/** @extends {WorkflowEntrypoint<import('@b-i-g-g-i-d-e-a/flowflare/workflow').TrackingEnv, Order>} */
export class OrderWorkflow extends WorkflowEntrypoint {
  /**
   * @param {Readonly<import('cloudflare:workers').WorkflowEvent<Order>>} event
   * @param {import('cloudflare:workers').WorkflowStep} step
   */
  async run({ instanceId, payload: order }, step) {
    /**
     * A resumed Workflow runs from the beginning; only the work inside step.do is not repeated.
     * trackStep is therefore inside step.do, and records step.do's retries.
     * @type {<T extends Rpc.Serializable<T>>(index: number, name: string,
     *   work: (attempt: number) => T) => Promise<T>}
     */
    const track = (index, name, work) =>
      step.do(name, { retries: RETRIES }, async ({ attempt }) =>
        trackStep(this.env, instanceId, name, index, () => work(attempt), TRACKED_RETRIES),
      );
    /** @type {(change: Omit<import('@b-i-g-g-i-d-e-a/flowflare/workflow').RunUpdate, 'id'>) => Promise<void>} */
    const report = (change) =>
      step.do(`report ${change.status}`, async () => {
        await updateWorkflowInstance({ id: instanceId, ...change }, this.env);
      });

    try {
      const reservation = await track(1, 'reserve-stock', () => reserveStock(order));
      const payment = await track(2, 'charge-payment', (attempt) => chargePayment(order, attempt));
      await report({ status: 'Sleeping', sleep_until: Date.now() + SLEEP_MS });
      await step.sleep('wait for the courier', SLEEP_MS);
      await report({ status: 'Running' });
      const shipment = await track(3, 'ship-order', () => shipOrder(order));
      const result = { ...reservation, ...payment, ...shipment };
      await report({ status: 'Completed', output_result: result });
      return result;
    } catch (error) {
      await report({ status: 'Errored', output_result: { error: String(error) } });
      throw error;
    }
  }
}

/** @param {Order} order */
function reserveStock({ items }) {
  return { reserved: items.reduce((sum, { quantity }) => sum + quantity, 0) };
}

/**
 * @param {Order} order
 * @param {number} attempt
 */
function chargePayment({ items }, attempt) {
  if (attempt === 1) throw new Error('The payment provider did not answer');
  return { charged: items.reduce((sum, { quantity, price }) => sum + quantity * price, 0) };
}

/** @param {Order} order */
function shipOrder({ order_id }) {
  return { shipment: `shipment-of-${order_id}` };
}
