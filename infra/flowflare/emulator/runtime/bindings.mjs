/**
 * A plugin of Miniflare for bindings whose data is stored in another workerd, that of the stores.
 *
 * Miniflare's own bindings open the data in the workerd of the Worker. Here many workerds run
 * Workers and one holds the data. A Worker sees the same binding object, whose requests go over
 * loopback with headers that name the data.
 */
import { readFileSync } from 'node:fs';

import { distanceHeaders } from './distance.mjs';

/** @import { Extension, Service, Worker_Binding } from 'miniflare' */
/** @import { Distance, Json } from './wire.d.ts' */

/**
 * @typedef {'d1' | 'kv' | 'r2' | 'queue' | 'ratelimit' | 'secret'} Store
 * @typedef {{address: string, secret: string, miniflare: string, distance?: Distance | null}} Access
 *   address and secret of the stores or of the queues, Miniflare's folder for rate limits, and how far
 *   away the data is
 * @typedef {Access & {store: Store, id: string, settings: Record<string, Json>}} Stored
 * @typedef {Stored & {name: string, kind: 'stored'}} StoredBinding
 * @typedef {{name: string, kind: 'internal', service: string}} InternalBinding
 * @typedef {{config: {env?: Record<string, {type?: string, dev: {options: object}}>}}} Worker a
 *   Worker's options as Miniflare has parsed them
 */

const TYPE = 'unsafe:emulator-';
const PACKAGE = { package: import.meta.filename, name: 'emulator' };
/** Miniflare's module that creates the object a Worker sees, and its path in Miniflare's folder. */
const RATE_LIMIT = 'cloudflare-internal:ratelimit:module';
const RATE_LIMIT_FILE = 'workers/ratelimit/ratelimit.worker.js';

/** The module of a secret's object, whose value is part of the Worker's configuration. */
const SECRET = 'emulator-internal:secret';
const SECRET_SOURCE = `
export default ({ name, value }) => ({
  async get() {
    if (value === null) throw new Error(\`Secret "\${name}" not found\`);
    return value;
  },
});
`;

export const STORE_HEADER = 'emulator-store';
export const SECRET_HEADER = 'emulator-secret';
/** The header in which Miniflare's stores receive the name of a database, namespace or bucket. */
export const NAME_HEADER = 'MF-Namespace';

/**
 * Describe a binding to a store, as an entry of Miniflare's `unsafeBindings`.
 * @param {string} name the binding's name in the Worker
 * @param {Store} store
 * @param {string} id of the database, namespace, bucket or queue; for a rate limit its namespace
 * @param {Access} access
 * @param {Record<string, Json>} [settings] other arguments of the binding's object
 */
export function storeBinding(name, store, id, access, settings = {}) {
  const options = { store, id, ...access, settings };
  return { name, type: 'emulator-stored', plugin: PACKAGE, options };
}

/**
 * Describe a binding to a service of Miniflare in the same workerd.
 * @param {string} name @param {string} service
 */
export function serviceBinding(name, service) {
  return { name, type: 'emulator-internal', plugin: PACKAGE, options: { service } };
}

/** @param {Worker} worker */
function listOwnBindings(worker) {
  const own = Object.entries(worker.config.env ?? {}).flatMap(([name, { type, dev }]) =>
    type?.startsWith(TYPE) ? [{ name, kind: type.slice(TYPE.length), ...dev.options }] : [],
  );
  return /** @type {(StoredBinding | InternalBinding)[]} */ (own);
}

/** @param {Worker} worker */
function listStoredBindings(worker) {
  return listOwnBindings(worker).filter((binding) => binding.kind === 'stored');
}

/** @param {Stored} stored */
const serviceName = ({ store, id }) => `emulator:${store}:${id}`;

/** @param {Stored} binding @param {string} moduleName */
function wrapBinding(binding, moduleName) {
  const settings = Object.entries(binding.settings).map(([name, value]) => ({
    name,
    json: JSON.stringify(value),
  }));
  const fetcher = { name: 'fetcher', service: { name: serviceName(binding) } };
  return { moduleName, innerBindings: [fetcher, ...settings] };
}

/**
 * A binding in workerd's configuration, by its store.
 * @type {Record<Store, (binding: Stored) => Worker_Binding>}
 */
const BINDINGS = {
  d1: (binding) => ({ wrapped: wrapBinding(binding, 'cloudflare-internal:d1-api') }),
  kv: (binding) => ({ kvNamespace: { name: serviceName(binding) } }),
  r2: (binding) => ({ r2Bucket: { name: serviceName(binding) } }),
  queue: (binding) => ({ queue: { name: serviceName(binding) } }),
  ratelimit: (binding) => ({ wrapped: wrapBinding(binding, RATE_LIMIT) }),
  secret: ({ id, settings }) => ({
    wrapped: {
      moduleName: SECRET,
      innerBindings: [
        { name: 'name', text: id },
        { name: 'value', json: JSON.stringify(settings.value) },
      ],
    },
  }),
};

/** @param {Stored} binding @returns {Service} */
function externalService(binding) {
  const headers = {
    [STORE_HEADER]: binding.store,
    [SECRET_HEADER]: binding.secret,
    [NAME_HEADER]: binding.id,
    ...distanceHeaders(binding.distance ?? null),
  };
  const injectRequestHeaders = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return {
    name: serviceName(binding),
    external: { address: binding.address, http: { injectRequestHeaders } },
  };
}

export const plugins = {
  emulator: {
    /** @param {Worker} worker @returns {Worker_Binding[]} */
    getBindings: (worker) =>
      listOwnBindings(worker).map((binding) => ({
        name: binding.name,
        ...(binding.kind === 'internal'
          ? { service: { name: binding.service } }
          : BINDINGS[binding.store](binding)),
      })),
    getNodeBindings: () => ({}),
    /** @param {{options: Worker}} own */
    getServices: ({ options }) =>
      listStoredBindings(options)
        .filter(({ store }) => store !== 'secret')
        .map(externalService),
    /** @param {{options: Worker[]}} all @returns {Extension[]} */
    getExtensions({ options }) {
      const limit = options.flatMap(listStoredBindings).find(({ store }) => store === 'ratelimit');
      const modules = [{ name: SECRET, esModule: SECRET_SOURCE, internal: true }];
      if (limit) {
        const esModule = readFileSync(`${limit.miniflare}/${RATE_LIMIT_FILE}`, 'utf8');
        modules.push({ name: RATE_LIMIT, esModule, internal: true });
      }
      return [{ modules }];
    },
  },
};
