/**
 * The identities of the runs whose events the feed sends. Most were seen when they started; others
 * are looked up.
 */

import { runOf } from './watch-filters.js';

/** @typedef {import('./feed.js').FeedEvent} FeedEvent */
/** @typedef {import('./watch-filters.js').Identity} Identity */

const KNOWN_RUNS = 5000;

export class RunIdentities {
  #db;
  /** @type {Map<string, Identity>} */
  #known = new Map();

  /** @param {D1Database} db */
  constructor(db) {
    this.#db = db;
  }

  /**
   * Store the identities of the runs in events.
   * @param {FeedEvent[]} events
   */
  learn(events) {
    for (const event of events) {
      if (event.type === 'run_update') this.#remember(/** @type {any} */ (event.run_update));
    }
  }

  /**
   * @param {FeedEvent[]} events
   * @returns {Promise<ReadonlyMap<string, Identity>>} the events' runs by ID, without those that
   *   cannot be read
   */
  async of(events) {
    const unknown = [...new Set(events.map(runOf))].filter((id) => !this.#known.has(id));
    if (unknown.length === 0) return this.#known;
    try {
      const found = await this.#db
        .prepare(
          `SELECT id, workflow_name, ref_id, ref_type FROM workflow_runs
           WHERE id IN (SELECT value FROM json_each(?))`,
        )
        .bind(JSON.stringify(unknown))
        .all();
      for (const run of found.results) this.#remember(/** @type {any} */ (run));
    } catch (error) {
      console.warn(
        `flowflare: filtered watchers were not told of ${unknown.length} runs: ${error}`,
      );
    }
    return this.#known;
  }

  /** @param {Identity} run */
  #remember({ id, workflow_name, ref_id, ref_type }) {
    if (this.#known.size >= KNOWN_RUNS) this.#known.clear();
    this.#known.set(id, { id, workflow_name, ref_id, ref_type });
  }
}
