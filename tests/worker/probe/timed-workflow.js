/** A Workflow whose steps say how often they were carried out, and how long their tracking took. */

import { WorkflowEntrypoint } from 'cloudflare:workers';
import { trackedStep, trackStep } from '@b-i-g-g-i-d-e-a/flowflare/workflow';
import { ENVS } from './envs.js';

const STEPS = 3;
/** With a tracker that does not answer, tracking used to take longer than a step has. */
const CONFIG = {
  timeout: '5 seconds',
  retries: { limit: 2, delay: 10, backoff: 'constant' },
};

/** How often the steps of a run were carried out. */
export const executions = new Map();

export class TimedWorkflow extends WorkflowEntrypoint {
  async run({ instanceId, payload }, step) {
    const { form, bound, failures = 0 } = payload;
    const env = ENVS[bound](this.env);
    const spent = [];
    /** Times what is around the work. */
    const timed = async (index, tracked) => {
      const began = Date.now();
      let worked = 0;
      const work = async () => {
        const key = `${instanceId} ${index}`;
        executions.set(key, (executions.get(key) ?? 0) + 1);
        const before = Date.now();
        await scheduler.wait(20);
        worked = Date.now() - before;
        if (executions.get(key) <= failures) throw new Error(`attempt ${executions.get(key)}`);
        return { index };
      };
      try {
        return await tracked(work);
      } finally {
        spent.push(Date.now() - began - worked);
      }
    };
    const FORMS = {
      trackStep: (name, index) =>
        timed(index, (work) => trackStep(env, instanceId, name, index, work)),
      'step.do': (name, index) =>
        step.do(name, CONFIG, () =>
          timed(index, (work) => trackStep(env, instanceId, name, index, work)),
        ),
      trackedStep: (name, index) => {
        let own;
        const timing = {
          do: (given, config, attempt) =>
            step.do(given, config, (context) =>
              timed(index, (work) => {
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
