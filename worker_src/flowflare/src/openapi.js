/** The answer of GET /openapi.json: the HTTP API described for people and tools (OpenAPI 3.1). */

import {
  FILTERS,
  filters,
  flag,
  grant,
  input,
  list,
  nullableText,
  object,
  ref,
  rowId,
  SCHEMAS,
  string,
  told,
} from './openapi-schemas.js';

/**
 * @typedef {import('./openapi-schemas.js').Schema} Schema
 * @typedef {import('./openapi-schemas.js').ObjectSchema} ObjectSchema
 */

/** @param {Schema} schema */
const content = (schema) => ({ 'application/json': { schema } });

/**
 * @param {string} description
 * @param {ObjectSchema} schema the members beside `success`
 */
const success = (description, { properties, required }) => ({
  description,
  content: content(object({ success: { const: true }, ...properties }, ['success', ...required])),
});

/**
 * @param {string} description
 * @param {Schema} [schema]
 */
const problem = (description, schema = ref('Problem')) => ({
  description,
  content: content(schema),
});

/** The answers that most operations share. */
const COMMON = {
  Invalid: problem('The request is not what it should be; errors names the fields at fault.'),
  Unauthorized: problem('There is no valid key.'),
  TooLarge: problem('The body is larger than 1 MiB.'),
  NotJson: problem('The body is not application/json.'),
  Busy: problem('Try again after as many seconds as Retry-After says.'),
};

/** @param {keyof typeof COMMON} name */
const common = (name) => ({ $ref: `#/components/responses/${name}` });

const PROBLEMS = {
  400: common('Invalid'),
  401: common('Unauthorized'),
  413: common('TooLarge'),
  415: common('NotJson'),
  503: common('Busy'),
};

/**
 * @param {string} operationId
 * @param {string} summary
 * @param {Schema} body
 * @param {ObjectSchema} answer
 * @param {Record<string, Schema>} [more] answers that only this operation gives
 * @param {Schema[]} [parameters]
 */
const post = (operationId, summary, body, answer, more = {}, parameters = []) => ({
  post: {
    operationId,
    summary,
    parameters,
    requestBody: { required: true, content: content(body) },
    responses: { 200: success('Done.', answer), ...PROBLEMS, ...more },
  },
});

/**
 * @param {string} operationId
 * @param {string} summary
 * @param {Record<string, Schema>} responses
 * @param {Schema} [more]
 */
const get = (operationId, summary, responses, more = {}) => ({
  get: { operationId, summary, responses, ...more },
});

const RUN_NUMBERS = { workflowId: told("The run's id.", string), runId: string };
const START = input(
  {
    workflowType: ref('WorkflowType'),
    params: told('What the Workflow gets as event.payload.', { type: 'object' }),
    ref_id: told("The caller's own id, such as an order's.", ref('Label')),
    ref_type: ref('Label'),
    metadata: told('Any JSON, up to 16 KiB.', {}),
    runId: told('Makes the call safe to repeat, as Idempotency-Key does.', ref('RunId')),
  },
  ['workflowType'],
);
const STARTED = object(
  {
    ...RUN_NUMBERS,
    workflow_id: rowId,
    status: ref('RunStatus'),
    ref_id: nullableText,
    ref_type: nullableText,
    created: told('false if this start was made before.', flag),
    idempotent_replay: flag,
  },
  ['workflowId', 'runId', 'workflow_id', 'status', 'created', 'idempotent_replay'],
);
const WATCHED = {
  workflowId: ref('RunId'),
  workflowType: ref('WorkflowType'),
  ref_id: ref('Label'),
  ref_type: ref('Label'),
};
const PAGE = { next_cursor: nullableText, has_more: flag, limit: rowId };
const ROW = { anyOf: [ref('Run'), ref('Workflow')] };
const LISTED = object({ workflows: list(ROW), ...PAGE }, ['workflows', ...Object.keys(PAGE)]);
const OUTCOME = object({
  id: { type: ['string', 'integer'] },
  status: string,
  attempt: rowId,
  inserted: flag,
  updated: flag,
  ignored: told('The run or step had ended already, which such an update does not change.', flag),
  error: string,
});

