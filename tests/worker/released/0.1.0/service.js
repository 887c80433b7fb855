// Flowflare; class migrations up to "workflow-tracker-v1"
// flowflare:src/problem.js
var TITLES = {
  400: "Invalid request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  413: "Request too large",
  415: "Unsupported media type",
  422: "Idempotency key reused",
  426: "Upgrade required",
  500: "Internal error",
  502: "Workflow not created",
  503: "Temporarily unavailable"
};
var Problem = class extends Error {
  /**
   * @param {number} status
   * @param {string} detail what is wrong, in words that may leave the service
   * @param {ProblemOptions} [options]
   */
  constructor(status, detail, { errors, headers, members } = {}) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.errors = errors;
    this.headers = headers ?? {};
    this.members = members ?? {};
  }
  /**
   * The body: RFC 9457's members beside `success` and `error`, which callers of the original know.
   * @param {string} requestId
   */
  body(requestId) {
    return {
      success: false,
      error: this.message,
      type: "about:blank",
      title: TITLES[this.status] ?? "Error",
      status: this.status,
      detail: this.message,
      instance: `urn:flowflare:request:${requestId}`,
      ...this.errors && { errors: this.errors },
      ...this.members
    };
  }
};
var PASSING = /overloaded|connection lost|storage operation exceeded|reset because|too many requests/i;
function asProblem(thrown) {
  if (thrown instanceof Problem) return thrown;
  if (PASSING.test(String(thrown))) {
    return new Problem(503, "The database is busy; try again", { headers: { "Retry-After": "1" } });
  }
  return new Problem(
    500,
    "The service failed to answer; its log has the cause under this request id"
  );
}

// flowflare:src/run-statements.js
var SHOWN_BYTES = 8192;
var shown = (column) => `CASE WHEN octet_length(${column}) > ${SHOWN_BYTES}
    THEN json_object('__truncated', json('true'), 'bytes', octet_length(${column}))
    ELSE ${column} END AS ${column}`;
var RUN_SUMMARY = `id, id AS runId, workflow_id, workflow_name, status, native_status, ref_id, ref_type,
  ${shown("input_params")}, ${shown("output_result")}, ${shown("metadata")},
  created_at, updated_at, completed_at, sleep_until`;
var STEP_SUMMARY = `id, workflow_run_id, step_name, status, step_index, ${shown("state")},
  started_at, completed_at, attempt`;
var REGISTER = `
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
var IDENTITY = `name = ?2 AND coalesce(ref_id, '') = coalesce(?3, '')
  AND coalesce(ref_type, '') = coalesce(?4, '')`;
var INSERT_RUN = `
INSERT INTO workflow_runs (id, workflow_id, workflow_name, ref_id, ref_type, input_params, metadata,
                           created_at, updated_at, request_digest)
SELECT ?1, id, name, ?3, ?4, ?5, ?6, ?7, ?7, ?8 FROM workflow WHERE ${IDENTITY}
ON CONFLICT (id) DO NOTHING`;
var UPSERT_RUN = `
INSERT INTO workflow_runs (id, workflow_id, workflow_name, status, native_status, ref_id, ref_type,
                           input_params, output_result, metadata, created_at, updated_at,
                           completed_at, sleep_until)
SELECT ?1, id, name, coalesce(?9, 'Running'), ?10, coalesce(?3, ref_id), coalesce(?4, ref_type),
       ?5, ?11, ?6, ?7, ?7, iif(?9 IN ('Completed', 'Errored'), ?7, NULL), iif(?9 = 'Sleeping', ?12, NULL)
FROM workflow WHERE id = coalesce(
  (SELECT workflow_id FROM workflow_runs WHERE id = ?1),
  (SELECT id FROM workflow WHERE id = ?8),
  (SELECT id FROM workflow WHERE ${IDENTITY}))
ON CONFLICT (id) DO UPDATE SET
  status = coalesce(?9, status),
  native_status = iif(?9 IS NULL, native_status, ?10),
  ref_id = coalesce(ref_id, ?3),
  ref_type = coalesce(ref_type, ?4),
  input_params = coalesce(input_params, ?5),
  output_result = coalesce(?11, iif(?13, NULL, output_result)),
  metadata = coalesce(?6, metadata),
  updated_at = ?7,
  completed_at = iif(coalesce(?9, status) IN ('Completed', 'Errored'), coalesce(completed_at, ?7), NULL),
  sleep_until = iif(coalesce(?9, status) = 'Sleeping', coalesce(?12, sleep_until), NULL)
WHERE ?13 OR ?9 IS NULL OR status = ?9 OR status NOT IN ('Completed', 'Errored')`;
var SHOW_IN_WORKFLOW = `
UPDATE workflow SET status = run.status, output_result = run.output_result,
  completed_at = run.completed_at, updated_at = run.updated_at
FROM workflow_runs AS run
WHERE run.id = ?1 AND workflow.id = run.workflow_id AND workflow.last_run_id = run.id`;
var SELECT_RUN = `SELECT ${RUN_SUMMARY} FROM workflow_runs WHERE id = ?1`;
var startStatements = (db, run, now) => [
  db.prepare(REGISTER).bind(...identity(run, now), null),
  db.prepare(INSERT_RUN).bind(...identity(run, now), run.request_digest),
  db.prepare(`SELECT ${RUN_SUMMARY}, request_digest FROM workflow_runs WHERE id = ?1`).bind(run.id)
];
var updateStatements = (db, run, now) => [
  db.prepare(REGISTER).bind(...identity(run, now), run.workflow_id),
  db.prepare(UPSERT_RUN).bind(
    ...identity(run, now),
    run.workflow_id,
    run.status,
    run.native_status,
    run.output_result,
    run.sleep_until,
    run.restart ? 1 : 0
  ),
  db.prepare(SHOW_IN_WORKFLOW).bind(run.id),
  db.prepare(SELECT_RUN).bind(run.id)
];
var touchStatements = (db, run, now) => updateStatements(db, { ...run, ...NO_CHANGES }, now).slice(0, 2);
var NO_CHANGES = {
  status: null,
  native_status: null,
  output_result: null,
  sleep_until: null,
  restart: null
};
var identity = (run, now) => [
  run.id,
  run.workflow_name,
  run.ref_id,
  run.ref_type,
  run.input_params,
  run.metadata,
  now
];

// flowflare:src/step-statements.js
var CHANGES = `
  status = coalesce(?4, status),
  state = coalesce(?5, state),
  attempt = coalesce(?6, attempt + (status = 'Retrying' AND ?4 = 'Running')),
  started_at = coalesce(started_at, iif(coalesce(?4, status) = 'Pending', NULL, ?7)),
  completed_at = iif(coalesce(?4, status) IN ('Completed', 'Failed'),
                     coalesce(iif(?4 IS NULL OR status = ?4, completed_at, NULL), ?7), NULL)`;
var ACCEPTED = `
  (?6 IS NULL OR ?6 >= attempt)
  AND (?4 IS NULL OR status = ?4 OR status NOT IN ('Completed', 'Failed')
       OR (status = 'Failed' AND ?6 > attempt))`;
var UPSERT = `
INSERT INTO workflow_steps (workflow_run_id, step_name, step_index, status, state, attempt,
                            started_at, completed_at)
