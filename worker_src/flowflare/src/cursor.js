/** Opaque cursors: the position in a list, as the time and ID of the last row read. */

import { Problem } from './problem.js';

/** @typedef {{created_at: string, id: string}} Place */

/** @param {Place} place */
export const encodeCursor = ({ created_at, id }) =>
  btoa(JSON.stringify([created_at, id]))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/**
 * @param {string} cursor
 * @returns {Place}
 */
export function decodeCursor(cursor) {
  try {
    const [created_at, id] = JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')));
    if (typeof created_at === 'string' && typeof id === 'string') return { created_at, id };
  } catch {
    // Falls through: the remedy is the same for every fault.
  }
  const message = 'cursor must be a next_cursor that this service gave';
  throw new Problem(400, message, { errors: [{ path: 'cursor', message }] });
}
