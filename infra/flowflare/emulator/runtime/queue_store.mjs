/**
 * Store the messages of queues in a SQLite file, with the leases of those that a client has pulled.
 *
 * A message has the number of its failed deliveries, and a time before which it is not delivered.
 * A pull counts as a failed delivery until the message is acknowledged; its lease moves the time.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** @import { SQLInputValue } from 'node:sqlite' */
/** @import { QueueSettings } from './wire.d.ts' */

/**
 * Four days, Cloudflare's default retention, in seconds.
 * Source: developers.cloudflare.com/queues/platform/limits.
 */
const DEFAULTS = { paused: false, delay: 0, retention: 345_600 };
const SCHEMA = `
CREATE TABLE IF NOT EXISTS messages (
  number INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT NOT NULL, sent INTEGER NOT NULL,
  type TEXT NOT NULL, body BLOB NOT NULL, failures INTEGER NOT NULL, due INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS messages_due ON messages (queue, due);
CREATE TABLE IF NOT EXISTS leases (
  number INTEGER PRIMARY KEY REFERENCES messages ON DELETE CASCADE, lease TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE IF NOT EXISTS published (
  workflow TEXT NOT NULL, object TEXT NOT NULL, entry TEXT NOT NULL,
  PRIMARY KEY (workflow, object, entry)
) STRICT, WITHOUT ROWID;
`;

/**
 * @typedef {{number: number, id: string, sent: number, type: string, body: Uint8Array,
 *   failures: number, due: number}} Row a stored message
 */

export class QueueStore {
  /** @type {DatabaseSync | undefined} */
  #database;
  /** @type {Map<string, QueueSettings>} by queue */
  #settings = new Map();

