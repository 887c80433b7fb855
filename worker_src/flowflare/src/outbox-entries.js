/** Updates that the service has not acknowledged: their order, which concern the same row, and which go together. */

import { jsonText } from './json-text.js';

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
 * @property {number} requests how often it has been sent
 * @property {boolean} isOpen
 * @property {(answer: any) => void} settle removes it, with the service's answer or false
 * @property {Promise<any>} answer
 */

/** An update waits for an earlier update of its row to be answered, but no longer than this. */
export const IN_FLIGHT_MS = 400;
/** An update without an answer for this long is sent again with the next request. */
const LOST_MS = 5000;
/** The largest request that the service accepts. */
const MAX_BATCH = 100;
const MAX_BATCH_LENGTH = 700 * 1024;

let lastOrder = 0;

/**
 * Return a number that rises with each update of this isolate: its clock. The clocks of a run's
 * isolates agree well enough.
 * @returns {number} milliseconds
 */
export function nextOrder() {
  lastOrder = Math.max(Date.now(), lastOrder + 1);
  return lastOrder;
}

/**
 * @param {Update} update
 * @returns {{run: string, step: string | null, text: string}}
 */
export function addressed(update) {
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

/**
 * @param {Entry} entry
 * @param {number} milliseconds
 */
export const isInFlight = ({ sentAt }, milliseconds) => Date.now() - sentAt < milliseconds;

/**
 * Whether to send an update now: it is not being sent, or it is so late that later updates of its
 * row would overtake it.
 * @param {Entry} entry
 * @param {Entry[]} own the updates that are to be sent
 */
export const isDue = (entry, own) =>
  !isInFlight(entry, own.some(concerns(entry)) ? IN_FLIGHT_MS : LOST_MS);

/**
 * @param {Entry} entry
 * @returns {(other: Entry) => boolean} whether the order of the two matters
 */
export const concerns = (entry) => (other) =>
  entry.run === other.run &&
  (entry.step === null || other.step === null || entry.step === other.step);

/**
 * @param {Entry[]} due
 * @returns {Entry[]} as many of the oldest as fit in one request, at least one
 */
export function batchOf(due) {
  let length = 0;
  const end = due.findIndex(({ text }, at) => {
    length += text.length;
    return at === MAX_BATCH || (at > 0 && length > MAX_BATCH_LENGTH);
  });
  return end < 0 ? due : due.slice(0, end);
}

/** @param {Entry[]} batch */
export const bodyOf = (batch) =>
  batch.length === 1 ? batch[0].text : `{"updates":[${batch.map(({ text }) => text).join(',')}]}`;
