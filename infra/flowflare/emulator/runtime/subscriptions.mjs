/**
 * Publish the state changes of Workflow instances to the queues that event subscriptions name.
 *
 * The source is each instance's own log, which Miniflare's engine writes to the instance's database.
 * It is read when the database changes and after every start. The queues' file records which
 * entries were published, in the transaction that stores their messages. So a logged change is
 * published once, even if the emulator was killed in between.
 */
import { existsSync, mkdirSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deserialize } from 'node:v8';

import { instanceFiles, instancePath } from './files.mjs';
import { messageOf } from './messages.mjs';

/** @import { FSWatcher } from 'node:fs' */
/** @import { Metadata } from './instances.mjs' */
/** @import { Queues } from './queues.mjs' */
/** @import { Requests, Subscription } from './wire.d.ts' */

/**
 * The engine's numbers for the states of an instance, and what Cloudflare calls them in events.
 * Source: developers.cloudflare.com/workflows/reference/event-subscriptions. `instance.errored` is
 * published once, when the instance ends, and not for each attempt of a step (our reading).
 * @type {Record<number, keyof Subscription['since']>}
 */
const EVENTS = {
  0: 'queued',
  2: 'completed',
  3: 'errored',
  4: 'terminated',
  26: 'started',
  27: 'paused',
};
const RUNNING = 26;
const WAITING_FOR_PAUSE = 28;
const NUMBERS = [...Object.keys(EVENTS), WAITING_FOR_PAUSE].join(', ');
/** How long a burst of writes is collected, in milliseconds. */
const DEBOUNCE = 20;
/** How often all instances are looked at, for a change that the system did not report. */
const LOOK = 10_000;

/**
 * @typedef {object} Followed a subscription whose Workflow is watched
 * @property {string} account
 * @property {Subscription} subscription
 * @property {FSWatcher | undefined} watcher
 * @property {Map<string, string>} seen what a file looked like when it was last read, by object
 */

export class Publisher {
  #root;
  #queues;
  #note;
  /** @type {Map<string, Followed>} by the Workflow's ID */
  #followed = new Map();
  /** @type {Map<string, NodeJS.Timeout>} by file */
  #timers = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  #looking;

  /** @param {{data: string, queues: Queues, note: (message: string) => void}} parts */
  constructor({ data, queues, note }) {
    this.#root = path.resolve(data);
    this.#queues = queues;
    this.#note = note;
  }

