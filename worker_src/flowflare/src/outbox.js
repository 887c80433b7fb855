/** Store what a Worker reports until the service has acknowledged it, and retry until then. */

import * as workers from 'cloudflare:workers';
import {
  addressed,
  batchOf,
  bodyOf,
  concerns,
  IN_FLIGHT_MS,
  isDue,
  isInFlight,
} from './outbox-entries.js';
import { deliver, transportsOf, warnOnce } from './transport.js';

/** @typedef {import('./transport.js').TrackingEnv} TrackingEnv */
/** @typedef {import('./transport.js').Transport} Transport */
/** @typedef {import('./outbox-entries.js').Update} Update */
/** @typedef {import('./outbox-entries.js').Entry} Entry */
/**
 * How long a step waits for its tracking. The rest of the promised 500 ms is for a busy machine.
 */
const PATIENCE_MS = 300;
/**
 * The runtime lets an ended request continue for 30 s:
 * developers.cloudflare.com/workers/runtime-apis/context.
 */
const KEPT_MS = 25_000;
const FIRST_PAUSE_MS = 100;
/** A request without an answer for this long shows that the service is in difficulty. */
const SLOW_MS = 1000;
/** How long steps do not wait again for a service that did not answer. */
const SILENT_MS = 30_000;
const MAX_PAUSE_MS = 5000;
const SILENT_PAUSE_MS = 1000;
/** An isolate's memory belongs to its Workers, so older updates are dropped. */
const MAX_ENTRIES = 1000;
const MAX_LENGTH = 8 * 1024 * 1024;

/** Answers to updates that were sent more than once, and may have been recorded before. */
const repeats = new WeakSet();

/** @param {object} answer whose update may have been recorded by an earlier request */
export const isRepeated = (answer) => repeats.has(answer);

/** The updates that one destination has not acknowledged, oldest first. */
class Outbox {
  /** @type {Entry[]} */
  #entries = [];
  #silentUntil = 0;
  /**
   * After a failure nothing is sent before this time by any caller. What gathers until then goes in
   * one request.
   */
  #retryAt = 0;
  #failures = 0;
  /** Requests that have no answer yet. */
  #underway = 0;

  /** Whether the service recently did not answer in time, and has not answered since. */
  get isSilent() {
    return Date.now() < this.#silentUntil;
  }

  /** Stop calling the service, but for one request at a time that finds out whether it answers. */
  beSilent() {
    this.#silentUntil = Date.now() + SILENT_MS;
    this.#retryAt = Math.max(this.#retryAt, Date.now() + SILENT_PAUSE_MS);
    warnOnce('the service does not answer in time; updates are sent again in the background');
  }

  /**
   * @param {Update[]} updates
   * @returns {Entry[]}
   */
  add(updates) {
    const added = updates.map((update) => this.#entryOf(update));
    this.#entries.push(...added);
    const length = () => this.#entries.reduce((sum, { text }) => sum + text.length, 0);
    while (this.#entries.length > MAX_ENTRIES || length() > MAX_LENGTH) {
      console.warn('flowflare: an update was dropped, since the service has not answered for long');
      this.#entries[0].settle(false);
    }
    return added;
  }

  /**
   * Send entries until they are acknowledged or refused, or until the time is up. The rest is sent
   * with the next report. Never throws.
   * @param {Transport[]} transports
   * @param {Entry[]} own
   * @param {number} holdMs how long to wait for other reports that go in the same request
   */
  async send(transports, own, holdMs) {
    const end = Date.now() + KEPT_MS;
    if (holdMs > 0) await scheduler.wait(holdMs);
    while (own.some(({ isOpen }) => isOpen) && Date.now() < end) {
      const pause = this.#retryAt - Date.now();
      if (pause > 0) {
        await scheduler.wait(pause);
        continue;
      }
      if (this.isSilent && this.#underway > 0) {
        // One request is enough to find out whether the service answers again.
        await within(SILENT_PAUSE_MS, answersTo(own));
        continue;
      }
      await this.#turnOf(own);
      const due = this.#entries.filter((entry) => isDue(entry, own));
      if (due.length === 0) await within(IN_FLIGHT_MS, answersTo(own));
      else this.#note(await this.#send(transports, batchOf(due)));
    }
  }

  /** @param {boolean} isAnswered */
  #note(isAnswered) {
    this.#failures = isAnswered ? 0 : this.#failures + 1;
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, MAX_PAUSE_MS);
    this.#retryAt = isAnswered ? 0 : Date.now() + longest * (0.5 + Math.random() / 2);
  }

  /**
   * Wait for earlier updates of the same rows that are being sent, so that these do not overtake
   * them.
   * @param {Entry[]} own
   */
  async #turnOf(own) {
    const first = this.#entries.findIndex((entry) => own.includes(entry));
    const underway = this.#entries
      .slice(0, Math.max(first, 0))
      .filter((entry) => isInFlight(entry, IN_FLIGHT_MS) && own.some(concerns(entry)));
    if (underway.length > 0) await within(IN_FLIGHT_MS, answersTo(underway));
  }

  /**
   * @param {Transport[]} transports
   * @param {Entry[]} batch
   * @returns {Promise<boolean>} whether the service answered
   */
  async #send(transports, batch) {
    for (const entry of batch) {
      entry.sentAt = Date.now();
      entry.requests++;
    }
    this.#underway++;
    const exchange = this.#exchange(transports, batch);
    if ((await within(SLOW_MS, exchange)) === LATE) this.beSilent();
    const isAnswered = await exchange;
    this.#underway--;
    for (const entry of batch) entry.sentAt = 0;
    return isAnswered;
  }

  /**
   * @param {Transport[]} transports
   * @param {Entry[]} batch
   * @returns {Promise<boolean>}
   */
  async #exchange(transports, batch) {
    const { status, text } = await deliver(transports, bodyOf(batch));
    const answers = status === 200 ? answersIn(text) : null;
    if (answers !== null) {
      this.#silentUntil = 0;
      batch.forEach((entry, at) => {
        const refusal = answers[at]?.error;
        if (refusal !== undefined)
          console.warn(`flowflare: an update was not recorded: ${refusal}`);
        if (entry.requests > 1 && answers[at]) repeats.add(answers[at]);
        entry.settle(refusal === undefined && (answers[at] ?? false));
      });
      return true;
    }
    if (isPassing(status)) return false;
    this.#silentUntil = 0;
    if (batch.length > 1 && ![401, 403].includes(status)) {
      // A refused update must not prevent the others from being recorded.
      for (const entry of batch) {
        if (entry.isOpen && !(await this.#exchange(transports, [entry]))) return false;
      }
      return true;
    }
    console.warn(`flowflare: an update was not recorded: ${status} ${text.slice(0, 500)}`);
    for (const entry of batch) entry.settle(false);
    return true;
  }

  /**
   * @param {Update} update
   * @returns {Entry}
   */
  #entryOf(update) {
    /** @type {(answer: any) => void} */
    let resolve = () => {};
    /** @type {Entry} */
    const entry = {
      ...addressed(update),
      sentAt: 0,
      requests: 0,
      isOpen: true,
      answer: new Promise((settled) => {
        resolve = settled;
      }),
      settle: (answer) => {
        if (!entry.isOpen) return;
        entry.isOpen = false;
        this.#entries.splice(this.#entries.indexOf(entry), 1);
        resolve(answer);
      },
    };
    return entry;
  }
}

