/** Load Miniflare and workerd from a folder of Node packages, and start Miniflares. */
import { createRequire } from 'node:module';
import path from 'node:path';

/** @import { IncomingMessage } from 'node:http' */
/** @import { Duplex } from 'node:stream' */
/** @import { V4SharedOptions, V4WorkerOptions } from 'miniflare' */
/**
 * @typedef {object} Programs
 * @property {typeof import('miniflare')} miniflare
 * @property {{default: string, compatibilityDate: string, version: string}} workerd the path of its
 *   program, the newest compatibility date that it knows, and its version
 * @property {string} home Miniflare's folder
 * @property {new (options: object) => SocketServer} sockets the WebSocket server that Miniflare uses
 */

/**
 * @typedef {object} Socket a WebSocket
 * @property {{_masked: boolean}} _receiver the reader of its frames
 * @property {(text: string) => void} send
 * @property {() => void} close
 * @property {() => void} terminate
 * @property {(event: 'close' | 'error', handle: () => void) => void} on
 */
/**
 * @typedef {object} SocketServer
 * @property {(request: IncomingMessage, socket: Duplex, head: Buffer,
 *   connected: (socket: Socket) => void) => void} handleUpgrade
 */

/**
 * @param {string} folder of the packages
 * @returns {Programs}
 */
export function loadPrograms(folder) {
  const require = createRequire(path.join(path.resolve(folder), 'x.js'));
  const home = path.dirname(require.resolve('miniflare'));
  const sockets = createRequire(path.join(home, 'x.js'))('ws').WebSocketServer;
  return { miniflare: require('miniflare'), workerd: require('workerd'), home, sockets };
}

/**
 * @param {Programs} programs
 * @param {string} data folder of all data
 * @param {string} root folder of what this Miniflare stores
 * @param {V4WorkerOptions[]} workers
 * @param {V4SharedOptions} more
 * @param {(message: string) => string} [explain] changes what Workers log
 */
export function startMiniflare({ miniflare }, data, root, workers, more, explain = String) {
  const { Miniflare, convertV4MiniflareOptions, Log, LogLevel } = miniflare;
  class StderrLog extends Log {
    /** @param {string} message */
    log(message) {
      process.stderr.write(`${message}\n`);
    }
  }
  /** @type {V4SharedOptions} */
  const shared = {
    host: '127.0.0.1',
    port: 0,
    cf: false,
    logRequests: false,
    log: new StderrLog(LogLevel.WARN),
    enableDevRegistry: false,
    resourcePersistencePath: root,
    resourceTmpPath: path.resolve(data, 'tmp'),
    handleStructuredLogs: ({ level, message }) =>
      process.stderr.write(`${level}: ${explain(message)}\n`),
  };
  return new Miniflare(convertV4MiniflareOptions({ ...shared, workers, ...more }));
}

/**
 * @param {Programs} programs @param {string} data folder of all data
 * @returns {(workers: V4WorkerOptions[], more: V4SharedOptions) => import('miniflare').Miniflare}
 *   starts a Miniflare that stores in that folder
 */
export function sharing(programs, data) {
  return (workers, more) => startMiniflare(programs, data, data, workers, more);
}
