/**
 * Where Miniflare keeps data on disk, and how it is removed when its database, Durable Object
 * namespace or Workflow is deleted.
 */
import { createHash, createHmac } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';

import { BOOT_DATABASE } from './options.mjs';

const D1_FOLDER = path.join('d1', 'miniflare-D1DatabaseObject');
const WORKFLOW_PREFIX = 'miniflare-workflows-';

/** @param {string} root @param {{databases?: string[], namespaces?: string[], workflows?: string[]}} gone */
export async function remove(root, { databases = [], namespaces = [], workflows = [] }) {
  const paths = [
    ...databases.flatMap((id) =>
      ['', '-wal', '-shm'].map((end) => path.join(D1_FOLDER, `${databaseFile(id)}.sqlite${end}`)),
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
  const databases = new Set([...known.databases, BOOT_DATABASE].map(databaseFile));
  const namespaces = new Set(known.namespaces);
  const workflows = new Set(known.workflows.map((id) => WORKFLOW_PREFIX + id));
  await sweepFolder(
    path.join(root, D1_FOLDER),
    (name) => name.startsWith('metadata') || databases.has(name.split('.')[0]),
  );
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
  return path.resolve(root, D1_FOLDER, `${databaseFile(id)}.sqlite`);
}

/** workerd's id of the object named `name`: two HMACs of it under the namespace's key. */
function databaseFile(name) {
  const key = createHash('sha256').update('miniflare-D1DatabaseObject').digest();
  const hmac = (data) => createHmac('sha256', key).update(data).digest().subarray(0, 16);
  const first = hmac(name);
  return Buffer.concat([first, hmac(first)]).toString('hex');
}
