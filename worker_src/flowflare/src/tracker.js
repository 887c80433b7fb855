/**
 * The live feed: a Durable Object that holds the watchers' sockets and sends them what is stored.
 */

import { DurableObject } from 'cloudflare:workers';
import { takeUpdates } from './apply-updates.js';
import { batchesOf, EventLog } from './event-log.js';
import { isUpgrade, parseJson } from './http.js';
import { newRunId } from './ids.js';
import { asProblem, Problem } from './problem.js';
import { answerQuery } from './query.js';
import { RunIdentities } from './run-identities.js';
import {
  matches,
  needsIdentity,
  readFilters,
  readSince,
  readSubscription,
  readWatch,
  runOf,
  within,
} from './watch-filters.js';
import { Watchers } from './watchers.js';
import { PROTOCOL } from './ws-ticket.js';

/** @typedef {import('./feed.js').FeedEvent} FeedEvent */
/** @typedef {import('./event-log.js').Numbered} Numbered */
/** @typedef {import('./watch-filters.js').Filters} Filters */
/** @typedef {import('./watch-filters.js').Identity} Identity */
/** @typedef {{DB: D1Database}} TrackerEnv */

const MAX_SOCKETS = 1000;
const MAX_MESSAGE_LENGTH = 16 * 1024;
/** Events of this period are sent together, because a broadcast costs once per socket and frame. */
const COALESCE_MS = 50;

/** @extends {DurableObject<TrackerEnv>} */
export class WorkflowTracker extends DurableObject {
  /** @type {EventLog} set before anything is delivered to the object */
  #log = /** @type {any} */ (null);
  /** @type {FeedEvent[]} */
  #queue = [];
  /** @type {Promise<void> | null} */
  #flushing = null;
  /** Frames that may need a run to be looked up, sent one after another. */
  #turn = Promise.resolve();
  #runs;
  #watchers;

  /**
   * @param {DurableObjectState} ctx
   * @param {TrackerEnv} env
   */
  constructor(ctx, env) {
    super(ctx, env);
    this.#runs = new RunIdentities(env.DB);
    this.#watchers = new Watchers(ctx);
    // The runtime answers this without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
    ctx.blockConcurrencyWhile(async () => {
      this.#log = await EventLog.open(ctx.storage);
    });
  }

  /**
   * Connect a watcher that the service has authorized, and send the latest runs or the missed
   * events.
   * @param {Request} request the WebSocket upgrade; its address contains the filters
   */
  async fetch(request) {
    if (!isUpgrade(request)) return new Response(null, { status: 426 });
    if (this.#watchers.count >= MAX_SOCKETS) return new Response(null, { status: 503 });
    try {
      const query = new URL(request.url).searchParams;
      const bound = readFilters(parseJson(query.get('bound') ?? '{}'));
      query.delete('bound');
      const { filters, since } = readWatch(query);
      const client = await this.#connect(within(filters, bound), bound, since);
      const protocol = request.headers.get('Sec-WebSocket-Protocol');
      const headers = protocol === PROTOCOL ? { 'Sec-WebSocket-Protocol': PROTOCOL } : undefined;
      return new Response(null, { status: 101, webSocket: client, headers });
    } catch (error) {
      const problem = asProblem(error);
      return Response.json(problem.body(newRunId()), { status: problem.status });
    }
  }

  /**
   * @param {Filters} filters
   * @param {Filters} bound
   * @param {number | null} since
   * @returns {Promise<WebSocket>} the watcher's end
   */
  async #connect(filters, bound, since) {
    const seq = this.#log.seq;
    const snapshot = since === null ? await answerQuery(this.env.DB, filters) : null;
    const { 0: client, 1: server } = new WebSocketPair();
    this.#watchers.add(server, { filters, bound });
    if (snapshot === null) {
      this.#catchUp(server, filters, since ?? seq);
      return client;
    }
    const { data, next_cursor } = snapshot;
    send(server, JSON.stringify({ type: 'initial_data', data, seq, next_cursor, filters }));
    // Events that were sent to others while the runs were read may be missing from these runs.
    this.#sendTo([server], filters, this.#log.after(seq) ?? []);
    return client;
  }

