/**
 * Find Miniflare's data on disk, and remove it when its database, Durable Object namespace or
 * Workflow is deleted.
 */
import { createHash, createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { BOOT } from './options.mjs';

/** @import { Answers, Data } from './wire.d.ts' */
/** @typedef {{folder: string, object: string}} Store */

/** Miniflare stores each database, namespace and bucket in an object of these classes. */
const D1 = { folder: 'd1', object: 'miniflare-D1DatabaseObject' };
const KV = { folder: 'kv', object: 'miniflare-KVNamespaceObject' };
const R2 = { folder: 'r2', object: 'miniflare-R2BucketObject' };
const STORES = [KV, R2];
const WORKFLOW_PREFIX = 'miniflare-workflows-';
/** The folders that units share across reloads; the rest of a room is removed with it. */
const SHARED_FOLDERS = ['do', 'workflows'];
export const ROOMS = 'rooms';

/**
 * Create the folder of one workerd, which shares the data of Durable Objects and Workflows.
 * @param {string} root
 * @param {string} name of a new room
 * @returns {Promise<string>} its path
 */
export async function makeRoom(root, name) {
  const room = path.join(root, ROOMS, name);
  await mkdir(room, { recursive: true });
  for (const folder of SHARED_FOLDERS) {
    await mkdir(path.join(root, folder), { recursive: true });
    await symlink(path.join('..', '..', folder), path.join(room, folder));
  }
  return room;
}

/**
 * @param {string} root @param {Data} deleted
 */
export async function remove(root, { databases, namespaces, workflows, targets }) {
  const paths = [
    ...databases.flatMap((id) => filesOf(D1, id)),
    ...targets.flatMap((id) =>
      STORES.flatMap((store) => [...filesOf(store, id), path.join(store.folder, id)]),
    ),
    ...namespaces.map((id) => path.join('do', id)),
    ...workflows.map((id) => path.join('workflows', `${WORKFLOW_PREFIX}${id}`)),
  ];
  await Promise.all(
    paths.map((file) => rm(path.join(root, file), { recursive: true, force: true })),
  );
}

/**
 * Remove all data that is not in `known`, which a killed emulator left behind.
 * @param {string} root @param {Data} known
 */
export async function sweep(root, known) {
  const namespaces = new Set(known.namespaces);
  const workflows = new Set(known.workflows.map((id) => WORKFLOW_PREFIX + id));
  await sweepObjects(root, D1, [...known.databases, BOOT]);
  for (const store of STORES) {
    const targets = new Set([...known.targets, store.object]);
    await sweepObjects(root, store, known.targets);
    await sweepFolder(path.join(root, store.folder), (name) => targets.has(name));
  }
  await sweepFolder(path.join(root, 'do'), (name) => namespaces.has(name));
  await sweepFolder(path.join(root, 'workflows'), (name) => workflows.has(name));
}

/**
 * List the database files of a Workflow's instances.
 * @param {string} root @param {string} workflow the Workflow's ID
 */
export async function instanceFiles(root, workflow) {
  const folder = path.join(root, 'workflows', WORKFLOW_PREFIX + workflow);
  const names = await listNames(folder);
  return names
    .filter((name) => name.endsWith('.sqlite') && !name.startsWith('metadata'))
    .map((name) => ({
      object: name.slice(0, -'.sqlite'.length),
      file: path.join(folder, name),
    }));
}

/**
 * Return the database file of an instance.
 * @param {string} root @param {string} workflow the Workflow's ID @param {string} id of the instance
 */
export function instancePath(root, workflow, id) {
  const object = WORKFLOW_PREFIX + workflow;
  return path.join(root, filesOf({ folder: 'workflows', object }, id)[0]);
}

/**
 * Remove the database of an instance.
 * @param {string} root @param {string} workflow @param {string} id
 */
export async function removeInstance(root, workflow, id) {
  const file = instancePath(root, workflow, id);
  await Promise.all(['', '-wal', '-shm'].map((end) => rm(file + end, { force: true })));
}

/**
 * List the IDs of a namespace's Durable Objects that have stored data.
 * @param {string} root @param {string} namespace the namespace's ID
 */
export async function objectsOf(root, namespace) {
  const names = await listNames(path.join(root, 'do', namespace));
  return names
    .filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
    .map((name) => name.slice(0, 64))
    .sort();
}

/** @param {string} root @param {Store} store @param {string[]} ids */
async function sweepObjects(root, store, ids) {
  const wanted = new Set(ids.map((id) => objectId(store, id)));
  await sweepFolder(
    path.join(root, store.folder, store.object),
    (name) => name.startsWith('metadata') || wanted.has(name.split('.')[0]),
  );
}

/** @param {string} folder @param {(name: string) => boolean} keep */
async function sweepFolder(folder, keep) {
  for (const name of await listNames(folder)) {
    if (!keep(name)) {
      await rm(path.join(folder, name), { recursive: true, force: true });
    }
  }
}

/** @param {string} folder */
async function listNames(folder) {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Return a database's file. It is a SQLite file in WAL mode, so other processes may open it too.
 * @param {string} root @param {string} id
 */
export function databasePath(root, id) {
  return path.resolve(root, filesOf(D1, id)[0]);
}

/**
 * Count an R2 bucket's objects and their bytes; Miniflare lists them in the bucket's database.
 * @param {string} root @param {string} id of the bucket
 * @returns {Answers['bucket']}
 */
export function measureBucket(root, id) {
  const empty = { objects: 0, bytes: 0, metadata_bytes: 0 };
  const file = path.resolve(root, filesOf(R2, id)[0]);
  if (!existsSync(file)) return empty;
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = 'SELECT 1 FROM sqlite_schema WHERE name = ?';
    if (!database.prepare(tables).get('_mf_objects')) return empty;
    const totals = `SELECT count(*) AS objects, coalesce(sum(size), 0) AS bytes,
      coalesce(sum(length(http_metadata) + length(custom_metadata)), 0) AS metadata_bytes
      FROM _mf_objects`;
    return /** @type {Answers['bucket']} */ ({ ...database.prepare(totals).get() });
  } finally {
    database.close();
  }
}

/** @param {Store} store @param {string} id */
function filesOf(store, id) {
  const file = path.join(store.folder, store.object, `${objectId(store, id)}.sqlite`);
  return ['', '-wal', '-shm'].map((end) => file + end);
}

/**
 * Derive workerd's ID of the object `name`: two HMACs with the key of its class.
 * @param {Store} store @param {string} name
 */
function objectId({ object }, name) {
  const key = createHash('sha256').update(object).digest();
  /** @param {string | Buffer} data */
  const hmac = (data) => createHmac('sha256', key).update(data).digest().subarray(0, 16);
  const first = hmac(name);
  return Buffer.concat([first, hmac(first)]).toString('hex');
}
