/**
 * Pass queries to the workerds that hold the D1 databases, so that a long query of one database
 * does not stop the others.
 *
 * workerd runs one query at a time and cannot interrupt it. So requests of different databases wait
 * here, not in a workerd: if a request has waited for `PATIENCE`, another workerd is started for
 * it. All workerds use the same files, and all requests of a database that run at the same time run
 * in the same workerd. A workerd whose query takes longer than D1 allows is killed, and SQLite
 * rolls the query back.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { NAME_HEADER, SECRET_HEADER, STORE_HEADER } from './bindings.mjs';
import { DISTANCE_HEADER, DistantDatabases } from './distance.mjs';
import { messageOf } from './messages.mjs';
import { STORES, storesWorker } from './options.mjs';

/** @import { IncomingMessage, Server, ServerResponse } from 'node:http' */
/** @import { Miniflare, V4SharedOptions, V4WorkerOptions } from 'miniflare' */
/** @import { D1Answer, D1Result, Query } from './wire.d.ts' */
/** @typedef {(workers: V4WorkerOptions[], more: V4SharedOptions) => Miniflare} Run starts a Miniflare */
/** @typedef {{method: string, path: string, headers: Record<string, string>, body: Buffer}} Call */
/** @typedef {{status: number, headers: Record<string, string>, body: Buffer}} Answer */
/** @typedef {{database: string, call: Call, since: number, resolve: (answer: Answer) => void}} Job */

/** D1's limit for a query, in milliseconds, and the error of a longer one. */
const LIMIT = 30_000;
const TOO_LONG = 'D1 DB exceeded its CPU time limit and was reset.';
const LOST = 'Network connection lost.';
/** How long a request waits before another workerd starts, and how many run at most. */
const PATIENCE = 100;
const MOST = 4;
/** How long an additional workerd stays, in milliseconds. */
const IDLE = 10_000;
const AGENT = new Agent({ keepAlive: true });
/** Headers of one connection. */
const HOP_HEADERS = ['connection', 'content-length', 'host', 'keep-alive', 'transfer-encoding'];

export class Databases {
  #secret = randomBytes(24).toString('hex');
  #address = '';
  #distant = new DistantDatabases();
  /** @type {Run} */
  #run;
  #crashed;
  /** @type {Server | undefined} */
  #server;
  /** @type {Engine[]} */
  #engines = [];
  /** @type {Job[]} */
  #waiting = [];
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /**
   * @param {Run} run
   * @param {() => void} crashed called when a workerd ended and was restarted
   */
  constructor(run, crashed) {
    this.#run = run;
    this.#crashed = crashed;
  }