  /**
   * Send a watcher the events that it missed, or a message that it missed too many.
   * @param {WebSocket} socket
   * @param {Filters} filters
   * @param {number} since
   */
  #catchUp(socket, filters, since) {
    const missed = this.#log.after(since);
    const type = missed === null ? 'refetch' : 'resumed';
    send(socket, JSON.stringify({ type, since, seq: this.#log.seq, filters }));
    this.#sendTo([socket], filters, missed ?? []);
  }

  /**
   * Apply an update for a Worker whose only binding is this object.
   * @param {string} body the JSON that /api/workflows/update accepts
   * @returns {Promise<{status: number, text: string}>} what /api/workflows/update would answer
   */
  async update(body) {
    try {
      const { answer, events } = await takeUpdates(this.env.DB, parseJson(body));
      this.publish(events);
      return { status: 200, text: JSON.stringify(answer) };
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status >= 500) console.error('flowflare: update failed:', error);
      return { status: problem.status, text: JSON.stringify(problem.body(newRunId())) };
    }
  }

  /**
   * Queue events for all watchers.
   * @param {FeedEvent[]} events
   */
  publish(events) {
    if (events.length === 0) return;
    this.#queue.push(...events);
    this.#flushing ??= scheduler.wait(COALESCE_MS).then(() => this.#flush());
  }

  #flush() {
    this.#flushing = null;
    const events = this.#queue.splice(0);
    this.#runs.learn(events);
    const numbered = this.#log.append(events);
    for (const { filters, sockets } of this.#watchers.groups()) {
      this.#sendTo(sockets, filters, numbered);
    }
  }

  /**
   * Send sockets the events that match their filters. Events that need no look-up are sent at once,
   * so that a watcher never waits for the database because of another watcher's filters.
   * @param {WebSocket[]} sockets
   * @param {Filters} filters
   * @param {Numbered[]} numbered
   */
  #sendTo(sockets, filters, numbered) {
    if (numbered.length === 0) return;
    if (!needsIdentity(filters)) {
      sendAll(sockets, chosen(numbered, filters, new Map()));
      return;
    }
    const events = numbered.map(({ event }) => event);
    this.#turn = this.#turn.then(async () => {
      sendAll(sockets, chosen(numbered, filters, await this.#runs.of(events)));
    });
  }

  /**
   * @param {WebSocket} socket
   * @param {string | ArrayBuffer} message
   */
  async webSocketMessage(socket, message) {
    if (typeof message !== 'string' || message.length > MAX_MESSAGE_LENGTH) {
      socket.close(1009, `Messages are texts of up to ${MAX_MESSAGE_LENGTH} characters`);
      return;
    }
    if (!this.#watchers.maySpeak(socket)) {
      socket.close(1008, 'There are too many messages');
      return;
    }
    try {
      await this.#answer(socket, parseJson(message));
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status >= 500) console.error('flowflare: query failed:', error);
      send(socket, JSON.stringify({ type: 'error', error: problem.message }));
    }
  }

  /**
   * Complete the closing handshake. Without an answer the watcher would wait for it, and report
   * 1006.
   * @param {WebSocket} socket
   * @param {number} code
   * @param {string} reason
   */
  webSocketClose(socket, code, reason) {
    // 1005 and 1006 mean that there was no code, and must not be sent (RFC 6455, 7.4.1).
    if (code === 1005 || code === 1006) socket.close();
    else socket.close(code, reason);
  }

  /**
   * @param {WebSocket} socket
   * @param {unknown} message
   */
  async #answer(socket, message) {
    const { type, params = {} } = /** @type {{type?: unknown, params?: unknown}} */ (message ?? {});
    const { filters, bound } = this.#watchers.of(socket);
    if (type === 'query') {
      const found = await answerQuery(this.env.DB, params, bound);
      send(socket, JSON.stringify({ type: 'query_result', ...found }));
    } else if (type === 'subscribe') {
      const subscription = readSubscription(message);
      const wanted = within(subscription.filters, bound);
      this.#watchers.change(socket, { filters: wanted, bound });
      send(socket, JSON.stringify({ type: 'subscribed', filters: wanted, seq: this.#log.seq }));
      if (subscription.since !== null) this.#catchUp(socket, wanted, subscription.since);
    } else if (type === 'resume') {
      this.#catchUp(socket, filters, readSince(params) ?? 0);
    } else {
      throw new Problem(
        400,
        'Messages are {"type": "query" | "subscribe" | "resume", "params": {...}}',
      );
    }
  }
}

/**
 * @param {Numbered[]} numbered
 * @param {Filters} filters
 * @param {ReadonlyMap<string, Identity>} runs
 */
const chosen = (numbered, filters, runs) =>
  numbered.filter(({ event }) => {
    const id = runOf(event);
    return matches(filters, runs.get(id), id);
  });

/**
 * @param {WebSocket[]} sockets
 * @param {Numbered[]} numbered
 */
function sendAll(sockets, numbered) {
  for (const batch of batchesOf(numbered)) {
    const frame = frameOf(batch);
    for (const socket of sockets) send(socket, frame);
  }
}

/**
 * @param {Numbered[]} batch
 * @returns {string} a frame, numbered by its last event
 */
function frameOf(batch) {
  const { seq, event } = batch[batch.length - 1];
  const more = batch.length > 1 ? { batch: batch.map(({ event }) => event) } : {};
  return JSON.stringify({ type: 'update', data: event, seq, ...more });
}

/**
 * @param {WebSocket} socket a broken socket must not stop the others from being served
 * @param {string} text
 */
function send(socket, text) {
  try {
    socket.send(text);
  } catch {
    // The socket is closing, and the runtime drops it.
  }
}
