/** The objects that the HTTP API accepts and returns, as JSON Schemas. */

import { NATIVE_STATUSES, RUN_STATUSES, STEP_STATUSES } from './statuses.js';

/**
 * @typedef {Record<string, unknown>} Schema
 * @typedef {{type: string, properties: Record<string, Schema>, required: string[]}} ObjectSchema
 */

export const string = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
export const flag = { type: 'boolean' };
export const nullableText = { type: ['string', 'null'] };
const instant = { type: 'string', format: 'date-time' };
const nullableInstant = { type: ['string', 'null'], format: 'date-time' };

/**
 * @param {string} description
 * @param {Schema} schema
 */
export const told = (description, schema) => ({ ...schema, description });

/** @param {string} name */
export const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

/**
 * @param {Record<string, Schema>} properties
 * @param {string[]} [required]
 * @returns {ObjectSchema}
 */
export const object = (properties, required = []) => ({ type: 'object', properties, required });

/**
 * An object that limits what a client may see: no other names, and no field without a value.
 * @param {Record<string, Schema>} properties
 * @returns {Schema}
 */
export const grant = (properties) => ({ type: 'object', properties, additionalProperties: false });

/**
 * An object of a request: a field that is not required may also be null or ''.
 * @param {Record<string, Schema>} properties
 * @param {string[]} [required]
 */
export const input = (properties, required = []) =>
  object(
    Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [
        name,
        required.includes(name) ? schema : { anyOf: [schema, ref('Absent')] },
      ]),
    ),
    required,
  );

/**
 * The filters of a list: no other names, and an empty value is no filter.
 * @param {Record<string, Schema>} properties
 */
export const filters = (properties) => ({ ...input(properties), additionalProperties: false });

/** @param {Schema} items */
export const list = (items) => ({ type: 'array', items });

/** @param {readonly string[]} choices */
export const oneOf = (choices) => ({ type: 'string', enum: [...choices] });

export const rowId = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
const SAFE = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
const number = (/** @type {number} */ minimum) => ({
  type: 'integer',
  minimum,
  maximum: 1_000_000,
});
const order = told(
  'Rises from update to update, such as the clock in ms; a late update changes nothing.',
  {
    type: 'integer',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
  },
);
const json = (/** @type {string} */ size) =>
  told(`Any JSON, up to ${size}; a text is stored as it is.`, {});

const run = {
  id: string,
  runId: string,
  workflow_id: rowId,
  workflow_name: string,
  status: ref('RunStatus'),
  native_status: nullableText,
  ref_id: nullableText,
  ref_type: nullableText,
  input_params: told('JSON, as text. Long texts are cut in lists.', nullableText),
  output_result: nullableText,
  metadata: nullableText,
  created_at: instant,
  updated_at: instant,
  completed_at: nullableInstant,
  sleep_until: nullableInstant,
  stuck: told('Why the run is stuck; null if it is not.', {
    enum: ['overslept', 'silent', null],
  }),
};
const RUN_REQUIRED = ['id', 'workflow_id', 'workflow_name', 'status', 'created_at', 'updated_at'];

/** The filters and page options of every list. */
export const FILTERS = {
  workflowType: ref('WorkflowType'),
  status: ref('RunStatus'),
  ref_id: ref('Label'),
  ref_type: ref('Label'),
  created_after: ref('Time'),
  created_before: ref('Time'),
  metadata: told('Values by key; up to 10.', {
    type: 'object',
    maxProperties: 10,
    additionalProperties: { type: ['string', 'number', 'boolean'] },
  }),
  stuck: told('true for stuck runs alone.', flag),
  limit: told('20 if not given; above 100 is 100.', rowId),
  offset: { type: 'integer', minimum: 0, maximum: 10_000 },
  cursor: told('The next_cursor of the page before.', string),
  include: list(oneOf(['steps', 'retries'])),
};

