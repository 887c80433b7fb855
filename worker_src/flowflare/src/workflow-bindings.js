/** Find the Workflow binding that runs a type. */

import { Problem } from './problem.js';

// Bindings that a type must never select, even if they exist.
const RESERVED = [
  'DB',
  'WORKFLOW_TRACKER',
  'WORKFLOW_SERVICE',
  'SERVICE_API_KEY',
  'SERVICE_API_KEY_PREVIOUS',
];

/**
 * @param {Record<string, unknown>} env
 * @param {Readonly<Record<string, string>> | undefined} workflows the service's map of types to
 *   bindings
 * @param {string} type
 * @returns {Workflow | null} null: the run is only tracked, and another program executes it
 * @throws {Problem} 502 if the map names a binding that is not a Workflow
 */
export function workflowFor(env, workflows, type) {
  if (workflows === undefined) {
    const name = bindingName(type);
    return RESERVED.includes(name) ? null : asWorkflow(env, name);
  }
  if (!Object.hasOwn(workflows, type)) return null;
  const workflow = asWorkflow(env, workflows[type]);
  if (workflow === null)
    throw new Problem(502, `The Workflow of ${type} is not bound to the service`);
  return workflow;
}

/** @param {string} type such as order-processing, whose binding is ORDER_PROCESSING */
const bindingName = (type) => type.toUpperCase().replace(/[^A-Z0-9]/g, '_');

/**
 * @param {Record<string, unknown>} env
 * @param {string} name
 * @returns {Workflow | null}
 */
function asWorkflow(env, name) {
  if (!Object.hasOwn(env, name)) return null;
  const binding = /** @type {any} */ (env[name]);
  // A service binding answers to every name, since any could be a method of the other Worker. Only
  // the method `fetch` distinguishes it.
  const isWorkflow =
    typeof binding === 'object' &&
    binding !== null &&
    ['create', 'createBatch', 'get'].every((method) => typeof binding[method] === 'function') &&
    typeof binding.fetch !== 'function';
  return isWorkflow ? binding : null;
}

/**
 * Create the instance unless it exists, so that a lost answer does not fail a run that continues.
 * @param {Workflow} workflow
 * @param {string} id
 * @param {Record<string, unknown>} params
 */
export async function createInstance(workflow, id, params) {
  try {
    await workflow.create({ id, params });
  } catch (error) {
    if (!(await exists(workflow, id))) throw error;
  }
}

/**
 * @param {Workflow} workflow
 * @param {string} id
 */
async function exists(workflow, id) {
  try {
    await (await workflow.get(id)).status();
    return true;
  } catch {
    return false;
  }
}
