/** Lets requests that write at the same time share a D1 batch: D1 carries out one after the other, each a round trip. */

import { Problem } from './problem.js';

/** @typedef {Record<string, unknown>} Row */
/** @typedef {D1Result<Row>[]} Results */

/**
 * What a request that waits is told: its results, an error, or that it is to send what waits (or only its own).
 * @typedef {{results: Results} | {error: unknown} | {send: 'all' | 'own'}} Turn
 */

/**
 * What one request wants written.
 * @typedef {object} Entry
 * @property {D1PreparedStatement[]} statements
 * @property {(turn: Turn) => void} tell
 */

/** @typedef {{statement: D1PreparedStatement, length: number}} Sized a statement, and how long its values are */

/** D1 counts each statement as a query of the request that sends it, and allows 50 a request on the free plan. */
const MAX_STATEMENTS = 40;
/** Requests with more text than this are sent alone: together they would become too large. */
const MAX_LENGTH = 32 * 1024;
/** A request that is not sent for this long sends itself: whoever was to send it has gone away. */
const PATIENCE_MS = 2000;
/** D1 gives up on a batch after 30 s. */
const LOST_MS = 35_000;

// Requests of one isolate share memory, but the I/O of one may not be waited for by another: it ends with its
// own request. So whoever writes while nobody does sends; who comes meanwhile waits to be told, and the first
// of these sends the next batch, for all of them.
/** @type {Entry[]} */
const waiting = [];
let sending = 0;

/**
 * A database for one request, whose small batches may be sent with those of other requests. Each is still
 * carried out as a whole or not at all; statements that D1 refuses are refused to their own request only.
 * @param {D1Database} db
 * @param {(promise: Promise<unknown>) => void} waitUntil keeps a request alive that writes for others, too
 * @returns {D1Database} of which only prepare(sql).bind(...) and batch() are there
 */
export function together(db, waitUntil) {
  let hasSent = false;
  const batch = (/** @type {Sized[]} */ sized) => {
    const statements = sized.map(({ statement }) => statement);
    const length = sized.reduce((sum, each) => sum + each.length, 0);
    // A request sends for others once, which keeps the queries that are counted as its own few.
    if (hasSent || length > MAX_LENGTH || statements.length > MAX_STATEMENTS) {
      return db.batch(statements);
    }
    const written = write(db, statements, () => {
      hasSent = true;
    });
    waitUntil(written.catch(() => {}));
    return written;
  };
  const prepare = (/** @type {string} */ sql) => ({
    bind: (/** @type {unknown[]} */ ...values) => ({
      statement: db.prepare(sql).bind(...values),
      length: values.map(lengthOf).reduce((sum, length) => sum + length, 0),
    }),
  });
  return /** @type {D1Database} */ (/** @type {unknown} */ ({ prepare, batch }));
}

/** @param {unknown} value */
const lengthOf = (value) => (typeof value === 'string' ? value.length : 0);

/**
 * @param {D1Database} db
 * @param {D1PreparedStatement[]} statements
 * @param {() => void} onSend called if these are not all that this request sends
 * @returns {Promise<Results>}
 */
async function write(db, statements, onSend) {
  /** @type {Entry} */
  const own = { statements, tell: () => {} };
  if (sending === 0) return send(db, own, onSend);
  /** @type {Promise<Turn>} */
  const told = new Promise((resolve) => {
    own.tell = resolve;
  });
  waiting.push(own);
  const turn = await turnOf(own, told);
  if ('results' in turn) return turn.results;
  if ('error' in turn) throw turn.error;
  return turn.send === 'own' ? db.batch(statements) : send(db, own, onSend);
}

/**
 * @param {Entry} own
 * @param {Promise<Turn>} told
 * @returns {Promise<Turn>}
 */
async function turnOf(own, told) {
  for (const milliseconds of [PATIENCE_MS, LOST_MS]) {
    /** @type {number | null} */
    let timer = null;
    // The runtime ends a request that waits for nothing of its own: this is something.
    /** @type {Promise<null>} */
    const tired = new Promise((resolve) => {
      timer = setTimeout(() => resolve(null), milliseconds);
    });
    const turn = await Promise.race([told, tired]);
    clearTimeout(timer);
    if (turn !== null) return turn;
    const at = waiting.indexOf(own);
    if (at >= 0) {
      waiting.splice(at, 1);
      return { send: 'all' };
    }
  }
  const headers = { 'Retry-After': '1' };
  throw new Problem(503, 'It is not known whether this was stored; repeat it', { headers });
}

/**
 * Sends a request's statements, and with them those of others that wait.
 * @param {D1Database} db
 * @param {Entry} own
 * @param {() => void} onSend
 * @returns {Promise<Results>} of the request's own
 */
async function send(db, own, onSend) {
  const others = takeWaiting(MAX_STATEMENTS - own.statements.length);
  if (others.length > 0) onSend();
  sending += 1;
  try {
    const group = [own, ...others];
    const results = /** @type {Results} */ (
      await db.batch(group.flatMap(({ statements }) => statements))
    );
    let at = own.statements.length;
    for (const { statements, tell } of others) {
      tell({ results: results.slice(at, at + statements.length) });
      at += statements.length;
    }
    return results.slice(0, own.statements.length);
  } catch (error) {
    // Refused for one request's sake, nothing was written: each tries by itself.
    const isRefused = others.length > 0 && /SQLITE_/.test(String(error));
    for (const { tell } of others) tell(isRefused ? { send: 'own' } : { error });
    if (isRefused) return db.batch(own.statements);
    throw error;
  } finally {
    sending -= 1;
    if (sending === 0) waiting.shift()?.tell({ send: 'all' });
  }
}

/**
 * @param {number} room how many statements there may be
 * @returns {Entry[]} those that wait, longest first; they are told when they are written
 */
function takeWaiting(room) {
  let left = room;
  const end = waiting.findIndex(({ statements }) => {
    left -= statements.length;
    return left < 0;
  });
  return waiting.splice(0, end < 0 ? waiting.length : end);
}
