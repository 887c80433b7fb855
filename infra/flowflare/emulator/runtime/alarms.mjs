/** Read when alarms of Durable Objects are due. workerd stores them in a file of each namespace. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { messageOf } from './messages.mjs';

const PER_MILLISECOND = 1_000_000;

/**
 * @param {string} root folder of Miniflare's data
 * @param {string[]} namespaces IDs of Durable Object namespaces
 * @param {(message: string) => void} note
 * @returns {number} the time of the next alarm in milliseconds since 1970; Infinity if none is set
 */
export function nextAlarm(root, namespaces, note) {
  let due = Number.POSITIVE_INFINITY;
  for (const namespace of namespaces) {
    const file = path.join(root, 'do', namespace, 'metadata.sqlite');
    if (!existsSync(file)) continue;
    try {
      due = Math.min(due, readNextAlarm(file));
    } catch (error) {
      note(`The alarms of namespace ${namespace} cannot be read: ${messageOf(error)}`);
    }
  }
  return due;
}

/** @param {string} file */
function readNextAlarm(file) {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const row = database
      .prepare('SELECT CAST(min(scheduled_time) AS REAL) AS time FROM _cf_ALARM')
      .get();
    return typeof row?.time === 'number' ? row.time / PER_MILLISECOND : Number.POSITIVE_INFINITY;
  } finally {
    database.close();
  }
}
