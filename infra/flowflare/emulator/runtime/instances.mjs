/**
 * Read the instances of Workflows from the databases that Miniflare's engine writes, one for each
 * instance. They can be read whether or not workerd runs, so a finished instance is listed with its
 * steps after a reload too.
 */
import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { deserialize } from 'node:v8';

import { instanceFiles, instancePath } from './files.mjs';
import { messageOf } from './messages.mjs';

/** @import { LogEntry, Retention, WorkflowInstance } from './wire.d.ts' */
/**
 * @typedef {object} Metadata how an instance was started, as the engine stores it
 * @property {number} accountId
 * @property {unknown} workflow
 * @property {unknown} version
 * @property {{id: string, created_on: string, version_id?: string, trigger?: string,
 *   retention?: Retention}} instance
 * @property {unknown} event
 */
/** @typedef {{status: WorkflowInstance['status'], metadata: Metadata | undefined, log: LogEntry[]}} Stored */
/** @typedef {(message: string) => void} Note */

/** The engine's numbers for an instance's status. @type {WorkflowInstance['status'][]} */
const STATUSES = [
  'queued',
  'running',
  'paused',
  'errored',
  'terminated',
  'complete',
  'waitingForPause',
  'waiting',
];
/** The engine's numbers for what it logs. */
export const EVENTS = {
  started: 1,
  ended: [2, 3, 4],
  stepStart: 5,
  stepEnd: [6, 7],
  sleepStart: 8,
  waitStart: 14,
  pauseEnd: [9, 15, 16],
};
const ENDED = new Set(['errored', 'terminated', 'complete']);

/** What was read of ended instances, which rarely change. @type {Map<string, {signature: string, stored: Stored}>} */
const cache = new Map();

/**
 * List a Workflow's instances, the newest first.
 * @param {string} root folder of Miniflare's data
 * @param {string} workflow the Workflow's ID
 * @param {Note} note
 * @returns {Promise<WorkflowInstance[]>}
 */
export async function listInstances(root, workflow, note) {
  const instances = [];
  for (const { file, object } of await instanceFiles(root, workflow)) {
    const stored = readOrNote(file, object, note);
    if (stored?.metadata) instances.push(summarize(stored, stored.metadata));
  }
  return instances.sort((first, second) => {
    const order = second.created_on.localeCompare(first.created_on);
    return order || second.id.localeCompare(first.id);
  });
}

/**
 * @param {string} root @param {string} workflow @param {string} id of the instance
 * @returns {{instance: WorkflowInstance | null, log: LogEntry[]}}
 */
export function readInstance(root, workflow, id) {
  const file = instancePath(root, workflow, id);
  const stored = existsSync(file) ? readStored(file) : undefined;
  if (!stored?.metadata) return { instance: null, log: [] };
  return { instance: summarize(stored, stored.metadata), log: stored.log };
}

/**
 * Read an instance's database, or report why it cannot be read.
 * @param {string} file @param {string} object @param {Note} note
 */
export function readOrNote(file, object, note) {
  try {
    return readStored(file);
  } catch (error) {
    note(`Workflow instance ${object} cannot be read: ${messageOf(error)}`);
    return undefined;
  }
}

/** @param {string} file @returns {Stored} */
function readStored(file) {
  const signature = signatureOf(file);
  const known = cache.get(file);
  if (known?.signature === signature) return known.stored;
  const stored = readFile(file);
  if (ENDED.has(stored.status)) cache.set(file, { signature, stored });
  else cache.delete(file);
  return stored;
}

/** @param {string} file */
function signatureOf(file) {
  const stats = [file, `${file}-wal`].map((name) => statSync(name, { throwIfNoEntry: false }));
  return stats.map((stat) => `${stat?.mtimeMs}/${stat?.size}`).join();
}

/** @param {string} file @returns {Stored} */
function readFile(file) {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    // The engine's workerd may be writing.
    database.exec('PRAGMA busy_timeout = 2000');
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    const names = new Set(tables.map(({ name }) => name));
    if (!names.has('_cf_KV')) return { status: 'queued', metadata: undefined, log: [] };
    const select = database.prepare('SELECT value FROM _cf_KV WHERE key = ?');
    /** @param {string} key */
    const value = (key) => {
      const stored = select.get(key)?.value;
      return stored instanceof Uint8Array ? deserialize(stored) : undefined;
    };
    const log = names.has('states') ? readLog(database) : [];
    const status = STATUSES[value('ENGINE_STATUS') ?? 0];
    return {
      status: status === 'running' && isWaiting(log) ? 'waiting' : status,
      metadata: value('INSTANCE_METADATA'),
      log,
    };
  } finally {
    database.close();
  }
}

/** @param {DatabaseSync} database @returns {LogEntry[]} */
function readLog(database) {
  const due = new Map(
    database
      .prepare('SELECT hash, target_timestamp AS due FROM priority_queue WHERE action = 1')
      .all()
      .map((row) => [row.hash, new Date(Number(row.due)).toISOString()]),
  );
  return database
    .prepare('SELECT id, timestamp, groupKey, target, metadata, event FROM states ORDER BY id')
    .all()
    .map((row) => ({
      id: Number(row.id),
      event: Number(row.event),
      time: `${String(row.timestamp).replace(' ', 'T')}Z`,
      group: row.groupKey === null ? null : String(row.groupKey),
      name: row.target === null ? null : String(row.target),
      data: typeof row.metadata === 'string' ? JSON.parse(row.metadata) : null,
      due: due.get(row.groupKey) ?? null,
    }));
}

/**
 * Whether only sleeps or events are awaited. Cloudflare calls such an instance waiting; the engine
 * calls it running.
 * @param {LogEntry[]} log
 */
function isWaiting(log) {
  const open = new Map();
  for (const { event, group } of log) {
    if ([EVENTS.stepStart, EVENTS.sleepStart, EVENTS.waitStart].includes(event)) {
      open.set(group, event);
    } else if ([...EVENTS.stepEnd, ...EVENTS.pauseEnd].includes(event)) open.delete(group);
  }
  return open.size > 0 && ![...open.values()].includes(EVENTS.stepStart);
}

/** @param {Stored} stored @param {Metadata} metadata @returns {WorkflowInstance} */
function summarize({ status, log }, { instance }) {
  const started = log.find(({ event }) => event === EVENTS.started);
  const ended = ENDED.has(status)
    ? log.findLast(({ event }) => EVENTS.ended.includes(event))
    : undefined;
  return {
    id: instance.id,
    status,
    created_on: instance.created_on,
    modified_on: log.at(-1)?.time ?? instance.created_on,
    started_on: started?.time ?? null,
    ended_on: ended?.time ?? null,
    version_id: instance.version_id ?? '',
    trigger: instance.trigger ?? 'binding',
    retention: instance.retention ?? {},
  };
}
