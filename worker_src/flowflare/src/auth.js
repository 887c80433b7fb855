/**
 * Authenticate by API key, compared in constant time with every active key. Without keys, all calls
 * are refused.
 */

import { sha256 } from './ids.js';
import { Problem } from './problem.js';

/**
 * The keys that a service accepts, by generation: the current key, and during a rotation the
 * others.
 * @typedef {{SERVICE_API_KEY?: string, SERVICE_API_KEY_PREVIOUS?: string, [generation: `SERVICE_API_KEY_${number}`]:
 *   string | undefined}} Keys
 */

const GENERATION = /^SERVICE_API_KEY_[1-9][0-9]*$/;

/**
 * List the accepted keys. The first is current and signs. Every service that runs during a rotation
 * accepts it.
 * @param {Keys} env
 * @returns {string[]}
 */
export function activeKeys(env) {
  const others = Object.keys(env).filter((name) => GENERATION.test(name));
  return ['SERVICE_API_KEY', 'SERVICE_API_KEY_PREVIOUS', ...others]
    .map((name) => /** @type {Record<string, unknown>} */ (env)[name])
    .filter((key) => typeof key === 'string')
    .filter((key) => key !== '');
}

/**
 * @param {Headers} headers
 * @returns {string} '' if there is no key
 */
function presentedKey(headers) {
  const bearer = /^Bearer +(.+)$/i.exec(headers.get('Authorization') ?? '');
  return headers.get('X-API-Key') ?? bearer?.[1] ?? '';
}

/**
 * @param {Request} request
 * @param {Keys} env
 * @throws {Problem} 401
 */
export async function requireKey(request, env) {
  const keys = activeKeys(env);
  if (keys.length === 0)
    console.error('flowflare: SERVICE_API_KEY is not set, so every call is refused');
  const presented = await sha256(presentedKey(request.headers));
  // Digests have the same length for every key, and no comparison is skipped or ends early.
  const matches = await Promise.all(
    keys.map(async (key) => crypto.subtle.timingSafeEqual(presented, await sha256(key))),
  );
  if (!matches.includes(true)) {
    throw new Problem(401, 'A valid API key is required, as X-API-Key or Authorization: Bearer', {
      headers: { 'WWW-Authenticate': 'Bearer realm="flowflare"' },
    });
  }
}