VALUES (?1, ?2, ?3, coalesce(?4, 'Running'), ?5, coalesce(?6, 1),
        iif(?4 = 'Pending', NULL, ?7), iif(?4 IN ('Completed', 'Failed'), ?7, NULL))
ON CONFLICT (workflow_run_id, step_index, step_name) DO UPDATE SET ${CHANGES} WHERE ${ACCEPTED}`;
var OF_ID = "id = ?8 AND (?1 IS NULL OR workflow_run_id = ?1)";
var UPDATE_BY_ID = `UPDATE workflow_steps SET ${CHANGES} WHERE ${OF_ID} AND ${ACCEPTED}`;
var TOUCH_RUN_OF = `
UPDATE workflow_runs SET updated_at = ?7
WHERE id = (SELECT workflow_run_id FROM workflow_steps WHERE ${OF_ID})`;
var SELECT_BY_ID = `SELECT ${STEP_SUMMARY} FROM workflow_steps WHERE id = ?8 AND coalesce(?1, workflow_run_id) = workflow_run_id`;
var SELECT_BY_PLACE = `
SELECT ${STEP_SUMMARY} FROM workflow_steps WHERE workflow_run_id = ?1 AND step_index = ?3 AND step_name = ?2`;
var UPSERT_RETRY = `
INSERT INTO workflow_step_retries (workflow_step_id, retry_count, retry_at, last_error, created_at)
SELECT id, coalesce(?5, attempt), ?6, ?7, ?8 FROM workflow_steps
WHERE id = coalesce(?1, (SELECT max(id) FROM workflow_steps WHERE workflow_run_id = ?2
                         AND step_index = ?3 AND step_name = coalesce(?4, step_name)))
  AND (?2 IS NULL OR workflow_run_id = ?2)
ON CONFLICT (workflow_step_id, retry_count) DO UPDATE SET
  retry_at = coalesce(excluded.retry_at, retry_at), last_error = coalesce(excluded.last_error, last_error)
