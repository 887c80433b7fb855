/**
 * Wakes the Workflow instances that were unfinished when workerd ended.
 *
 * Cloudflare resumes an instance on another machine; Miniflare's engine only runs one that is asked
 * to. An instance's own database says whether it has finished and how it was started; `init` replays
 * it, and steps that have a result are not run again.
 */
import { DatabaseSync } from 'node:sqlite';
import { deserialize } from 'node:v8';

import { instanceFiles } from './files.mjs';

const QUEUED = 0;
const RUNNING = 1;
const WAITING = 7;

export class Resumer {
  /** Files of instances that have finished: they never start again. */
  #finished = new Set();

  /**
   * @param {string} root where Miniflare keeps its data
   * @param {string[]} workflows ids of the Workflows that are loaded
   * @param {(workflow: string) => Promise<object>} namespace finds a Workflow's engine objects
   * @param {(message: string) => void} note
   * @returns {Promise<number>} how many were woken
   */
  async wake(root, workflows, namespace, note) {
    let woken = 0;
    for (const workflow of workflows) {
      const unfinished = await this.#unfinished(root, workflow, note);
      if (unfinished.length === 0) continue;
      const engines = await namespace(workflow);
      for (const { object, metadata } of unfinished) {
        const { accountId, version, instance, event } = metadata;
        const stub = engines.get(engines.idFromString(object));
        stub.init(accountId, metadata.workflow, version, instance, event).catch(() => {}); // it ends with workerd, or with the instance's own failure
        woken += 1;
      }
    }
    return woken;
  }

  /** Whether any of these Workflows has an instance that has not finished. */
  async any(root, workflows, note) {
    for (const workflow of workflows) {
      if ((await this.#unfinished(root, workflow, note)).length > 0) return true;
    }
    return false;
  }

  async #unfinished(root, workflow, note) {
    const found = [];
    for (const { object, file } of await instanceFiles(root, workflow)) {
      if (this.#finished.has(file)) continue;
      try {
        const { status, metadata } = read(file);
        if (metadata && [QUEUED, RUNNING, WAITING].includes(status)) {
          found.push({ object, metadata });
        } else if (metadata) {
          this.#finished.add(file);
        }
      } catch (error) {
        note(`Workflow instance ${object}: ${error.message}`);
      }
    }
    return found;
  }
}

function read(file) {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const select = database.prepare('SELECT value FROM _cf_KV WHERE key = ?');
    const value = (key) => {
      const row = select.get(key);
      return row && deserialize(row.value);
    };
    return {
      status: value('ENGINE_STATUS') ?? QUEUED,
      metadata: value('INSTANCE_METADATA'),
    };
  } finally {
    database.close();
  }
}