  /** @param {string} folder */
  open(folder) {
    this.#database = new DatabaseSync(path.join(folder, 'queues.sqlite'));
    this.#database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;',
    );
    this.#database.exec(SCHEMA);
  }

  close() {
    this.#database?.close();
    this.#database = undefined;
  }

  get isOpen() {
    return this.#database !== undefined;
  }

  /** @returns {string[]} the keys of the queues with messages */
  queues() {
    return this.#all('SELECT DISTINCT queue FROM messages').map(({ queue }) => `${queue}`);
  }

  /** @param {string} queue */
  settings(queue) {
    return this.#settings.get(queue) ?? DEFAULTS;
  }

  /** @param {string} queue @param {QueueSettings} settings */
  set(queue, settings) {
    this.#settings.set(queue, settings);
  }

  /**
   * @param {string} queue
   * @param {{type: string, body: Uint8Array, delay?: number, id?: string, sent?: number}} message
   *   `delay` is in seconds; by default the queue's
   */
  add(queue, { id, sent, type, body, delay }) {
    const now = Date.now();
    this.#run(
      'INSERT INTO messages (queue, id, sent, type, body, failures, due) VALUES (?, ?, ?, ?, ?, 0, ?)',
      ...[queue, id ?? randomBytes(16).toString('hex'), sent ?? now, type, body],
      now + (delay ?? this.settings(queue).delay) * 1000,
    );
  }

  /** @param {string} queue */
  metrics(queue) {
    const [{ count, bytes, oldest }] = this.#all(
      'SELECT count(*) AS count, total(length(body)) AS bytes, min(sent) AS oldest FROM messages WHERE queue = ?',
      queue,
    );
    return {
      backlogCount: Number(count),
      backlogBytes: Number(bytes),
      oldestMessageTimestamp: Number(oldest ?? 0),
    };
  }

  /**
   * The next messages of a queue that no delivery has taken, those that are due first. Messages
   * older than the queue's retention are removed.
   * @param {string} queue @param {number} count @param {Set<number>} taken
   */
  waiting(queue, count, taken) {
    this.#run(
      'DELETE FROM messages WHERE queue = ? AND sent < ?',
      ...[queue, Date.now() - this.settings(queue).retention * 1000],
    );
    const rows = /** @type {Row[]} */ (
      this.#all(
        'SELECT * FROM messages WHERE queue = ? ORDER BY due, number LIMIT ?',
        ...[queue, count + taken.size],
      )
    );
    return rows.filter(({ number }) => !taken.has(number));
  }

  /** @param {Row} message */
  remove({ number }) {
    this.#run('DELETE FROM messages WHERE number = ?', number);
  }

  /** @param {Row} message @param {number} delay in seconds */
  retry({ number }, delay) {
    this.#run(
      'UPDATE messages SET failures = failures + 1, due = ? WHERE number = ?',
      ...[Date.now() + delay * 1000, number],
    );
  }

  /** Move a message to another queue, with its ID and time. @param {Row} message @param {string} queue */
  move(message, queue) {
    this.remove(message);
    this.add(queue, { ...message, delay: 0 });
  }

  /** @param {string} queue */
  purge(queue) {
    this.#run('DELETE FROM messages WHERE queue = ?', queue);
  }

  /**
   * Lease a message for some milliseconds.
   * @param {Row} message @param {number} visibility
   * @returns {string} the lease
   */
  lease({ number, failures }, visibility) {
    const lease = randomBytes(24).toString('base64url');
    this.#run(
      'UPDATE messages SET failures = ?, due = ? WHERE number = ?',
      ...[failures + 1, Date.now() + visibility, number],
    );
    this.#run('INSERT OR REPLACE INTO leases VALUES (?, ?)', number, lease);
    return lease;
  }

  /**
   * End a lease.
   * @param {string} queue @param {string} lease
   * @returns {Row | undefined} its message, unless the lease has expired
   */
  unlease(queue, lease) {
    const [row] = this.#all(
      'SELECT messages.* FROM messages JOIN leases USING (number) WHERE queue = ? AND lease = ? AND due > ?',
      ...[queue, lease, Date.now()],
    );
    if (row) this.#run('DELETE FROM leases WHERE lease = ?', lease);
    return /** @type {Row | undefined} */ (row);
  }

  /** @param {Row} message @param {number} delay in seconds */
  postpone({ number }, delay) {
    this.#run(
      'UPDATE messages SET due = ? WHERE number = ?',
      ...[Date.now() + delay * 1000, number],
    );
  }

  /**
   * The entries of a Workflow instance's log that were published.
   * @param {string} workflow @param {string} object
   */
  listPublished(workflow, object) {
    const sql = 'SELECT entry FROM published WHERE workflow = ? AND object = ?';
    return new Set(this.#all(sql, workflow, object).map(({ entry }) => `${entry}`));
  }

  /**
   * Store messages about entries of a Workflow instance's log, and that they were published.
   * @param {string} queue @param {string} workflow @param {string} object
   * @param {{key: string, body: object}[]} messages
   */
  publish(queue, workflow, object, messages) {
    this.#open.exec('BEGIN IMMEDIATE');
    try {
      for (const { key, body } of messages) {
        this.#run('INSERT INTO published VALUES (?, ?, ?)', workflow, object, key);
        this.add(queue, { type: 'json', body: Buffer.from(JSON.stringify(body)) });
      }
      this.#open.exec('COMMIT');
    } catch (error) {
      this.#open.exec('ROLLBACK');
      throw error;
    }
  }

  /**
   * Forget what was published of instances that no longer exist.
   * @param {string} workflow @param {Set<string>} kept the objects of those that do
   */
  forgetPublished(workflow, kept = new Set()) {
    const sql = 'SELECT DISTINCT object FROM published WHERE workflow = ?';
    for (const { object } of this.#all(sql, workflow)) {
      if (kept.has(`${object}`)) continue;
      this.#run('DELETE FROM published WHERE workflow = ? AND object = ?', workflow, object);
    }
  }

  /** The database; a message that cannot be stored any more must not be acknowledged. */
  get #open() {
    if (!this.#database) throw new Error('The queues are closed.');
    return this.#database;
  }

  /** @param {string} sql @param {SQLInputValue[]} values */
  #all(sql, ...values) {
    return this.#open.prepare(sql).all(...values);
  }

  /** @param {string} sql @param {SQLInputValue[]} values */
  #run(sql, ...values) {
    this.#open.prepare(sql).run(...values);
  }
}