RETURNING *, (SELECT workflow_run_id FROM workflow_steps WHERE id = workflow_step_id) AS workflow_run_id`;
function stepStatements(db, step, now) {
  const values = [
    step.workflow_run_id,
    step.step_name,
    step.step_index,
    step.status,
    step.state,
    step.attempt,
    now
  ];
  if (step.id === null) {
    return [
      db.prepare(UPSERT).bind(...values),
      db.prepare(SELECT_BY_PLACE).bind(...values.slice(0, 3))
    ];
  }
  return [UPDATE_BY_ID, TOUCH_RUN_OF, SELECT_BY_ID].map(
    (sql) => db.prepare(sql).bind(...values, step.id)
  );
}
var retryStatements = (db, retry, now) => [
  db.prepare(UPSERT_RETRY).bind(
    retry.workflow_step_id,
    retry.workflow_run_id,
    retry.step_index,
    retry.step_name,
    retry.retry_count,
    retry.retry_at,
    retry.last_error,
    now
  )
];

// flowflare:src/json-text.js
function jsonText(value, maxBytes = Infinity) {
  const text2 = stringify(value);
  if (text2.length * 3 <= maxBytes) return text2;
  const bytes = new TextEncoder().encode(text2).length;
  return bytes <= maxBytes ? text2 : JSON.stringify({ __truncated: true, bytes });
}
function stringify(value) {
  try {
    return JSON.stringify(value, replacer()) ?? "null";
  } catch {
    return '{"__unserializable":true}';
  }
}
function replacer() {
  const ancestors = [];
  return function(_key, value) {
    if (typeof value === "bigint") return value.toString();
    if (typeof value !== "object" || value === null) return value;
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
    if (ancestors.includes(value)) return "[Circular]";
    ancestors.push(value);
    return value instanceof Error ? { name: value.name, message: value.message } : value;
  };
}

// flowflare:src/fields.js
var Invalid = class extends Error {
};
function readFields(input, readers, path = "") {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw invalid([{ path, message: `${path || "the body"} must be an object` }]);
  }
  const given = (
    /** @type {Record<string, unknown>} */
    input
  );
  const errors = [];
  const values = {};
  for (const [name, read] of Object.entries(readers)) {
    try {
      values[name] = read(Object.hasOwn(given, name) ? given[name] : void 0);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      const field = path ? `${path}.${name}` : name;
      errors.push({ path: field, message: `${field} ${error.message}` });
    }
  }
  if (errors.length > 0) throw invalid(errors);
  return (
    /** @type {{[K in keyof R]: ReturnType<R[K]>}} */
    values
  );
}
var invalid = (errors) => new Problem(400, errors.map((error) => error.message).join("; "), { errors });
var isAbsent = (value) => value === void 0 || value === null || value === "";
var optional = (read) => (value) => isAbsent(value) ? null : read(value);
var required = (read) => (value) => {
  if (isAbsent(value)) throw new Invalid("is required");
  return read(value);
};
var matching = (pattern, description) => (value) => {
  const text2 = Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text2 !== "string" || !pattern.test(text2)) throw new Invalid(`must be ${description}`);
  return text2;
};
var runId = matching(
  /^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/,
  "a run id: 1 to 100 of A-Z a-z 0-9 _ -"
);
var workflowName = matching(/^[\w.:-]{1,64}$/, "a name: 1 to 64 of A-Z a-z 0-9 _ . : -");
var label = matching(/^\P{Cc}{1,256}$/u, "1 to 256 characters without control characters");
var text = matching(/^[\s\S]*$/, "a string");
var plainObject = (value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Invalid("must be an object");
  }
  return (
    /** @type {Record<string, unknown>} */
    value
  );
};
var flag = (value) => {
  if (typeof value !== "boolean") throw new Invalid("must be true or false");
  return value;
};
var integer = (low, high) => (value) => {
  if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
    throw new Invalid(`must be a whole number from ${low} to ${high}`);
  }
  return value;
};
var oneOf = (choices) => (value) => {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === void 0) throw new Invalid(`must be one of ${choices.join(", ")}`);
  return choice;
};
var someOf = (choices) => (value) => {
  if (!Array.isArray(value)) throw new Invalid(`must be a list of ${choices.join(", ")}`);
  return value.map(oneOf(choices));
};
var time = (value) => {
  const date = new Date(
    typeof value === "number" || typeof value === "string" ? value : Number.NaN
  );
  if (!(Math.abs(date.getTime()) < 2534023008e5) || date.getUTCFullYear() < 0) {
    throw new Invalid("must be a time such as 2026-11-23T14:36:00.000Z");
  }
  return date.toISOString();
};
var jsonColumn = (maxBytes, oversize = "refuse") => (value) => {
  const json2 = typeof value === "string" ? value : JSON.stringify(value);
  if (json2.length * 3 <= maxBytes) return json2;
  const bytes = new TextEncoder().encode(json2).length;
  if (bytes <= maxBytes) return json2;
  if (oversize === "truncate") return jsonText({ __truncated: true, bytes });
  throw new Invalid(`must not take more than ${maxBytes} bytes`);
};
var shortened = (maxLength) => (value) => {
  const long = typeof value === "string" ? value : JSON.stringify(value);
  return long.length <= maxLength ? long : `${long.slice(0, maxLength - 1)}\u2026`;
};

// flowflare:src/statuses.js
var RUN_STATUSES = (
  /** @type {const} */
  ["Running", "Sleeping", "Completed", "Errored"]
);
var STEP_STATUSES = (
  /** @type {const} */
  [
    "Pending",
    "Running",
    "Completed",
    "Failed",
    "Retrying"
  ]
);
var NATIVE_STATUSES = Object.freeze({
  queued: "Running",
  running: "Running",
  rollingBack: "Running",
  paused: "Sleeping",
  waiting: "Sleeping",
  waitingForPause: "Sleeping",
  complete: "Completed",
  errored: "Errored",
  terminated: "Errored"
});

// flowflare:src/update-request.js
var MAX_UPDATES = 100;
var KIB = 1024;
var UNNAMED = "unregistered";
var rowId = integer(1, Number.MAX_SAFE_INTEGER);
var runRef = {
  workflow_name: optional(workflowName),
  workflow_id: optional(rowId),
  ref_id: optional(label),
  ref_type: optional(label)
};
var RUN_FIELDS = {
  ...runRef,
  id: required(runId),
  // The original wrote Pending for a run that it had just started.
  status: optional(oneOf([...RUN_STATUSES, "Pending"])),
  native_status: optional(oneOf(Object.keys(NATIVE_STATUSES))),
  input_params: optional(jsonColumn(KIB * KIB)),
  output_result: optional(jsonColumn(KIB * KIB)),
  metadata: optional(jsonColumn(16 * KIB)),
  sleep_until: optional(time),
  restart: optional(flag)
};
var STEP_FIELDS = {
  ...runRef,
  id: optional(rowId),
  workflow_run_id: optional(runId),
  step_name: optional(label),
  step_index: optional(integer(0, 1e6)),
  status: optional(oneOf(STEP_STATUSES)),
  state: optional(jsonColumn(256 * KIB, "truncate")),
  attempt: optional(integer(1, 1e6))
};
var RETRY_FIELDS = {
  workflow_step_id: optional(rowId),
  workflow_run_id: optional(runId),
  step_name: optional(label),
  step_index: optional(integer(0, 1e6)),
  retry_count: optional(integer(0, 1e6)),
  retry_at: optional(time),
  last_error: optional(shortened(8 * KIB))
};
var READERS = {
  run_update: readRunUpdate,
  step_update: readStepUpdate,
  retry_update: readRetryUpdate
};
function readUpdates(body) {
  if (!isObject(body) || body.updates === void 0) {
    return { updates: [readUpdate(body, "")], single: true };
  }
  const { updates } = body;
  if (!Array.isArray(updates) || updates.length === 0 || updates.length > MAX_UPDATES) {
    throw invalid([{ path: "updates", message: `updates must be a list of 1 to ${MAX_UPDATES}` }]);
  }
  return {
    updates: updates.map((update2, at) => readUpdate(update2, `updates.${at}.`)),
    single: false
  };
}
function readUpdate(body, path) {
  const types = Object.keys(READERS);
  const { type } = readFields(body, { type: required(oneOf(types)) }, path.slice(0, -1));
  const { [type]: update2 } = (
    /** @type {Record<string, unknown>} */
    body
  );
  return READERS[type](update2, `${path}${type}`);
}
function readRunUpdate(body, path) {
  const given = renamed(body, { id: RUN_NAMES, workflow_name: TYPE_NAMES });
  const { status, ...fields } = readFields(given, RUN_FIELDS, path);
  const native = fields.native_status ?? (status === "Pending" ? "queued" : null);
  const mapped = native === null ? null : NATIVE_STATUSES[native];
  const own = status === "Pending" ? "Running" : status;
  return {
    type: "run_update",
    run: {
      ...fields,
      workflow_name: fields.workflow_name ?? UNNAMED,
      status: own ?? mapped ?? (fields.restart ? "Running" : null),
      native_status: native
    }
  };
}
function readStepUpdate(body, path) {
  const given = renamed(body, { workflow_run_id: RUN_NAMES, workflow_name: TYPE_NAMES });
  const { workflow_name, workflow_id, ref_id, ref_type, ...step } = readFields(
    given,
    STEP_FIELDS,
    path
  );
  if (step.id !== null) return { type: "step_update", step, run: null };
  const id = step.workflow_run_id;
  if (id === null || step.step_name === null || step.step_index === null) {
    throw invalid([
      { path, message: `${path} needs id, or workflow_run_id, step_index and step_name` }
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
    metadata: null
  };
  return { type: "step_update", step, run };
}
function readRetryUpdate(body, path) {
  const given = renamed(body, { workflow_run_id: RUN_NAMES });
  const retry = readFields(given, RETRY_FIELDS, path);
  if (retry.workflow_step_id === null && (retry.workflow_run_id === null || retry.step_index === null)) {
    throw invalid([
      { path, message: `${path} needs workflow_step_id, or workflow_run_id and step_index` }
    ]);
  }
  return { type: "retry_update", retry };
}
var RUN_NAMES = ["workflow_run_id", "workflow_instance_id", "workflowId", "runId"];
var TYPE_NAMES = ["workflowType"];
function renamed(body, names) {
  if (!isObject(body)) return body;
  const given = { ...body };
  for (const [name, others] of Object.entries(names)) {
    const other = others.find((candidate) => body[candidate] !== void 0);
    if (given[name] === void 0 && other !== void 0) given[name] = body[other];
  }
  return given;
}
var isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

// flowflare:src/apply-updates.js
async function takeUpdates(db, body) {
  const { updates, single } = readUpdates(body);
  const outcomes = await applyUpdates(db, updates);
  const events = outcomes.flatMap(({ event }) => event ?? []);
  if (!single) {
    const results = outcomes.map(
      ({ result: result2, problem: problem2 }) => result2 ?? { updated: false, error: problem2?.message }
    );
    return { answer: { success: true, results }, events };
  }
  const [{ result, problem }] = outcomes;
  if (problem) throw problem;
  return { answer: { success: true, result }, events };
}
async function applyUpdates(db, updates) {
  const now = (/* @__PURE__ */ new Date()).toISOString();
  const works = updates.map((update2) => workOf(db, update2, now));
  const results = await db.batch(works.flatMap((work) => work.statements));
  let at = 0;
  return works.map(({ statements, outcome }) => {
    const own = results.slice(at, at + statements.length);
    at += statements.length;
    return outcome(
      /** @type {D1Result<Row>[]} */
      own
    );
  });
}
function workOf(db, update2, now) {
  if (update2.type === "run_update") {
    return { statements: updateStatements(db, update2.run, now), outcome: runOutcome };
  }
  if (update2.type === "retry_update") {
    return { statements: retryStatements(db, update2.retry, now), outcome: retryOutcome };
  }
  const touch = update2.run === null ? [] : touchStatements(db, update2.run, now);
  return {
    statements: [...touch, ...stepStatements(db, update2.step, now)],
    outcome: (results) => stepOutcome(results.slice(touch.length))
  };
}
function runOutcome([registered, upserted, , selected]) {
  const row = selected.results[0];
  return rowOutcome("run_update", row, upserted, {
    [registered.meta.changes > 0 ? "inserted" : "updated"]: true
  });
}
function stepOutcome(results) {
  const row = results.at(-1)?.results[0];
  if (row === void 0) return { problem: new Problem(404, "There is no such step") };
  return rowOutcome("step_update", row, results[0], { updated: true, attempt: row.attempt });
}
function retryOutcome([upserted]) {
  const row = upserted.results[0];
  if (row === void 0) {
    return { problem: new Problem(400, "There is no such step to record a retry of") };
  }
  return rowOutcome("retry_update", row, upserted, { updated: true });
}
function rowOutcome(type, row, write, done) {
  const { id, status } = row;
  if (write.meta.changes === 0) {
    return { result: { ...done, updated: false, ignored: true, id, status } };
  }
  return {
    result: { ...done, id, status },
    event: (
      /** @type {FeedEvent} */
      { type, [type]: row }
    )
  };
}

// flowflare:src/ids.js
var hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
var sha256 = (text2) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text2));
function uuid(bytes, version) {
  bytes[6] = bytes[6] & 15 | version << 4;
  bytes[8] = bytes[8] & 63 | 128;
  return hex(bytes.slice(0, 16)).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
function newRunId(now = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(
    0,
    BigInt(now) << 16n | BigInt(bytes[6] << 8 | bytes[7])
  );
  return uuid(bytes, 7);
}
async function runIdForKey(idempotencyKey) {
  return uuid(new Uint8Array(await sha256(`flowflare:${idempotencyKey}`)), 8);
}

// flowflare:src/auth.js
var activeKeys = (env) => [env.SERVICE_API_KEY, env.SERVICE_API_KEY_PREVIOUS].filter(
  (key) => typeof key === "string" && key
);
function presentedKey(headers) {
  const bearer = /^Bearer +(.+)$/i.exec(headers.get("Authorization") ?? "");
  return headers.get("X-API-Key") ?? bearer?.[1] ?? "";
}
async function requireKey(request, env) {
  const keys = activeKeys(env);
  if (keys.length === 0)
    console.error("flowflare: SERVICE_API_KEY is not set, so every call is refused");
  const presented = await sha256(presentedKey(request.headers));
  const matches = await Promise.all(
    keys.map(async (key) => crypto.subtle.timingSafeEqual(presented, await sha256(String(key))))
  );
  if (!matches.includes(true)) {
    throw new Problem(401, "A valid API key is required, as X-API-Key or Authorization: Bearer", {
      headers: { "WWW-Authenticate": 'Bearer realm="flowflare"' }
    });
  }
}

// flowflare:src/cors.js
var allows = (origin, allowed) => origin !== null && (allowed.includes("*") || allowed.includes(origin));
function corsHeaders(request, allowed) {
  const origin = request.headers.get("Origin");
  if (origin === null || !allows(origin, allowed)) return { Vary: "Origin" };
  return {
    "Access-Control-Allow-Origin": allowed.includes("*") ? "*" : origin,
    "Access-Control-Expose-Headers": "X-Request-Id, Retry-After",
    Vary: "Origin"
  };
}
var preflight = (request, allowed) => new Response(null, {
  status: 204,
  headers: {
    ...corsHeaders(request, allowed),
    ...allows(request.headers.get("Origin"), allowed) && {
      "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
      "Access-Control-Allow-Headers": "Content-Type, Authorization, X-API-Key, Idempotency-Key",
      "Access-Control-Max-Age": "7200"
    }
  }
});
function requireOrigin(request, allowed) {
  const origin = request.headers.get("Origin");
  if (origin !== null && !allows(origin, allowed)) {
    throw new Problem(403, "This origin is not among the allowed ones");
  }
}

// flowflare:src/feed.js
var FEED_NAME = "feed:v1";
var feedOf = (namespace) => namespace.get(namespace.idFromName(FEED_NAME));
async function publish(namespace, events) {
  if (events.length === 0) return;
  try {
    await feedOf(namespace).publish(events);
  } catch (error) {
    console.warn(`flowflare: ${events.length} events were not broadcast: ${error}`);
  }
}

// flowflare:src/http.js
var MAX_BODY_BYTES = 1024 * 1024;
var MAX_JSON_DEPTH = 64;
var json = (body, status = 200, headers = {}) => Response.json(body, { status, headers });
var isUpgrade = (request) => request.headers.get("Upgrade")?.toLowerCase() === "websocket";
async function readJson(request) {
  const type = request.headers.get("Content-Type") ?? "";
  if (type.split(";")[0].trim().toLowerCase() !== "application/json") {
    throw new Problem(415, "Content-Type must be application/json");
  }
  const bytes = await readBytes(request);
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, "The body is not UTF-8");
  }
}
function parseJson(text2) {
  if (depth(text2) > MAX_JSON_DEPTH) {
    throw new Problem(400, `The JSON is nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
  try {
    return JSON.parse(text2);
  } catch {
    throw new Problem(400, "The body is not JSON");
  }
}
async function readBytes(request) {
  const tooLarge = () => new Problem(413, `The body is larger than ${MAX_BODY_BYTES} bytes`);
  if (Number(request.headers.get("Content-Length")) > MAX_BODY_BYTES) throw tooLarge();
  const chunks = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
function depth(text2) {
  let level = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text2.length; at++) {
    const character = text2[at];
    if (character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === "[" || character === "{") deepest = Math.max(deepest, ++level);
    else if (character === "]" || character === "}") level--;
  }
  return deepest;
}

