/** Start a run: record it, then create its Workflow instance. */

import { takeUpdates } from './apply-updates.js';
import {
  invalid,
  jsonColumn,
  label,
  optional,
  plainObject,
  readFields,
  required,
  runId,
  workflowName,
} from './fields.js';
import { hex, newRunId, runIdForKey, sha256 } from './ids.js';
import { Problem } from './problem.js';
import { startedStatement, startStatements } from './run-statements.js';
import { createInstance, workflowFor } from './workflow-bindings.js';

/** @typedef {Record<string, unknown>} Row */
/** @typedef {import('./feed.js').FeedEvent} FeedEvent */

const START_FIELDS = {
  workflowType: required(workflowName),
  params: optional(plainObject),
  ref_id: optional(label),
  ref_type: optional(label),
  metadata: optional(jsonColumn(16 * 1024)),
  runId: optional(runId),
  idempotency_key: optional(label),
};

/** The start of a run's result if its Workflow was not created. */
const NOT_CREATED = 'workflow_not_created';

/**
 * @typedef {object} Start
 * @property {D1Database} db
 * @property {Record<string, unknown>} env
 * @property {Readonly<Record<string, string>>} [workflows]
 * @property {(events: FeedEvent[]) => void} announce
 */

/**
 * @param {Start} context
 * @param {unknown} body
 * @param {string | null} idempotencyKey the request's Idempotency-Key
 * @returns the answer's body
 * @throws {Problem} 400, 422 if the key or ID belongs to another request, 502 if the Workflow was
 *   not created
 */
export async function startRun({ db, env, workflows, announce }, body, idempotencyKey) {
  const request = readFields(body, START_FIELDS);
  const key = idempotencyKey ?? request.idempotency_key;
  if (key !== null && (key === '' || key.length > 256)) {
    const message = 'Idempotency-Key must have 1 to 256 characters';
    throw invalid([{ path: 'Idempotency-Key', message }]);
  }
  const id = request.runId ?? (key === null ? newRunId() : await runIdForKey(key));
  const repeatable = request.runId !== null || key !== null;
  const digest = repeatable ? await digestOf(request) : null;

  const [, inserted, existing] = await db.batch(
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
        request_digest: digest,
      },
      new Date().toISOString(),
    ),
  );
  const [stored] = inserted.results.length > 0 ? inserted.results : (existing?.results ?? []);
  // If another request fails to report the results of these statements, they are sent again and
  // then insert nothing. An ID that was created here is used by no other request.
  const created = inserted.results.length > 0 || !repeatable;
  const { request_digest, ...row } = /** @type {Row} */ (stored ?? (await startedRun(db, id)));
  if (created) announce([{ type: 'run_update', run_update: row }]);
  else if (request_digest !== digest) {
    throw new Problem(422, 'This Idempotency-Key or run id was used for another request');
  }
  if (wasNotCreated(row)) throw notCreated(id);
  // A repeated start resumes where the first may have been interrupted.
  if (row.status === 'Running') await carryOut({ db, env, workflows, announce }, id, request);
  return {
    success: true,
    workflowId: id,
    runId: id,
    workflow_id: row.workflow_id,
    status: row.status,
    ref_id: row.ref_id,
    ref_type: row.ref_type,
    created,
    idempotent_replay: !created,
  };
}

/**
 * @param {D1Database} db
 * @param {string} id
 */
async function startedRun(db, id) {
  const [{ results }] = await db.batch([startedStatement(db, id)]);
  return results[0];
}

/**
 * @param {Start} context
 * @param {string} id
 * @param {{workflowType: string, params: Row | null, ref_id: string | null, ref_type: string | null}} request
 */
async function carryOut(
  { db, env, workflows, announce },
  id,
  { workflowType, params, ref_id, ref_type },
) {
  try {
    const workflow = workflowFor(env, workflows, workflowType);
    if (workflow === null) return;
    const refs = { ...(ref_id !== null && { ref_id }), ...(ref_type !== null && { ref_type }) };
    await createInstance(workflow, id, { ...params, ...refs });
  } catch (error) {
    console.error(`flowflare: the Workflow of run ${id} was not created: ${error}`);
    const output_result = { error: NOT_CREATED, message: String(error).slice(0, 1024) };
    const failure = { type: 'run_update', run_update: { id, status: 'Errored', output_result } };
    const { events } = await takeUpdates(db, failure);
    announce(events);
    throw notCreated(id);
  }
}

/** @param {string} id */
const notCreated = (id) =>
  new Problem(502, 'The Workflow could not be created; the run is recorded as Errored', {
    members: { workflowId: id, runId: id },
  });

/** @param {Row} run */
const wasNotCreated = ({ status, output_result }) =>
  status === 'Errored' && String(output_result).startsWith(`{"error":"${NOT_CREATED}"`);

/** @param {Row} request */
async function digestOf({ workflowType, params, ref_id, ref_type, metadata }) {
  return hex(await sha256(JSON.stringify([workflowType, params, ref_id, ref_type, metadata])));
}
