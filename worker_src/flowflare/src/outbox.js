/** Store what a Worker reports until the service has acknowledged it, and retry until then. */

import * as workers from 'cloudflare:workers';
import { jsonText } from './json-text.js';
import { deliver, transportsOf, warnOnce } from './transport.js';

/** @typedef {import('./transport.js').TrackingEnv} TrackingEnv */
/** @typedef {import('./transport.js').Transport} Transport */
/**
 * @typedef {{type: string, [type: string]: unknown}} Update one update as /api/workflows/update
 *   accepts it
 */

/**
 * An update that is not acknowledged yet.
 * @typedef {object} Entry
 * @property {string} run
 * @property {string | null} step the part of the run that it is about; null for the run itself
 * @property {string} text its JSON
 * @property {number} sentAt milliseconds; 0 if it has not been sent yet
 * @property {boolean} isOpen
 * @property {(answer: any) => void} settle removes it, with the service's answer or false
 * @property {Promise<any>} answer
 */

/**
 * How long a step waits for its tracking. The rest of the promised 500 ms is for a busy machine.
 */
const PATIENCE_MS = 300;
/** An update waits for an earlier update of its row to be answered, but no longer than this. */
const IN_FLIGHT_MS = 400;
/** An update without an answer for this long is sent again with the next request. */
const LOST_MS = 5000;
/**
 * The runtime lets an ended request continue for 30 s:
 * developers.cloudflare.com/workers/runtime-apis/context.
 */
const KEPT_MS = 25_000;
const FIRST_PAUSE_MS = 100;
/** How long steps do not wait again for a service that did not answer. */
const SILENT_MS = 30_000;
const MAX_PAUSE_MS = 5000;
const SILENT_PAUSE_MS = 1000;
/** The largest request that the service accepts. */
const MAX_BATCH = 100;
const MAX_BATCH_LENGTH = 700 * 1024;
/** An isolate's memory belongs to its Workers, so older updates are dropped. */
const MAX_ENTRIES = 1000;
const MAX_LENGTH = 8 * 1024 * 1024;

let lastOrder = 0;

/**
 * Return a number that rises with each update of this isolate: its clock. The clocks of a run's
 * isolates agree well enough.
 * @returns {number} milliseconds
 */
function nextOrder() {
  lastOrder = Math.max(Date.now(), lastOrder + 1);
  return lastOrder;
}

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

  /** Whether a step recently waited in vain for the service, which has not answered since. */
  get isSilent() {
    return Date.now() < this.#silentUntil;
  }

  /** @param {boolean} value */
  set isSilent(value) {
    this.#silentUntil = value ? Date.now() + SILENT_MS : 0;
    if (value) this.#retryAt = Math.max(this.#retryAt, Date.now() + SILENT_PAUSE_MS);
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
   */
  async send(transports, own) {
    const end = Date.now() + KEPT_MS;
    while (own.some(({ isOpen }) => isOpen) && Date.now() < end) {
      const pause = this.#retryAt - Date.now();
      if (pause > 0) {
        await scheduler.wait(pause);
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
    for (const entry of batch) entry.sentAt = Date.now();
    const isAnswered = await this.#exchange(transports, batch);
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
      this.isSilent = false;
      batch.forEach((entry, at) => {
        const refusal = answers[at]?.error;
        if (refusal !== undefined)
          console.warn(`flowflare: an update was not recorded: ${refusal}`);
        entry.settle(refusal === undefined && (answers[at] ?? false));
      });
      return true;
    }
    if (isPassing(status)) return false;
    this.isSilent = false;
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

/**
 * @param {Update} update
 * @returns {{run: string, step: string | null, text: string}}
 */
function addressed(update) {
  const { type } = update;
  const data = update[type];
  try {
    const { workflow_run_id, workflow_instance_id, workflowId, runId, ...own } =
      /** @type {Record<string, any>} */ (data);
    const run = workflow_run_id ?? workflow_instance_id ?? workflowId ?? runId;
    const ofRun = type === 'run_update';
    return {
      run: String(ofRun ? (own.id ?? run) : run),
      step: ofRun ? null : String(own.step_index ?? own.workflow_step_id ?? own.id),
      text: jsonText({ type, [type]: { order: nextOrder(), .../** @type {object} */ (data) } }),
    };
  } catch {
    // The data cannot be read. The service refuses it and names it.
    return { run: '', step: '', text: jsonText({ type, [type]: data }) };
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
 * @returns {Promise<any[]>} an answer for each, false for a refused update. It may never resolve:
 *   await it only with `acknowledged`
 */
export function report(env, updates) {
  const transports = transportsOf(env ?? {});
  if (transports.length === 0) {
    warnOnce(
      'nothing is tracked: bind WORKFLOW_SERVICE or WORKFLOW_TRACKER, or set TRACKER_API_URL',
    );
    return Promise.resolve(updates.map(() => false));
  }
  const outbox = outboxOf(env);
  const entries = outbox.add(updates);
  keepAlive(outbox.send(transports, entries).catch(() => {}));
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
  outbox.isSilent = true;
  warnOnce('the service does not answer in time; updates are sent again in the background');
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

/** @param {Promise<void>} work continues after the caller's request or Workflow has ended */
function keepAlive(work) {
  try {
    workers.waitUntil?.(work);
  } catch {
    // Outside a request, nothing can end early.
  }
}

/**
 * @param {Entry} entry
 * @param {number} milliseconds
 */
const isInFlight = ({ sentAt }, milliseconds) => Date.now() - sentAt < milliseconds;

/**
 * Whether to send an update now: it is not being sent, or it is so late that later updates of its
 * row would overtake it.
 * @param {Entry} entry
 * @param {Entry[]} own the updates that are to be sent
 */
const isDue = (entry, own) =>
  !isInFlight(entry, own.some(concerns(entry)) ? IN_FLIGHT_MS : LOST_MS);

/** @param {Entry[]} entries */
const answersTo = (entries) => Promise.all(entries.map(({ answer }) => answer));

/**
 * @param {Entry} entry
 * @returns {(other: Entry) => boolean} whether the order of the two matters
 */
const concerns = (entry) => (other) =>
  entry.run === other.run &&
  (entry.step === null || other.step === null || entry.step === other.step);

/**
 * @param {Entry[]} due
 * @returns {Entry[]} as many of the oldest as fit in one request, at least one
 */
function batchOf(due) {
  let length = 0;
  const end = due.findIndex(({ text }, at) => {
    length += text.length;
    return at === MAX_BATCH || (at > 0 && length > MAX_BATCH_LENGTH);
  });
  return end < 0 ? due : due.slice(0, end);
}

/** @param {Entry[]} batch */
const bodyOf = (batch) =>
  batch.length === 1 ? batch[0].text : `{"updates":[${batch.map(({ text }) => text).join(',')}]}`;

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
