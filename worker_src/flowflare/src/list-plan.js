/**
 * Plan what a list reads: one range of one index, and conditions checked row by row in a bounded
 * part of it.
 */

import { bounds, IS_STUCK } from './stuck.js';

/** @typedef {import('./list-request.js').ListRequest} ListRequest */

/**
 * A condition and its bound values.
 * @typedef {{sql: string, values: unknown[]}} Condition
 */

/**
 * @typedef {object} Plan
 * @property {Condition} range a WHERE clause that an index answers in the list's order; may be empty
 * @property {Condition | null} checked the conditions that rows of the range must meet as well
 */

/** How many rows are read for a page of a list that is checked row by row, whatever it finds. */
export const SCANNED_ROWS = 850;

/**
 * Columns whose own index ends in (created_at, id), most selective first.
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
  // Few runs are unfinished, and a partial index contains only these.
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
 * The listed part of time. SQLite seeks to one upper bound and reads from there, so it gets the
 * lower of the cursor and `created_before`.
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
  // metadata comes from callers and may not be JSON.
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