// flowflare:src/cursor.js
var encodeCursor = ({ created_at, id }) => btoa(JSON.stringify([created_at, id])).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
function decodeCursor(cursor) {
  try {
    const [created_at, id] = JSON.parse(atob(cursor.replaceAll("-", "+").replaceAll("_", "/")));
    if (typeof created_at === "string" && typeof id === "string") return { created_at, id };
  } catch {
  }
  const message = "cursor must be a next_cursor that this service gave";
  throw new Problem(400, message, { errors: [{ path: "cursor", message }] });
}

// flowflare:src/list-request.js
var DEFAULT_LIMIT = 20;
var MAX_LIMIT = 100;
var LIST_FIELDS = {
  workflowId: optional(runId),
  workflowType: optional(workflowName),
  status: optional(oneOf(RUN_STATUSES)),
  ref_id: optional(label),
  ref_type: optional(label),
  created_after: optional(time),
  created_before: optional(time),
  metadata: optional(plainObject),
  limit: optional(integer(1, Number.MAX_SAFE_INTEGER)),
  offset: optional(integer(0, Number.MAX_SAFE_INTEGER)),
  cursor: optional(text),
  view: optional(oneOf(["runs", "workflows"])),
  include: optional(someOf(["steps", "retries"]))
};
function readListRequest(body) {
  const fields = readFields(body, LIST_FIELDS);
  const metadata = Object.entries(fields.metadata ?? {});
  if (metadata.some(([, value]) => !["string", "number", "boolean"].includes(typeof value))) {
    const message = "metadata must map keys to texts, numbers or booleans";
    throw invalid([{ path: "metadata", message }]);
  }
  if (metadata.length > 10) {
    throw invalid([{ path: "metadata", message: "metadata must not have more than 10 keys" }]);
  }
  return {
    ...fields,
    metadata: (
      /** @type {[string, string | number | boolean][]} */
      metadata
    ),
    limit: Math.min(fields.limit ?? DEFAULT_LIMIT, MAX_LIMIT),
    offset: fields.offset ?? 0,
    after: fields.cursor === null ? null : decodeCursor(fields.cursor),
    view: fields.view ?? "runs",
    include: new Set(fields.include ?? [])
  };
}