  /**
   * Replace an account's subscriptions. What was logged before is published to the former ones.
   * @param {Requests['subscriptions']} request
   */
  async configure({ account, subscriptions }) {
    const former = [...this.#followed].filter(([, followed]) => followed.account === account);
    for (const [workflow] of former) await this.#publishAll(workflow);
    const wanted = new Map(subscriptions.map((each) => [each.workflow, each]));
    for (const [workflow] of former) if (!wanted.has(workflow)) this.#unfollow(workflow);
    for (const [workflow, subscription] of wanted) {
      const followed = this.#followed.get(workflow);
      if (followed) followed.subscription = subscription;
      else this.#follow(account, subscription);
      await this.#publishAll(workflow);
    }
    this.#looking ??= setInterval(() => this.#look(), LOOK).unref();
  }

  /** Publish what an instance has logged. @param {string} workflow @param {string} id */
  publish(workflow, id) {
    if (this.#followed.has(workflow)) {
      const file = instancePath(this.#root, workflow, id);
      this.#publishFile(workflow, file);
    }
  }

  dispose() {
    clearInterval(this.#looking);
    for (const workflow of [...this.#followed.keys()])
      this.#followed.get(workflow)?.watcher?.close();
    this.#followed.clear();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  /** @param {string} account @param {Subscription} subscription */
  #follow(account, subscription) {
    const { workflow } = subscription;
    const folder = path.dirname(instancePath(this.#root, workflow, ''));
    /** @type {Followed} */
    const followed = { account, subscription, watcher: undefined, seen: new Map() };
    this.#followed.set(workflow, followed);
    try {
      mkdirSync(folder, { recursive: true });
      followed.watcher = watch(folder, (_, name) => {
        if (name) this.#soon(workflow, path.join(folder, `${name.split('.')[0]}.sqlite`));
      });
      followed.watcher.on('error', (error) => this.#note(messageOf(error)));
    } catch (error) {
      this.#note(`Workflow ${workflow} is not watched: ${messageOf(error)}`);
    }
  }

  /** @param {string} workflow */
  #unfollow(workflow) {
    this.#followed.get(workflow)?.watcher?.close();
    this.#followed.delete(workflow);
    this.#queues.forgetPublished(workflow);
  }

  /** @param {string} workflow @param {string} file */
  #soon(workflow, file) {
    if (this.#timers.has(file)) return;
    const run = () => {
      this.#timers.delete(file);
      this.#publishFile(workflow, file);
    };
    this.#timers.set(file, setTimeout(run, DEBOUNCE));
  }

  async #look() {
    for (const workflow of [...this.#followed.keys()]) await this.#publishAll(workflow);
  }

  /** Publish what any instance of a Workflow has logged. @param {string} workflow */
  async #publishAll(workflow) {
    const files = await instanceFiles(this.#root, workflow);
    const { seen } = this.#followed.get(workflow) ?? {};
    for (const { file, object } of files) {
      if (seen?.get(object) === signatureOf(file)) continue;
      this.#publishFile(workflow, file);
      await nextTurn(); // other requests are answered between two files
    }
    this.#queues.forgetPublished(workflow, new Set(files.map(({ object }) => object)));
  }

  /** @param {string} workflow @param {string} file */
  #publishFile(workflow, file) {
    const followed = this.#followed.get(workflow);
    if (!followed || !existsSync(file)) return;
    const object = path.basename(file, '.sqlite');
    const signature = signatureOf(file);
    try {
      this.#publishLog(followed, object, file);
      followed.seen.set(object, signature);
    } catch (error) {
      this.#note(`Events of Workflow instance ${object} are not published: ${messageOf(error)}`);
    }
  }

  /** @param {Followed} followed @param {string} object @param {string} file */
  #publishLog({ account, subscription }, object, file) {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      database.exec('PRAGMA busy_timeout = 2000'); // the engine's workerd may be writing
      const { workflow, queue, since } = subscription;
      const known = this.#queues.listPublished(workflow, object);
      const entries = readStates(database).filter(
        ({ name, time, key }) => since[name] && time >= since[name] && !known.has(key),
      );
      if (entries.length === 0) return;
      const { instance } = readMetadata(database);
      const payload = { versionId: versionOf(instance, subscription), instanceId: instance.id };
      const messages = entries.map(({ name, time, key }) => ({
        key,
        body: describe(name, time, payload, account, subscription),
      }));
      this.#queues.publish(queue, workflow, object, messages);
    } finally {
      database.close();
    }
  }
}

/**
 * The body of a message. Source of its shape: developers.cloudflare.com/workflows/reference/event-subscriptions.
 * @param {string} name @param {string} time @param {object} payload @param {string} account
 * @param {Subscription} subscription
 */
function describe(name, time, payload, account, { id, workflow_name }) {
  return {
    type: `cf.workflows.workflow.instance.${name}`,
    source: { type: 'workflows.workflow', workflowName: workflow_name },
    payload,
    metadata: {
      accountId: account,
      eventSubscriptionId: id,
      eventSchemaVersion: 1,
      eventTimestamp: time,
    },
  };
}

/**
 * Read the states that an instance has logged. The key of an entry has its time too, because the
 * engine reuses the numbers of entries after a restart.
 * @param {DatabaseSync} database
 */
function readStates(database) {
  if (!hasTable(database, 'states')) return [];
  const rows = database
    .prepare(`SELECT id, timestamp, event FROM states WHERE event IN (${NUMBERS}) ORDER BY id`)
    .all()
    .map((row) => ({
      event: Number(row.event),
      name: EVENTS[Number(row.event)],
      time: `${String(row.timestamp).replace(' ', 'T')}Z`,
      key: `${row.id}/${row.event}/${row.timestamp}`,
    }));
  // A resumed instance that was only about to pause has never stopped, so it does not start.
  return rows.filter(
    ({ event, name }, at) =>
      name && !(event === RUNNING && rows[at - 1]?.event === WAITING_FOR_PAUSE),
  );
}

/** @param {DatabaseSync} database @returns {Metadata} */
function readMetadata(database) {
  const select = database.prepare("SELECT value FROM _cf_KV WHERE key = 'INSTANCE_METADATA'");
  return deserialize(/** @type {Uint8Array} */ (select.get()?.value));
}

/** @param {DatabaseSync} database @param {string} name */
function hasTable(database, name) {
  return database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined;
}

/**
 * The version that an instance was created with, which the engine knows only of those that a client
 * of the API created.
 * @param {Metadata['instance']} instance @param {Subscription} subscription
 */
function versionOf({ version_id, created_on }, { versions }) {
  const earlier = versions.find(
    (version) => version.created_on.slice(0, 23) <= created_on.slice(0, 23),
  );
  return version_id || (earlier ?? versions.at(-1))?.id || '';
}

/** @param {string} file */
function signatureOf(file) {
  const stats = [file, `${file}-wal`].map((name) => statSync(name, { throwIfNoEntry: false }));
  return stats.map((stat) => `${stat?.mtimeMs}/${stat?.size}`).join();
}
