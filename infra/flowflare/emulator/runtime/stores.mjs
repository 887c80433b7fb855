/**
 * The workerd that holds the data which Workers share: D1 databases, KV namespaces, R2 buckets and
 * rate limits of all accounts.
 *
 * It runs no uploaded code and is never reloaded, so a query never waits for a reload, and data has
 * one owner however many workerds run bound Workers. After a crash Miniflare restarts it on the
 * same port, so Workers need no new address.
 */
import { randomBytes } from 'node:crypto';

import { NAME_HEADER, SECRET_HEADER, STORE_HEADER } from './bindings.mjs';
import { STORES, storesWorker } from './options.mjs';

/** @import { Miniflare, V4SharedOptions, V4WorkerOptions } from 'miniflare' */
/** @import { D1Answer, D1Result, Query } from './wire.d.ts' */

export class Stores {
  /** @type {Miniflare | undefined} */
  #miniflare;
  #secret = randomBytes(24).toString('hex');
  #address = '';

  /**
   * @param {(workers: V4WorkerOptions[], more: V4SharedOptions) => Miniflare} run starts a Miniflare with these Workers
   * @param {() => void} crashed called when workerd ended and was restarted
   */
  async start(run, crashed) {
    this.#miniflare = run([storesWorker(this.#secret)], {
      unsafeHandleRuntimeRestart: crashed,
    });
    this.#address = (await this.#miniflare.unsafeGetDirectURL(STORES)).host;
  }

  /** @returns {{address: string, secret: string}} address and secret for the Workers' workerds */
  get access() {
    return { address: this.#address, secret: this.#secret };
  }

  /**
   * Run queries on a database in one transaction.
   * @param {string} database @param {Query[]} queries
   * @returns {Promise<D1Answer>}
   */
  async query(database, queries) {
    await this.#miniflare?.ready;
    const response = await fetch(`http://${this.#address}/query?resultsFormat=ROWS_AND_COLUMNS`, {
      method: 'POST',
      body: JSON.stringify(queries),
      headers: {
        [STORE_HEADER]: 'd1',
        [SECRET_HEADER]: this.#secret,
        [NAME_HEADER]: database,
      },
    });
    const body =
      /** @type {D1Result[] | {success: true, results: [string[]]} | {success: false, error: string}} */ (
        await response.json()
      );
    if (Array.isArray(body)) return { rows: body };
    return body.success ? { dump: body.results[0] } : { error: body.error };
  }

  async dispose() {
    await this.#miniflare?.dispose();
  }
}
