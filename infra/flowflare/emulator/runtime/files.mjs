/**
 * Where Miniflare keeps data on disk, and how it is removed when its database, Durable Object
 * namespace or Workflow is deleted.
 */
import { createHash, createHmac } from 'node:crypto';
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';

import { BOOT } from './options.mjs';

/** Miniflare keeps each database, namespace and bucket in an object of these classes. */
const D1 = { folder: 'd1', object: 'miniflare-D1DatabaseObject' };
const STORES = [
  { folder: 'kv', object: 'miniflare-KVNamespaceObject' },
  { folder: 'r2', object: 'miniflare-R2BucketObject' },
];
const WORKFLOW_PREFIX = 'miniflare-workflows-';
/** What units keep when they are loaded anew; all else of a room goes with it. */
const LASTING = ['do', 'workflows'];
export const ROOMS = 'rooms';

/**
 * Makes the folder of one workerd: Durable Objects and Workflows lie where they did before.
 *
 * @param {string} root
 * @param {string} name of a room that is not there
 * @returns {Promise<string>} its path
 */
export async function makeRoom(root, name) {
  const room = path.join(root, ROOMS, name);
  await mkdir(room, { recursive: true });
  for (const each of LASTING) {
    await mkdir(path.join(root, each), { recursive: true });
    await symlink(path.join('..', '..', each), path.join(room, each));
  }
  return room;
}

/**
 * @param {string} root
 * @param {{databases?: string[], namespaces?: string[], workflows?: string[], targets?: string[]}} gone
 */
export async function remove(
  root,
  { databases = [], namespaces = [], workflows = [], targets = [] },
) {
  const paths = [
    ...databases.flatMap((id) => filesOf(D1, id)),
    ...targets.flatMap((id) =>
      STORES.flatMap((store) => [...filesOf(store, id), path.join(store.folder, id)]),
    ),
    ...namespaces.map((id) => path.join('do', id)),
    ...workflows.map((id) => path.join('workflows', `${WORKFLOW_PREFIX}${id}`)),
  ];
  await Promise.all(
    paths.map((each) => rm(path.join(root, each), { recursive: true, force: true })),
  );
}

/** Removes the data of everything that is not in `known`: what a killed emulator left behind. */
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
 * The databases of a Workflow's instances.
 *
 * @param {string} root @param {string} workflow the Workflow's id
 */
export async function instanceFiles(root, workflow) {
  const folder = path.join(root, 'workflows', WORKFLOW_PREFIX + workflow);
  const names = await namesIn(folder);
  return names
    .filter((name) => name.endsWith('.sqlite') && !name.startsWith('metadata'))
    .map((name) => ({
      object: name.slice(0, -'.sqlite'.length),
      file: path.join(folder, name),
    }));
}

/**
 * The ids of a namespace's Durable Objects that have stored something.
 *
 * @param {string} root @param {string} namespace the namespace's id
 */
export async function objectsOf(root, namespace) {
  const names = await namesIn(path.join(root, 'do', namespace));
  return names
    .filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
    .map((name) => name.slice(0, 64))
    .sort();
}

async function sweepObjects(root, store, ids) {
  const kept = new Set(ids.map((id) => objectId(store, id)));
  await sweepFolder(
    path.join(root, store.folder, store.object),
    (name) => name.startsWith('metadata') || kept.has(name.split('.')[0]),
  );
}

async function sweepFolder(folder, keep) {
  for (const name of await namesIn(folder)) {
    if (!keep(name)) {
      await rm(path.join(folder, name), { recursive: true, force: true });
    }
  }
}

async function namesIn(folder) {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Where a database lies: its file is SQLite's, in WAL mode, and others may open it too. */
export function databasePath(root, id) {
  return path.resolve(root, filesOf(D1, id)[0]);
}

function filesOf(store, id) {
  const file = path.join(store.folder, store.object, `${objectId(store, id)}.sqlite`);
  return ['', '-wal', '-shm'].map((end) => file + end);
}

/** workerd's id of the object named `name`: two HMACs of it under the key of its class. */
function objectId({ object }, name) {
  const key = createHash('sha256').update(object).digest();
  const hmac = (data) => createHmac('sha256', key).update(data).digest().subarray(0, 16);
  const first = hmac(name);
  return Buffer.concat([first, hmac(first)]).toString('hex');
}
