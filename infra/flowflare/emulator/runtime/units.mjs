/**
 * Which Workers of an account run together: those that refer to each other, directly or by way of
 * others, through services, Durable Objects and Workflows. Pure functions from data to data.
 *
 * Databases, KV namespaces, buckets and rate limits bring no Workers together: the stores have them.
 */
import { createHash } from 'node:crypto';

export class Unit {
  /** @type {NodeJS.Timeout | undefined} when it is to be loaded, as it has changed */
  timer;
  /** @type {NodeJS.Timeout | undefined} when it is to be loaded, as an alarm of it rings */
  alarm;
  /** @type {string | undefined} why workerd did not start with it */
  problem;
  /** Whether workerd has started with it once. */
  tried = false;

  /** @param {string} account @param {object[]} workers in order of their keys */
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
    for (const each of other.owned) if (this.owned.has(each)) return true;
    return false;
  }

  /** @param {Unit} other whether both have a Worker of one name */
  follows(other) {
    for (const key of other.keys) if (this.keys.has(key)) return true;
    return false;
  }
}

/** What workerd is made from, as a digest: what only ports look at leaves workerd as it is. */
export function digestOf({ port, enabled, answers, ...worker }) {
  return createHash('sha256').update(JSON.stringify(worker)).digest('hex');
}

/**
 * The units of an account.
 *
 * @param {string} account
 * @param {Map<string, {worker: object, digest: string}>} workers by their keys
 * @param {Map<string, Unit>} before the units until now, by digest
 * @returns {Map<string, Unit>} by digest: those that are the same as before are the same objects
 */
export function unitsOf(account, workers, before) {
  const units = new Map();
  for (const keys of groups(workers)) {
    const members = keys.sort().map((key) => workers.get(key));
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

/** @returns {string[][]} the keys of the Workers that run together */
function groups(workers) {
  const parents = new Map([...workers.keys()].map((key) => [key, key]));
  const root = (key) => {
    let found = key;
    while (parents.get(found) !== found) found = parents.get(found);
    while (parents.get(key) !== found) {
      const next = parents.get(key);
      parents.set(key, found);
      key = next;
    }
    return found;
  };
  for (const [key, { worker }] of workers) {
    for (const other of referred(worker)) {
      if (parents.has(other)) parents.set(root(key), root(other));
    }
  }
  const found = new Map();
  for (const key of parents.keys()) {
    const first = root(key);
    if (found.has(first)) found.get(first).push(key);
    else found.set(first, [key]);
  }
  return [...found.values()];
}

/**
 * A Worker without its bindings to Workers that are not run: workerd starts with none of them.
 *
 * @param {object} worker
 * @param {Set<string>} keys those of the Workers that run with it
 */
export function withoutAbsent(worker, keys) {
  const present = (bindings) =>
    Object.fromEntries(
      Object.entries(bindings).filter(([, target]) => !target.worker || keys.has(target.worker)),
    );
  const { services, objects, workflows } = worker;
  return {
    ...worker,
    services: present(services),
    objects: present(objects),
    workflows: present(workflows),
  };
}

function* referred({ services, objects, workflows }) {
  for (const { worker } of Object.values(services)) yield worker;
  for (const { worker } of Object.values(objects)) if (worker) yield worker;
  for (const { worker } of Object.values(workflows)) yield worker;
}

function namespacesOf({ objects, unbound_objects }) {
  return [...Object.values(objects), ...unbound_objects].map(({ namespace }) => namespace);
}

function workflowsOf({ workflows, workflow_names }) {
  const bound = Object.values(workflows).map(({ id }) => id);
  return [...bound, ...Object.values(workflow_names).flatMap((names) => Object.keys(names))];
}