// flowflare:src/read-runs.js
var readPage = (db, request) => request.view === "workflows" ? listWorkflows(db, request) : listRuns(db, request);
async function listRuns(db, request) {
  const { sql, values } = where(request, "workflow_name");
  const page = `SELECT ${RUN_SUMMARY} FROM workflow_runs ${sql}
    ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`;
  const bound = [...values, request.limit + 1, request.offset];
  const statements = [db.prepare(page).bind(...bound)];
  if (request.include.size > 0) {
    const ids = `SELECT id FROM workflow_runs ${sql} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`;
    statements.push(db.prepare(stepsOf(ids, STEP_SUMMARY)).bind(...bound));
    if (request.include.has("retries")) statements.push(db.prepare(retriesOf(ids)).bind(...bound));
  }
  const [runs, steps, retries] = await batch(db, statements);
  return pageOf(steps ? withSteps(runs, steps, retries ?? []) : runs, request.limit);
}
async function listWorkflows(db, request) {
  const { sql, values } = where(request, "name");
  const page = `SELECT * FROM workflow ${sql} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`;
  const [rows] = await batch(db, [
    db.prepare(page).bind(...values, request.limit + 1, request.offset)
  ]);
  return pageOf(rows, request.limit);
}
async function readRun(db, id) {
  const [runs, steps, retries] = await batch(db, [
    db.prepare("SELECT *, id AS runId FROM workflow_runs WHERE id = ?").bind(id),
    db.prepare(stepsOf("SELECT ?", "*")).bind(id),
    db.prepare(retriesOf("SELECT ?")).bind(id)
  ]);
  if (runs.length === 0) return null;
  const [{ request_digest, ...run }] = withSteps(runs, steps, retries);
  return run;
}
async function readWorkflow(db, id) {
  const [workflows, runs] = await batch(db, [
    db.prepare("SELECT * FROM workflow WHERE id = ?").bind(Number(id)),
    db.prepare(
      `SELECT ${RUN_SUMMARY} FROM workflow_runs WHERE workflow_id = ?
         ORDER BY created_at DESC, id DESC LIMIT 20`
    ).bind(Number(id))
  ]);
  return workflows.length === 0 ? null : { ...workflows[0], runs };
}
var stepsOf = (ids, columns) => `SELECT ${columns} FROM workflow_steps WHERE workflow_run_id IN (${ids})
   ORDER BY workflow_run_id, step_index, id`;
