/** Authorize watchers: who they are, where they come from, and what they may watch. */

import { requireKey } from './auth.js';
import { requireOrigin } from './cors.js';
import { feedOf } from './feed.js';
import { isUpgrade } from './http.js';
import { Problem } from './problem.js';
import { readWatch, within } from './watch-filters.js';
import { offeredProtocols, PROTOCOL, presentedTicket, redeemTicket } from './ws-ticket.js';

/**
 * @param {import('./service.js').Call} call a GET of /api/tracker-websocket
 * @returns {Promise<Response>} the feed's 101
 * @throws {Problem} 401, 426, 403, 400, 503
 */
export async function watch({ request, env, options, trusted }) {
  const ticket = presentedTicket(request);
  if (ticket === null && options.apiAuth !== 'off' && !trusted) await requireKey(request, env);
  const bound = ticket === null ? {} : await redeemTicket(env, ticket);
  if (!isUpgrade(request)) {
    throw new Problem(426, 'Connect with a WebSocket', { headers: { Upgrade: 'websocket' } });
  }
  requireOrigin(request, options.allowedOrigins ?? []);
  const address = new URL(request.url).searchParams;
  address.delete('ticket');
  const { filters, since } = readWatch(address);
  const query = new URLSearchParams(Object.entries(within(filters, bound)));
  if (since !== null) query.set('since', String(since));
  query.set('bound', JSON.stringify(bound));
  // The feed receives neither keys nor tickets, and only what was checked here.
  const headers = new Headers({ Upgrade: 'websocket' });
  if (offeredProtocols(request).includes(PROTOCOL)) headers.set('Sec-WebSocket-Protocol', PROTOCOL);
  const response = await feedOf(env.WORKFLOW_TRACKER).fetch(
    `https://flowflare.internal/watch?${query}`,
    { headers },
  );
  if (response.status === 101) return response;
  throw new Problem(503, 'There are too many watchers', { headers: { 'Retry-After': '30' } });
}
