/**
 * Resume the Workflow instances that were unfinished when workerd ended.
 *
 * Cloudflare resumes an instance on another machine. Miniflare's engine only runs an instance that
 * is called. An instance's own database records whether it has finished and how it was started.
 * `init` replays it, and steps that have a result do not run again.
 */
import { instanceFiles } from './files.mjs';
import { readOrNote } from './instances.mjs';

/** @import { Engines } from './instance_control.mjs' */

/** @typedef {(message: string) => void} Note */

const UNFINISHED = new Set(['queued', 'running', 'waiting', 'waitingForPause']);

export class Resumer {
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
      const stored = readOrNote(file, object, note);
      if (stored?.metadata && UNFINISHED.has(stored.status)) {
        unfinished.push({ object, metadata: stored.metadata });
      }
    }
    return unfinished;
  }
}
