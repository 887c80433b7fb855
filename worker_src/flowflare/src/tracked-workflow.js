/** Track a Workflow from its start to its end, with its sleeps, without calls in its code. */

import { giveUpAttemptsOf } from './attempts.js';
import { milliseconds } from './durations.js';
import { jsonText } from './json-text.js';
import { inBackground, report } from './outbox.js';
import { describe } from './retry-plan.js';

/** @typedef {import('./transport.js').TrackingEnv} TrackingEnv */
/** @typedef {import('./workflow.js').RunUpdate} RunUpdate */

/**
 * What a Workflow's run receives. Its types belong to the Workflow.
 * @typedef {{instanceId: string, workflowName?: string, payload?: any}} RunEvent
 */

/**
 * @typedef {object} TrackedWorkflowOptions
 * @property {string} [workflowType] the name under which runs are listed; default the Workflow's
 *   own name
 */

/** Payload and output together must fit into one row of D1, which takes 2 MB. */
const MAX_VALUE_BYTES = 512 * 1024;
/**
 * How a step fails if its instance is paused, terminated, restarted, deleted or moved meanwhile:
 * from the engine of workers-sdk, packages/workflows-shared. The run has not failed then.
 */
const STOPPED = /^Aborting engine: (User called|Grace period)/;
/**
 * A replay returns from finished sleeps within milliseconds, so a state that holds for less than
 * this is not reported.
 */
const SETTLED_MS = 50;

/**
 * Extend a Workflow so that its runs report their start, sleeps, waits, end and error. Its steps
 * are reported by `trackedStep` or `trackStep`. Tracking never fails or delays the Workflow.
 *
 * The run's reference is `ref_id` and `ref_type` of the payload, if they are texts.
 * @template {new (...values: any[]) => any} T
 * @param {T} Workflow a class that extends WorkflowEntrypoint
 * @param {TrackedWorkflowOptions} [options]
 * @returns {T} the class to export
 */
export function trackedWorkflow(Workflow, { workflowType } = {}) {
  return class extends Workflow {
    /**
     * @param {RunEvent} event
     * @param {any} step
     */
    async run(event, step) {
      const { env } = /** @type {{env: TrackingEnv}} */ (/** @type {unknown} */ (this));
      const { instanceId: id } = event;
      const tell = (/** @type {Omit<RunUpdate, 'id'>} */ change) => {
        report(env, [{ type: 'run_update', run_update: { id, ...change } }]);
      };
      // A replay of a run that has not ended changes nothing by this.
      tell({ ...identityOf(event, workflowType), status: 'Running', restart: true });
      const activity = new Activity(tell);
      try {
        const output = await super.run(event, watched(step, activity));
        activity.end();
        tell({ status: 'Completed', output_result: jsonText(output, MAX_VALUE_BYTES) });
        return output;
      } catch (thrown) {
        activity.end();
        if (activity.isStopped) throw thrown;
        giveUpAttemptsOf(id);
        tell({ status: 'Errored', output_result: jsonText({ error: describe(thrown) }) });
        throw thrown;
      }
    }
  };
}

/**
 * @param {RunEvent} event
 * @param {string | undefined} workflowType
 */
function identityOf({ workflowName, payload }, workflowType) {
  const { ref_id, ref_type } = /** @type {Record<string, unknown>} */ (Object(payload));
  return {
    workflow_name: workflowType ?? workflowName,
    ref_id: typeof ref_id === 'string' ? ref_id : undefined,
    ref_type: typeof ref_type === 'string' ? ref_type : undefined,
    input_params: jsonText(payload, MAX_VALUE_BYTES),
  };
}

/** What a run does now: it sleeps while a sleep or wait is open and no step runs. */
class Activity {
  #tell;
  #steps = 0;
  /** When each open sleep ends, in milliseconds; Infinity for a wait. @type {Set<{until: number}>} */
  #sleeps = new Set();
  #told = false;
  #hasEnded = false;
  /** Whether the instance was stopped from outside, and not by its own code. */
  isStopped = false;

  /** @param {(change: {status: 'Running' | 'Sleeping', sleep_until?: number}) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /**
   * @template T
   * @param {() => Promise<T>} step
   */
  async during(step) {
    this.#steps++;
    try {
      return await this.#noting(step);
    } finally {
      this.#steps--;
      this.#settle();
    }
  }

  /**
   * @template T
   * @param {number} until milliseconds
   * @param {() => Promise<T>} sleep
   */
  async asleep(until, sleep) {
    const own = { until };
    this.#sleeps.add(own);
    this.#settle();
    try {
      return await this.#noting(sleep);
    } finally {
      this.#sleeps.delete(own);
      this.#settle();
    }
  }

  end() {
    this.#hasEnded = true;
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   */
  async #noting(work) {
    try {
      return await work();
    } catch (error) {
      if (STOPPED.test(describe(error).message)) this.isStopped = true;
      throw error;
    }
  }

  /** Report the state if it is another one than the last, and still holds after a moment. */
  #settle() {
    inBackground(
      scheduler.wait(SETTLED_MS).then(() => {
        const sleeps = this.#steps === 0 && this.#sleeps.size > 0;
        if (this.#hasEnded || sleeps === this.#told) return;
        this.#told = sleeps;
        if (!sleeps) return this.#tell({ status: 'Running' });
        const until = Math.max(...[...this.#sleeps].map((sleep) => sleep.until));
        this.#tell({ status: 'Sleeping', ...(Number.isFinite(until) && { sleep_until: until }) });
      }),
    );
  }
}

/**
 * @param {any} step
 * @param {Activity} activity
 */
function watched(step, activity) {
  /** @type {Record<string | symbol, (...values: any[]) => Promise<any>>} */
  const methods = {
    do: (...values) => activity.during(() => step.do(...values)),
    sleep: (name, duration) =>
      activity.asleep(Date.now() + milliseconds(duration), () => step.sleep(name, duration)),
    sleepUntil: (name, time) => activity.asleep(Number(time), () => step.sleepUntil(name, time)),
    waitForEvent: (...values) =>
      activity.asleep(Number.POSITIVE_INFINITY, () => step.waitForEvent(...values)),
  };
  return new Proxy(step, {
    get: (target, name) => {
      if (Object.hasOwn(methods, name)) return methods[name];
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
