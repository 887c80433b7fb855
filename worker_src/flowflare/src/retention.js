/**
 * Delete runs that ended long ago, with everything that belongs to them, a bounded number at a
 * time.
 */

/**
 * @typedef {object} Retention
 * @property {number} [days] how long runs are kept after they ended; without it, forever
 * @property {Partial<Record<import('./statuses.js').RunStatus, number>>} [byStatus] days for single
 *   statuses; Running and Sleeping count from their last event
 */

const DAY_MS = 24 * 3600 * 1000;
// Four statements a round: D1 allows an invocation 50 queries on the free plan.
const ROUNDS = 10;
const RUNS_A_ROUND = 100;
/**
 * A run has up to 25,000 steps. What this round does not delete is left for the next round or call.
 */
const CHILDREN_A_ROUND = 5000;

// ?1 status  ?2 the time before which a run ended  ?3 how many A run that ended before that time
// also began before it, so the index on status and created_at finds it.
const EXPIRED = `
SELECT id FROM workflow_runs WHERE status = ?1 AND created_at < ?2 AND coalesce(completed_at, updated_at) < ?2
ORDER BY created_at, id LIMIT ?3`;

const DELETE_RETRIES = `
DELETE FROM workflow_step_retries WHERE id IN (
  SELECT retry.id FROM workflow_steps AS step
  JOIN workflow_step_retries AS retry ON retry.workflow_step_id = step.id
  WHERE step.workflow_run_id IN (${EXPIRED}) LIMIT ?4)`;

const DELETE_STEPS = `
DELETE FROM workflow_steps WHERE id IN (
  SELECT id FROM workflow_steps WHERE workflow_run_id IN (${EXPIRED})
    AND NOT EXISTS (SELECT 1 FROM workflow_step_retries WHERE workflow_step_id = workflow_steps.id)
  LIMIT ?4)`;

const DELETE_RUNS = `
DELETE FROM workflow_runs WHERE id IN (${EXPIRED})
  AND NOT EXISTS (SELECT 1 FROM workflow_steps WHERE workflow_run_id = workflow_runs.id)
RETURNING workflow_id`;

const DELETE_WORKFLOWS = `
DELETE FROM workflow WHERE id IN (SELECT value FROM json_each(?1))
  AND NOT EXISTS (SELECT 1 FROM workflow_runs WHERE workflow_id = workflow.id)`;

/**
 * Delete expired runs, children first. A workflow is deleted with its last run.
 * @param {D1Database} db
 * @param {Retention | undefined} retention
 * @param {number} [now] milliseconds since 1970
 * @returns {Promise<{runs: number, more: boolean}>} how many runs were deleted, and whether some
 *   are left for the next call
 */
export async function deleteExpired(db, retention, now = Date.now()) {
  let left = ROUNDS;
  let runs = 0;
  for (const [status, days] of Object.entries(daysOf(retention))) {
    const before = new Date(now - days * DAY_MS).toISOString();
    for (let gone = 1; gone > 0; left--) {
      if (left === 0) return { runs, more: true };
      const round = await deleteRound(db, status, before);
      runs += round.runs;
      gone = round.rows;
    }
  }
  return { runs, more: false };
}

/**
 * @param {Retention} [retention]
 * @returns {Record<string, number>} days by status
 */
function daysOf({ days, byStatus } = {}) {
  const given = { Completed: days, Errored: days, ...byStatus };
  return Object.fromEntries(
    Object.entries(given).filter(
      /** @returns {entry is [string, number]} */
      (entry) => Number.isFinite(entry[1]) && Number(entry[1]) > 0,
    ),
  );
}

/**
 * @param {D1Database} db
 * @param {string} status
 * @param {string} before
 */
async function deleteRound(db, status, before) {
  const expired = [status, before, RUNS_A_ROUND];
  // One transaction: a run that is restarted meanwhile is either excluded or loses everything.
  const results = await db.batch([
    db.prepare(DELETE_RETRIES).bind(...expired, CHILDREN_A_ROUND),
    db.prepare(DELETE_STEPS).bind(...expired, CHILDREN_A_ROUND),
    db.prepare(DELETE_RUNS).bind(...expired),
  ]);
  const gone = /** @type {{workflow_id: number}[]} */ (results[2].results);
  const workflows = [...new Set(gone.map(({ workflow_id }) => workflow_id))];
  if (workflows.length > 0) {
    await db.batch([db.prepare(DELETE_WORKFLOWS).bind(JSON.stringify(workflows))]);
  }
  const rows = results.reduce((sum, { meta }) => sum + meta.changes, 0);
  return { runs: gone.length, rows };
}
