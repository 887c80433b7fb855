/**
 * Send what Workers log, and how their events end, to the WebSockets of tails.
 *
 * The protocol is that of `wrangler tail`: a WebSocket with the subprotocol `trace-v1` receives each
 * event as one JSON message. A Worker with a tail has a Tail Worker, which passes the events to this
 * process; a Worker without tails costs nothing.
 */
import http from 'node:http';
import { pathToFileURL } from 'node:url';

/** @import { IncomingMessage } from 'node:http' */
/** @import { Duplex } from 'node:stream' */
/** @import { V4WorkerOptions } from 'miniflare' */
/** @import { Programs, Socket, SocketServer } from './programs.mjs' */
/** @import { Change, Tail, TailFilter, Worker } from './wire.d.ts' */
/**
 * @typedef {object} Trace one event of a Worker, as Cloudflare sends it
 * @property {string} scriptName
 * @property {string} outcome
 * @property {{message: unknown[]}[]} logs
 * @property {{stack?: string}[]} exceptions
 * @property {{request?: {method: string, headers: Record<string, string>}} | null} event
 */

const PROTOCOL = 'trace-v1';
/** workerd puts this process's folder before the names of modules in stacks. */
const FOLDER = pathToFileURL(`${process.cwd()}/`).href;

/** The Tail Worker: it copies the events, whose members JSON cannot see, to this process. */
const SOURCE = `
const copied = ['url', 'method', 'headers', 'cf', 'cron', 'queue', 'batchSize', 'rpcMethod', 'mailFrom', 'rcptTo', 'rawSize'];
const pick = (from) => Object.fromEntries(copied.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));
const eventOf = (event) => {
  if (!event) return null;
  const copy = pick(event);
  if (event.request) copy.request = pick(event.request);
  if (event.response) copy.response = { status: event.response.status };
  if (event.scheduledTime !== undefined) copy.scheduledTime = Number(event.scheduledTime);
  if (event.consumedEvents) copy.consumedEvents = event.consumedEvents.map(({ scriptName }) => ({ scriptName }));
  return copy;
};
const copy = (item) => ({
  wallTime: item.wallTime,
  cpuTime: item.cpuTime,
  truncated: item.truncated,
  executionModel: item.executionModel,
  outcome: item.outcome,
  scriptName: item.scriptName,
  entrypoint: item.entrypoint,
  diagnosticsChannelEvents: [],
  exceptions: item.exceptions.map(({ name, message, timestamp, stack }) => ({ name, message, timestamp, stack })),
  logs: item.logs.map(({ message, level, timestamp }) => ({ message, level, timestamp })),
  eventTimestamp: item.eventTimestamp,
  event: eventOf(item.event),
});
export default {
  async tail(items, env) {
    await env.COLLECT.fetch('http://tails/', { method: 'POST', body: JSON.stringify(items.map(copy)) });
  },
};
`;

export class Tails {
  /** @type {Map<string, {key: string, filters: TailFilter[], sockets: Set<Socket>}>} by ID */
  #tails = new Map();
  #programs;
  #server;
  /** @type {SocketServer} */
  #sockets;
  /** @type {Promise<number>} */
  #port;

