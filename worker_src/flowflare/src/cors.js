/** Decide which web origins may call the /api routes: exactly the listed origins. */

import { Problem } from './problem.js';

/**
 * @param {string | null} origin
 * @param {readonly string[]} allowed
 */
const allows = (origin, allowed) =>
  origin !== null && (allowed.includes('*') || allowed.includes(origin));

/**
 * @param {Request} request
 * @param {readonly string[]} allowed
 * @returns {Record<string, string>} headers for any answer of an /api route
 */
export function corsHeaders(request, allowed) {
  const origin = request.headers.get('Origin');
  if (origin === null || !allows(origin, allowed)) return { Vary: 'Origin' };
  return {
    'Access-Control-Allow-Origin': allowed.includes('*') ? '*' : origin,
    'Access-Control-Expose-Headers': 'X-Request-Id, Retry-After',
    Vary: 'Origin',
  };
}

/**
 * @param {Request} request
 * @param {readonly string[]} allowed
 */
export const preflight = (request, allowed) =>
  new Response(null, {
    status: 204,
    headers: {
      ...corsHeaders(request, allowed),
      ...(allows(request.headers.get('Origin'), allowed) && {
        'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
        'Access-Control-Allow-Headers': 'Content-Type, Authorization, X-API-Key, Idempotency-Key',
        'Access-Control-Max-Age': '7200',
      }),
    },
  });

/**
 * Browsers let any page open a WebSocket and send the page's origin, so the server has to check it.
 * @param {Request} request
 * @param {readonly string[]} allowed
 * @throws {Problem} 403
 */
export function requireOrigin(request, allowed) {
  const origin = request.headers.get('Origin');
  if (origin !== null && !allows(origin, allowed)) {
    throw new Problem(403, 'This origin is not among the allowed ones');
  }
}
