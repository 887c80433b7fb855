/** Reads runs, workflows, steps and retries: a page or a whole run in one D1 batch. */

import { encodeCursor } from './cursor.js';
import { RUN_SUMMARY, STEP_SUMMARY } from './run-statements.js';

/** @typedef {Record<string, unknown>} Row */
/** @typedef {import('./list-request.js').ListRequest} ListRequest */
/** @typedef {{rows: Row[], next_cursor: string | null, has_more: boolean, limit: number}} Page */

/**
 * A condition and the values it binds.
 * @typedef {{sql: string, values: unknown[]}} Condition
 */

/**
 * @param {D1Database} db
 * @param {ListRequest} request
 * @returns {Promise<Page>} newest first
 */
export const readPage = (db, request) =>
  request.view === 'workflows' ? listWorkflows(db, request) : listRuns(db, request);

/**
 * @param {D1Database} db
 * @param {ListRequest} request
 * @returns {Promise<Page>} newest first
 */
async function listRuns(db, request) {
  const { sql, values } = where(request, 'workflow_name');
  const page = `SELECT ${RUN_SUMMARY} FROM workflow_runs ${sql}
    ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`;
  const bound = [...values, request.limit + 1, request.offset];
  const statements = [db.prepare(page).bind(...bound)];
  if (request.include.size > 0) {
    // The page's ids again, and not the ids it gave: everything is read in one batch, at one moment.
    const ids = `SELECT id FROM workflow_runs ${sql} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`;
    statements.push(db.prepare(stepsOf(ids, STEP_SUMMARY)).bind(...bound));
    if (request.include.has('retries')) statements.push(db.prepare(retriesOf(ids)).bind(...bound));
  }
  const [runs, steps, retries] = await batch(db, statements);
  return pageOf(steps ? withSteps(runs, steps, retries ?? []) : runs, request.limit);
}

/**
 * @param {D1Database} db
 * @param {ListRequest} request
 * @returns {Promise<Page>} newest first
 */
async function listWorkflows(db, request) {
  const { sql, values } = where(request, 'name');
  const page = `SELECT * FROM workflow ${sql} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`;
  const [rows] = await batch(db, [
    db.prepare(page).bind(...values, request.limit + 1, request.offset),
  ]);
  return pageOf(rows, request.limit);
}

/**
 * @param {D1Database} db
 * @param {string} id
 * @returns {Promise<Row | null>} the run with its steps, each with its retries
 */
export async function readRun(db, id) {
  const [runs, steps, retries] = await batch(db, [
    db.prepare('SELECT *, id AS runId FROM workflow_runs WHERE id = ?').bind(id),
    db.prepare(stepsOf('SELECT ?', '*')).bind(id),
    db.prepare(retriesOf('SELECT ?')).bind(id),
  ]);
  if (runs.length === 0) return null;
  const [{ request_digest, ...run }] = withSteps(runs, steps, retries);
  return run;
}

/**
 * @param {D1Database} db
 * @param {string} id
 * @returns {Promise<Row | null>} the workflow with its latest runs
 */
export async function readWorkflow(db, id) {
  const [workflows, runs] = await batch(db, [
    db.prepare('SELECT * FROM workflow WHERE id = ?').bind(Number(id)),
    db
      .prepare(
        `SELECT ${RUN_SUMMARY} FROM workflow_runs WHERE workflow_id = ?
         ORDER BY created_at DESC, id DESC LIMIT 20`,
      )
      .bind(Number(id)),
  ]);
  return workflows.length === 0 ? null : { ...workflows[0], runs };
}

/**
 * @param {string} ids a query for the runs' ids
 * @param {string} columns
 */
const stepsOf = (ids, columns) =>
  `SELECT ${columns} FROM workflow_steps WHERE workflow_run_id IN (${ids})
   ORDER BY workflow_run_id, step_index, id`;

/** @param {string} ids a query for the runs' ids */
const retriesOf = (ids) =>
  `SELECT retry.* FROM workflow_steps AS step
   JOIN workflow_step_retries AS retry ON retry.workflow_step_id = step.id
   WHERE step.workflow_run_id IN (${ids}) ORDER BY retry.workflow_step_id, retry.retry_count`;

/**
 * @param {ListRequest} request
 * @param {'workflow_name' | 'name'} nameColumn
 * @returns {Condition}
 */
function where(request, nameColumn) {
  /** @type {Condition[]} */
  const conditions = [];
  /** @type {(sql: string, ...values: unknown[]) => void} */
  const add = (sql, ...values) => {
    if (values.every((value) => value !== null)) conditions.push({ sql, values });
  };
  add(`${nameColumn} = ?`, request.workflowType);
  add('status = ?', request.status);
  add('ref_id = ?', request.ref_id);
  add('ref_type = ?', request.ref_type);
  add('created_at > ?', request.created_after);
  add('created_at < ?', request.created_before);
  for (const [key, value] of request.metadata) {
    // metadata is what callers sent, which need not be JSON.
    add(
      `CASE WHEN json_valid(metadata) THEN
        (SELECT value FROM json_each(iif(json_type(metadata) = 'object', metadata, '{}')) WHERE key = ?) END = ?`,
      key,
      typeof value === 'boolean' ? Number(value) : value,
    );
  }
  if (request.after) add('(created_at, id) < (?, ?)', request.after.created_at, request.after.id);
  return {
    sql: conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`,
    values: conditions.flatMap(({ values }) => values),
  };
}

/**
 * @param {D1Database} db
 * @param {D1PreparedStatement[]} statements
 * @returns {Promise<Row[][]>} each statement's rows
 */
async function batch(db, statements) {
  const results = await db.batch(statements);
  return results.map((result) => /** @type {Row[]} */ (result.results));
}

/**
 * @param {Row[]} rows one more than the limit, if there are more
 * @param {number} limit
 * @returns {Page}
 */
function pageOf(rows, limit) {
  const shown = rows.slice(0, limit);
  const has_more = rows.length > limit;
  const last = shown.at(-1);
  const place = { created_at: String(last?.created_at), id: String(last?.id) };
  return { rows: shown, next_cursor: has_more ? encodeCursor(place) : null, has_more, limit };
}

/**
 * @param {Row[]} runs
 * @param {Row[]} steps
 * @param {Row[]} retries
 * @returns {Row[]}
 */
function withSteps(runs, steps, retries) {
  const retriesOfStep = Map.groupBy(retries, (retry) => retry.workflow_step_id);
  const stepsOfRun = Map.groupBy(
    steps.map((step) => ({ ...step, retries: retriesOfStep.get(step.id) ?? [] })),
    (step) => /** @type {Row} */ (step).workflow_run_id,
  );
  return runs.map((run) => ({ ...run, steps: stepsOfRun.get(run.id) ?? [] }));
}
