/** Key authentication: one of the active keys, compared in constant time; without a key nobody enters. */

import { sha256 } from './ids.js';
import { Problem } from './problem.js';

/**
 * Keys in use: the current one, and the previous one while clients change over.
 * @param {{SERVICE_API_KEY?: string, SERVICE_API_KEY_PREVIOUS?: string}} env
 * @returns {string[]}
 */
export const activeKeys = ({ SERVICE_API_KEY, SERVICE_API_KEY_PREVIOUS }) =>
  [SERVICE_API_KEY ?? '', SERVICE_API_KEY_PREVIOUS ?? ''].filter((key) => key !== '');

/**
 * @param {Headers} headers
 * @returns {string} '' without a key
 */
function presentedKey(headers) {
  const bearer = /^Bearer +(.+)$/i.exec(headers.get('Authorization') ?? '');
  return headers.get('X-API-Key') ?? bearer?.[1] ?? '';
}

/**
 * @param {Request} request
 * @param {{SERVICE_API_KEY?: string, SERVICE_API_KEY_PREVIOUS?: string}} env
 * @throws {Problem} 401
 */
export async function requireKey(request, env) {
  const keys = activeKeys(env);
  if (keys.length === 0)
    console.error('flowflare: SERVICE_API_KEY is not set, so every call is refused');
  const presented = await sha256(presentedKey(request.headers));
  // Digests have one length whatever the key's, and no comparison ends early or is left out.
  const matches = await Promise.all(
    keys.map(async (key) => crypto.subtle.timingSafeEqual(presented, await sha256(String(key)))),
  );
  if (!matches.includes(true)) {
    throw new Problem(401, 'A valid API key is required, as X-API-Key or Authorization: Bearer', {
      headers: { 'WWW-Authenticate': 'Bearer realm="flowflare"' },
    });
  }
}
