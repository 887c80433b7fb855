/** What a list reads: one range of one index, and what is checked row by row in a bounded part of it. */

import { bounds, IS_STUCK } from './stuck.js';

/** @typedef {import('./list-request.js').ListRequest} ListRequest */

/**
 * A condition and the values it binds.
 * @typedef {{sql: string, values: unknown[]}} Condition
 */

/**
 * @typedef {object} Plan
 * @property {Condition} range a WHERE clause that an index answers in the list's order; may be empty
 * @property {Condition | null} checked what the rows of the range must meet as well
 */

/** Of a list that is checked row by row, so many rows are read for a page, whatever it finds. */
export const SCANNED_ROWS = 850;

/**
 * Columns with an index of their own that ends in (created_at, id), the most selective first.
 * @type {Readonly<Record<'runs' | 'workflows', readonly string[]>>}
 */
const INDEXED = { runs: ['ref_id', 'ref_type', 'workflow_name', 'status'], workflows: ['name'] };

/**
 * @param {ListRequest} request
 * @returns {Plan}
 */
export function planOf(request) {
  /** @type {Record<string, unknown>} */
  const wanted = {
    [request.view === 'runs' ? 'workflow_name' : 'name']: request.workflowType,
    status: request.status,
    ref_id: request.ref_id,
    ref_type: request.ref_type,
  };
  const columns = Object.keys(wanted).filter((column) => wanted[column] !== null);
  const checked = request.stuck ? [stuckNow()] : [];
  // Of all runs ever, few are open; an index has them by themselves.
  const lead = request.stuck
    ? null
    : INDEXED[request.view].find((column) => columns.includes(column));
  /** @type {(column: string) => Condition} */
  const equals = (column) => ({ sql: `${column} = ?`, values: [wanted[column]] });
  checked.push(...columns.filter((column) => column !== lead).map(equals));
  checked.push(...request.metadata.map(([key, value]) => metadataEquals(key, value)));
  return {
    range: clause('WHERE', [
      ...(request.stuck ? [{ sql: 'completed_at IS NULL', values: [] }] : []),
      ...(lead ? [equals(lead)] : []),
      ...between(request),
    ]),
    checked: checked.length === 0 ? null : clause('WHERE', checked),
  };
}

/**
 * The part of time that is listed. SQLite seeks to one upper bound and reads on from there: of the
 * cursor and `created_before` it gets the lower.
 * @param {ListRequest} request
 * @returns {Condition[]}
 */
function between({ after, created_after, created_before }) {
  /** @type {Condition[]} */
  const conditions = [];
  if (created_after !== null) conditions.push({ sql: 'created_at > ?', values: [created_after] });
  if (after !== null && (created_before === null || after.created_at < created_before)) {
    conditions.push({ sql: '(created_at, id) < (?, ?)', values: [after.created_at, after.id] });
  } else if (created_before !== null) {
    conditions.push({ sql: 'created_at < ?', values: [created_before] });
  }
  return conditions;
}

/** @returns {Condition} */
function stuckNow() {
  const { now, silentSince } = bounds();
  return { sql: IS_STUCK, values: [now, silentSince] };
}

/**
 * @param {string} key
 * @param {string | number | boolean} value
 * @returns {Condition}
 */
const metadataEquals = (key, value) => ({
  // metadata is what callers sent, which need not be JSON.
  sql: `CASE WHEN json_valid(metadata) THEN
    (SELECT value FROM json_each(iif(json_type(metadata) = 'object', metadata, '{}')) WHERE key = ?) END = ?`,
  values: [key, typeof value === 'boolean' ? Number(value) : value],
});

/**
 * @param {string} keyword
 * @param {Condition[]} conditions
 * @returns {Condition}
 */
const clause = (keyword, conditions) => ({
  sql:
    conditions.length === 0 ? '' : `${keyword} ${conditions.map(({ sql }) => sql).join(' AND ')}`,
  values: conditions.flatMap(({ values }) => values),
});
