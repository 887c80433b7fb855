/** Read and check a list request: filters, page and extras. */

import { decodeCursor } from './cursor.js';
import {
  flag,
  integer,
  invalid,
  label,
  oneOf,
  optional,
  plainObject,
  readFilterFields,
  someOf,
  text,
  time,
  workflowName,
} from './fields.js';
import { RUN_STATUSES } from './statuses.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
/** Skipped rows are read all the same; use cursors to go further. */
const MAX_OFFSET = 10_000;

const LIST_FIELDS = {
  workflowType: optional(workflowName),
  status: optional(oneOf(RUN_STATUSES)),
  ref_id: optional(label),
  ref_type: optional(label),
  created_after: optional(time),
  created_before: optional(time),
  metadata: optional(plainObject),
  stuck: optional(flag),
  limit: optional(integer(1, Number.MAX_SAFE_INTEGER)),
  offset: optional(integer(0, MAX_OFFSET)),
  cursor: optional(text),
  view: optional(oneOf(['runs', 'workflows'])),
  include: optional(someOf(['steps', 'retries'])),
};

/** @typedef {ReturnType<typeof readListRequest>} ListRequest */

/**
 * @param {unknown} body
 * @throws {import('./problem.js').Problem} 400 with the invalid fields
 */
export function readListRequest(body) {
  const fields = readFilterFields(body, LIST_FIELDS);
  const metadata = Object.entries(fields.metadata ?? {});
  if (metadata.some(([, value]) => !isScalar(value))) {
    const message = 'metadata must map keys to texts, numbers or booleans';
    throw invalid([{ path: 'metadata', message }]);
  }
  if (metadata.length > 10) {
    throw invalid([{ path: 'metadata', message: 'metadata must not have more than 10 keys' }]);
  }
  const view = fields.view ?? 'runs';
  if (fields.stuck && view === 'workflows') {
    throw invalid([{ path: 'stuck', message: 'stuck is said of runs: leave out view' }]);
  }
  return {
    ...fields,
    view,
    stuck: fields.stuck ?? false,
    metadata: /** @type {[string, string | number | boolean][]} */ (metadata),
    limit: Math.min(fields.limit ?? DEFAULT_LIMIT, MAX_LIMIT),
    offset: fields.offset ?? 0,
    after: fields.cursor === null ? null : decodeCursor(fields.cursor),
    include: new Set(fields.include ?? []),
  };
}

/** @param {unknown} value JSON's 1e999 reads as Infinity, which no database accepts */
const isScalar = (value) => ['string', 'boolean'].includes(typeof value) || Number.isFinite(value);
