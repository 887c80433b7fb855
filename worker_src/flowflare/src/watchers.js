/**
 * The feed's sockets and their filters, which the sockets store themselves to survive the object's
 * hibernation.
 */

/** @typedef {import('./watch-filters.js').Filters} Filters */

/**
 * What a socket watches; `bound` are the limits of its ticket.
 * @typedef {{filters: Filters, bound: Filters}} Watch
 */

/** The largest burst of messages, and the sustained rate. */
const BURST = 60;
const MESSAGES_PER_SECOND = 1;

export class Watchers {
  #ctx;
  /** @type {WeakMap<WebSocket, Watch>} */
  #watches = new WeakMap();
  /** @type {WeakMap<WebSocket, {left: number, at: number}>} */
  #allowances = new WeakMap();

  /** @param {DurableObjectState} ctx */
  constructor(ctx) {
    this.#ctx = ctx;
  }

  get count() {
    return this.#ctx.getWebSockets().length;
  }

  /**
   * @param {WebSocket} socket
   * @param {Watch} watch
   */
  add(socket, watch) {
    // Not socket.accept(): only sockets accepted this way survive the object's hibernation.
    this.#ctx.acceptWebSocket(socket);
    this.change(socket, watch);
  }

  /**
   * @param {WebSocket} socket
   * @param {Watch} watch
   */
  change(socket, watch) {
    socket.serializeAttachment(watch);
    this.#watches.set(socket, watch);
  }

  /**
   * @param {WebSocket} socket
   * @returns {Watch}
   */
  of(socket) {
    const known = this.#watches.get(socket);
    if (known) return known;
    // A socket that an earlier release accepted has no attachment, and watches everything.
    const watch = socket.deserializeAttachment() ?? { filters: {}, bound: {} };
    this.#watches.set(socket, watch);
    return watch;
  }

  /**
   * @returns {Iterable<{filters: Filters, sockets: WebSocket[]}>} sockets grouped by equal filters
   */
  groups() {
    /** @type {Map<string, {filters: Filters, sockets: WebSocket[]}>} */
    const groups = new Map();
    for (const socket of this.#ctx.getWebSockets()) {
      const { filters } = this.of(socket);
      const { workflowId, workflowType, ref_id, ref_type } = filters;
      const key = JSON.stringify([workflowId, workflowType, ref_id, ref_type]);
      const group = groups.get(key);
      if (group) group.sockets.push(socket);
      else groups.set(key, { filters, sockets: [socket] });
    }
    return groups.values();
  }

  /**
   * @param {WebSocket} socket
   * @returns {boolean} false if it has sent too many messages
   */
  maySpeak(socket) {
    const now = Date.now();
    const { left, at } = this.#allowances.get(socket) ?? { left: BURST, at: now };
    const refilled = Math.min(BURST, left + ((now - at) / 1000) * MESSAGES_PER_SECOND);
    this.#allowances.set(socket, { left: refilled - 1, at: now });
    return refilled >= 1;
  }
}
