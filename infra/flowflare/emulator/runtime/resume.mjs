/**
 * Resume the Workflow instances that were unfinished when workerd ended.
 *
 * Cloudflare resumes an instance on another machine. Miniflare's engine only runs an instance that
 * is called. An instance's own database records whether it has finished and how it was started.
 * `init` replays it, and steps that have a result do not run again.
 */
import { DatabaseSync } from 'node:sqlite';
import { deserialize } from 'node:v8';

import { instanceFiles } from './files.mjs';
import { messageOf } from './messages.mjs';

/**
 * @typedef {object} Metadata how an instance was started, as Miniflare's engine stores it
 * @property {number} accountId
 * @property {unknown} workflow
 * @property {unknown} version
 * @property {unknown} instance
 * @property {unknown} event
 */
/**
 * @typedef {object} Engines the engine objects of a Workflow, which Miniflare's types do not have
 * @property {(id: string) => unknown} idFromString
 * @property {(id: unknown) => {init: (...metadata: unknown[]) => Promise<unknown>}} get
 */
/** @typedef {(message: string) => void} Note */

const QUEUED = 0;
const RUNNING = 1;
const WAITING = 7;

export class Resumer {
  /** Files of finished instances, which never start again. @type {Set<string>} */
  #finished = new Set();

  /**
   * @param {string} root folder of Miniflare's data
   * @param {string[]} workflows IDs of the loaded Workflows
   * @param {(workflow: string) => Promise<Engines>} namespace finds a Workflow's engine objects
   * @param {Note} note
   * @returns {Promise<number>} how many instances were resumed
   */
  async resume(root, workflows, namespace, note) {
    let resumed = 0;
    for (const workflow of workflows) {
      const unfinished = await this.#listUnfinished(root, workflow, note);
      if (unfinished.length === 0) continue;
      const engines = await namespace(workflow);
      for (const { object, metadata } of unfinished) {
        const { accountId, version, instance, event } = metadata;
        const stub = engines.get(engines.idFromString(object));
        stub.init(accountId, metadata.workflow, version, instance, event).catch(() => {}); // fails when workerd ends, or when the instance itself fails
        resumed += 1;
      }
    }
    return resumed;
  }

  /**
   * Whether any of these Workflows has an unfinished instance.
   * @param {string} root @param {string[]} workflows @param {Note} note
   */
  async hasUnfinished(root, workflows, note) {
    for (const workflow of workflows) {
      if ((await this.#listUnfinished(root, workflow, note)).length > 0) return true;
    }
    return false;
  }

  /** @param {string} root @param {string} workflow @param {Note} note */
  async #listUnfinished(root, workflow, note) {
    const unfinished = [];
    for (const { object, file } of await instanceFiles(root, workflow)) {
      if (this.#finished.has(file)) continue;
      try {
        const { status, metadata } = read(file);
        if (metadata && [QUEUED, RUNNING, WAITING].includes(status)) {
          unfinished.push({ object, metadata });
        } else if (metadata) {
          this.#finished.add(file);
        }
      } catch (error) {
        note(`Workflow instance ${object} cannot be read: ${messageOf(error)}`);
      }
    }
    return unfinished;
  }
}

/**
 * @param {string} file
 * @returns {{status: number, metadata: Metadata | undefined}}
 */
function read(file) {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const select = database.prepare('SELECT value FROM _cf_KV WHERE key = ?');
    /** @param {string} key */
    const value = (key) => {
      const stored = select.get(key)?.value;
      return stored instanceof Uint8Array ? deserialize(stored) : undefined;
    };
    return {
      status: value('ENGINE_STATUS') ?? QUEUED,
      metadata: value('INSTANCE_METADATA'),
    };
  } finally {
    database.close();
  }
}
