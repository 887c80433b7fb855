/** Read runs, workflows, steps and retries: a page or a whole run in one D1 batch. */

import { encodeCursor } from './cursor.js';
import { planOf, SCANNED_ROWS } from './list-plan.js';
import { RUN_SUMMARY, STEP_COLUMNS, STEP_SUMMARY } from './run-statements.js';
import { marked } from './stuck.js';

/** @typedef {Record<string, unknown>} Row */
/** @typedef {import('./list-request.js').ListRequest} ListRequest */
/** @typedef {import('./list-plan.js').Condition} Condition */
/** @typedef {{rows: Row[], next_cursor: string | null, has_more: boolean, limit: number}} Page */

/**
 * @param {D1Database} db
 * @param {ListRequest} request
 * @returns {Promise<Page>} newest first
 */
export async function readPage(db, request) {
  const { range, checked } = planOf(request);
  const page = checked ? await checkedPage(db, request, range, checked) : null;
  if (request.view === 'workflows') return page ?? workflowsIn(db, request, range);
  const { rows, ...rest } = page ?? (await runsIn(db, request, range));
  return { rows: marked(page ? await including(db, request, rows) : rows), ...rest };
}

/** The order of every list. */
const NEWEST_FIRST = 'ORDER BY created_at DESC, id DESC';

/**
 * @param {D1Database} db
 * @param {ListRequest} request
 * @param {Condition} range
 */
async function runsIn(db, request, { sql, values }) {
  const order = `${NEWEST_FIRST} LIMIT ? OFFSET ?`;
  const bound = [...values, request.limit + 1, request.offset];
  const statements = [
    db.prepare(`SELECT ${RUN_SUMMARY} FROM workflow_runs ${sql} ${order}`).bind(...bound),
  ];
  if (request.include.size > 0) {
    // The page's query again, instead of the IDs that it returned: everything is read in one batch,
    // at one moment.
    const ids = `SELECT id FROM workflow_runs ${sql} ${order}`;
    statements.push(db.prepare(stepsOf(ids, STEP_SUMMARY)).bind(...bound));
    if (request.include.has('retries')) statements.push(db.prepare(retriesOf(ids)).bind(...bound));
  }
  const [runs, steps, retries] = await batch(db, statements);
  return pageOf(steps ? withSteps(runs, steps, retries ?? []) : runs, request.limit);
}

/**
 * @param {D1Database} db
 * @param {ListRequest} request
 * @param {Condition} range
 */
async function workflowsIn(db, request, { sql, values }) {
  const page = `SELECT * FROM workflow ${sql} ${NEWEST_FIRST} LIMIT ? OFFSET ?`;
  const [rows] = await batch(db, [
    db.prepare(page).bind(...values, request.limit + 1, request.offset),
  ]);
  return pageOf(rows, request.limit);
}

/**
 * Read a page of the rows that meet every condition, from a bounded part of the range. If that part
 * does not have enough of them, its last row is added with `checked` 0, and the next page starts
 * there.
 * @param {D1Database} db
 * @param {ListRequest} request
 * @param {Condition} range
 * @param {Condition} checked
 * @returns {Promise<Page>}
 */
async function checkedPage(db, { view, limit, offset }, range, checked) {
  const [table, columns] = view === 'runs' ? ['workflow_runs', RUN_SUMMARY] : ['workflow', '*'];
  const part = (/** @type {string} */ bounds) =>
    `(SELECT * FROM ${table} ${range.sql} ${NEWEST_FIRST} ${bounds})`;
  const sql = `
    WITH page AS MATERIALIZED
      (SELECT ${columns} FROM ${part(`LIMIT ${SCANNED_ROWS}`)} ${checked.sql} LIMIT ? OFFSET ?)
    SELECT *, 1 AS checked FROM page
    UNION ALL
    SELECT ${columns}, 0 FROM
      ${part(`LIMIT (SELECT count(*) <= ? FROM page) OFFSET ${SCANNED_ROWS - 1}`)}`;
  const bound = [...range.values, ...checked.values, limit + 1, offset, ...range.values, limit];
  const [found] = await batch(db, [db.prepare(sql).bind(...bound)]);
  const rows = found.filter((row) => row.checked === 1).map(({ checked: _, ...row }) => row);
  const last = found.find((row) => row.checked === 0);
  const page = pageOf(rows, limit);
  return last ? { ...page, next_cursor: cursorAfter(last), has_more: true } : page;
}

/**
 * @param {D1Database} db
 * @param {ListRequest} request
 * @param {Row[]} runs
 * @returns {Promise<Row[]>} the runs with the requested extras
 */
async function including(db, { include }, runs) {
  if (include.size === 0 || runs.length === 0) return runs;
  const ids = 'SELECT value FROM json_each(?)';
  const bound = JSON.stringify(runs.map(({ id }) => id));
  const statements = [db.prepare(stepsOf(ids, STEP_SUMMARY)).bind(bound)];
  if (include.has('retries')) statements.push(db.prepare(retriesOf(ids)).bind(bound));
  const [steps, retries] = await batch(db, statements);
  return withSteps(runs, steps, retries ?? []);
}

/**
 * @param {D1Database} db
 * @param {string} id
 * @returns {Promise<Row | null>} the run with its steps and their retries
 */
export async function readRun(db, id) {
  const [runs, steps, retries] = await batch(db, [
    db.prepare('SELECT *, id AS runId FROM workflow_runs WHERE id = ?').bind(id),
    db.prepare(stepsOf('SELECT ?', STEP_COLUMNS)).bind(id),
    db.prepare(retriesOf('SELECT ?')).bind(id),
  ]);
  if (runs.length === 0) return null;
  const [{ request_digest, last_order, ...run }] = marked(withSteps(runs, steps, retries));
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
  return workflows.length === 0 ? null : { ...workflows[0], runs: marked(runs) };
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
 * @param {D1Database} db
 * @param {D1PreparedStatement[]} statements
 * @returns {Promise<Row[][]>} each statement's rows
 */
async function batch(db, statements) {
  const results = await db.batch(statements);
  return results.map((result) => /** @type {Row[]} */ (result.results));
}

/**
 * @param {Row[]} rows one more than the limit, if more exist
 * @param {number} limit
 * @returns {Page}
 */
function pageOf(rows, limit) {
  const shown = rows.slice(0, limit);
  const has_more = rows.length > limit;
  const next_cursor = has_more ? cursorAfter(shown[shown.length - 1]) : null;
  return { rows: shown, next_cursor, has_more, limit };
}

/** @param {Row} row */
const cursorAfter = ({ created_at, id }) =>
  encodeCursor({ created_at: String(created_at), id: String(id) });

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
