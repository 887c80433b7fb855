/** The SQL that writes steps and their retries. */

import { STEP_SUMMARY } from './run-statements.js';

/**
 * @typedef {object} StepUpdate
 * @property {number | null} id of an existing step; otherwise run, index and name identify it
 * @property {string | null} workflow_run_id
 * @property {string | null} step_name
 * @property {number | null} step_index
 * @property {import('./statuses.js').StepStatus | null} status
 * @property {string | null} state
 * @property {number | null} attempt
 * @property {number | null} order rises with each update: the caller's clock in milliseconds
 */

/**
 * @typedef {object} RetryUpdate
 * @property {number | null} workflow_step_id identifies the step; otherwise run, index and name do
 * @property {string | null} workflow_run_id
 * @property {string | null} step_name
 * @property {number | null} step_index
 * @property {number | null} retry_count without it, the step's current attempt
 * @property {string | null} retry_at
 * @property {string | null} last_error
 * @property {number | null} order
 */

// ?1 run  ?2 name  ?3 index  ?4 status  ?5 state  ?6 attempt  ?7 time  ?8 order  ?9 id
//
// Updates with an order number are applied in its order. A late or repeated update has a lower
// number or the same, and a failed step that runs again is in its next attempt. A higher attempt is
// always newer, because the clocks that give the numbers may differ.
//
// Without a number: a step that fails and runs again is in its next attempt, whether or not the
// caller counts. A late update (of an earlier attempt, or of a completed step) changes nothing. But
// a failed step has not failed if its caller reports another attempt.
const CHANGES = `
  status = coalesce(?4, status),
  state = coalesce(?5, state),
  attempt = iif(?8 IS NULL,
    coalesce(?6, attempt + (status = 'Retrying' AND ?4 = 'Running')),
    max(coalesce(?6, 1), attempt + (status IN ('Retrying', 'Failed') AND coalesce(?4, '') = 'Running'))),
  started_at = coalesce(started_at, iif(coalesce(?4, status) = 'Pending', NULL, ?7)),
  completed_at = iif(coalesce(?4, status) IN ('Completed', 'Failed'),
                     coalesce(iif(?4 IS NULL OR status = ?4, completed_at, NULL), ?7), NULL),
  last_order = iif(?8 IS NULL, last_order, max(?8, coalesce(last_order, 0)))`;
const ACCEPTED = `
  iif(?8 IS NULL,
    (?6 IS NULL OR ?6 >= attempt)
    AND (?4 IS NULL OR status = ?4 OR status NOT IN ('Completed', 'Failed')
         OR (status = 'Failed' AND ?6 > attempt)),
    (?8 >= coalesce(last_order, 0) OR coalesce(?6, 0) > attempt)
    AND (?4 IS NULL OR status = ?4 OR status <> 'Completed'))`;

const COLUMNS =
  'workflow_run_id, step_name, step_index, status, state, attempt, started_at, completed_at, last_order';
const VALUES = `?1, ?2, ?3, coalesce(?4, 'Running'), ?5, coalesce(?6, 1),
  iif(?4 = 'Pending', NULL, ?7), iif(?4 IN ('Completed', 'Failed'), ?7, NULL), ?8`;
const ON_CONFLICT = `
ON CONFLICT (workflow_run_id, step_index, step_name) DO UPDATE SET ${CHANGES} WHERE ${ACCEPTED}`;

const UPSERT = `INSERT INTO workflow_steps (${COLUMNS}) VALUES (${VALUES}) ${ON_CONFLICT}`;

// For a known run: without one it inserts nothing.
const TOUCH_RUN = 'UPDATE workflow_runs SET updated_at = ?2 WHERE id = ?1';
const UPSERT_IN_RUN = `
INSERT INTO workflow_steps (${COLUMNS}) SELECT ${VALUES} FROM workflow_runs WHERE id = ?1
${ON_CONFLICT} RETURNING ${STEP_SUMMARY}`;

// The run, if given, must be the step's own.
const OF_ID = 'id = ?9 AND (?1 IS NULL OR workflow_run_id = ?1)';
const UPDATE_BY_ID = `UPDATE workflow_steps SET ${CHANGES} WHERE ${OF_ID} AND ${ACCEPTED}`;
const TOUCH_RUN_OF = `
UPDATE workflow_runs SET updated_at = max(updated_at, ?7)
WHERE id = (SELECT workflow_run_id FROM workflow_steps WHERE ${OF_ID})`;
const SELECT_BY_ID = `SELECT ${STEP_SUMMARY} FROM workflow_steps WHERE id = ?9 AND coalesce(?1, workflow_run_id) = workflow_run_id`;
const SELECT_BY_PLACE = `
SELECT ${STEP_SUMMARY} FROM workflow_steps WHERE workflow_run_id = ?1 AND step_index = ?3 AND step_name = ?2`;

