/** Answer queries from any transport: one run with its steps, or a page. */

import { optional, readFields, runId } from './fields.js';
import { readListRequest } from './list-request.js';
import { readPage, readRun } from './read-runs.js';
import { matches } from './watch-filters.js';

/** @typedef {Record<string, unknown>} Row */

/**
 * @param {D1Database} db
 * @param {unknown} params as /api/workflows/query accepts them
 * @param {import('./watch-filters.js').Filters} [bound] the limits of what the caller may see
 * @returns {Promise<{data: Row[], next_cursor: string | null, has_more?: boolean, limit?: number}>}
 * @throws {import('./problem.js').Problem} 400 with the invalid fields
 */
export async function answerQuery(db, params, bound = {}) {
  const { workflowId } = readFields(params, { workflowId: optional(runId) });
  const { workflowId: _one, ...filters } = /** @type {Record<string, unknown>} */ (params);
  const { workflowId: _bound, ...limits } = bound;
  const request = readListRequest({ ...filters, ...limits });
  const id = bound.workflowId ?? workflowId;
  if (id !== null) {
    const run = await readRun(db, id);
    const shown = run !== null && matches(bound, run, id);
    return { data: shown ? [run] : [], next_cursor: null };
  }
  const { rows, ...page } = await readPage(db, request);
  return { data: rows, ...page };
}
