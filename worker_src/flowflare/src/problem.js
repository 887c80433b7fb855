/**
 * An error that the caller may see: a status, a sentence and, for invalid input, the invalid
 * fields.
 */

/** @type {Record<number, string>} */
const TITLES = {
  400: 'Invalid request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Request too large',
  415: 'Unsupported media type',
  422: 'Idempotency key reused',
  426: 'Upgrade required',
  500: 'Internal error',
  502: 'Workflow not created',
  503: 'Temporarily unavailable',
};

/**
 * @typedef {object} ProblemOptions
 * @property {{path: string, message: string}[]} [errors] the invalid fields
 * @property {Record<string, string>} [headers] headers of the answer
 * @property {Record<string, unknown>} [members] more members of the answer's body
 */

export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} detail what is wrong, without internal details
   * @param {ProblemOptions} [options]
   */
  constructor(status, detail, { errors, headers, members } = {}) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.errors = errors;
    this.headers = headers ?? {};
    this.members = members ?? {};
  }

  /**
   * Build the body: RFC 9457's members beside `success` and `error`, which callers of the original
   * know.
   * @param {string} requestId
   */
  body(requestId) {
    return {
      success: false,
      error: this.message,
      type: 'about:blank',
      title: TITLES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      instance: `urn:flowflare:request:${requestId}`,
      ...(this.errors && { errors: this.errors }),
      ...this.members,
    };
  }
}

// D1's errors when it cannot answer now: developers.cloudflare.com/d1/observability/debug-d1/
const PASSING =
  /overloaded|connection lost|storage operation exceeded|reset because|too many requests/i;

/**
 * Turn any thrown value into a Problem that reveals no internal details.
 * @param {unknown} thrown
 */
export function asProblem(thrown) {
  if (thrown instanceof Problem) return thrown;
  if (PASSING.test(String(thrown))) {
    return new Problem(503, 'The database is busy; try again', { headers: { 'Retry-After': '1' } });
  }
  return new Problem(
    500,
    'The service failed to answer; its log has the cause under this request id',
  );
}
