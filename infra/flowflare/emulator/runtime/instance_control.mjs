/**
 * Start and change the instances of Workflows for clients of the API, by calls to the objects of
 * Miniflare's engine.
 *
 * The engine aborts its object when an instance is terminated, restarted or deleted, and the call
 * that asked for it then fails with `Aborting engine`.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { removeInstance } from './files.mjs';
import { readInstance } from './instances.mjs';
import { messageOf } from './messages.mjs';

/** @import { InstanceChange, NewInstance } from './wire.d.ts' */
/**
 * @typedef {object} Engine one engine object
 * @property {(...metadata: unknown[]) => Promise<unknown>} init
 * @property {(status: string, from?: unknown, options?: unknown) => Promise<void>} changeInstanceStatus
 * @property {() => Promise<void>} attemptRestart
 * @property {(event: {type: string, payload: unknown, timestamp: Date}) => Promise<void>} receiveEvent
 * @property {() => Promise<void>} deleteInstance
 */
/**
 * @typedef {object} Engines the engine objects of a Workflow, which Miniflare's types do not have
 * @property {(id: string) => unknown} idFromString
 * @property {(name: string) => unknown} idFromName
 * @property {(id: unknown) => Engine} get
 */

/** How Miniflare's proxy reports any error of such a call, without the error's own message. */
const ABORTED = /typeHeader === "Promise"/;
const POLL = 10;
const PATIENCE = 10_000;

/**
 * Start an instance, and wait until it is stored. It runs on after that.
 * @param {Engines} engines @param {string} root folder of Miniflare's data
 * @param {string} workflow @param {NewInstance} given
 */
export async function createInstance(engines, root, workflow, given) {
  const { id, params, version_id, retention } = given;
  const now = new Date();
  const time = now.toISOString();
  const instance = {
    id,
    created_on: time,
    modified_on: time,
    workflow_id: workflow,
    version_id,
    trigger: 'api',
    retention,
    status: 0,
    started_on: time,
    ended_on: null,
  };
  const event = { timestamp: now, payload: params, instanceId: id, workflowName: workflow };
  /** @type {unknown} */
  let failure;
  engines
    .get(engines.idFromName(id))
    .init(0, {}, { id: version_id }, instance, event)
    .catch((error) => {
      failure = error;
    });
  const end = Date.now() + PATIENCE;
  while (!readInstance(root, workflow, id).instance) {
    if (failure) throw failure;
    if (Date.now() > end) throw new Error(`The Workflow instance ${id} does not start.`);
    await sleep(POLL);
  }
}

/**
 * Change an instance that exists, in a way that its state allows.
 * @param {Engines} engines @param {string} root @param {string} workflow
 * @param {string} id @param {InstanceChange} change
 */
export async function changeInstance(engines, root, workflow, id, change) {
  const engine = () => engines.get(engines.idFromName(id));
  switch (change.action) {
    case 'event': {
      const { type, payload } = change;
      await engine().receiveEvent({ type, payload, timestamp: new Date() });
      break;
    }
    case 'delete':
      await ignoreAbort(engine().deleteInstance());
      await removeInstance(root, workflow, id);
      break;
    case 'restart':
      await ignoreAbort(engine().changeInstanceStatus('restart', change.from ?? undefined));
      await engine().attemptRestart();
      break;
    case 'terminate': {
      const { rollback } = change;
      await ignoreAbort(engine().changeInstanceStatus('terminate', undefined, { rollback }));
      break;
    }
    default:
      await engine().changeInstanceStatus(change.action);
  }
}

/** @param {Promise<void>} call of which the engine aborts its object */
async function ignoreAbort(call) {
  try {
    await call;
  } catch (error) {
    if (!ABORTED.test(messageOf(error))) throw error;
  }
}
