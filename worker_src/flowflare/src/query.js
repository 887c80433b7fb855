/** Answers queries, whichever way they come: one run with its steps, or a page. */

import { invalid } from './fields.js';
import { readListRequest } from './list-request.js';
import { readPage, readRun } from './read-runs.js';
import { matches } from './watch-filters.js';

/** @typedef {Record<string, unknown>} Row */

/**
 * @param {D1Database} db
 * @param {unknown} params what /api/workflows/query takes
 * @param {import('./watch-filters.js').Filters} [bound] what the caller is confined to
 * @returns {Promise<{data: Row[], next_cursor: string | null, has_more?: boolean, limit?: number}>}
 * @throws {import('./problem.js').Problem} 400 with the fields at fault
 */
export async function answerQuery(db, params, bound = {}) {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) {
    throw invalid([{ path: '', message: 'the query must be an object' }]);
  }
  const request = readListRequest({ ...params, ...bound });
  if (request.workflowId !== null) {
    const run = await readRun(db, request.workflowId);
    const shown = run !== null && matches(bound, run, request.workflowId);
    return { data: shown ? [run] : [], next_cursor: null };
  }
  const { rows, ...page } = await readPage(db, request);
  return { data: rows, ...page };
}
