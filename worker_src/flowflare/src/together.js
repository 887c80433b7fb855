/** Lets requests that write at the same time share a D1 batch: D1 carries out one after the other, each a round trip. */

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
/** A batch holds other requests back for this long. After that it is slow, or its request has died. */
const HELD_MS = 100;
/** A request whose statements another one sent, and that hears nothing for this long, sends them itself. */
const LOST_MS = 2000;

// Requests of one isolate share memory, but the I/O of one may not be waited for by another: it ends with its
// own request. So a request sends its batch if no batch is under way. Requests that come meanwhile wait to be
// told, and the first of them sends the next batch, for all of them.
/** @type {Entry[]} */
const waiting = [];

/**
 * The batches under way. A request can end at any await without running another line: it is cancelled, or it has
 * used up its CPU time. Its batch then stays in here, which is why an old one counts for nothing.
 * @type {Set<{since: number}>}
 */
const underway = new Set();

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
 * @param {D1PreparedStatement[]} statements which may be carried out twice without harm
 * @param {() => void} onSend called if these are not all that this request sends
 * @returns {Promise<Results>}
 */
async function write(db, statements, onSend) {
  const turn = await turnOf(statements);
  if ('results' in turn) return turn.results;
  if ('error' in turn) throw turn.error;
  return turn.send === 'own' ? db.batch(statements) : send(db, statements, onSend);
}

/**
 * @param {D1PreparedStatement[]} statements
 * @returns {Promise<Turn>}
 */
async function turnOf(statements) {
  if (!isHeldBack()) return { send: 'all' };
  /** @type {Entry} */
  const own = { statements, tell: () => {} };
  /** @type {Promise<Turn>} */
  const told = new Promise((resolve) => {
    own.tell = resolve;
  });
  waiting.push(own);
  const turn = await within(HELD_MS, told);
  if (turn !== null) return turn;
  const at = waiting.indexOf(own);
  if (at >= 0) waiting.splice(at, 1);
  // Another request sent them. If it never says what became of them, they are sent again.
  return (at < 0 && (await within(LOST_MS, told))) || { send: 'all' };
}

/** Whether a batch is under way that is worth waiting for. */
function isHeldBack() {
  const now = Date.now();
  for (const batch of underway) {
    if (now - batch.since >= HELD_MS) underway.delete(batch);
  }
  return underway.size > 0;
}

/**
 * The runtime ends a request that waits for nothing of its own: the timer is something.
 * @param {number} milliseconds
 * @param {Promise<Turn>} told
 * @returns {Promise<Turn | null>} null if the time is over
 */
async function within(milliseconds, told) {
  /** @type {number | null} */
  let timer = null;
  /** @type {Promise<null>} */
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  const turn = await Promise.race([told, late]);
  clearTimeout(timer);
  return turn;
}

/**
 * Sends a request's statements, and with them those of others that wait.
 * @param {D1Database} db
 * @param {D1PreparedStatement[]} own
 * @param {() => void} onSend
 * @returns {Promise<Results>} of the request's own
 */
async function send(db, own, onSend) {
  const others = takeWaiting(MAX_STATEMENTS - own.length);
  if (others.length > 0) onSend();
  const batch = { since: Date.now() };
  underway.add(batch);
  try {
    const results = /** @type {Results} */ (
      await db.batch([...own, ...others.flatMap(({ statements }) => statements)])
    );
    let at = own.length;
    for (const { statements, tell } of others) {
      tell({ results: results.slice(at, at + statements.length) });
      at += statements.length;
    }
    return results.slice(0, own.length);
  } catch (error) {
    // Refused for one request's sake, nothing was written: each tries by itself.
    const isRefused = others.length > 0 && /SQLITE_/.test(String(error));
    for (const { tell } of others) tell(isRefused ? { send: 'own' } : { error });
    if (isRefused) return db.batch(own);
    throw error;
  } finally {
    underway.delete(batch);
    if (!isHeldBack()) waiting.shift()?.tell({ send: 'all' });
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