/** @type {WeakMap<object, Outbox>} */
const byBinding = new WeakMap();
/** @type {Map<string, Outbox>} */
const byAddress = new Map();

/**
 * @param {TrackingEnv} env may be a new object for the same service in every call
 * @returns {Outbox}
 */
function outboxOf(env) {
  const service = env.WORKFLOW_TRACKER_API ?? env.WORKFLOW_SERVICE ?? env.WORKFLOW_SERVICE_RPC;
  const binding = service ?? env.WORKFLOW_TRACKER;
  const [boxes, key] = /** @type {[Map<any, Outbox>, any]} */ (
    binding ? [byBinding, binding] : [byAddress, String(env.TRACKER_API_URL)]
  );
  const known = boxes.get(key);
  if (known) return known;
  const made = new Outbox();
  boxes.set(key, made);
  return made;
}

/**
 * Report updates in the background, in this order; never throws.
 * @param {TrackingEnv} env
 * @param {Update[]} updates
 * @param {{holdMs?: number}} [options] how long these wait for later ones to go with
 * @returns {Promise<any[]>} an answer for each, false for a refused update. It may never resolve:
 *   await it only with `acknowledged`
 */
export function report(env, updates, { holdMs = 0 } = {}) {
  const transports = transportsOf(env ?? {});
  if (transports.length === 0) {
    warnOnce(
      'nothing is tracked: bind WORKFLOW_SERVICE or WORKFLOW_TRACKER, or set TRACKER_API_URL',
    );
    return Promise.resolve(updates.map(() => false));
  }
  const outbox = outboxOf(env);
  const entries = outbox.add(updates);
  inBackground(outbox.send(transports, entries, holdMs));
  return answersTo(entries);
}

/**
 * Wait briefly for an answer, or not at all if the service is known not to answer.
 * @template T
 * @param {TrackingEnv} env
 * @param {Promise<T>} answer
 * @returns {Promise<T | false>} false if the answer has not arrived
 */
export async function acknowledged(env, answer) {
  if (transportsOf(env ?? {}).length === 0) return answer;
  const outbox = outboxOf(env);
  if (outbox.isSilent) return false;
  const result = await within(PATIENCE_MS, answer);
  if (result !== LATE) return result;
  outbox.beSilent();
  return false;
}

const LATE = Symbol('late');

/**
 * @template T
 * @param {number} milliseconds
 * @param {Promise<T>} work
 * @returns {Promise<T | typeof LATE>}
 */
async function within(milliseconds, work) {
  const done = new AbortController();
  const late = scheduler.wait(milliseconds, { signal: done.signal }).then(
    () => LATE,
    () => LATE,
  );
  try {
    return /** @type {T | typeof LATE} */ (await Promise.race([work, late]));
  } finally {
    done.abort();
  }
}

/** @param {Promise<unknown>} work continues after the caller's request or Workflow has ended */
export function inBackground(work) {
  try {
    workers.waitUntil?.(work.catch(() => {}));
  } catch {
    // Outside a request, nothing can end early.
  }
}

/** @param {Entry[]} entries */
const answersTo = (entries) => Promise.all(entries.map(({ answer }) => answer));

/**
 * @param {string} text
 * @returns {any[] | null} null if it is not the service's answer
 */
function answersIn(text) {
  try {
    const { success, result, results } = JSON.parse(text);
    return success === true ? (results ?? [result]) : null;
  } catch {
    return null;
  }
}

/** @param {number} status whether the same update may be recorded later */
const isPassing = (status) => status < 400 || status >= 500 || [408, 429].includes(status);
