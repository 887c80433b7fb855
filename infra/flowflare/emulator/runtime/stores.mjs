/**
 * The workerd that holds the data which Workers share: KV namespaces, R2 buckets and rate limits of
 * all accounts, and beside it the D1 databases.
 *
 * It runs no uploaded code and is never reloaded, so a request never waits for a reload, and data
 * has one owner however many workerds run bound Workers. After a crash Miniflare restarts it on the
 * same port, so Workers need no new address.
 */
import { randomBytes } from 'node:crypto';

import { Databases } from './databases.mjs';
import { STORES, storesWorker } from './options.mjs';

/** @import { Miniflare, V4SharedOptions, V4WorkerOptions } from 'miniflare' */

export class Stores {
  /** @type {Miniflare | undefined} */
  #miniflare;
  #secret = randomBytes(24).toString('hex');
  #address = '';
  /** @type {Databases | undefined} */
  #databases;

  /**
   * @param {(workers: V4WorkerOptions[], more: V4SharedOptions) => Miniflare} run starts a Miniflare with these Workers
   * @param {() => void} crashed called when workerd ended and was restarted
   */
  async start(run, crashed) {
    this.#miniflare = run([storesWorker(this.#secret)], {
      unsafeHandleRuntimeRestart: crashed,
    });
    this.#databases = new Databases(run, crashed);
    await this.#databases.start();
    this.#address = (await this.#miniflare.unsafeGetDirectURL(STORES)).host;
  }

  /** @returns {{address: string, secret: string}} address and secret for the Workers' workerds */
  get access() {
    return { address: this.#address, secret: this.#secret };
  }

  get databases() {
    if (!this.#databases) throw new Error('The stores have not started.');
    return this.#databases;
  }

  async dispose() {
    await Promise.all([this.#miniflare?.dispose(), this.#databases?.dispose()]);
  }
}
