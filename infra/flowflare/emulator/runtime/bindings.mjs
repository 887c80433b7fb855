/**
 * A plugin of Miniflare: bindings whose data lies in another workerd, that of the stores.
 *
 * Miniflare's own bindings open the data in the workerd of the Worker. Here many workerds run Workers
 * and one has the data: a binding is the same object for its Worker, and what it sends goes over
 * loopback, with the headers by which the stores know whose data it is about.
 */
import { readFileSync } from 'node:fs';

const TYPE = 'unsafe:emulator-';
const PACKAGE = { package: import.meta.filename, name: 'emulator' };
/** Miniflare's module that makes the object a Worker sees, and where in its folder that lies. */
const RATE_LIMIT = 'cloudflare-internal:ratelimit:module';
const RATE_LIMIT_FILE = 'workers/ratelimit/ratelimit.worker.js';

export const STORE_HEADER = 'emulator-store';
export const SECRET_HEADER = 'emulator-secret';
/** By this header Miniflare's stores are told the name of a database, namespace or bucket. */
export const NAME_HEADER = 'MF-Namespace';

/**
 * A binding to a store, as an entry of Miniflare's `unsafeBindings`.
 *
 * @param {string} name what the Worker calls it
 * @param {'d1' | 'kv' | 'r2' | 'ratelimit'} store
 * @param {string} id of the database, namespace or bucket
 * @param {{address: string, secret: string, miniflare: string}} access how the stores are reached
 * @param {object} [settings] what else the binding's object is made with
 */
export function stored(name, store, id, access, settings = {}) {
  const options = { store, id, ...access, settings };
  return { name, type: 'emulator-stored', plugin: PACKAGE, options };
}

/** A binding to a service of Miniflare's own in the same workerd. */
export function internal(name, service) {
  return { name, type: 'emulator-internal', plugin: PACKAGE, options: { service } };
}

function* ours(worker) {
  for (const [name, { type, dev }] of Object.entries(worker.config.env ?? {})) {
    if (type?.startsWith(TYPE)) yield { name, kind: type.slice(TYPE.length), ...dev.options };
  }
}

const serviceName = ({ store, id }) => `emulator:${store}:${id}`;

function wrapped(binding, moduleName) {
  const settings = Object.entries(binding.settings ?? {}).map(([name, value]) => ({
    name,
    json: JSON.stringify(value),
  }));
  const fetcher = { name: 'fetcher', service: { name: serviceName(binding) } };
  return { moduleName, innerBindings: [fetcher, ...settings] };
}

/** What workerd's configuration says of a binding, by its store. */
const BINDINGS = {
  d1: (binding) => ({ wrapped: wrapped(binding, 'cloudflare-internal:d1-api') }),
  kv: (binding) => ({ kvNamespace: { name: serviceName(binding) } }),
  r2: (binding) => ({ r2Bucket: { name: serviceName(binding) } }),
  ratelimit: (binding) => ({ wrapped: wrapped(binding, RATE_LIMIT) }),
};

function external(binding) {
  const headers = {
    [STORE_HEADER]: binding.store,
    [SECRET_HEADER]: binding.secret,
    [NAME_HEADER]: binding.id,
  };
  const injectRequestHeaders = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return {
    name: serviceName(binding),
    external: { address: binding.address, http: { injectRequestHeaders } },
  };
}

export const plugins = {
  emulator: {
    getBindings: (worker) =>
      [...ours(worker)].map((binding) => ({
        name: binding.name,
        ...(binding.kind === 'internal'
          ? { service: { name: binding.service } }
          : BINDINGS[binding.store](binding)),
      })),
    getNodeBindings: () => ({}),
    getServices: ({ options }) =>
      [...ours(options)].filter(({ kind }) => kind === 'stored').map(external),
    getExtensions({ options }) {
      const limit = options
        .flatMap((worker) => [...ours(worker)])
        .find(({ store }) => store === 'ratelimit');
      if (!limit) return [];
      const esModule = readFileSync(`${limit.miniflare}/${RATE_LIMIT_FILE}`, 'utf8');
      return [{ modules: [{ name: RATE_LIMIT, esModule, internal: true }] }];
    },
  },
};
