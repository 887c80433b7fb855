/** Record one attempt of a step beside its work, which never waits for the record. */

import { jsonText } from './json-text.js';
import { acknowledged, inBackground, isRepeated, report } from './outbox.js';
import { nextOrder } from './outbox-entries.js';
import {
  completed,
  endedLate,
  failure,
  givenUp,
  MAX_STATE_BYTES,
  running,
} from './step-reports.js';
import { warnOnce } from './transport.js';

/** @typedef {import('./transport.js').TrackingEnv} TrackingEnv */
/** @typedef {import('./workflow.js').StepUpdate} StepUpdate */
/** @typedef {import('./retry-plan.js').RetryPlan} RetryPlan */
/** @typedef {{attempt?: number, status?: string, ignored?: boolean}} Answer */

/** A step that ends within this time is recorded with one request instead of two. */
const HOLD_MS = 25;
/** Attempts of which this isolate heard no end, such as those of terminated Workflows. */
const MAX_UNDERWAY = 1000;

/** The attempts whose work has not ended, by run, index and name. @type {Map<string, Attempt>} */
const underway = new Map();
/** What the next report of a step follows, by run, index and name. @type {Map<string, Promise<void>>} */
const pending = new Map();

/** One attempt of a step: it begins when it is created, and ends as `complete` or `fail` says. */
export class Attempt {
  #env;
  #place;
  #told;
  #key;
  /** @type {Answer | undefined} */
  #answer;
  /** @type {Promise<any>} */
  #begun;
  #isGivenUp = false;
  #hasEnded = false;

  /**
   * @param {TrackingEnv} env
   * @param {StepUpdate} place the step's run, name and index
   * @param {number} [told] the platform's number of the attempt; without it the service counts
   */
  constructor(env, place, told) {
    this.#env = env;
    this.#place = place;
    this.#told = told;
    this.#key = JSON.stringify([place.workflow_run_id, place.step_index, place.step_name]);
    underway.get(this.#key)?.giveUp();
    underway.set(this.#key, this);
    if (underway.size > MAX_UNDERWAY) underway.delete(underway.keys().next().value ?? '');
    const order = nextOrder();
    const start = () => report(env, [running(place, told, order)], { holdMs: HOLD_MS });
    const earlier = pending.get(this.#key);
    this.#begun = earlier ? earlier.then(start) : start();
    inBackground(this.#begun.then(([answer]) => this.#hear(answer)));
  }

  /** The record's number of the attempt; undefined until the service has answered. */
  get #number() {
    return this.#answer?.attempt ?? this.#told;
  }

  /**
   * Wait briefly for the record's number of the attempt.
   * @returns {Promise<number | undefined>} undefined if neither the service nor the platform has
   *   told it
   */
  async number() {
    await acknowledged(this.#env, this.#begun);
    return this.#number;
  }

  /** @param {unknown} result what the work returned */
  complete(result) {
    if (this.#end('completed')) return;
    const state = jsonText(result, MAX_STATE_BYTES);
    const order = nextOrder();
    this.#follow(() => report(this.#env, [completed(this.#place, this.#told, state, order)]));
  }

  /**
   * @param {unknown} thrown
   * @param {RetryPlan} plan
   */
  fail(thrown, plan) {
    if (this.#end(`failed with: ${String(thrown)}`)) return;
    const order = nextOrder();
    // The retry is recorded under the number of its attempt, which may not be known yet.
    const known = this.number();
    this.#follow(async () => {
      const number = await known;
      const isReplay = this.#answer?.ignored === true && this.#answer.status === 'Completed';
      if (!isReplay) report(this.#env, failure(this.#place, number, thrown, plan, order));
    });
  }

  /**
   * Record that the platform has given up this attempt, if its work has not ended.
   * @param {boolean} [isLast] whether no other attempt follows
   */
  giveUp(isLast = false) {
    if (this.#isGivenUp || this.#hasEnded) return;
    this.#isGivenUp = true;
    if (underway.get(this.#key) === this) underway.delete(this.#key);
    const order = nextOrder();
    this.#follow(() => report(this.#env, givenUp(this.#place, this.#number, isLast, order)));
  }

  /**
   * Report after the earlier reports of this step, which may still wait for their numbers.
   * @param {() => unknown} tell
   */
  #follow(tell) {
    const done = (pending.get(this.#key) ?? Promise.resolve()).then(tell).then(
      () => {},
      () => {},
    );
    pending.set(this.#key, done);
    inBackground(
      done.then(() => {
        if (pending.get(this.#key) === done) pending.delete(this.#key);
      }),
    );
  }

  /**
   * @param {string} how
   * @returns {boolean} whether the end comes too late and was only noted
   */
  #end(how) {
    if (this.#isGivenUp) {
      if (this.#number !== undefined) report(this.#env, endedLate(this.#place, this.#number, how));
      return true;
    }
    this.#hasEnded = true;
    if (underway.get(this.#key) === this) underway.delete(this.#key);
    return false;
  }

  /** @param {Answer | false} answer the service's, to the start */
  #hear(answer) {
    if (!answer) return;
    const { ignored, status, attempt = 0 } = answer;
    this.#answer = answer;
    if (!ignored || isRepeated(answer)) return;
    if (status === 'Completed') {
      warnOnce(
        `step ${this.#place.step_name} runs again although it is completed, so its work is repeated: ` +
          'call trackStep inside step.do, or use trackedStep',
      );
      return;
    }
    // A service of an earlier release reads the platform's number as that of an earlier attempt.
    const isNext = ['Failed', 'Retrying'].includes(String(status));
    this.#answer = { ...answer, attempt: attempt + (isNext ? 1 : 0) };
    if (!this.#hasEnded && !this.#isGivenUp) {
      report(this.#env, [running(this.#place, this.#answer.attempt, nextOrder())]);
    }
  }
}

/**
 * Record that the attempts of a run that are still under way have been given up with it.
 * @param {string} run
 */
export function giveUpAttemptsOf(run) {
  for (const [key, attempt] of underway) {
    if (JSON.parse(key)[0] === run) attempt.giveUp(true);
  }
}
