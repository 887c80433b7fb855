/**
 * Tickets for browsers, which cannot send a key when they open a WebSocket. A ticket is valid for a
 * minute, for some runs or all.
 */

import { activeKeys } from './auth.js';
import { EMPTY, integer, invalid, optional, readGrant } from './fields.js';
import { parseJson } from './http.js';
import { Problem } from './problem.js';
import { readFilters } from './watch-filters.js';

/** @typedef {import('./watch-filters.js').Filters} Filters */
/** @typedef {import('./auth.js').Keys} Keys */

/** The feed's subprotocol, and the prefix of the subprotocol that carries a ticket beside it. */
export const PROTOCOL = 'flowflare.v1';
const TICKET_PROTOCOL = 'ticket.';
const MAX_SECONDS = 60;
const MAX_LENGTH = 8192;
/** Prevents a ticket's signature from being valid for anything else that the key may ever sign. */
const PURPOSE = 'flowflare.ws-ticket.v1.';

const FIELDS = {
  filters: optional(grantedFilters),
  expires_in: optional(integer(1, MAX_SECONDS)),
};

/**
 * @param {unknown} given
 * @returns {Filters}
 * @throws {Problem} 400: a filter with an undefined value becomes empty braces in JSON
 */
function grantedFilters(given) {
  const filters = readFilters(given, 'filters');
  if (Object.keys(filters).length > 0) return filters;
  throw invalid([{ path: 'filters', message: `filters ${EMPTY}` }]);
}

/**
 * @param {Keys} env
 * @param {unknown} body `filters` that the ticket's watcher cannot exceed, `expires_in` seconds
 * @returns the answer's body
 * @throws {Problem} 400 with the invalid fields
 */
export async function issueTicket(env, body) {
  const { filters, expires_in } = readGrant(body, FIELDS);
  const [key] = activeKeys(env);
  if (key === undefined) throw new Problem(401, 'The service has no key to sign tickets with');
  const expires = Date.now() + (expires_in ?? MAX_SECONDS) * 1000;
  const payload = base64url(encode(JSON.stringify({ expires, filters: filters ?? {} })));
  const ticket = `${payload}.${base64url(new Uint8Array(await signature(key, payload)))}`;
  return {
    success: true,
    ticket,
    protocols: [PROTOCOL, TICKET_PROTOCOL + ticket],
    expires_at: new Date(expires).toISOString(),
  };
}

/**
 * @param {Request} request
 * @returns {string | null} the ticket in a WebSocket's subprotocols or address
 */
export function presentedTicket(request) {
  const protocol = offeredProtocols(request).find((name) => name.startsWith(TICKET_PROTOCOL));
  return protocol?.slice(TICKET_PROTOCOL.length) ?? new URL(request.url).searchParams.get('ticket');
}

/** @param {Request} request */
export const offeredProtocols = (request) =>
  (request.headers.get('Sec-WebSocket-Protocol') ?? '').split(',').map((name) => name.trim());

/**
 * @param {Keys} env
 * @param {string} ticket
 * @returns {Promise<Filters>} the ticket's filters
 * @throws {Problem} 401
 */
export async function redeemTicket(env, ticket) {
  const refused = new Problem(401, 'The ticket is not valid, or no longer: ask for a new one');
  const [payload, signed, ...rest] = ticket.length <= MAX_LENGTH ? ticket.split('.') : [];
  if (payload === undefined || signed === undefined || rest.length > 0) throw refused;
  // As with keys: all are tried, and no comparison ends early.
  const given = await digest(signed);
  const matching = await Promise.all(
    activeKeys(env).map(async (key) => {
      const own = base64url(new Uint8Array(await signature(key, payload)));
      return crypto.subtle.timingSafeEqual(given, await digest(own));
    }),
  );
  if (!matching.includes(true)) throw refused;
  const { expires, filters } = /** @type {any} */ (parseJson(decode(payload)));
  if (Date.now() >= expires) throw refused;
  return readFilters(filters);
}

/**
 * @param {string} key
 * @param {string} payload
 */
async function signature(key, payload) {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const secret = await crypto.subtle.importKey('raw', encode(key), algorithm, false, ['sign']);
  return crypto.subtle.sign('HMAC', secret, encode(PURPOSE + payload));
}

/** @param {string} text */
const encode = (text) => new TextEncoder().encode(text);

/** @param {string} text */
const digest = (text) => crypto.subtle.digest('SHA-256', encode(text));

/** @param {Uint8Array} bytes */
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** @param {string} text base64url of UTF-8 */
const decode = (text) =>
  new TextDecoder().decode(
    Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
      character.charCodeAt(0),
    ),
  );