/** By the names that `ref` uses. */
export const SCHEMAS = {
  Absent: told('The same as leaving the field out.', { enum: [null, ''] }),
  RunId: told('The id of a run and of its Workflow instance.', {
    type: ['string', 'integer'],
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
  }),
  WorkflowType: { type: ['string', 'integer'], pattern: '^[A-Za-z0-9_.:-]{1,64}$', ...SAFE },
  Label: {
    type: ['string', 'integer'],
    pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]{1,256}$',
    ...SAFE,
  },
  Time: {
    anyOf: [
      instant,
      told('Milliseconds since 1970.', {
        type: 'number',
        minimum: Date.parse('0000-01-01T00:00:00Z'),
        maximum: Date.parse('9999-12-31T23:59:59.999Z'),
      }),
    ],
  },
  RunStatus: oneOf(RUN_STATUSES),
  StepStatus: oneOf(STEP_STATUSES),
  Run: object(run, RUN_REQUIRED),
  RunWithSteps: object({ ...run, steps: list(ref('Step')) }, [...RUN_REQUIRED, 'steps']),
  Step: object(
    {
      id: rowId,
      workflow_run_id: string,
      step_name: string,
      step_index: count,
      status: ref('StepStatus'),
      state: told("JSON, as text: the step's result, or its error.", nullableText),
      attempt: rowId,
      started_at: nullableInstant,
      completed_at: nullableInstant,
      retries: list(ref('Retry')),
    },
    ['id', 'workflow_run_id', 'step_name', 'step_index', 'status', 'attempt'],
  ),
  Retry: object(
    {
      id: rowId,
      workflow_step_id: rowId,
      retry_count: count,
      retry_at: nullableInstant,
      last_error: nullableText,
      created_at: instant,
    },
    ['id', 'workflow_step_id', 'retry_count', 'created_at'],
  ),
  Workflow: object(
    {
      id: rowId,
      name: string,
      status: ref('RunStatus'),
      last_run_id: nullableText,
      runs_count: count,
      ref_id: nullableText,
      ref_type: nullableText,
      input_params: told("The first run's; never modified.", nullableText),
      output_result: nullableText,
      metadata: nullableText,
      created_at: instant,
      updated_at: instant,
      completed_at: nullableInstant,
      runs: list(ref('Run')),
    },
    ['id', 'name', 'status', 'runs_count', 'created_at', 'updated_at'],
  ),
  RunUpdate: input(
    {
      id: ref('RunId'),
      workflow_name: ref('WorkflowType'),
      workflow_id: rowId,
      ref_id: ref('Label'),
      ref_type: ref('Label'),
      status: oneOf([...RUN_STATUSES, 'Pending']),
      native_status: oneOf(Object.keys(NATIVE_STATUSES)),
      input_params: json('1 MiB'),
      output_result: json('1 MiB'),
      metadata: json('16 KiB'),
      sleep_until: ref('Time'),
      restart: told('true takes a finished run up again.', flag),
      order,
    },
    ['id'],
  ),
  StepUpdate: input(
    {
      workflow_run_id: ref('RunId'),
      step_index: number(0),
      step_name: ref('Label'),
      status: ref('StepStatus'),
      state: told('Any JSON; beyond 256 KiB only its size is kept.', {}),
      attempt: number(1),
      order,
    },
    ['workflow_run_id', 'step_index', 'step_name'],
  ),
  RetryUpdate: input(
    {
      workflow_run_id: ref('RunId'),
      step_index: number(0),
      step_name: ref('Label'),
      retry_count: number(0),
      retry_at: ref('Time'),
      last_error: told('Cut to 8 Ki characters; what is no text is kept as JSON.', {}),
      order,
    },
    ['workflow_run_id', 'step_index'],
  ),
  Update: {
    oneOf: [
      ['run_update', 'RunUpdate'],
      ['step_update', 'StepUpdate'],
      ['retry_update', 'RetryUpdate'],
    ].map(([type, name]) => object({ type: { const: type }, [type]: ref(name) }, ['type', type])),
  },
  Filters: filters(FILTERS),
  Problem: told("RFC 9457's members beside success and error.", {
    ...object(
      {
        success: { const: false },
        error: string,
        type: string,
        title: string,
        status: { type: 'integer' },
        detail: string,
        instance: string,
        errors: list(object({ path: string, message: string }, ['path', 'message'])),
      },
      ['success', 'error', 'type', 'title', 'status', 'detail', 'instance'],
    ),
  }),
};