var retriesOf = (ids) => `SELECT retry.* FROM workflow_steps AS step
   JOIN workflow_step_retries AS retry ON retry.workflow_step_id = step.id
   WHERE step.workflow_run_id IN (${ids}) ORDER BY retry.workflow_step_id, retry.retry_count`;
function where(request, nameColumn) {
  const conditions = [];
  const add = (sql, ...values) => {
    if (values.every((value) => value !== null)) conditions.push({ sql, values });
  };
  add(`${nameColumn} = ?`, request.workflowType);
  add("status = ?", request.status);
  add("ref_id = ?", request.ref_id);
  add("ref_type = ?", request.ref_type);
  add("created_at > ?", request.created_after);
  add("created_at < ?", request.created_before);
  for (const [key, value] of request.metadata) {
    add(
      `CASE WHEN json_valid(metadata) THEN
        (SELECT value FROM json_each(iif(json_type(metadata) = 'object', metadata, '{}')) WHERE key = ?) END = ?`,
      key,
      typeof value === "boolean" ? Number(value) : value
    );
  }
  if (request.after) add("(created_at, id) < (?, ?)", request.after.created_at, request.after.id);
  return {
    sql: conditions.length === 0 ? "" : `WHERE ${conditions.map(({ sql }) => sql).join(" AND ")}`,
    values: conditions.flatMap(({ values }) => values)
  };
}
async function batch(db, statements) {
  const results = await db.batch(statements);
  return results.map((result) => (
    /** @type {Row[]} */
    result.results
  ));
}
function pageOf(rows, limit) {
  const shown2 = rows.slice(0, limit);
  const has_more = rows.length > limit;
  const last = shown2.at(-1);
  const place = { created_at: String(last?.created_at), id: String(last?.id) };
  return { rows: shown2, next_cursor: has_more ? encodeCursor(place) : null, has_more, limit };
}
function withSteps(runs, steps, retries) {
  const retriesOfStep = Map.groupBy(retries, (retry) => retry.workflow_step_id);
  const stepsOfRun = Map.groupBy(
    steps.map((step) => ({ ...step, retries: retriesOfStep.get(step.id) ?? [] })),
    (step) => (
      /** @type {Row} */
      step.workflow_run_id
    )
  );
  return runs.map((run) => ({ ...run, steps: stepsOfRun.get(run.id) ?? [] }));
}

// flowflare:src/workflow-bindings.js
var RESERVED = [
  "DB",
  "WORKFLOW_TRACKER",
  "WORKFLOW_SERVICE",
  "SERVICE_API_KEY",
  "SERVICE_API_KEY_PREVIOUS"
];
function workflowFor(env, workflows, type) {
  if (workflows === void 0) {
    const name = bindingName(type);
    return RESERVED.includes(name) ? null : asWorkflow(env, name);
  }
  if (!Object.hasOwn(workflows, type)) return null;
  const workflow = asWorkflow(env, workflows[type]);
  if (workflow === null)
    throw new Problem(502, `The Workflow of ${type} is not bound to the service`);
  return workflow;
}
var bindingName = (type) => type.toUpperCase().replace(/[^A-Z0-9]/g, "_");
function asWorkflow(env, name) {
  if (!Object.hasOwn(env, name)) return null;
  const binding = (
    /** @type {any} */
    env[name]
  );
  const isWorkflow = typeof binding === "object" && binding !== null && ["create", "createBatch", "get"].every((method) => typeof binding[method] === "function") && typeof binding.fetch !== "function";
  return isWorkflow ? binding : null;
}
async function createInstance(workflow, id, params) {
  try {
    await workflow.create({ id, params });
  } catch (error) {
    if (!await exists(workflow, id)) throw error;
  }
}
async function exists(workflow, id) {
  try {
    await (await workflow.get(id)).status();
    return true;
  } catch {
    return false;
  }
}

