/**
 * The feed's last events, numbered and stored in the Durable Object so that watchers can resume.
 */

/** @typedef {import('./feed.js').FeedEvent} FeedEvent */
/** @typedef {{seq: number, event: FeedEvent}} Numbered */
/** @typedef {{first: number, seq: number, size: number, events: string}} Chunk events `first` to `seq`, as JSON */

/** The number of rows that store chunks; each row is overwritten in turn. */
const SLOTS = 256;
const MAX_CHUNK_EVENTS = 100;
const MAX_CHUNK_LENGTH = 128 * 1024;
/** A watcher that has missed more than this should read the lists again. */
const MAX_REPLAY_LENGTH = 1024 * 1024;

export class EventLog {
  #storage;
  /**
   * @type {SqlStorage | null} null in an object whose class was created without SQLite
   *   (`new_classes`)
   */
  #sql;
  #seq;
  #slot = 0;
  /** @type {Chunk[]} without SQLite, events are kept only while the object is awake */
  #chunks = [];

  /**
   * @param {DurableObjectStorage} storage
   * @param {number} seq
   */
  constructor(storage, seq) {
    this.#storage = storage;
    this.#seq = seq;
    this.#sql = withTable(storage);
    const [last] =
      this.#sql?.exec('SELECT slot, seq FROM event_log ORDER BY seq DESC LIMIT 1') ?? [];
    if (last === undefined) return;
    this.#seq = Math.max(seq, Number(last.seq));
    this.#slot = (Number(last.slot) + 1) % SLOTS;
  }

  /** @param {DurableObjectStorage} storage */
  static async open(storage) {
    // Used without a table, and to continue the number that an earlier release stored.
    return new EventLog(storage, (await storage.get('seq')) ?? 0);
  }

  /** The number of the last event. It outlives the object, so that a number is never reused. */
  get seq() {
    return this.#seq;
  }

  /**
   * Number events and store them. This is not awaited: the runtime delays what the object sends
   * until all is stored.
   * @param {FeedEvent[]} events
   * @returns {Numbered[]}
   */
  append(events) {
    const numbered = events.map((event) => ({ seq: ++this.#seq, event }));
    for (const chunk of chunksOf(numbered)) this.#keep(chunk);
    return numbered;
  }

  /**
   * @param {number} seq the last number that a watcher has received
   * @returns {Numbered[] | null} the later events; null if they are no longer stored completely
   */
  after(seq) {
    if (seq === this.#seq) return [];
    if (seq > this.#seq) return null;
    const chunks = this.#chunksAfter(seq);
    const [oldest] = chunks;
    const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
    if (oldest === undefined || oldest.first > seq + 1 || size > MAX_REPLAY_LENGTH) return null;
    return chunks
      .flatMap(({ first, events }) =>
        JSON.parse(events).map((/** @type {FeedEvent} */ event, /** @type {number} */ at) => ({
          seq: first + at,
          event,
        })),
      )
      .filter((numbered) => numbered.seq > seq);
  }

  /**
   * @param {number} seq
   * @returns {Chunk[]} oldest first; without the events if there are too many
   */
  #chunksAfter(seq) {
    if (this.#sql === null) return this.#chunks.filter((chunk) => chunk.seq > seq);
    const total = this.#sql
      .exec('SELECT sum(size) AS size FROM event_log WHERE seq > ?', seq)
      .one();
    const events = Number(total.size) > MAX_REPLAY_LENGTH ? "''" : 'events';
    const rows = this.#sql.exec(
      `SELECT first, seq, size, ${events} AS events FROM event_log WHERE seq > ? ORDER BY seq`,
      seq,
    );
    return /** @type {Chunk[]} */ (/** @type {unknown} */ (rows.toArray()));
  }

  /** @param {Chunk} chunk */
  #keep(chunk) {
    if (this.#sql === null) {
      this.#chunks = [...this.#chunks, chunk].slice(-SLOTS);
      this.#storage.put('seq', chunk.seq);
      return;
    }
    this.#sql.exec(
      'INSERT OR REPLACE INTO event_log (slot, first, seq, size, events) VALUES (?, ?, ?, ?, ?)',
      this.#slot,
      chunk.first,
      chunk.seq,
      chunk.size,
      chunk.events,
    );
    this.#slot = (this.#slot + 1) % SLOTS;
  }
}

/**
 * @param {DurableObjectStorage} storage
 * @returns {SqlStorage | null}
 */
function withTable(storage) {
  try {
    // The long column is last, so that queries for the other columns do not read its pages.
    storage.sql.exec(`CREATE TABLE IF NOT EXISTS event_log
      (slot INTEGER PRIMARY KEY, first INTEGER NOT NULL, seq INTEGER NOT NULL, size INTEGER NOT NULL,
       events TEXT NOT NULL)`);
    return storage.sql;
  } catch {
    return null;
  }
}

/**
 * @param {Numbered[]} numbered
 * @returns {Chunk[]}
 */
const chunksOf = (numbered) =>
  batchesOf(numbered).map((batch) => {
    const events = JSON.stringify(batch.map(({ event }) => event));
    return { first: batch[0].seq, seq: batch[batch.length - 1].seq, size: events.length, events };
  });

/**
 * Split events into batches, which become frames of a moderate size.
 * @param {Numbered[]} numbered
 * @returns {Numbered[][]}
 */
export function batchesOf(numbered) {
  /** @type {Numbered[][]} */
  const batches = [];
  let length = MAX_CHUNK_LENGTH;
  for (const one of numbered) {
    const size = JSON.stringify(one.event).length;
    const last = batches.at(-1);
    if (!last || last.length === MAX_CHUNK_EVENTS || length + size > MAX_CHUNK_LENGTH) {
      batches.push([one]);
      length = size;
    } else {
      last.push(one);
      length += size;
    }
  }
  return batches;
}
