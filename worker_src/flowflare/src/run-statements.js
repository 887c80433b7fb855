/** The SQL that writes a run and its workflow, shared by starts and updates. */

/**
 * The identity of a run, as its first report gives it.
 * @typedef {object} NewRun
 * @property {string} id
 * @property {string} workflow_name
 * @property {number | null} workflow_id an existing workflow takes precedence over name and
 *   reference
 * @property {string | null} ref_id
 * @property {string | null} ref_type
 * @property {string | null} input_params
 * @property {string | null} metadata
 */

/**
 * The changes of a run; null leaves a column unchanged.
 * @typedef {object} RunChanges
 * @property {import('./statuses.js').RunStatus | null} status
 * @property {string | null} native_status
 * @property {string | null} output_result
 * @property {string | null} sleep_until
 * @property {boolean | null} restart lets a finished run continue
 * @property {number | null} order rises with each update; an update with a lower number than the
 *   last changes nothing
 */

// Lists and broadcasts show only the size of a long text; the run itself contains all of it.
const SHOWN_BYTES = 8192;
/** @param {string} column */
const shown = (column) =>
  `CASE WHEN octet_length(${column}) > ${SHOWN_BYTES}
    THEN json_object('__truncated', json('true'), 'bytes', octet_length(${column}))
    ELSE ${column} END AS ${column}`;

/** The columns of a run in lists and broadcasts. */
export const RUN_SUMMARY = `id, id AS runId, workflow_id, workflow_name, status, native_status, ref_id, ref_type,
  ${shown('input_params')}, ${shown('output_result')}, ${shown('metadata')},
  created_at, updated_at, completed_at, sleep_until`;

/** The columns of a step in full. */
export const STEP_COLUMNS =
  'id, workflow_run_id, step_name, status, step_index, state, started_at, completed_at, attempt';

/** The columns of a step in lists and broadcasts. */
export const STEP_SUMMARY = `id, workflow_run_id, step_name, status, step_index, ${shown('state')},
  started_at, completed_at, attempt`;

// These seven parameters are the same in every writing statement:
// ?1 run  ?2 name  ?3 ref_id  ?4 ref_type  ?5 input_params  ?6 metadata  ?7 now

// Counts the run in its workflow, which is created if necessary; does nothing for a known run.
// ?8 is the ID of a workflow that exists according to the caller.
const REGISTER = `
INSERT INTO workflow (name, ref_id, ref_type, status, input_params, metadata,
                      last_run_id, runs_count, created_at, updated_at)
SELECT coalesce(known.name, ?2), iif(known.id IS NULL, ?3, known.ref_id),
       iif(known.id IS NULL, ?4, known.ref_type), 'Running', ?5, ?6, ?1, 1, ?7, ?7
FROM (SELECT 1) LEFT JOIN workflow AS known ON known.id = ?8
WHERE NOT EXISTS (SELECT 1 FROM workflow_runs WHERE id = ?1)
ON CONFLICT (name, coalesce(ref_id, ''), coalesce(ref_type, '')) DO UPDATE SET
  status = 'Running', last_run_id = excluded.last_run_id, runs_count = runs_count + 1,
  metadata = coalesce(excluded.metadata, metadata),
  output_result = NULL, completed_at = NULL, updated_at = excluded.updated_at`;

const IDENTITY = `name = ?2 AND coalesce(ref_id, '') = coalesce(?3, '')
  AND coalesce(ref_type, '') = coalesce(?4, '')`;

// Never changes an existing run: ?8, the request's digest, distinguishes a repeated start from a
// different one.
const INSERT_RUN = `
INSERT INTO workflow_runs (id, workflow_id, workflow_name, ref_id, ref_type, input_params, metadata,
                           created_at, updated_at, request_digest)
SELECT ?1, id, name, ?3, ?4, ?5, ?6, ?7, ?7, ?8 FROM workflow WHERE ${IDENTITY}
ON CONFLICT (id) DO NOTHING RETURNING ${RUN_SUMMARY}`;

// ?8 workflow_id  ?9 status  ?10 native_status  ?11 output_result  ?12 sleep_until  ?13 restart
// ?14 order
//
// A finished run keeps its status: only the same status may be reported again, unless the run is
// restarted. An update that is older than the last one, or that arrives twice, changes nothing
// either.
const ACCEPTED = `(?14 IS NULL OR ?14 >= coalesce(last_order, 0))
  AND (?13 OR ?9 IS NULL OR status = ?9 OR status NOT IN ('Completed', 'Errored'))`;
const CHANGES = `
  status = coalesce(?9, status),
  native_status = iif(?9 IS NULL, native_status, ?10),
  ref_id = coalesce(ref_id, ?3),
  ref_type = coalesce(ref_type, ?4),
  input_params = coalesce(input_params, ?5),
  output_result = coalesce(?11, iif(?13, NULL, output_result)),
  metadata = coalesce(?6, metadata),
  updated_at = ?7,
  completed_at = iif(coalesce(?9, status) IN ('Completed', 'Errored'), coalesce(completed_at, ?7), NULL),
  sleep_until = iif(coalesce(?9, status) = 'Sleeping', coalesce(?12, sleep_until), NULL),
  last_order = coalesce(?14, last_order)`;