// flowflare:src/start-run.js
var START_FIELDS = {
  workflowType: required(workflowName),
  params: optional(plainObject),
  ref_id: optional(label),
  ref_type: optional(label),
  metadata: optional(jsonColumn(16 * 1024)),
  runId: optional(runId),
  idempotency_key: optional(label)
};
var NOT_CREATED = "workflow_not_created";
async function startRun({ db, env, workflows, announce }, body, idempotencyKey) {
  const request = readFields(body, START_FIELDS);
  const key = idempotencyKey ?? request.idempotency_key;
  if (key !== null && (key === "" || key.length > 256)) {
    const message = "Idempotency-Key must have 1 to 256 characters";
    throw invalid([{ path: "Idempotency-Key", message }]);
  }
  const id = request.runId ?? (key === null ? newRunId() : await runIdForKey(key));
  const repeatable = request.runId !== null || key !== null;
  const digest = repeatable ? await digestOf(request) : null;
  const [, inserted, selected] = await db.batch(
    startStatements(
      db,
      {
        id,
        workflow_name: request.workflowType,
        workflow_id: null,
        ref_id: request.ref_id,
        ref_type: request.ref_type,
        input_params: JSON.stringify(request.params ?? {}),
        metadata: request.metadata,
        request_digest: digest
      },
      (/* @__PURE__ */ new Date()).toISOString()
    )
  );
  const { request_digest, ...row } = (
    /** @type {Row} */
    selected.results[0]
  );
  const created = inserted.meta.changes > 0;
  if (created) announce([{ type: "run_update", run_update: row }]);
  else if (request_digest !== digest) {
    throw new Problem(422, "This Idempotency-Key or run id was used for another request");
  }
  if (wasNotCreated(row)) throw notCreated(id);
  if (row.status === "Running") await carryOut({ db, env, workflows, announce }, id, request);
  return {
    success: true,
    workflowId: id,
    runId: id,
    workflow_id: row.workflow_id,
    status: row.status,
    ref_id: row.ref_id,
    ref_type: row.ref_type,
    created,
    idempotent_replay: !created
  };
}
async function carryOut({ db, env, workflows, announce }, id, { workflowType, params, ref_id, ref_type }) {
  try {
    const workflow = workflowFor(env, workflows, workflowType);
    if (workflow === null) return;
    const refs = { ...ref_id !== null && { ref_id }, ...ref_type !== null && { ref_type } };
    await createInstance(workflow, id, { ...params, ...refs });
  } catch (error) {
    console.error(`flowflare: the Workflow of run ${id} was not created: ${error}`);
    const output_result = { error: NOT_CREATED, message: String(error).slice(0, 1024) };
    const failure = { type: "run_update", run_update: { id, status: "Errored", output_result } };
    const { events } = await takeUpdates(db, failure);
    announce(events);
    throw notCreated(id);
  }
}
var notCreated = (id) => new Problem(502, "The Workflow could not be created; the run is recorded as Errored", {
  members: { workflowId: id, runId: id }
});
var wasNotCreated = ({ status, output_result }) => status === "Errored" && String(output_result).startsWith(`{"error":"${NOT_CREATED}"`);
async function digestOf({ workflowType, params, ref_id, ref_type, metadata }) {
  return hex(await sha256(JSON.stringify([workflowType, params, ref_id, ref_type, metadata])));
}

// flowflare:src/service.js
var ROUTES = Object.freeze({
  "/healthz": {
    method: "GET",
    access: "open",
    answer: async () => json({ success: true, status: "ok" })
  },
  "/service/start-workflow": { method: "POST", access: "service", answer: start },
  "/service/get-workflow": { method: "POST", access: "service", answer: get },
  "/service/list-workflows": { method: "POST", access: "service", answer: list },
  "/service/get-workflows-by-ref": { method: "POST", access: "service", answer: byRef },
  "/api/workflows/update": { method: "POST", access: "api", answer: update },
  "/api/workflows/query": { method: "POST", access: "api", answer: query },
  "/api/tracker-websocket": { method: "GET", access: "api", answer: watch }
});
function createWorkflowService(options = {}) {
  return { fetch: (request, env, ctx) => respond(request, env, ctx, options) };
}
async function respond(request, env, ctx, options) {
  const requestId = request.headers.get("CF-Ray") ?? crypto.randomUUID();
  const { pathname } = new URL(request.url);
  const route = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname] : null;
  const announce = (events) => ctx.waitUntil(publish(env.WORKFLOW_TRACKER, events));
  let response;
  try {
    response = await answerTo(route, { request, env, options, announce });
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status >= 500) console.error(`flowflare: ${pathname} ${requestId}:`, error);
    response = json(problem.body(requestId), problem.status, problem.headers);
  }
  if (options.debug) {
    console.log(`flowflare: ${request.method} ${pathname} ${response.status} ${requestId}`);
  }
  if (response.status === 101) return response;
  const cors = route?.access === "api" ? corsHeaders(request, options.allowedOrigins ?? []) : {};
  const headers = { ...cors, "X-Request-Id": requestId, "Cache-Control": "no-store" };
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
async function answerTo(route, call) {
  const { request, env, options } = call;
  if (route === null) throw new Problem(404, "There is no such route");
  if (route.access === "api" && request.method === "OPTIONS") {
    return preflight(request, options.allowedOrigins ?? []);
  }
  if (request.method !== route.method) {
    throw new Problem(405, `Use ${route.method}`, { headers: { Allow: route.method } });
  }
  const needsKey = route.access === "service" || route.access === "api" && options.apiAuth !== "off";
  if (needsKey) await requireKey(request, env);
  return route.answer(call);
}
async function start({ request, env, options, announce }) {
  const context = {
    db: env.DB,
    env: (
      /** @type {any} */
      env
    ),
    workflows: options.workflows,
    announce
  };
  return json(
    await startRun(context, await readJson(request), request.headers.get("Idempotency-Key"))
  );
}
async function get({ request, env }) {
  const body = (
    /** @type {Record<string, unknown> | null} */
    await readJson(request)
  );
  const id = body?.workflowId ?? body?.runId ?? body?.workflow_instance_id ?? body?.id;
  if ((typeof id !== "string" || id === "") && typeof id !== "number") {
    throw invalid([{ path: "workflowId", message: "workflowId is required" }]);
  }
  const workflow = await runOrWorkflow(env.DB, String(id));
  if (workflow === null) {
    throw new Problem(404, "There is no such workflow", { members: { workflow } });
  }
  return json({ success: true, workflow });
}
async function runOrWorkflow(db, id) {
  const run = await readRun(db, id);
  return run ?? (/^\d{1,15}$/.test(id) ? readWorkflow(db, id) : null);
}
async function list({ request, env }) {
  return json(await listed(env.DB, await readJson(request)));
}
async function byRef({ request, env }) {
  const body = (
    /** @type {Record<string, unknown> | null} */
    await readJson(request)
  );
  if (!body?.ref_id && !body?.ref_type) {
    throw new Problem(400, "Either ref_id or ref_type must be provided");
  }
  return json(await listed(env.DB, body));
}
async function listed(db, body) {
  const { rows, ...page } = await readPage(db, readListRequest(body));
  return { success: true, workflows: rows, ...page };
}
async function update({ request, env, announce }) {
  const { answer, events } = await takeUpdates(env.DB, await readJson(request));
  announce(events);
  return json(answer);
}
async function query({ request, env }) {
  const asked = readListRequest(await readJson(request));
  if (asked.workflowId !== null) {
    const run = await readRun(env.DB, asked.workflowId);
    return json({ success: true, type: "query_result", data: run ? [run] : [], next_cursor: null });
  }
  const { rows, ...page } = await readPage(env.DB, asked);
  return json({ success: true, type: "query_result", data: rows, ...page });
}
async function watch({ request, env, options }) {
  if (!isUpgrade(request)) {
    throw new Problem(426, "Connect with a WebSocket", { headers: { Upgrade: "websocket" } });
  }
  requireOrigin(request, options.allowedOrigins ?? []);
  const response = await feedOf(env.WORKFLOW_TRACKER).fetch(request);
  if (response.status === 101) return response;
  throw new Problem(503, "There are too many watchers", { headers: { "Retry-After": "30" } });
}

