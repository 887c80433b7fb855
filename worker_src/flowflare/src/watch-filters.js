/** Filter the events that a watcher receives: those of one run, one type, one reference, or all. */

import {
  integer,
  label,
  matching,
  optional,
  readFields,
  readGrant,
  runId,
  text,
  workflowName,
} from './fields.js';
import { Problem } from './problem.js';

/** @typedef {import('./feed.js').FeedEvent} FeedEvent */
/** @typedef {Record<string, unknown>} Row */

/**
 * A field that is set must be equal; a missing field matches anything.
 * @typedef {{workflowId?: string, workflowType?: string, ref_id?: string, ref_type?: string}} Filters
 */

/**
 * The identity of a run.
 * @typedef {{id: string, workflow_name: string, ref_id: string | null, ref_type: string | null}} Identity
 */

const FIELDS = {
  workflowId: optional(runId),
  workflowType: optional(workflowName),
  ref_id: optional(label),
  ref_type: optional(label),
};
const SINCE = { since: optional(integer(0, Number.MAX_SAFE_INTEGER)) };
/** A filter beside `params` would be ignored. Without `params`, a subscription is to everything. */
const MESSAGE = { type: text, params: (/** @type {unknown} */ given) => given ?? {} };
/** Every value in an address is text. */
const SINCE_TEXT = { since: optional(matching(/^\d{1,15}$/, 'the seq of a frame')) };

/**
 * @param {unknown} params
 * @param {string} [path] the filters' path in the request
 * @returns {Filters} only the given fields
 * @throws {Problem} 400 with the invalid fields: unknown names and empty values would match too
 *   much
 */
export const readFilters = (params, path) => withoutNull(readGrant(params, FIELDS, path));

/**
 * @param {unknown} params
 * @returns {number | null} the number of the last event that the watcher has received
 * @throws {Problem} 400
 */
export const readSince = (params) => readFields(params, SINCE).since;

/**
 * @param {unknown} message from a watcher, with the new filters in `params`
 * @returns {{filters: Filters, since: number | null}}
 * @throws {Problem} 400
 */
export function readSubscription(message) {
  const { params } = readGrant(message, MESSAGE);
  const { since, ...filters } = readGrant(params, { ...FIELDS, ...SINCE });
  return { filters: withoutNull(filters), since };
}

/**
 * Read filters and `since` from a WebSocket's address.
 * @param {URLSearchParams} query
 * @throws {Problem} 400
 */
export function readWatch(query) {
  const given = Object.fromEntries(query);
  const { since, ...filters } = readGrant(given, { ...FIELDS, ...SINCE_TEXT });
  return { filters: withoutNull(filters), since: since === null ? null : Number(since) };
}

/**
 * @param {Record<string, string | null>} filters
 * @returns {Filters}
 */
const withoutNull = (filters) =>
  Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== null));

/**
 * @param {Filters} filters
 * @param {Filters} bound the ticket's filters, which always apply
 * @returns {Filters} both
 * @throws {Problem} 403 if the filters contradict the ticket
 */
export function within(filters, bound) {
  for (const [name, value] of Object.entries(filters)) {
    if (Object.hasOwn(bound, name) && bound[/** @type {keyof Filters} */ (name)] !== value) {
      throw new Problem(403, `The ticket is for another ${name}`);
    }
  }
  return { ...filters, ...bound };
}

/** @param {Filters} filters whether they need more of an event's run than its ID */
export const needsIdentity = ({ workflowType, ref_id, ref_type }) =>
  workflowType !== undefined || ref_id !== undefined || ref_type !== undefined;

/** @param {FeedEvent} event */
export function runOf(event) {
  const row = /** @type {Row} */ (/** @type {Row} */ (event)[event.type]);
  return String(event.type === 'run_update' ? row.id : row.workflow_run_id);
}

/**
 * @param {Filters} filters
 * @param {Identity | Row | undefined} run if undefined, only filters without run properties match
 * @param {string} id of the run
 */
export function matches(filters, run, id) {
  if (filters.workflowId !== undefined && filters.workflowId !== id) return false;
  if (!needsIdentity(filters)) return true;
  return (
    run !== undefined &&
    (filters.workflowType === undefined || filters.workflowType === run.workflow_name) &&
    (filters.ref_id === undefined || filters.ref_id === run.ref_id) &&
    (filters.ref_type === undefined || filters.ref_type === run.ref_type)
  );
}
