// Simulates in virtual time how long writes take that share D1 batches, beside own batches: D1 executes one
// batch after another, each in `service` milliseconds, and is `distance` milliseconds away, there and back.
// Runs the real worker_src/flowflare/src/together.js. Usage: make bench-batches
import { mock } from 'node:test';

const SHARED = '../worker_src/flowflare/src/together.js';

const PER_SECOND = 400;
const SECONDS = 20;
const CASES = [
  { distance: 0, service: 0.5 },
  { distance: 0, service: 5 },
  { distance: 100, service: 0.5 },
  { distance: 100, service: 5 },
];

/** A generator of numbers from 0 to 1 that is the same in every run. */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A D1 database in virtual time. */
function databaseOf({ distance, service }) {
  let freeAt = 0;
  let batches = 0;
  return {
    get batches() {
      return batches;
    },
    prepare: () => ({ bind: () => ({}) }),
    batch: (statements) => {
      batches++;
      const arrives = Date.now() + distance / 2;
      freeAt = Math.max(freeAt, arrives) + service;
      const wait = freeAt + distance / 2 - Date.now();
      return new Promise((resolve) =>
        setTimeout(() => resolve(statements.map(() => ({ results: [] }))), wait),
      );
    },
  };
}

async function simulate(use, parameters) {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const random = randomFrom(1);
  const database = databaseOf(parameters);
  const times = [];
  const write = async () => {
    const began = Date.now();
    const db = use(database);
    await db.batch([1, 2].map(() => db.prepare('').bind('x')));
    times.push(Date.now() - began);
  };
  const end = Date.now() + SECONDS * 1000;
  let sent = 0;
  for (let next = Date.now(); times.length < sent || Date.now() < end; ) {
    while (next <= Date.now() && next < end) {
      write();
      sent++;
      next += (-Math.log(1 - random()) * 1000) / PER_SECOND;
    }
    await new Promise(setImmediate);
    mock.timers.tick(1);
    if (Date.now() > end + 60_000) break;
  }
  mock.timers.reset();
  times.sort((one, other) => one - other);
  const at = (share) => times[Math.floor(share * (times.length - 1))];
  const { batches } = database;
  return { p50: at(0.5), p99: at(0.99), longest: at(1), batches, unanswered: sent - times.length };
}

const rows = [];
for (const [number, parameters] of CASES.entries()) {
  // A module of its own for each case is what an isolate is.
  const { together } = await import(`${SHARED}?case=${number}`);
  const ways = {
    own: (database) => database,
    shared: (database) => together(database, () => {}),
  };
  for (const [way, use] of Object.entries(ways)) {
    rows.push({ ...parameters, way, ...(await simulate(use, parameters)) });
  }
}
console.table(rows);
