/** The live feed: a Durable Object that holds the watchers' sockets and tells them what is stored. */

import { DurableObject } from 'cloudflare:workers';
import { takeUpdates } from './apply-updates.js';
import { isUpgrade, parseJson } from './http.js';
import { newRunId } from './ids.js';
import { readListRequest } from './list-request.js';
import { asProblem, Problem } from './problem.js';
import { readPage } from './read-runs.js';

/** @typedef {import('./feed.js').FeedEvent} FeedEvent */
/** @typedef {{DB: D1Database}} TrackerEnv */

const MAX_SOCKETS = 1000;
const MAX_MESSAGE_LENGTH = 16 * 1024;
/** Events of this long are sent together: what a broadcast costs is paid for each socket and frame. */
const COALESCE_MS = 50;
const MAX_FRAME_EVENTS = 100;
const MAX_FRAME_LENGTH = 128 * 1024;
/** Frames kept for sockets that are being connected; a snapshot takes far less than this many flushes. */
const KEPT_FRAMES = 100;

/** @extends {DurableObject<TrackerEnv>} */
export class WorkflowTracker extends DurableObject {
  /** The number of the last event sent; it outlives the object, so that no number is given twice. */
  #seq = 0;
  /** @type {FeedEvent[]} */
  #queue = [];
  /** @type {{seq: number, text: string}[]} */
  #frames = [];
  /** @type {Promise<void> | null} */
  #flushing = null;

  /**
   * @param {DurableObjectState} ctx
   * @param {TrackerEnv} env
   */
  constructor(ctx, env) {
    super(ctx, env);
    // Answered by the runtime, without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
    ctx.blockConcurrencyWhile(async () => {
      this.#seq = (await ctx.storage.get('seq')) ?? 0;
    });
  }

  /**
   * Connects a watcher, whom the service has let in, and sends the latest runs.
   * @param {Request} request the WebSocket upgrade
   */
  async fetch(request) {
    if (!isUpgrade(request)) return new Response(null, { status: 426 });
    if (this.ctx.getWebSockets().length >= MAX_SOCKETS) return new Response(null, { status: 503 });
    const seq = this.#seq;
    const { rows, next_cursor } = await readPage(this.env.DB, readListRequest({}));
    const { 0: client, 1: server } = new WebSocketPair();
    // Not server.accept(): sockets accepted so outlast the object's hibernation.
    this.ctx.acceptWebSocket(server);
    send(server, JSON.stringify({ type: 'initial_data', data: rows, seq, next_cursor }));
    // What was sent to the others while the runs were read may not be among them.
    for (const frame of this.#frames) if (frame.seq > seq) send(server, frame.text);
    return new Response(null, { status: 101, webSocket: client });
  }

  /**
   * Applies an update for a Worker that has no other way to the service than this object.
   * @param {string} body the JSON that /api/workflows/update takes
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
   * Queues events for all watchers.
   * @param {FeedEvent[]} events
   */
  publish(events) {
    if (events.length === 0) return;
    this.#queue.push(...events);
    this.#flushing ??= scheduler.wait(COALESCE_MS).then(() => this.#flush());
  }

  #flush() {
    this.#flushing = null;
    const frames = framesOf(this.#queue.splice(0), this.#seq);
    this.#seq = frames[frames.length - 1].seq;
    this.#frames = [...this.#frames, ...frames].slice(-KEPT_FRAMES);
    // Not awaited: the runtime holds the frames back until the number is stored.
    this.ctx.storage.put('seq', this.#seq);
    for (const socket of this.ctx.getWebSockets()) {
      for (const frame of frames) send(socket, frame.text);
    }
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
    try {
      send(socket, JSON.stringify(await this.#answer(parseJson(message))));
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status >= 500) console.error('flowflare: query failed:', error);
      send(socket, JSON.stringify({ type: 'error', error: problem.message }));
    }
  }

  /**
   * Completes the closing handshake; without an answer the watcher would wait for one, and report 1006.
   * @param {WebSocket} socket
   * @param {number} code
   * @param {string} reason
   */
  webSocketClose(socket, code, reason) {
    // 1005 and 1006 say that there was no code, and may not be sent (RFC 6455, 7.4.1).
    if (code === 1005 || code === 1006) socket.close();
    else socket.close(code, reason);
  }

  /** @param {unknown} message */
  async #answer(message) {
    const { type, params } = /** @type {{type?: unknown, params?: unknown}} */ (message ?? {});
    if (type !== 'query')
      throw new Problem(400, 'The only message known is {"type": "query", "params": {...}}');
    const { rows, next_cursor, has_more } = await readPage(
      this.env.DB,
      readListRequest(params ?? {}),
    );
    return { type: 'query_result', data: rows, next_cursor, has_more };
  }
}

/**
 * @param {FeedEvent[]} events
 * @param {number} seq the number of the last event before these
 * @returns {{seq: number, text: string}[]} frames, each numbered by its last event
 */
function framesOf(events, seq) {
  /** @type {{seq: number, text: string}[]} */
  const frames = [];
  /** @type {FeedEvent[]} */
  let batch = [];
  let length = 0;
  const close = () => {
    const more = batch.length > 1 ? { batch } : {};
    frames.push({
      seq,
      text: JSON.stringify({ type: 'update', data: batch.at(-1), seq, ...more }),
    });
    batch = [];
    length = 0;
  };
  for (const event of events) {
    const size = JSON.stringify(event).length;
    if (batch.length > 0 && (batch.length === MAX_FRAME_EVENTS || length + size > MAX_FRAME_LENGTH))
      close();
    batch.push(event);
    length += size;
    seq += 1;
  }
  if (batch.length > 0) close();
  return frames;
}

/**
 * @param {WebSocket} socket one that breaks must not keep the others from being told
 * @param {string} text
 */
function send(socket, text) {
  try {
    socket.send(text);
  } catch {
    // It is closing; the runtime drops it.
  }
}