// flowflare:src/tracker.js
import { DurableObject } from "cloudflare:workers";
var MAX_SOCKETS = 1e3;
var MAX_MESSAGE_LENGTH = 16 * 1024;
var COALESCE_MS = 50;
var MAX_FRAME_EVENTS = 100;
var MAX_FRAME_LENGTH = 128 * 1024;
var KEPT_FRAMES = 100;
var WorkflowTracker = class extends DurableObject {
  /** The number of the last event sent; it outlives the object, so that no number is given twice. */
  #seq = 0;
  /** @type {FeedEvent[]} */
  #queue = [];
  /** @type {{seq: number, text: string}[]} */
  #frames = [];
  /** @type {Promise<void> | null} */
  #flushing = null;
  /**
   * @param {DurableObjectState} ctx
   * @param {TrackerEnv} env
   */
  constructor(ctx, env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    ctx.blockConcurrencyWhile(async () => {
      this.#seq = await ctx.storage.get("seq") ?? 0;
    });
  }
  /**
   * Connects a watcher, whom the service has let in, and sends the latest runs.
   * @param {Request} request the WebSocket upgrade
   */
  async fetch(request) {
    if (!isUpgrade(request)) return new Response(null, { status: 426 });
    if (this.ctx.getWebSockets().length >= MAX_SOCKETS) return new Response(null, { status: 503 });
    const seq = this.#seq;
    const { rows, next_cursor } = await readPage(this.env.DB, readListRequest({}));
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    send(server, JSON.stringify({ type: "initial_data", data: rows, seq, next_cursor }));
    for (const frame of this.#frames) if (frame.seq > seq) send(server, frame.text);
    return new Response(null, { status: 101, webSocket: client });
  }
  /**
   * Applies an update for a Worker that has no other way to the service than this object.
   * @param {string} body the JSON that /api/workflows/update takes
   * @returns {Promise<{status: number, text: string}>} what /api/workflows/update would answer
   */
  async update(body) {
    try {
      const { answer, events } = await takeUpdates(this.env.DB, parseJson(body));
      this.publish(events);
      return { status: 200, text: JSON.stringify(answer) };
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status >= 500) console.error("flowflare: update failed:", error);
      return { status: problem.status, text: JSON.stringify(problem.body(newRunId())) };
    }
  }
  /**
   * Queues events for all watchers.
   * @param {FeedEvent[]} events
   */
  publish(events) {
    if (events.length === 0) return;
    this.#queue.push(...events);
    this.#flushing ??= scheduler.wait(COALESCE_MS).then(() => this.#flush());
  }
  #flush() {
    this.#flushing = null;
    const frames = framesOf(this.#queue.splice(0), this.#seq);
    this.#seq = frames[frames.length - 1].seq;
    this.#frames = [...this.#frames, ...frames].slice(-KEPT_FRAMES);
    this.ctx.storage.put("seq", this.#seq);
    for (const socket of this.ctx.getWebSockets()) {
      for (const frame of frames) send(socket, frame.text);
    }
  }
  /**
   * @param {WebSocket} socket
   * @param {string | ArrayBuffer} message
   */
  async webSocketMessage(socket, message) {
    if (typeof message !== "string" || message.length > MAX_MESSAGE_LENGTH) {
      socket.close(1009, `Messages are texts of up to ${MAX_MESSAGE_LENGTH} characters`);
      return;
    }
    try {
      send(socket, JSON.stringify(await this.#answer(parseJson(message))));
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status >= 500) console.error("flowflare: query failed:", error);
      send(socket, JSON.stringify({ type: "error", error: problem.message }));
    }
  }
  /**
   * Completes the closing handshake; without an answer the watcher would wait for one, and report 1006.
   * @param {WebSocket} socket
   * @param {number} code
   * @param {string} reason
   */
  webSocketClose(socket, code, reason) {
    if (code === 1005 || code === 1006) socket.close();
    else socket.close(code, reason);
  }
  /** @param {unknown} message */
  async #answer(message) {
    const { type, params } = (
      /** @type {{type?: unknown, params?: unknown}} */
      message ?? {}
    );
    if (type !== "query")
      throw new Problem(400, 'The only message known is {"type": "query", "params": {...}}');
    const { rows, next_cursor, has_more } = await readPage(
      this.env.DB,
      readListRequest(params ?? {})
    );
    return { type: "query_result", data: rows, next_cursor, has_more };
  }
};
function framesOf(events, seq) {
  const frames = [];
  let batch2 = [];
  let length = 0;
  const close = () => {
    const more = batch2.length > 1 ? { batch: batch2 } : {};
    frames.push({
      seq,
      text: JSON.stringify({ type: "update", data: batch2.at(-1), seq, ...more })
    });
    batch2 = [];
    length = 0;
  };
  for (const event of events) {
    const size = JSON.stringify(event).length;
    if (batch2.length > 0 && (batch2.length === MAX_FRAME_EVENTS || length + size > MAX_FRAME_LENGTH))
      close();
    batch2.push(event);
    length += size;
    seq += 1;
  }
  if (batch2.length > 0) close();
  return frames;
}
function send(socket, text2) {
  try {
    socket.send(text2);
  } catch {
  }
}

// flowflare:src/retry-plan.js
var MAX_DELAY_MS = 365 * 24 * 3600 * 1e3;

// flowflare:src/workflow.js
var MAX_STATE_BYTES = 256 * 1024;
export default createWorkflowService({"allowedOrigins": [], "debug": false});
export { WorkflowTracker as WorkflowTracker };
