/**
 * Add the round trips of a deployed account to the calls of a Worker.
 *
 * The Worker in front of the stores delays calls of KV and R2 whose binding sends a distance, and
 * `databases.mjs` those of D1. Classes of Durable Objects are wrapped, so that calls from outside
 * wait and an object's calls of its own methods do not. Without a distance neither happens.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** @import { Distance, Worker } from './wire.d.ts' */

export const DISTANCE_HEADER = 'emulator-distance';

/** @param {Distance | null} distance @returns {Record<string, string>} the header of a binding's calls */
export function distanceHeaders(distance) {
  if (!distance) return {};
  return { [DISTANCE_HEADER]: JSON.stringify([distance.latency, distance.d1_service_time]) };
}

/** The source of `distant(headers, call)`, which runs a call of KV or R2 with its distance. */
export const DISTANT_CALL = `
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
async function distant(headers, call) {
  const [latency] = JSON.parse(headers.get(${JSON.stringify(DISTANCE_HEADER)}));
  headers.delete(${JSON.stringify(DISTANCE_HEADER)});
  await wait(latency / 2);
  const response = await call();
  await wait(latency / 2);
  return response;
}
`;

/** Adds the distance to the calls of D1. A database serves one call after the other. */
export class DistantDatabases {
  /** @type {Map<string, number>} when each database is free again */
  #free = new Map();

  /**
   * @template T
   * @param {unknown} header of a binding's call, if it has one
   * @param {string} database
   * @param {() => Promise<T>} call
   * @returns {Promise<T>}
   */
  async travel(header, database, call) {
    if (typeof header !== 'string') return call();
    const [latency, service] = JSON.parse(header);
    await sleep(latency / 2);
    const now = Date.now();
    const end = Math.max(now, this.#free.get(database) ?? 0) + service;
    this.#free.set(database, end);
    await sleep(end - now);
    const answer = await call();
    await sleep(latency / 2);
    return answer;
  }
}

/** @param {Worker} worker @returns {string[]} its classes of Durable Objects, if calls of them are delayed */
export function distantClasses({ distance, objects, unbound_objects }) {
  if (!distance) return [];
  const bound = Object.values(objects).filter(({ worker }) => !worker);
  return [...new Set([...bound, ...unbound_objects].map(({ class_name }) => class_name))];
}

/**
 * The source of wrapped classes of Durable Objects of the module `uploaded`.
 * @param {Worker} worker
 */
export function wrapClasses(worker) {
  const classes = distantClasses(worker);
  if (classes.length === 0) return '';
  const wrapped = classes.map(
    (name) => `export class ${name} extends distant(uploaded.${name}) {}`,
  );
  return `
const handlers = new Set(["constructor", "alarm", "webSocketMessage", "webSocketClose", "webSocketError"]);
const travel = () => new Promise((resolve) => setTimeout(resolve, ${worker.distance?.latency}));
const distant = (uploaded) => class extends uploaded {
  constructor(...parameters) {
    super(...parameters);
    const object = this;
    return new Proxy(object, {
      get(_, name) {
        const value = Reflect.get(object, name, object);
        if (typeof value !== "function" || Object.hasOwn(object, name)) return value;
        if (typeof name === "symbol" || name === "constructor") return value;
        if (handlers.has(name)) return value.bind(object);
        return async (...given) => {
          await travel();
          return value.apply(object, given);
        };
      },
    });
  }
};
${wrapped.join('\n')}
`;
}
