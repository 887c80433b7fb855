/** Apply updates in one D1 batch, and return an answer for each and the rows to broadcast. */

import { Problem } from './problem.js';
import { changeStatements, touchStatements, updateStatements } from './run-statements.js';
import {
  resetStepsStatement,
  retryStatements,
  stepStatements,
  stepsInRunStatements,
} from './step-statements.js';
import { readUpdates } from './update-request.js';

/** @typedef {import('./feed.js').FeedEvent} FeedEvent */
/** @typedef {Record<string, unknown>} Row */

/**
 * The result of one update.
 * @typedef {object} Outcome
 * @property {Record<string, unknown>} [result] for the caller
 * @property {FeedEvent} [event] for the feed, if something changed
 * @property {Problem} [problem] what does not exist
 */

/**
 * @typedef {object} Work
 * @property {D1PreparedStatement[]} statements
 * @property {(results: D1Result<Row>[]) => Outcome} outcome reads the results of these statements
 */

/**
 * Apply an update request from any transport.
 * @param {D1Database} db
 * @param {unknown} body
 * @returns {Promise<{answer: Row, events: FeedEvent[]}>} the answer's body, and the events to
 *   broadcast
 * @throws {Problem} 400, or 404 if a single update names a run or step that does not exist
 */
export async function takeUpdates(db, body) {
  const { updates, single } = readUpdates(body);
  const outcomes = await applyUpdates(db, updates);
  const events = outcomes.flatMap(({ event }) => event ?? []);
  if (!single) {
    const results = outcomes.map(
      ({ result, problem }) => result ?? { updated: false, error: problem?.message },
    );
    return { answer: { success: true, results }, events };
  }
  const [{ result, problem }] = outcomes;
  if (problem) throw problem;
  return { answer: { success: true, result }, events };
}

/**
 * @param {D1Database} db
 * @param {import('./update-request.js').Update[]} updates
 * @returns {Promise<Outcome[]>} one for each update
 */
async function applyUpdates(db, updates) {
  const now = new Date().toISOString();
  const usual = await applyUsual(db, updates, now);
  const left = updates.filter((_update, at) => usual[at] === null);
  if (left.length === 0) return usual.filter((outcome) => outcome !== null);
  const works = left.map((update) => workOf(db, update, now));
  const results = await db.batch(works.flatMap((work) => work.statements));
  let at = 0;
  const outcomes = works.map(({ statements, outcome }) => {
    const own = results.slice(at, at + statements.length);
    at += statements.length;
    return outcome(/** @type {D1Result<Row>[]} */ (own));
  });
  return usual.map((outcome) => outcome ?? /** @type {Outcome} */ (outcomes.shift()));
}

/**
 * Nearly every update is accepted and belongs to a known run: one update, or the start and the end
 * of a step. For these, half the statements are enough.
 * @param {D1Database} db
 * @param {import('./update-request.js').Update[]} updates
 * @param {string} now
 * @returns {Promise<(Outcome | null)[]>} null for an update that changed nothing, of which the full
 *   statements must find out why
 */
async function applyUsual(db, updates, now) {
  const [first] = updates;
  if (first.type === 'run_update' && updates.length === 1 && !first.run.restart) {
    const [row] = await changedRows(db, changeStatements(db, first.run, now));
    return [row === undefined ? null : changed('run_update', row, { updated: true })];
  }
  const steps = stepsOfOneRun(updates);
  if (steps === null) return updates.map(() => null);
  const results = await db.batch(stepsInRunStatements(db, steps, now));
  return steps.map((_step, at) => {
    const [row] = /** @type {Row[]} */ (results[at].results);
    return row === undefined
      ? null
      : changed('step_update', row, { updated: true, attempt: row.attempt });
  });
}

/**
 * @param {import('./update-request.js').Update[]} updates
 * @returns {import('./step-statements.js').StepUpdate[] | null} null unless all are updates of
 *   steps of one run, and carry no reference that the run may not have yet
 */
function stepsOfOneRun(updates) {
  const steps = [];
  for (const update of updates) {
    if (update.type !== 'step_update' || !update.run) return null;
    if (update.run.ref_id || update.run.ref_type) return null;
    steps.push(update.step);
  }
  const [{ workflow_run_id }] = steps;
  return steps.every((step) => step.workflow_run_id === workflow_run_id) ? steps : null;
}

/**
 * @param {D1Database} db
 * @param {D1PreparedStatement[]} statements
 * @returns {Promise<Row[]>} the rows of the first statement
 */
async function changedRows(db, statements) {
  const [first] = await db.batch(statements);
  return /** @type {Row[]} */ (first.results);
}

/**
 * @param {D1Database} db
 * @param {import('./update-request.js').Update} update
 * @param {string} now
 * @returns {Work}
 */
function workOf(db, update, now) {
  if (update.type === 'run_update') {
    const reset = update.run.restart
      ? [resetStepsStatement(db, update.run.id, update.run.order)]
      : [];
    return {
      statements: [...reset, ...updateStatements(db, update.run, now)],
      outcome: (results) => runOutcome(results.slice(reset.length)),
    };
  }
  if (update.type === 'retry_update') {
    return { statements: retryStatements(db, update.retry, now), outcome: retryOutcome };
  }
  const touch = update.run === null ? [] : touchStatements(db, update.run, now);
  return {
    statements: [...touch, ...stepStatements(db, update.step, now)],
    outcome: (results) => stepOutcome(results.slice(touch.length)),
  };
}

/** @param {D1Result<Row>[]} results */
function runOutcome([registered, upserted, , selected]) {
  const row = selected.results[0];
  return rowOutcome('run_update', row, upserted, {
    [registered.meta.changes > 0 ? 'inserted' : 'updated']: true,
  });
}

/** @param {D1Result<Row>[]} results */
function stepOutcome(results) {
  const row = results.at(-1)?.results[0];
  if (row === undefined) return { problem: new Problem(404, 'There is no such step') };
  return rowOutcome('step_update', row, results[0], { updated: true, attempt: row.attempt });
}

/** @param {D1Result<Row>[]} results */
function retryOutcome([upserted, step]) {
  const row = upserted.results[0];
  if (row === undefined && step?.results.length > 0) {
    return { result: { updated: false, ignored: true, status: step.results[0].status } };
  }
  if (row === undefined) {
    return { problem: new Problem(400, 'There is no such step to record a retry of') };
  }
  return rowOutcome('retry_update', row, upserted, { updated: true });
}

/**
 * A change that the state machine refuses is not an error: a late report must not alarm its sender.
 * @param {FeedEvent['type']} type
 * @param {Row} row
 * @param {D1Result<Row>} write
 * @param {Record<string, unknown>} done
 * @returns {Outcome}
 */
function rowOutcome(type, row, write, done) {
  const { id, status } = row;
  if (write.meta.changes === 0) {
    return { result: { ...done, updated: false, ignored: true, id, status } };
  }
  return changed(type, row, done);
}

/**
 * @param {FeedEvent['type']} type
 * @param {Row} row after the update
 * @param {Record<string, unknown>} done
 * @returns {Outcome}
 */
const changed = (type, row, done) => ({
  result: { ...done, id: row.id, status: row.status },
  event: /** @type {FeedEvent} */ ({ type, [type]: row }),
});
