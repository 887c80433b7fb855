-- The tracking schema: what has run, in which step, with which retries.
--
-- Every *_at column and sleep_until is text: ISO 8601 in UTC with milliseconds, written by the service
-- (the defaults serve rows that a person inserts). Text of one width sorts as time does.
-- D1 bills a written row for each index a change touches, so every index below names the question it answers.

-- workflow: one row for each combination of name and reference, with the state of its latest run.
-- An absent reference is NULL, and two absent references are the same one.
CREATE TABLE workflow (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'Running' CHECK (status IN ('Running', 'Sleeping', 'Completed', 'Errored')),
  input_params TEXT,                        -- JSON; the first run's, never modified
  output_result TEXT,
  metadata TEXT,                            -- JSON
  last_run_id TEXT,
  ref_id TEXT,
  ref_type TEXT,
  runs_count INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  completed_at TEXT
);
-- UNIQUE (name, ref_id, ref_type) would let duplicates through: SQLite holds NULLs to be distinct.
CREATE UNIQUE INDEX workflow_identity ON workflow (name, coalesce(ref_id, ''), coalesce(ref_type, ''));

-- workflow_runs: one row for each execution; the id is also the Cloudflare Workflow instance's.
-- workflow_name repeats workflow.name, so that a list of one type is one index range and not a join.
CREATE TABLE workflow_runs (
  id TEXT PRIMARY KEY NOT NULL,
  workflow_id INTEGER NOT NULL REFERENCES workflow (id) ON DELETE CASCADE,
  status TEXT NOT NULL DEFAULT 'Running' CHECK (status IN ('Running', 'Sleeping', 'Completed', 'Errored')),
  ref_id TEXT,
  ref_type TEXT,
  input_params TEXT,                        -- JSON
  output_result TEXT,                       -- JSON
  metadata TEXT,                            -- JSON
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  completed_at TEXT,
  sleep_until TEXT,
  workflow_name TEXT NOT NULL,
  native_status TEXT,                       -- Cloudflare's own, finer state, where it is known
  request_digest TEXT                       -- SHA-256 of the start request that may be repeated
);
CREATE INDEX workflow_runs_newest ON workflow_runs (created_at, id);
CREATE INDEX workflow_runs_of_type ON workflow_runs (workflow_name, created_at, id);
CREATE INDEX workflow_runs_in_status ON workflow_runs (status, created_at, id);
CREATE INDEX workflow_runs_of_workflow ON workflow_runs (workflow_id, created_at, id);
CREATE INDEX workflow_runs_of_ref ON workflow_runs (ref_id, created_at, id) WHERE ref_id IS NOT NULL;
CREATE INDEX workflow_runs_of_ref_type ON workflow_runs (ref_type, created_at, id) WHERE ref_type IS NOT NULL;

-- workflow_steps: one row for each step of a run, however often it is attempted or reported.
CREATE TABLE workflow_steps (
  id INTEGER PRIMARY KEY,
  workflow_run_id TEXT NOT NULL REFERENCES workflow_runs (id) ON DELETE CASCADE,
  step_name TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'Pending'
    CHECK (status IN ('Pending', 'Running', 'Completed', 'Failed', 'Retrying')),
  step_index INTEGER NOT NULL,
  state TEXT,                               -- JSON; the step's result, or its error
  started_at TEXT,
  completed_at TEXT,
  attempt INTEGER NOT NULL DEFAULT 1        -- grows when a failed step runs again
);
CREATE UNIQUE INDEX workflow_steps_identity ON workflow_steps (workflow_run_id, step_index, step_name);

-- workflow_step_retries: one row for each retry of a step; last_error is what made it necessary.
CREATE TABLE workflow_step_retries (
  id INTEGER PRIMARY KEY,
  workflow_step_id INTEGER NOT NULL REFERENCES workflow_steps (id) ON DELETE CASCADE,
  retry_count INTEGER NOT NULL,
  retry_at TEXT,
  last_error TEXT,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE UNIQUE INDEX workflow_step_retries_identity ON workflow_step_retries (workflow_step_id, retry_count);
