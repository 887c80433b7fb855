/**
 * Listen on one loopback port per Worker, hold requests while workerd reloads, and forward them. A
 * Worker's port stays the same when workerd restarts.
 */
import http from 'node:http';
import net from 'node:net';

import { messageOf } from './messages.mjs';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { Duplex } from 'node:stream' */
/** @import { Runtime } from './runtime.mjs' */
/** @import { Change, Event, Pattern } from './wire.d.ts' */
/**
 * @typedef {{account: string, key: string, script: string, enabled: boolean, answers: Pattern[]}}
 *   Route
 */

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|[\w.-]+\.localhost)(:\d+)?$/i;
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection']);

export class Ports {
  #runtime;
  #emit;
  /** @type {Map<number, {server: http.Server, route: Route}>} */
  #listeners = new Map();
  /** @type {Map<string, number>} by the keys of Workers */
  #ports = new Map();

  /** @param {{runtime: Runtime, emit: (event: Event) => void}} parts */
  constructor({ runtime, emit }) {
    this.#runtime = runtime;
    this.#emit = emit;
  }

  /**
   * Open and close ports to match the account's Workers.
   * @param {Change} change
   * @returns {Promise<number[]>} the ports that other programs use
   */
  async listen({ account, changed, removed }) {
    for (const key of removed) this.#close(this.#ports.get(key));
    const taken = [];
    for (const { key, port, script, enabled, answers } of changed) {
      const route = { account, key, script, enabled, answers };
      if (this.#ports.get(key) !== port) this.#close(this.#ports.get(key));
      const listener = this.#listeners.get(port);
      if (listener) {
        this.#ports.delete(listener.route.key);
        this.#ports.set(key, port);
        listener.route = route;
      } else if (!(await this.#open(port, route))) taken.push(port);
    }
    return taken;
  }

  async close() {
    for (const port of [...this.#listeners.keys()]) this.#close(port);
  }

  /** @param {number | undefined} port */
  #close(port) {
    const listener = port && this.#listeners.get(port);
    if (!listener) return;
    this.#listeners.delete(port);
    this.#ports.delete(listener.route.key);
    listener.server.closeAllConnections();
    listener.server.close();
  }

  /**
   * @param {number} port @param {Route} route
   * @returns {Promise<boolean>} false if another program uses the port
   */
  #open(port, route) {
    const listener = { route, server: http.createServer({ requestTimeout: 0 }) };
    listener.server.on('request', (request, response) =>
      this.#request(listener.route, request, response),
    );
    listener.server.on('upgrade', (request, socket, head) =>
      this.#upgrade(listener.route, request, socket, head),
    );
    return new Promise((resolve) => {
      listener.server.once('error', () => resolve(false));
      listener.server.listen(port, '127.0.0.1', () => {
        listener.server.on('error', (error) =>
          this.#emit({ event: 'note', message: `port ${port}: ${error.message}` }),
        );
        this.#listeners.set(port, listener);
        this.#ports.set(route.key, port);
        resolve(true);
      });
    });
  }

  /**
   * @param {Route} route @param {IncomingMessage} request
   * @returns {{status: number, text: string} | undefined} why the request is refused
   */
  #refusal(route, request) {
    if (route.answers.some((pattern) => matches(pattern, request))) return undefined;
    if (!LOOPBACK.test(request.headers.host ?? '')) {
      return { status: 403, text: 'The Host header must name this machine.' };
    }
    if (!route.enabled) {
      return {
        status: 404,
        text: `There is nothing here yet: the workers.dev subdomain of '${route.script}' is not enabled.`,
      };
    }
    return undefined;
  }

  /** @param {Route} route @param {IncomingMessage} request @param {ServerResponse} response */
  async #request(route, request, response) {
    /** @param {number} status @param {string} text */
    const answer = (status, text) => {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      response.writeHead(status, {
        'content-type': 'text/plain; charset=utf-8',
      });
      response.end(`${text}\n`);
    };
    const refusal = this.#refusal(route, request);
    if (refusal) {
      answer(refusal.status, refusal.text);
      return;
    }
    await this.#runtime
      .visit(route, (target) => pass(target, request, response))
      .catch((error) => answer(503, messageOf(error)));
  }

  /**
   * @param {Route} route @param {IncomingMessage} request @param {Duplex} socket
   * @param {Buffer} head
   */
  async #upgrade(route, request, socket, head) {
    socket.on('error', () => socket.destroy());
    const refusal = this.#refusal(route, request);
    if (refusal) {
      socket.end(`HTTP/1.1 ${refusal.status} Refused\r\nConnection: close\r\n\r\n`);
      return;
    }
    try {
      await this.#runtime.visit(route, async (target, instance) => {
        const onward = net.connect(Number(target.port), target.hostname);
        onward.on('close', instance.hold());
        onward.on('error', () => socket.destroy());
        onward.on('close', () => socket.destroy());
        socket.on('close', () => onward.destroy());
        onward.write(requestHead(request));
        onward.write(head);
        socket.pipe(onward).pipe(socket);
      });
    } catch (error) {
      this.#emit({ event: 'note', message: `WebSocket: ${messageOf(error)}` });
      socket.end('HTTP/1.1 503 Unavailable\r\nConnection: close\r\n\r\n');
    }
  }
}

/**
 * Whether a request matches a route or custom domain, which its Worker answers here as well.
 * @param {Pattern} pattern @param {IncomingMessage} request
 */
function matches({ host, path }, request) {
  const name = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  return matchesPattern(host.toLowerCase(), name) && matchesPattern(path, request.url ?? '');
}

/**
 * A pattern has one `*`, at the start of a hostname or at the end of a path.
 * @param {string} pattern @param {string} text
 */
function matchesPattern(pattern, text) {
  if (pattern.startsWith('*')) return text.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return text.startsWith(pattern.slice(0, -1));
  return pattern === text;
}

/** @param {IncomingMessage} request */
function requestHead(request) {
  const lines = [`${request.method} ${request.url} HTTP/1.1`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** @param {string[]} rawHeaders */
function keepEndToEnd(rawHeaders) {
  const headers = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (!HOP_BY_HOP.has(rawHeaders[index].toLowerCase())) {
      headers.push(rawHeaders[index], rawHeaders[index + 1]);
    }
  }
  return headers;
}

/**
 * Resolves when the whole answer has been sent.
 * @param {URL} target @param {IncomingMessage} request @param {ServerResponse} response
 * @returns {Promise<void>}
 */
function pass(target, request, response) {
  return new Promise((resolve, reject) => {
    const onward = http.request({
      host: target.hostname,
      port: target.port,
      method: request.method,
      path: request.url,
      headers: keepEndToEnd(request.rawHeaders),
      agent: false,
    });
    onward.on('response', (answer) => {
      const { statusCode = 502, statusMessage, rawHeaders } = answer;
      response.writeHead(statusCode, statusMessage, keepEndToEnd(rawHeaders));
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', (error) =>
      reject(new Error(`The Worker's runtime ended during the request: ${error.message}`)),
    );
    response.on('close', () => {
      onward.destroy();
      resolve();
    });
    request.pipe(onward);
  });
}
