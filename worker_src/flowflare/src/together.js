/**
 * Let concurrent requests share a D1 batch, because D1 executes batches one after another, each in
 * its own round trip.
 */

/** @typedef {Record<string, unknown>} Row */
/** @typedef {D1Result<Row>[]} Results */

/**
 * What a waiting request receives: its results, an error, or the task to send all waiting
 * statements (or only its own).
 * @typedef {{results: Results} | {error: unknown} | {send: 'all' | 'own'}} Turn
 */

/**
 * The statements that one request wants to execute.
 * @typedef {object} Entry
 * @property {D1PreparedStatement[]} statements
 * @property {(turn: Turn) => void} tell
 */

/**
 * @typedef {{statement: D1PreparedStatement, length: number}} Sized a statement, and the length of
 *   its values
 */

/**
 * D1 counts each statement as a query of the request that sends it, and allows 50 per request on
 * the free plan.
 */
const MAX_STATEMENTS = 40;
/** Requests with more text than this are sent alone, because together they would be too large. */
const MAX_LENGTH = 32 * 1024;
/**
 * D1 executes a batch in 0.5 to 5 ms. If batches take longer than this, they are mostly on their
 * way, and the next one begins before the last has ended.
 */
const FAR_MS = 20;
/** How much later it begins, so that the batches of one isolate do not queue at D1. */
const FAR_GAP_MS = 10;
/** How long the next batch waits for the last one to end, if D1 is near. */
const NEAR_GAP_MS = 100;
/** If D1 is slow, no more batches than these are under way. */
const MAX_UNDERWAY = 16;
/** A batch that takes longer does not count, because its request may have died. */
const DEAD_MS = 2000;
/** How long a request waits for its turn, however many batches are under way. */
const HELD_MS = 200;
/**
 * How long a request waits for another request that sent its statements, before it sends them
 * itself.
 */
const LOST_MS = 2000;

// Requests of one isolate share memory, but a request must not wait for another's I/O, which ends
// with that request. A request therefore sends its batch if it is its turn. Requests that arrive
// meanwhile wait with timers of their own, and the first whose turn comes sends for all.
/** @type {Entry[]} */
const waiting = [];

/**
 * The batches that are being sent. A request can end at any await without running another line,
 * because it is cancelled or has used up its CPU time. Its batch then stays in this set, so old
 * batches are ignored.
 * @type {Set<{since: number}>}
 */
const underway = new Set();
/** When the last batch began, in milliseconds. */
let lastBegan = 0;
/** How long a batch takes that does not queue, in milliseconds: the least of late. */
let fastest = 0;

/**
 * Wrap the database for one request, so that its small batches may be sent with those of other
 * requests. Each batch still takes effect completely or not at all. If D1 refuses a statement, only
 * its own request fails.
 * @param {D1Database} db
 * @param {(promise: Promise<unknown>) => void} waitUntil keeps a request alive that also writes for
 *   others
 * @returns {D1Database} with only prepare(sql).bind(...) and batch()
 */
export function together(db, waitUntil) {
  let hasSent = false;
  const batch = (/** @type {Sized[]} */ sized) => {
    const statements = sized.map(({ statement }) => statement);
    const length = sized.reduce((sum, each) => sum + each.length, 0);
    // A request sends for others only once, to keep its own count of queries low.
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
 * @param {D1PreparedStatement[]} statements safe to execute twice
 * @param {() => void} onSend called if this request also sends others' statements
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
  if (heldBackFor() === 0) return begin();
  /** @type {Entry} */
  const own = { statements, tell: () => {} };
  /** @type {Promise<Turn>} */
  const told = new Promise((resolve) => {
    own.tell = resolve;
  });
  waiting.push(own);
  const until = Date.now() + HELD_MS;
  for (let wait = heldBackFor(); wait > 0 && Date.now() < until; wait = heldBackFor()) {
    const turn = await within(wait, told);
    if (turn !== null) return turn;
    // Another request sent them. If it never reports the results, send them again.
    if (!waiting.includes(own)) return (await within(LOST_MS, told)) || { send: 'all' };
  }
  waiting.splice(waiting.indexOf(own), 1);
  return begin();
}

/**
 * @returns {Turn} of the request that sends the next batch; others see at once that it has begun
 */
function begin() {
  lastBegan = Date.now();
  return { send: 'all' };
}

/**
 * @returns {number} how many milliseconds the next batch has to wait, unless one ends before; 0 if
 *   it is its turn
 */
function heldBackFor() {
  const now = Date.now();
  for (const batch of underway) {
    if (now - batch.since >= DEAD_MS) underway.delete(batch);
  }
  if (underway.size === 0) return 0;
  const gap = fastest > FAR_MS ? FAR_GAP_MS : NEAR_GAP_MS;
  if (underway.size >= MAX_UNDERWAY) return gap;
  const isFull =
    waiting.reduce((sum, { statements }) => sum + statements.length, 0) >= MAX_STATEMENTS;
  return isFull && fastest > FAR_MS ? 0 : Math.max(lastBegan + gap - now, 0);
}

/**
 * Wait with a timer, because the runtime ends a request that waits for nothing of its own.
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
 * Send a request's statements together with those of waiting requests.
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
    // If one request's statements are refused, nothing was written: each request retries alone.
    const isRefused = others.length > 0 && /SQLITE_/.test(String(error));
    for (const { tell } of others) tell(isRefused ? { send: 'own' } : { error });
    if (isRefused) return db.batch(own);
    throw error;
  } finally {
    underway.delete(batch);
    note(Date.now() - batch.since);
    if (heldBackFor() === 0) waiting.shift()?.tell(begin());
  }
}

/** @param {number} took milliseconds; the least is forgotten slowly, since a database can move */
function note(took) {
  const risen = fastest === 0 ? took : fastest + (took - fastest) * 0.02;
  fastest = Math.min(took, risen);
}

/**
 * @param {number} room the number of statements that fit
 * @returns {Entry[]} the requests that have waited longest; they receive their results when they
 *   are written
 */
function takeWaiting(room) {
  let left = room;
  const end = waiting.findIndex(({ statements }) => {
    left -= statements.length;
    return left < 0;
  });
  return waiting.splice(0, end < 0 ? waiting.length : end);
}