// ?1 step  ?2 run  ?3 index  ?4 name  ?5 retry_count  ?6 retry_at  ?7 last_error  ?8 now  ?9 order
const RETRIED_STEP = `
id = coalesce(?1, (SELECT max(id) FROM workflow_steps WHERE workflow_run_id = ?2
                   AND step_index = ?3 AND step_name = coalesce(?4, step_name)))
  AND (?2 IS NULL OR workflow_run_id = ?2)`;
// Without a count, the retry belongs to the step's current attempt, unless the step has changed
// since or is completed, as when a completed step runs again and fails.
const UPSERT_RETRY = `
INSERT INTO workflow_step_retries (workflow_step_id, retry_count, retry_at, last_error, created_at)
SELECT id, coalesce(?5, attempt), ?6, ?7, ?8 FROM workflow_steps
WHERE ${RETRIED_STEP}
  AND (?5 IS NOT NULL OR (status <> 'Completed' AND (?9 IS NULL OR ?9 >= coalesce(last_order, 0))))
ON CONFLICT (workflow_step_id, retry_count) DO UPDATE SET
  retry_at = coalesce(excluded.retry_at, retry_at), last_error = coalesce(excluded.last_error, last_error)
RETURNING *, (SELECT workflow_run_id FROM workflow_steps WHERE id = workflow_step_id) AS workflow_run_id`;
const SELECT_RETRIED = `SELECT id, status FROM workflow_steps WHERE ${RETRIED_STEP}`;

/**
 * The first statement changes a row if the update was accepted, the last returns the step after the
 * update.
 * @param {D1Database} db
 * @param {StepUpdate} step
 * @param {string} now
 */
export function stepStatements(db, step, now) {
  const values = valuesOf(step, now);
  if (step.id === null) {
    return [
      db.prepare(UPSERT).bind(...values),
      db.prepare(SELECT_BY_PLACE).bind(...values.slice(0, 3)),
    ];
  }
  return [UPDATE_BY_ID, TOUCH_RUN_OF, SELECT_BY_ID].map((sql) =>
    db.prepare(sql).bind(...values, step.id),
  );
}

/**
 * Insert or update steps of a known run. Each statement but the last returns the row of its step,
 * or no row if the run is unknown or the update was refused.
 * @param {D1Database} db
 * @param {StepUpdate[]} steps of one run, each with its run, index and name
 * @param {string} now
 */
export const stepsInRunStatements = (db, steps, now) => [
  ...steps.map((step) => db.prepare(UPSERT_IN_RUN).bind(...valuesOf(step, now))),
  db.prepare(TOUCH_RUN).bind(steps[0].workflow_run_id, now),
];

/**
 * @param {StepUpdate} step
 * @param {string} now
 * @returns {unknown[]} ?1 to ?8
 */
const valuesOf = (step, now) => [
  step.workflow_run_id,
  step.step_name,
  step.step_index,
  step.status,
  step.state,
  step.attempt,
  timeOf(step.order, now),
  step.order,
];

const DAY_MS = 24 * 3600 * 1000;

/**
 * Return when a step changed. A repeated or late report has its caller's clock as its order number.
 * @param {number | null} order
 * @param {string} now
 * @returns {string} ISO 8601
 */
function timeOf(order, now) {
  const latest = Date.parse(now);
  const isClock = order !== null && order > latest - DAY_MS && order < latest;
  return isClock ? new Date(order).toISOString() : now;
}

/**
 * The first statement returns the retry's row, or no row if the step does not exist or has changed
 * since. The last statement distinguishes these two cases where it matters.
 * @param {D1Database} db
 * @param {RetryUpdate} retry
 * @param {string} now
 */
export function retryStatements(db, retry, now) {
  const step = [retry.workflow_step_id, retry.workflow_run_id, retry.step_index, retry.step_name];
  const values = [retry.retry_count, retry.retry_at, retry.last_error, now, retry.order];
  const upsert = db.prepare(UPSERT_RETRY).bind(...step, ...values);
  const mayBeLate = retry.retry_count === null;
  return mayBeLate ? [upsert, db.prepare(SELECT_RETRIED).bind(...step)] : [upsert];
}

// Only if the run had ended: a Workflow that reports a restart at every replay has not been
// restarted.
const RESET = `
UPDATE workflow_steps
SET status = 'Pending', attempt = attempt + 1, state = NULL, started_at = NULL, completed_at = NULL,
  last_order = coalesce(?2, last_order)
WHERE workflow_run_id = (SELECT id FROM workflow_runs WHERE id = ?1 AND completed_at IS NOT NULL)`;

/**
 * Set the steps of a restarted run to pending, each in its next attempt.
 * @param {D1Database} db
 * @param {string} run
 * @param {number | null} order of the restart
 */
export const resetStepsStatement = (db, run, order) => db.prepare(RESET).bind(run, order);