  /** @param {Programs} programs */
  constructor(programs) {
    this.#programs = programs;
    this.#sockets = new programs.sockets({ noServer: true, handleProtocols: () => PROTOCOL });
    this.#server = http.createServer((_, response) => response.writeHead(426).end());
    this.#server.on('upgrade', (request, socket, head) => this.#connect(request, socket, head));
    this.#port = new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(address && typeof address === 'object' ? address.port : 0);
      });
    });
  }

  /** The port of the WebSockets, whose path is the tail's ID. */
  get port() {
    return this.#port;
  }

  /** Store the tails of changed Workers, and close those that ended. @param {Change} change */
  accountChanged({ changed, removed }) {
    /** @type {Map<string, Tail[]>} */
    const current = new Map(removed.map((key) => [key, []]));
    for (const worker of changed) current.set(worker.key, 'down' in worker ? [] : worker.tails);
    for (const [id, { key, sockets }] of this.#tails) {
      if (!current.has(key) || current.get(key)?.some((tail) => tail.id === id)) continue;
      this.#tails.delete(id);
      for (const socket of sockets) socket.close();
    }
    for (const [key, tails] of current) {
      for (const { id, filters } of tails) {
        const sockets = this.#tails.get(id)?.sockets ?? new Set();
        this.#tails.set(id, { key, filters, sockets });
      }
    }
  }

  /**
   * The Tail Workers of a unit. Each tailed Worker has its own, because traces do not name it.
   * @param {Worker[]} workers @param {(text: string) => string} explain names lines of sources
   * @returns {V4WorkerOptions[]}
   */
  workers(workers, explain) {
    const tailed = workers.filter(({ tails }) => tails.length > 0);
    return tailed.map(({ key, script }) => ({
      name: nameOf(key),
      compatibilityDate: '2026-01-01',
      modules: [{ type: 'ESModule', path: 'tails.js', contents: SOURCE }],
      serviceBindings: {
        COLLECT: async (request) => {
          const traces = /** @type {Trace[]} */ (await request.json());
          for (const trace of traces) {
            for (const exception of trace.exceptions) {
              const stack = exception.stack?.replaceAll(FOLDER, '');
              if (stack) exception.stack = explain(stack);
            }
            this.#send(key, { ...trace, scriptName: script });
          }
          return new this.#programs.miniflare.Response();
        },
      },
    }));
  }

  dispose() {
    for (const { sockets } of this.#tails.values())
      for (const socket of sockets) socket.terminate();
    this.#server.close();
  }

  /** @param {string} key @param {Trace} trace */
  #send(key, trace) {
    for (const tail of this.#tails.values()) {
      if (tail.key !== key || !tail.filters.every((filter) => admits(filter, trace))) continue;
      for (const socket of tail.sockets) socket.send(JSON.stringify(trace));
    }
  }

  /** @param {IncomingMessage} request @param {Duplex} socket @param {Buffer} head */
  #connect(request, socket, head) {
    socket.on('error', () => socket.destroy());
    const tail = this.#tails.get((request.url ?? '').slice(1));
    const asked = (request.headers['sec-websocket-protocol'] ?? '').split(',');
    if (!tail || !asked.some((name) => name.trim() === PROTOCOL)) {
      const status = tail ? '400 Bad Request' : '404 Not Found';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (connected) => {
      acceptUnmasked(connected);
      tail.sockets.add(connected);
      connected.on('close', () => tail.sockets.delete(connected));
      connected.on('error', () => connected.terminate());
    });
  }
}

/**
 * Accept frames without a mask: `wrangler tail` sends its first message so (`mask: false`), and `ws`
 * would close the connection. `ws` has no option for that, and checks the mask by this member.
 * @param {Socket} socket
 */
function acceptUnmasked(socket) {
  const receiver = socket._receiver;
  Object.defineProperty(receiver, '_isServer', { get: () => receiver._masked });
}

/** The Tail Workers of a Worker. @param {Worker} worker */
export function tailWorkers({ key, tails }) {
  return tails.length > 0 ? [nameOf(key)] : [];
}

/** @param {string} key */
function nameOf(key) {
  return `emulator-tails-${key}`;
}

/**
 * Whether a filter lets an event through. Source: the filters that wrangler sends.
 * @param {TailFilter} filter @param {Trace} trace
 */
function admits(filter, trace) {
  const request = trace.event?.request;
  const headers = request?.headers ?? {};
  if (filter.sampling_rate !== undefined) return Math.random() < filter.sampling_rate;
  if (filter.outcome) return filter.outcome.includes(trace.outcome);
  if (filter.method) {
    return filter.method.some((method) => method.toUpperCase() === request?.method);
  }
  if (filter.header) {
    const value = headers[filter.header.key.toLowerCase()];
    return value?.includes(filter.header.query ?? '');
  }
  if (filter.client_ip) {
    // Requests come from this machine, which `self` means too, unless they name another address.
    const address = headers['cf-connecting-ip'] ?? 'self';
    return filter.client_ip.includes(address);
  }
  const query = filter.query ?? '';
  return trace.logs.some(({ message }) => JSON.stringify(message).includes(query));
}
