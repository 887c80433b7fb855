/** What a list request asks for: filters, page and extras, checked. */

import { decodeCursor } from './cursor.js';
import {
  integer,
  invalid,
  label,
  oneOf,
  optional,
  plainObject,
  readFields,
  runId,
  someOf,
  text,
  time,
  workflowName,
} from './fields.js';
import { RUN_STATUSES } from './statuses.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

const LIST_FIELDS = {
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
  view: optional(oneOf(['runs', 'workflows'])),
  include: optional(someOf(['steps', 'retries'])),
};

/** @typedef {ReturnType<typeof readListRequest>} ListRequest */

/**
 * @param {unknown} body
 * @throws {import('./problem.js').Problem} 400 with the fields at fault
 */
export function readListRequest(body) {
  const fields = readFields(body, LIST_FIELDS);
  const metadata = Object.entries(fields.metadata ?? {});
  if (metadata.some(([, value]) => !['string', 'number', 'boolean'].includes(typeof value))) {
    const message = 'metadata must map keys to texts, numbers or booleans';
    throw invalid([{ path: 'metadata', message }]);
  }
  if (metadata.length > 10) {
    throw invalid([{ path: 'metadata', message: 'metadata must not have more than 10 keys' }]);
  }
  return {
    ...fields,
    metadata: /** @type {[string, string | number | boolean][]} */ (metadata),
    limit: Math.min(fields.limit ?? DEFAULT_LIMIT, MAX_LIMIT),
    offset: fields.offset ?? 0,
    after: fields.cursor === null ? null : decodeCursor(fields.cursor),
    view: fields.view ?? 'runs',
    include: new Set(fields.include ?? []),
  };
}
