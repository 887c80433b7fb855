/**
 * Deliver the messages of queues to the Workers that consume them, with retries and dead-letter
 * queues.
 *
 * Messages are stored in a SQLite file until a consumer has taken them. So none is lost when a
 * Worker is reloaded, when the emulator is killed, or while a queue has no consumer. A batch that
 * was being delivered at that moment is delivered again, as on Cloudflare.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { NAME_HEADER, SECRET_HEADER } from './bindings.mjs';
import { messageOf } from './messages.mjs';
import { QueueStore } from './queue_store.mjs';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { Row } from './queue_store.mjs' */
/** @import { Answers, Change, Consumer as Settings, Requests } from './wire.d.ts' */

const MAX_TIMER = 86_400_000;

/** @typedef {Settings & {account: string, worker: string}} Consumer with the key of its Worker */
/** @typedef {{type: string, body: Uint8Array, delay?: number}} Sent a message as a Worker sends it */
/**
 * @typedef {{id: string, timestamp: Date, attempts: number} &
 *   ({body: unknown} | {serializedBody: ArrayBufferView})} Message as a `queue` handler receives it
 */
/**
 * @typedef {object} Outcome what the run of a `queue` handler returned
 * @property {string} outcome
 * @property {boolean} [ackAll]
 * @property {string[]} [explicitAcks]
 * @property {{retry: boolean, delaySeconds?: number}} [retryBatch]
 * @property {{msgId: string, delaySeconds?: number}[]} [retryMessages]
 */

export class Queues {
  #secret = randomBytes(24).toString('hex');
  #data;
  #deliver;
  #note;
  #store = new QueueStore();
  /** @type {import('node:http').Server | undefined} */
  #server;
  #address = '';
  /** @type {Map<string, Consumer>} by queue */
  #consumers = new Map();
  /** @type {Map<string, Set<Set<number>>>} the numbers of the messages in each running delivery, by queue */
  #running = new Map();
  /** @type {Map<string, NodeJS.Timeout>} by queue */
  #timers = new Map();

  /**
   * @param {{data: string, deliver: (consumer: Consumer, messages: Message[]) => Promise<Outcome>,
   *   note: (message: string) => void}} options `deliver` runs a Worker's `queue` handler
   */
  constructor({ data, deliver, note }) {
    this.#data = data;
    this.#deliver = deliver;
    this.#note = note;
  }

