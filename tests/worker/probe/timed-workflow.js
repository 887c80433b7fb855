/** A Workflow whose steps report how often they ran, and how long their tracking took. */

import { WorkflowEntrypoint } from 'cloudflare:workers';
import { trackedStep, trackStep } from '@b-i-g-g-i-d-e-a/flowflare/workflow';
import { ENVS } from './envs.js';

const STEPS = 3;
/** With a tracker that does not answer, tracking used to take longer than a step's limit. */
const CONFIG = {
  timeout: '5 seconds',
  retries: { limit: 2, delay: 10, backoff: 'constant' },
};

/**
 * Time is counted in ticks of the isolate's own timer. On a machine under load they are as late as the timers of
 * the library, so that a limit that it keeps is not seen as broken.
 */
const TICK_MS = 10;

function startClock() {
  const clock = { milliseconds: 0, isPaused: false, isStopped: false };
  const tick = async () => {
    while (!clock.isStopped) {
      await scheduler.wait(TICK_MS);
      if (!clock.isPaused) clock.milliseconds += TICK_MS;
    }
  };
  tick();
  return clock;
}

/** How often the steps of a run were executed. */
export const executions = new Map();

export class TimedWorkflow extends WorkflowEntrypoint {
  async run({ instanceId, payload }, step) {
    const { form, bound, failures = 0 } = payload;
    const env = ENVS[bound](this.env);
    const spent = [];
    /** Measure the time around the work. */
    const measure = async (index, tracked) => {
      const clock = startClock();
      const work = async () => {
        const key = `${instanceId} ${index}`;
        executions.set(key, (executions.get(key) ?? 0) + 1);
        clock.isPaused = true;
        await scheduler.wait(20);
        clock.isPaused = false;
        if (executions.get(key) <= failures) throw new Error(`attempt ${executions.get(key)}`);
        return { index };
      };
      try {
        return await tracked(work);
      } finally {
        clock.isStopped = true;
        spent.push(clock.milliseconds);
      }
    };
    const FORMS = {
      trackStep: (name, index) =>
        measure(index, (work) => trackStep(env, instanceId, name, index, work)),
      'step.do': (name, index) =>
        step.do(name, CONFIG, () =>
          measure(index, (work) => trackStep(env, instanceId, name, index, work)),
        ),
      trackedStep: (name, index) => {
        let own;
        const timing = {
          do: (given, config, attempt) =>
            step.do(given, config, (context) =>
              measure(index, (work) => {
                own = work;
                return attempt(context);
              }),
            ),
        };
        return trackedStep(timing, env, instanceId, name, index, () => own(), CONFIG);
      },
    };
    const results = [];
    for (let index = 1; index <= STEPS; index++) {
      results.push((await FORMS[form](`step-${index}`, index)).index);
    }
    return { results, spent };
  }
}