  async start() {
    const server = createServer((request, response) => this.#answer(request, response));
    this.#server = server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    this.#address = typeof address === 'object' ? `127.0.0.1:${address?.port}` : '';
  }

  /** @returns {{address: string, secret: string}} address and secret for the Workers' workerds */
  get access() {
    return { address: this.#address, secret: this.#secret };
  }

  /**
   * Run queries on a database in one transaction.
   * @param {string} database @param {Query[]} queries
   * @returns {Promise<D1Answer>}
   */
  async query(database, queries) {
    const path = '/query?resultsFormat=ROWS_AND_COLUMNS';
    const body = Buffer.from(JSON.stringify(queries));
    const answer = await this.#request(database, { method: 'POST', path, headers: {}, body });
    const found =
      /** @type {D1Result[] | {success: true, results: [string[]]} | {success: false, error: string}} */ (
        JSON.parse(answer.body.toString())
      );
    if (Array.isArray(found)) return { rows: found };
    return found.success ? { dump: found.results[0] } : { error: found.error };
  }

  async dispose() {
    clearTimeout(this.#timer);
    this.#server?.close();
    await Promise.all(this.#engines.map((engine) => engine.dispose()));
  }

  /**
   * Answer a Worker's D1 binding.
   * @param {IncomingMessage} request @param {ServerResponse} response
   */
  async #answer(request, response) {
    if (request.headers[SECRET_HEADER] !== this.#secret) {
      response.writeHead(403).end('The secret is missing or wrong.');
      return;
    }
    try {
      const { method = 'GET', url: path = '/' } = request;
      const database = `${request.headers[NAME_HEADER.toLowerCase()]}`;
      const headers = keptHeaders(Object.entries(request.headers));
      const call = { method, path, headers, body: await buffer(request) };
      const distance = headers[DISTANCE_HEADER];
      delete headers[DISTANCE_HEADER];
      const answer = await this.#distant.travel(distance, database, () =>
        this.#request(database, call),
      );
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch (error) {
      response.writeHead(500).end(messageOf(error));
    }
  }

  /** @param {string} database @param {Call} call @returns {Promise<Answer>} */
  #request(database, call) {
    return new Promise((resolve) => {
      this.#waiting.push({ database, call, since: Date.now(), resolve });
      this.#look();
    });
  }

  /** Pass on what need not wait, and start another workerd for what has waited long enough. */
  #look() {
    clearTimeout(this.#timer);
    const now = Date.now();
    this.#waiting = this.#waiting.filter((job) => !this.#pass(job, now));
    if (this.#waiting.length > 0 && this.#engines.length < MOST) {
      const due = this.#waiting[0].since + PATIENCE - now;
      this.#timer = setTimeout(() => this.#look(), Math.max(due, 1));
    }
  }

  /** @param {Job} job @param {number} now @returns {boolean} whether a workerd has it */
  #pass(job, now) {
    const engine =
      this.#engines.find(({ database }) => database === job.database) ??
      this.#engines.find(({ database }) => database === undefined) ??
      (this.#engines.length === 0 || now - job.since >= PATIENCE ? this.#add() : undefined);
    engine?.take(job);
    return engine !== undefined;
  }

  #add() {
    if (this.#engines.length >= MOST) return undefined;
    const engine = new Engine(this.#run, this.#crashed, () => this.#free(engine));
    this.#engines.push(engine);
    return engine;
  }

  /** @param {Engine} engine that runs nothing now */
  #free(engine) {
    if (engine.ended) this.#remove(engine);
    else if (engine !== this.#engines[0]) engine.endLater(() => this.#remove(engine));
    this.#look();
  }

  /** @param {Engine} engine */
  #remove(engine) {
    this.#engines = this.#engines.filter((other) => other !== engine);
    engine.dispose();
  }
}

/** One workerd, which runs the requests of one database at a time. */
class Engine {
  /** @type {string | undefined} the database whose requests it runs */
  database;
  ended = false;
  #secret = randomBytes(24).toString('hex');
  #running = 0;
  #free;
  #miniflare;
  /** @type {Promise<string>} */
  #address;
  /** @type {NodeJS.Timeout | undefined} */
  #end;
  /** @type {Promise<void> | undefined} */
  #disposed;

  /** @param {Run} run @param {() => void} crashed @param {() => void} free called when it is idle */
  constructor(run, crashed, free) {
    this.#free = free;
    this.#miniflare = run([storesWorker(this.#secret)], { unsafeHandleRuntimeRestart: crashed });
    this.#address = this.#miniflare.unsafeGetDirectURL(STORES).then(({ host }) => host);
    this.#address.catch(() => {});
  }

  /** @param {Job} job */
  async take({ database, call, resolve }) {
    clearTimeout(this.#end);
    this.database = database;
    this.#running += 1;
    let timer;
    const limit = new Promise((over) => {
      timer = setTimeout(over, LIMIT, failure(TOO_LONG));
    }).then((answer) => {
      this.ended = true;
      this.dispose();
      return answer;
    });
    const sent = this.#send(database, call).catch(() => failure(this.ended ? TOO_LONG : LOST));
    resolve(await Promise.race([sent, limit]));
    clearTimeout(timer);
    this.#running -= 1;
    if (this.#running > 0) return;
    this.database = undefined;
    this.#free();
  }

  /** @param {() => void} end */
  endLater(end) {
    this.#end = setTimeout(end, IDLE);
  }

  dispose() {
    this.ended = true;
    clearTimeout(this.#end);
    this.#disposed ??= this.#miniflare.dispose().catch(() => {});
    return this.#disposed;
  }

  /** @param {string} database @param {Call} call @returns {Promise<Answer>} */
  async #send(database, { method, path, headers, body }) {
    await this.#miniflare.ready;
    const sent = request(`http://${await this.#address}${path}`, {
      method,
      agent: AGENT,
      headers: {
        ...headers,
        [STORE_HEADER]: 'd1',
        [SECRET_HEADER]: this.#secret,
        [NAME_HEADER]: database,
        'content-length': body.length,
      },
    });
    sent.end(body);
    const [response] = /** @type {[IncomingMessage]} */ (await once(sent, 'response'));
    const kept = keptHeaders(Object.entries(response.headers));
    return { status: response.statusCode ?? 500, headers: kept, body: await buffer(response) };
  }
}

/** @param {[string, string | string[] | undefined][]} headers @returns {Record<string, string>} */
function keptHeaders(headers) {
  const kept = headers.filter(([name]) => !HOP_HEADERS.includes(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, `${value}`]));
}

/** @param {string} error @returns {Answer} an error in the form of Miniflare's D1 */
function failure(error) {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ success: false, error })),
  };
}
