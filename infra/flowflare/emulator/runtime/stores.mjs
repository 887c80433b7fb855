/**
 * The workerd that has the data which Workers share: D1 databases, KV namespaces, R2 buckets, rate
 * limits of all accounts.
 *
 * It runs no uploaded code and is never reloaded, so a query waits for nobody's reload, and data has
 * one owner however many workerds run the Workers that are bound to it. After a crash Miniflare starts
 * it again on the same port: nobody has to be told.
 */
import { randomBytes } from 'node:crypto';

import { NAME_HEADER, SECRET_HEADER, STORE_HEADER } from './bindings.mjs';
import { STORES, storesWorker } from './options.mjs';

export class Stores {
  #miniflare;
  #secret = randomBytes(24).toString('hex');
  #address;

  /**
   * @param {(workers: object[], more: object) => object} run starts a Miniflare with these Workers
   * @param {() => void} crashed is told when workerd ended and was started again
   */
  async start(run, crashed) {
    this.#miniflare = run([storesWorker(this.#secret)], {
      unsafeHandleRuntimeRestart: crashed,
    });
    this.#address = (await this.#miniflare.unsafeGetDirectURL(STORES)).host;
  }

  /** @returns {{address: string, secret: string}} how the Workers' workerds reach it */
  get access() {
    return { address: this.#address, secret: this.#secret };
  }

  /** @returns {Promise<{rows?: object[], dump?: string[], error?: string}>} as `Runtime.d1` */
  async query(database, queries) {
    await this.#miniflare.ready;
    const response = await fetch(`http://${this.#address}/query?resultsFormat=ROWS_AND_COLUMNS`, {
      method: 'POST',
      body: JSON.stringify(queries),
      headers: {
        [STORE_HEADER]: 'd1',
        [SECRET_HEADER]: this.#secret,
        [NAME_HEADER]: database,
      },
    });
    const body = await response.json();
    if (body.success) return { dump: body.results[0] };
    return Array.isArray(body) ? { rows: body } : { error: body.error };
  }

  async dispose() {
    await this.#miniflare?.dispose();
  }
}
