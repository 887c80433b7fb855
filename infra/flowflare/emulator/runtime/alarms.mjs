/** When the alarms of Durable Objects ring: workerd keeps them in a file of each namespace. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const PER_MILLISECOND = 1_000_000;

/**
 * @param {string} root where Miniflare keeps its data
 * @param {string[]} namespaces their ids
 * @param {(message: string) => void} note
 * @returns {number} the time of the next alarm, in milliseconds since 1970; infinite without one
 */
export function dueOf(root, namespaces, note) {
  let due = Number.POSITIVE_INFINITY;
  for (const namespace of namespaces) {
    const file = path.join(root, 'do', namespace, 'metadata.sqlite');
    if (!existsSync(file)) continue;
    try {
      due = Math.min(due, next(file));
    } catch (error) {
      note(`alarms of ${namespace}: ${error.message}`);
    }
  }
  return due;
}

function next(file) {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const { time } = database
      .prepare('SELECT CAST(min(scheduled_time) AS REAL) AS time FROM _cf_ALARM')
      .get();
    return time === null ? Number.POSITIVE_INFINITY : time / PER_MILLISECOND;
  } finally {
    database.close();
  }
}
