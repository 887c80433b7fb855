/** Read an update request: check its shape and convert it for the SQL statements. */

import {
  flag,
  integer,
  invalid,
  jsonColumn,
  label,
  oneOf,
  optional,
  readFields,
  required,
  runId,
  shortened,
  time,
  workflowName,
} from './fields.js';
import { NATIVE_STATUSES, RUN_STATUSES, STEP_STATUSES } from './statuses.js';

const MAX_UPDATES = 100;
const KIB = 1024;
/** The name of runs that have none, such as those first seen in a step's update. */
const UNNAMED = 'unregistered';

const rowId = integer(1, Number.MAX_SAFE_INTEGER);
/** Rises with each update of its caller. */
const order = optional(integer(0, Number.MAX_SAFE_INTEGER));
const runRef = {
  workflow_name: optional(workflowName),
  workflow_id: optional(rowId),
  ref_id: optional(label),
  ref_type: optional(label),
};

const RUN_FIELDS = {
  ...runRef,
  id: required(runId),
  // The original wrote Pending for a run that it had just started.
  status: optional(oneOf([...RUN_STATUSES, 'Pending'])),
  native_status: optional(oneOf(Object.keys(NATIVE_STATUSES))),
  input_params: optional(jsonColumn(KIB * KIB)),
  output_result: optional(jsonColumn(KIB * KIB)),
  metadata: optional(jsonColumn(16 * KIB)),
  sleep_until: optional(time),
  restart: optional(flag),
  order,
};

const STEP_FIELDS = {
  ...runRef,
  id: optional(rowId),
  workflow_run_id: optional(runId),
  step_name: optional(label),
  step_index: optional(integer(0, 1_000_000)),
  status: optional(oneOf(STEP_STATUSES)),
  state: optional(jsonColumn(256 * KIB, 'truncate')),
  attempt: optional(integer(1, 1_000_000)),
  order,
};

const RETRY_FIELDS = {
  workflow_step_id: optional(rowId),
  workflow_run_id: optional(runId),
  step_name: optional(label),
  step_index: optional(integer(0, 1_000_000)),
  retry_count: optional(integer(0, 1_000_000)),
  retry_at: optional(time),
  last_error: optional(shortened(8 * KIB)),
  order,
};

/**
 * @typedef {import('./run-statements.js').NewRun & import('./run-statements.js').RunChanges} RunUpdate
 * @typedef {import('./step-statements.js').StepUpdate} StepUpdate
 * @typedef {import('./step-statements.js').RetryUpdate} RetryUpdate
 * @typedef {import('./run-statements.js').NewRun} NewRun
 *
 * @typedef {{type: 'run_update', run: RunUpdate}
 *   | {type: 'step_update', step: StepUpdate, run: NewRun | null}
 *   | {type: 'retry_update', retry: RetryUpdate}} Update
 */

/** @type {Record<string, (body: unknown, path: string) => Update>} */
const READERS = {
  run_update: readRunUpdate,
  step_update: readStepUpdate,
  retry_update: readRetryUpdate,
};

/**
 * @param {unknown} body `{type, [type]: {...}}`, or up to 100 of them as `{updates: [...]}`
 * @returns {{updates: Update[], single: boolean}}
 * @throws {import('./problem.js').Problem} 400 with the invalid fields
 */
export function readUpdates(body) {
  if (!isObject(body) || body.updates === undefined) {
    return { updates: [readUpdate(body, '')], single: true };
  }
  const { updates } = body;
  if (!Array.isArray(updates) || updates.length === 0 || updates.length > MAX_UPDATES) {
    throw invalid([{ path: 'updates', message: `updates must be a list of 1 to ${MAX_UPDATES}` }]);
  }
  return {
    updates: updates.map((update, at) => readUpdate(update, `updates.${at}.`)),
    single: false,
  };
}

/**
 * @param {unknown} body
 * @param {string} path
 */
function readUpdate(body, path) {
  const types = Object.keys(READERS);
  const { type } = readFields(body, { type: required(oneOf(types)) }, path.slice(0, -1));
  const { [type]: update } = /** @type {Record<string, unknown>} */ (body);
  return READERS[type](update, `${path}${type}`);
}

/** @type {(body: unknown, path: string) => Update} */
function readRunUpdate(body, path) {
  const given = renamed(body, { id: RUN_NAMES, workflow_name: TYPE_NAMES });
  const { status, ...fields } = readFields(given, RUN_FIELDS, path);
  const native = fields.native_status ?? (status === 'Pending' ? 'queued' : null);
  const mapped = native === null ? null : NATIVE_STATUSES[native];
  const own = status === 'Pending' ? 'Running' : status;
  return {
    type: 'run_update',
    run: {
      ...fields,
      workflow_name: fields.workflow_name ?? UNNAMED,
      status: own ?? mapped ?? (fields.restart ? 'Running' : null),
      native_status: native,
    },
  };
}

/** @type {(body: unknown, path: string) => Update} */
function readStepUpdate(body, path) {
  const given = renamed(body, { workflow_run_id: RUN_NAMES, workflow_name: TYPE_NAMES });
  const { workflow_name, workflow_id, ref_id, ref_type, ...step } = readFields(
    given,
    STEP_FIELDS,
    path,
  );
  if (step.id !== null) return { type: 'step_update', step, run: null };
  const id = step.workflow_run_id;
  if (id === null || step.step_name === null || step.step_index === null) {
    throw invalid([
      { path, message: `${path} needs id, or workflow_run_id, step_index and step_name` },
    ]);
  }
  const name = workflow_name ?? UNNAMED;
  const run = {
    id,
    workflow_name: name,
    workflow_id,
    ref_id,
    ref_type,
    input_params: null,
    metadata: null,
  };
  return { type: 'step_update', step, run };
}

/** @type {(body: unknown, path: string) => Update} */
function readRetryUpdate(body, path) {
  const given = renamed(body, { workflow_run_id: RUN_NAMES });
  const retry = readFields(given, RETRY_FIELDS, path);
  if (
    retry.workflow_step_id === null &&
    (retry.workflow_run_id === null || retry.step_index === null)
  ) {
    throw invalid([
      { path, message: `${path} needs workflow_step_id, or workflow_run_id and step_index` },
    ]);
  }
  return { type: 'retry_update', retry };
}

/** Other names that callers use for the run's ID and type. */
const RUN_NAMES = ['workflow_run_id', 'workflow_instance_id', 'workflowId', 'runId'];
const TYPE_NAMES = ['workflowType'];

/**
 * Fill a field from the first of its other names that is present.
 * @param {unknown} body
 * @param {Record<string, string[]>} names
 */
function renamed(body, names) {
  if (!isObject(body)) return body;
  const given = { ...body };
  for (const [name, others] of Object.entries(names)) {
    const other = others.find((candidate) => body[candidate] !== undefined);
    if (given[name] === undefined && other !== undefined) given[name] = body[other];
  }
  return given;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
