/**
 * Find which Workers of an account run together: those that refer to each other, directly or
 * indirectly, through services, Durable Objects and Workflows. Pure functions from data to data.
 *
 * Databases, KV namespaces, buckets and rate limits do not connect Workers, because the stores hold
 * them.
 */
import { createHash } from 'node:crypto';

/** @import { Worker } from './wire.d.ts' */
/** @typedef {{worker: Worker, digest: string}} Member @typedef {Map<string, Member>} Members */

export class Unit {
  /**
   * @type {NodeJS.Timeout | undefined} runs out when the unit shall be loaded because it has changed
   */
  timer;
  /** @type {NodeJS.Timeout | undefined} runs out when the unit shall be loaded for an alarm */
  alarm;
  /** @type {string | undefined} why workerd did not start with it */
  problem;
  /** Whether workerd was started with it once. */
  tried = false;

  /** @param {string} account @param {Worker[]} workers in the order of their keys */
  constructor(account, workers) {
    this.account = account;
    this.workers = workers;
    this.keys = new Set(workers.map(({ key }) => key));
    this.namespaces = [...new Set(workers.flatMap(namespacesOf))];
    this.workflows = [...new Set(workers.flatMap(workflowsOf))];
    /** What only one workerd may have open at a time. */
    this.owned = new Set([...this.keys, ...this.namespaces, ...this.workflows]);
  }

  /** @param {Unit} other */
  meets(other) {
    for (const item of other.owned) if (this.owned.has(item)) return true;
    return false;
  }

  /** @param {Unit} other whether both have a Worker of the same name */
  follows(other) {
    for (const key of other.keys) if (this.keys.has(key)) return true;
    return false;
  }
}

/**
 * A digest of what workerd is started with; what only the ports and queues use is not part of it.
 * @param {Worker} worker
 */
export function digestOf({ port, enabled, answers, consumes, ...worker }) {
  return createHash('sha256').update(JSON.stringify(worker)).digest('hex');
}

/**
 * Group an account's Workers into units.
 * @param {string} account
 * @param {Members} workers by their keys
 * @param {Map<string, Unit>} before the previous units, by digest
 * @returns {Map<string, Unit>} by digest; unchanged units are the same objects as before
 */
export function groupUnits(account, workers, before) {
  /** @type {Map<string, Unit>} */
  const units = new Map();
  for (const members of groupWorkers(workers)) {
    const digest = members.map((member) => member.digest).join();
    const make = () =>
      new Unit(
        account,
        members.map(({ worker }) => worker),
      );
    units.set(digest, before.get(digest) ?? make());
  }
  return units;
}

/**
 * @param {Members} workers by their keys
 * @returns {Member[][]} the Workers that run together, in the order of their keys
 */
function groupWorkers(workers) {
  /** @type {Map<Member, Member>} */
  const parents = new Map();
  /** @param {Member} member */
  const root = (member) => {
    let top = member;
    for (let parent = parents.get(top); parent; parent = parents.get(top)) {
      parents.set(top, parents.get(parent) ?? parent);
      top = parent;
    }
    return top;
  };
  for (const member of workers.values()) {
    for (const key of listReferences(member.worker)) {
      const other = workers.get(key);
      if (other && root(member) !== root(other)) parents.set(root(member), root(other));
    }
  }
  const sorted = [...workers.keys()].sort().flatMap((key) => workers.get(key) ?? []);
  return [...Map.groupBy(sorted, root).values()];
}

/**
 * Remove a Worker's bindings to Workers that are not loaded, with which workerd would not start.
 * @param {Worker} worker
 * @param {Set<string>} keys the keys of the Workers that run with it
 * @returns {Worker}
 */
export function withoutAbsent(worker, keys) {
  /**
   * @template {{worker: string | null}} T
   * @param {Record<string, T>} bindings
   */
  const keepPresent = (bindings) =>
    Object.fromEntries(
      Object.entries(bindings).filter(([, target]) => !target.worker || keys.has(target.worker)),
    );
  const { services, objects, workflows } = worker;
  return {
    ...worker,
    services: keepPresent(services),
    objects: keepPresent(objects),
    workflows: keepPresent(workflows),
  };
}

/** @param {Worker} worker */
function* listReferences({ services, objects, workflows }) {
  for (const { worker } of Object.values(services)) yield worker;
  for (const { worker } of Object.values(objects)) if (worker) yield worker;
  for (const { worker } of Object.values(workflows)) yield worker;
}

/** @param {Worker} worker */
function namespacesOf({ objects, unbound_objects }) {
  return [...Object.values(objects), ...unbound_objects].map(({ namespace }) => namespace);
}

/** @param {Worker} worker */
function workflowsOf({ workflows, workflow_names }) {
  const bound = Object.values(workflows).map(({ id }) => id);
  return [...bound, ...Object.values(workflow_names).flatMap((names) => Object.keys(names))];
}