  /** @param {string[]} known the keys of all queues; messages of others are removed */
  async start(known) {
    this.#store.open(this.#data);
    this.forget(this.#store.queues().filter((queue) => !known.includes(queue)));
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
   * Take over which queues an account's changed Workers consume.
   * @param {Change} change
   */
  accountChanged({ account, changed, removed }) {
    const keys = new Set([...removed, ...changed.map(({ key }) => key)]);
    for (const [queue, { worker }] of this.#consumers) {
      if (keys.has(worker)) this.#consumers.delete(queue);
    }
    for (const worker of changed) {
      if ('down' in worker) continue;
      for (const [queue, settings] of Object.entries(worker.consumes)) {
        this.#consumers.set(queue, { ...settings, account, worker: worker.key });
        this.#look(queue);
      }
    }
  }

  /** @param {string[]} queues the keys of deleted queues, whose messages are removed */
  forget(queues) {
    for (const queue of queues) {
      clearTimeout(this.#timers.get(queue));
      this.#timers.delete(queue);
      this.#store.purge(queue);
    }
  }

  dispose() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#server?.close();
    this.#store.close();
  }

  /**
   * Answer a Worker's queue binding: `send`, `sendBatch` and `metrics`.
   * @param {IncomingMessage} request @param {ServerResponse} response
   */
  async #answer(request, response) {
    try {
      if (request.headers[SECRET_HEADER] !== this.#secret) {
        response.writeHead(403).end('The secret is missing or wrong.');
        return;
      }
      const queue = `${request.headers[NAME_HEADER.toLowerCase()]}`;
      const body = await readBody(request);
      for (const message of readMessages(request, body)) this.#store.add(queue, message);
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ metadata: { metrics: this.#store.metrics(queue) } }));
      this.#look(queue);
    } catch (error) {
      this.#note(`A message was not stored: ${messageOf(error)}`);
      response.writeHead(500).end('The message was not stored.');
    }
  }

  /** @param {Requests['queues']} request the settings of queues, by their keys */
  configure({ settings }) {
    for (const [queue, each] of Object.entries(settings)) {
      this.#store.set(queue, each);
      this.#look(queue);
    }
  }

  /** @param {Requests['queue_push']} request @returns {Answers['queue_push']} */
  push({ queue, messages }) {
    for (const { type, base64, delay } of messages) {
      const body = Buffer.from(base64, 'base64');
      this.#store.add(queue, { type, body, delay: delay ?? undefined });
    }
    this.#look(queue);
    return { metrics: this.#store.metrics(queue) };
  }

  /**
   * The entries of a Workflow instance's log that were published.
   * @param {string} workflow @param {string} object
   */
  listPublished(workflow, object) {
    return this.#store.listPublished(workflow, object);
  }

  /**
   * Store messages about entries of a Workflow instance's log, each once.
   * @param {string} queue @param {string} workflow @param {string} object
   * @param {{key: string, body: object}[]} messages
   */
  publish(queue, workflow, object, messages) {
    this.#store.publish(queue, workflow, object, messages);
    this.#look(queue);
  }

  /** @param {string} workflow @param {Set<string>} [kept] the objects of existing instances */
  forgetPublished(workflow, kept) {
    this.#store.forgetPublished(workflow, kept);
  }

  /** @param {Requests['queue_pull']} request @returns {Answers['queue_pull']} */
  pull({ queue, count, visibility, max_retries, dead_letter }) {
    const pulled = [];
    /** @type {Set<number>} */
    const taken = new Set();
    while (pulled.length < count && !this.#store.settings(queue).paused) {
      const [message] = this.#store.waiting(queue, 1, taken);
      if (!message || message.due > Date.now()) break;
      if (message.failures > max_retries) {
        this.#giveUp(message, { name: queue, dead_letter });
        continue;
      }
      const { id, type, body, sent, failures } = message;
      taken.add(message.number);
      const lease = this.#store.lease(message, visibility);
      const base64 = Buffer.from(body).toString('base64');
      pulled.push({ id, type, base64, sent, attempts: failures + 1, lease });
    }
    return { messages: pulled, metrics: this.#store.metrics(queue) };
  }

  /** @param {Requests['queue_ack']} request @returns {Answers['queue_ack']} */
  acknowledge({ queue, acks, retries, max_retries, dead_letter }) {
    const unknown = [];
    for (const lease of acks) {
      const message = this.#store.unlease(queue, lease);
      if (message) this.#store.remove(message);
      else unknown.push(lease);
    }
    for (const { lease, delay } of retries) {
      const message = this.#store.unlease(queue, lease);
      if (!message) unknown.push(lease);
      else if (message.failures > max_retries) this.#giveUp(message, { name: queue, dead_letter });
      else this.#store.postpone(message, delay);
    }
    return { unknown };
  }

  /** @param {Requests['queue_metrics']} request @returns {Answers['queue_metrics']} */
  metrics({ queue }) {
    return { metrics: this.#store.metrics(queue) };
  }

  /**
   * Deliver the batches of a queue that are ready, and wait for the next one.
   * @param {string} queue
   */
  #look(queue) {
    clearTimeout(this.#timers.get(queue));
    const consumer = this.#consumers.get(queue);
    if (!consumer || !this.#store.isOpen || this.#store.settings(queue).paused) return;
    /** @type {Set<Set<number>>} */
    const running = this.#running.get(queue) ?? new Set();
    this.#running.set(queue, running);
    while (running.size < (consumer.max_concurrency ?? 1)) {
      const taken = new Set([...running].flatMap((batch) => [...batch]));
      const waiting = this.#store.waiting(queue, consumer.batch_size, taken);
      const ready = waiting.filter(({ due }) => due <= Date.now());
      const isFull = ready.length >= consumer.batch_size;
      const next = isFull ? 0 : nextTime(waiting, consumer.max_wait_time_ms);
      if (next > Date.now()) {
        this.#wait(queue, next);
        return;
      }
      const batch = new Set(ready.map(({ number }) => number));
      running.add(batch);
      this.#deliverBatch(consumer, ready)
        .catch((error) => this.#note(`Queue ${consumer.name}: ${messageOf(error)}`))
        .finally(() => {
          running.delete(batch);
          this.#look(queue);
        });
    }
  }

  /** @param {string} queue @param {number} time */
  #wait(queue, time) {
    if (time === Number.POSITIVE_INFINITY) return;
    const wait = Math.min(time - Date.now(), MAX_TIMER);
    this.#timers.set(
      queue,
      setTimeout(() => this.#look(queue), wait),
    );
  }

  /** @param {Consumer} consumer @param {Row[]} batch */
  async #deliverBatch(consumer, batch) {
    const messages = batch.map(({ id, sent, type, body, failures }) => ({
      id,
      timestamp: new Date(sent),
      attempts: failures + 1,
      ...bodyOf(type, body),
    }));
    /** @type {Outcome} */
    let result;
    try {
      result = await this.#deliver(consumer, messages);
    } catch (error) {
      this.#note(`Queue ${consumer.name}: ${messageOf(error)}`);
      result = { outcome: 'exception' };
    }
    if (!this.#store.isOpen) return;
    for (const message of batch) {
      const delay = retryDelay(result, message.id, consumer.retry_delay);
      if (delay === undefined) this.#store.remove(message);
      else if (message.failures < consumer.max_retries) this.#store.retry(message, delay);
      else this.#giveUp(message, consumer);
    }
  }

  /**
   * Move a message to the dead-letter queue, with its ID and time; without one, drop it.
   * @param {Row} message @param {{name: string, dead_letter: string | null}} consumer
   */
  #giveUp(message, { dead_letter, name }) {
    if (dead_letter) {
      this.#store.move(message, dead_letter);
      this.#look(dead_letter);
      return;
    }
    this.#store.remove(message);
    this.#note(`Queue ${name}: message ${message.id} was dropped after its last retry`);
  }
}

/**
 * When a batch that is not full is delivered: when its oldest message has waited long enough.
 * @param {Row[]} waiting @param {number} maxWait
 */
function nextTime(waiting, maxWait) {
  const [oldest] = waiting;
  return oldest ? oldest.due + maxWait : Number.POSITIVE_INFINITY;
}

/**
 * After how many seconds a message is delivered again; undefined if it was acknowledged. What a
 * handler says of a message is stronger than what it says of the batch.
 * @param {Outcome} result @param {string} id the message's
 * @param {number} standard the consumer's delay
 */
function retryDelay({ outcome, ackAll, explicitAcks, retryBatch, retryMessages }, id, standard) {
  const single = retryMessages?.find(({ msgId }) => msgId === id);
  if (single) return single.delaySeconds ?? retryBatch?.delaySeconds ?? standard;
  if (ackAll || explicitAcks?.includes(id)) return undefined;
  if (outcome === 'ok' && !retryBatch?.retry) return undefined;
  return retryBatch?.delaySeconds ?? standard;
}

/** @param {string} type @param {Uint8Array} body */
function bodyOf(type, body) {
  const bytes = Buffer.from(body);
  if (type === 'text') return { body: bytes.toString() };
  if (type === 'json') return { body: JSON.parse(bytes.toString()) };
  if (type === 'bytes') return { body: new Uint8Array(bytes) };
  return { serializedBody: new Uint8Array(bytes) };
}

/**
 * The messages in a request of a queue binding, as workerd writes it (`api/queue.c++`).
 * @param {IncomingMessage} request @param {Buffer} body
 * @returns {Sent[]}
 */
function readMessages({ method, url, headers }, body) {
  if (method !== 'POST') return [];
  const given = headers['x-msg-delay-secs'];
  const delay = given === undefined ? undefined : Number(given);
  if (!url?.endsWith('/batch')) return [{ type: `${headers['x-msg-fmt'] ?? 'v8'}`, body, delay }];
  /** @type {{messages: {contentType?: string, body: string, delaySecs?: number}[]}} */
  const batch = JSON.parse(body.toString());
  return batch.messages.map((message) => ({
    type: message.contentType ?? 'v8',
    body: Buffer.from(message.body, 'base64'),
    delay: message.delaySecs ?? delay,
  }));
}

/** @param {IncomingMessage} request */
async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