const PATHS = {
  '/healthz': get(
    'health',
    'Says that the service is there.',
    {
      200: success('It is.', object({ status: string }, ['status'])),
    },
    { security: [] },
  ),
  '/openapi.json': get('describe', 'This description.', {
    200: { description: 'OpenAPI.', content: content({ type: 'object' }) },
    401: PROBLEMS[401],
  }),
  '/service/start-workflow': post(
    'startWorkflow',
    'Starts a run.',
    START,
    STARTED,
    {
      422: problem('The Idempotency-Key or run id was used for another request.'),
      502: problem('The Workflow could not be created; the run is recorded as Errored.', {
        allOf: [ref('Problem'), object(RUN_NUMBERS, ['workflowId', 'runId'])],
      }),
    },
    [
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'The same key means the same run, however often the call is made.',
        schema: { type: 'string', minLength: 1, maxLength: 256 },
      },
    ],
  ),
  '/service/get-workflow': post(
    'getWorkflow',
    'A run with its steps and retries; given the number of a workflow, that with its latest runs.',
    object(
      {
        workflowId: told("A run's id, or a workflow's number.", {
          type: ['string', 'integer'],
          minLength: 1,
        }),
      },
      ['workflowId'],
    ),
    object({ workflow: { anyOf: [ref('RunWithSteps'), ref('Workflow')] } }, ['workflow']),
    { 404: problem('There is no such workflow.') },
  ),
  '/service/list-workflows': post(
    'listWorkflows',
    'Runs, newest first; or workflows.',
    {
      ...filters({ ...FILTERS, view: { type: 'string', enum: ['runs', 'workflows'] } }),
      not: object({ stuck: { const: true }, view: { const: 'workflows' } }, ['stuck', 'view']),
    },
    LISTED,
  ),
  '/service/get-workflows-by-ref': post(
    'getWorkflowsByRef',
    'Runs of a reference, newest first.',
    {
      allOf: [ref('Filters')],
      anyOf: ['ref_id', 'ref_type'].map((name) => object({ [name]: ref('Label') }, [name])),
    },
    LISTED,
  ),
  '/api/workflows/update': post(
    'update',
    'Records what happened to a run, a step or a retry; or to up to 100 of them.',
    {
      oneOf: [
        ref('Update'),
        object({ updates: { ...list(ref('Update')), minItems: 1, maxItems: 100 } }, ['updates']),
      ],
    },
    object({ result: OUTCOME, results: list(OUTCOME) }),
    {
      404: problem('There is no such step.'),
    },
  ),
  '/api/workflows/query': post(
    'query',
    'Runs, newest first; or one run with its steps.',
    filters({ ...FILTERS, workflowId: ref('RunId') }),
    object({ type: { const: 'query_result' }, data: list(ROW), ...PAGE }, [
      'type',
      'data',
      'next_cursor',
    ]),
  ),
  '/api/ws-ticket': post(
    'issueTicket',
    'A ticket that opens the live feed for a browser, which cannot send a key.',
    grant({
      filters: told('Runs that the ticket is for; all, if not given.', {
        ...grant(WATCHED),
        minProperties: 1,
      }),
      expires_in: told('Seconds; 60 if not given.', { type: 'integer', minimum: 1, maximum: 60 }),
    }),
    object({ ticket: string, protocols: list(string), expires_at: string }, [
      'ticket',
      'protocols',
      'expires_at',
    ]),
  ),
  '/api/tracker-websocket': get(
    'watch',
    'Opens the live feed, with a key or with the protocols of a ticket.',
    {
      101: { description: 'The latest runs as initial_data, then each change as update.' },
      400: PROBLEMS[400],
      401: PROBLEMS[401],
      403: problem('The origin is not among the allowed ones.'),
      426: problem('The request is no WebSocket upgrade.'),
      503: PROBLEMS[503],
    },
    {
      parameters: [
        ...Object.entries(WATCHED).map(([name, schema]) => ({ name, in: 'query', schema })),
        {
          name: 'since',
          in: 'query',
          description: 'The seq of the last frame seen: what came after it is told first.',
          schema: { type: 'integer', minimum: 0 },
        },
      ],
    },
  ),
};

/** The document, which is the same for every stack. */
export const OPENAPI = Object.freeze({
  openapi: '3.1.0',
  info: {
    title: 'Flowflare',
    version: '0.1.0',
    description:
      'Tracks Cloudflare Workflows. An absent field, null and an empty text say the same, but not in what grants access.',
  },
  security: [{ key: [] }, { bearer: [] }],
  paths: PATHS,
  components: {
    securitySchemes: {
      key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      bearer: { type: 'http', scheme: 'bearer' },
    },
    responses: COMMON,
    schemas: SCHEMAS,
  },
});