const UPSERT_RUN = `
INSERT INTO workflow_runs (id, workflow_id, workflow_name, status, native_status, ref_id, ref_type,
                           input_params, output_result, metadata, created_at, updated_at,
                           completed_at, sleep_until, last_order)
SELECT ?1, id, name, coalesce(?9, 'Running'), ?10, coalesce(?3, ref_id), coalesce(?4, ref_type),
       ?5, ?11, ?6, ?7, ?7, iif(?9 IN ('Completed', 'Errored'), ?7, NULL), iif(?9 = 'Sleeping', ?12, NULL), ?14
FROM workflow WHERE id = coalesce(
  (SELECT workflow_id FROM workflow_runs WHERE id = ?1),
  (SELECT id FROM workflow WHERE id = ?8),
  (SELECT id FROM workflow WHERE ${IDENTITY}))
ON CONFLICT (id) DO UPDATE SET ${CHANGES} WHERE ${ACCEPTED}`;

const CHANGE_RUN = `UPDATE workflow_runs SET ${CHANGES} WHERE id = ?1 AND ${ACCEPTED} RETURNING ${RUN_SUMMARY}`;

// The workflow shows the state of its latest run only.
const SHOW_IN_WORKFLOW = `
UPDATE workflow SET status = run.status, output_result = run.output_result,
  completed_at = run.completed_at, updated_at = run.updated_at
FROM workflow_runs AS run
WHERE run.id = ?1 AND workflow.id = run.workflow_id AND workflow.last_run_id = run.id`;

const SELECT_RUN = `SELECT ${RUN_SUMMARY} FROM workflow_runs WHERE id = ?1`;
const SELECT_STARTED = `SELECT ${RUN_SUMMARY}, request_digest FROM workflow_runs WHERE id = ?1`;

/**
 * Count and insert a run; an existing run is not changed. The second statement returns the row if
 * it was inserted. A start that may be repeated has a digest, and the third statement then returns
 * the existing row.
 * @param {D1Database} db
 * @param {NewRun & {request_digest: string | null}} run
 * @param {string} now
 */
export const startStatements = (db, run, now) => [
  db.prepare(REGISTER).bind(...identity(run, now), null),
  db.prepare(INSERT_RUN).bind(...identity(run, now), run.request_digest),
  ...(run.request_digest === null ? [] : [startedStatement(db, run.id)]),
];

/**
 * @param {D1Database} db
 * @param {string} id
 */
export const startedStatement = (db, id) => db.prepare(SELECT_STARTED).bind(id);

/**
 * Insert or change a run. The first statement changes a row if the run is new, the second if the
 * changes were accepted. The last returns the row after the update.
 * @param {D1Database} db
 * @param {NewRun & RunChanges} run
 * @param {string} now
 */
export const updateStatements = (db, run, now) => [
  db.prepare(REGISTER).bind(...identity(run, now), run.workflow_id),
  db.prepare(UPSERT_RUN).bind(...identity(run, now), ...changes(run)),
  db.prepare(SHOW_IN_WORKFLOW).bind(run.id),
  db.prepare(SELECT_RUN).bind(run.id),
];

/**
 * Change a known run; does nothing if the run is unknown or the changes are refused. The first
 * statement returns the row if it changed.
 * @param {D1Database} db
 * @param {NewRun & RunChanges} run
 * @param {string} now
 */
export const changeStatements = (db, run, now) => [
  db.prepare(CHANGE_RUN).bind(...identity(run, now), ...changes(run)),
  db.prepare(SHOW_IN_WORKFLOW).bind(run.id),
];

/**
 * Record that something happened in a run, and register an unknown run.
 * @param {D1Database} db
 * @param {NewRun} run
 * @param {string} now
 */
export const touchStatements = (db, run, now) =>
  updateStatements(db, { ...run, ...NO_CHANGES }, now).slice(0, 2);

/** @type {RunChanges} */
const NO_CHANGES = {
  status: null,
  native_status: null,
  output_result: null,
  sleep_until: null,
  restart: null,
  order: null,
};

/**
 * @param {NewRun} run
 * @param {string} now
 * @returns {unknown[]} ?1 to ?7
 */
const identity = (run, now) => [
  run.id,
  run.workflow_name,
  run.ref_id,
  run.ref_type,
  run.input_params,
  run.metadata,
  now,
];

/**
 * @param {NewRun & RunChanges} run
 * @returns {unknown[]} ?8 to ?14
 */
const changes = (run) => [
  run.workflow_id,
  run.status,
  run.native_status,
  run.output_result,
  run.sleep_until,
  run.restart ? 1 : 0,
  run.order,
];
