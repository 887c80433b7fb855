/**
 * Runs the Workers: each unit of an account in a workerd of its own, loaded on first use, reloaded
 * soon after something of it changed, ended when many others were used since.
 *
 * Units that nobody asks for cost nothing. A request waits while its unit is loaded; nothing is lost
 * in between. Data that Workers share is with the stores, which are never reloaded.
 */
import { mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

import { dueOf } from './alarms.mjs';
import { databasePath, makeRoom, objectsOf, ROOMS, remove, sweep } from './files.mjs';
import { Turns } from './gate.mjs';
import { Instance } from './instance.mjs';
import { workerOptions } from './options.mjs';
import { Resumer } from './resume.mjs';
import { Stores } from './stores.mjs';
import { digestOf, unitsOf, withoutAbsent } from './units.mjs';

const DEBOUNCE = 150;
/** A reload waits so long for uploads that belong to the same burst. */
const LONGEST_BURST = 2_000;
/** So many units stay loaded; those beyond go when nobody has asked for them so many milliseconds. */
const LIMITS = { units: 16, idle: 10_000 };
/** So much sooner they go while somebody waits for all units of an account. */
const HURRY = 10;
/** So many times as long before its alarm rings, a unit stays. */
const KEEPING = 6;
/** So many workerds start at a time: the first of many is not to wait for the last. */
const TOGETHER = 4;
/** A unit is loaded so long before an alarm of it rings, and timers run for at most a day. */
const AHEAD = 1_000;
const LONGEST_TIMER = 86_400_000;

class Account {
  /** @type {Map<string, {worker: object, digest: string}>} by key */
  workers = new Map();
  /** @type {Map<string, string>} why Workers that are not run are down, by key */
  down = new Map();
  /** @type {Map<string, object[]>} modules by the names that Workers use */
  code = new Map();
  /** @type {Map<string, import('./units.mjs').Unit>} by digest */
  units = new Map();
  /** @type {Map<string, import('./units.mjs').Unit>} by the keys of their Workers */
  byKey = new Map();
}

export class Runtime {
  #programs;
  #data;
  #emit;
  #stores = new Stores();
  #resumer = new Resumer();
  /** @type {Map<string, Account>} in the order of their changes */
  #accounts = new Map();
  /** @type {Set<Instance>} all that have not ended */
  #instances = new Set();
  #limits = LIMITS;
  #turns = new Turns(TOGETHER);
  #rooms = 0;
  #retiring;
  /** How many uploads are being looked at: they belong to the burst that a reload waits for. */
  #uploads = 0;
  /** @type {{data: object, holders: Set<Instance>}[]} what was deleted while workerd had it open */
  #gone = [];

  constructor({ miniflare, workerd, nodeModules, data, emit }) {
    const home = path.dirname(createRequire(nodeModules).resolve('miniflare'));
    this.#programs = { miniflare, workerd, home };
    this.#data = path.resolve(data);
    this.#emit = emit;
  }

  /** @param {{known: Record<string, string[]>}} request ids of all that there is, by what it is */
  async start({ known }) {
    await mkdir(this.#data, { recursive: true });
    await rm(path.join(this.#data, ROOMS), { recursive: true, force: true });
    await sweep(this.#data, known);
    await this.#stores.start(
      (workers, more) => this.#miniflare(this.#data, workers, more),
      () => this.#emit('crashed'),
    );
    return { workerd: this.#programs.workerd.version };
  }

  /**
   * Takes what changed of an account; reloads soon what is in use of it.
   *
   * @param {{account: string, changed: object[], removed: string[]}} change Workers as they are now,
   *   `down` where they cannot be run, and keys of those that are not there any more
   * @param {Record<string, object[]>} code modules that came with it, by the names its Workers use;
   *   the others came before
   */
  accountChanged({ account: id, changed, removed }, code) {
    const account = this.#accounts.get(id) ?? new Account();
    this.#accounts.delete(id);
    this.#accounts.set(id, account);
    for (const key of [...removed, ...changed.map((worker) => worker.key)]) {
      account.workers.delete(key);
      account.down.delete(key);
    }
    for (const worker of changed) {
      if (worker.down) account.down.set(worker.key, worker.down);
      else account.workers.set(worker.key, { worker, digest: digestOf(worker) });
    }
    for (const [name, modules] of Object.entries(code)) account.code.set(name, modules);
    const needed = new Set([...account.workers.values()].map(({ worker }) => worker.code));
    for (const name of account.code.keys()) if (!needed.has(name)) account.code.delete(name);
    this.#partition(id, account);
  }

  /**
   * Passes a request to a Worker, after what was uploaded last is running.
   *
   * @param {{account: string, key: string}} route
   * @param {(target: URL, instance: Instance) => Promise<void>} pass
   */
  async visit({ account, key }, pass) {
    for (;;) {
      const found = this.#accounts.get(account);
      const unit = found?.byKey.get(key);
      if (!unit) throw new Error(found?.down.get(key) ?? 'This Worker is not there any more.');
      const instance = await this.#load(unit);
      if (instance.stopped) continue;
      if (unit.problem) throw new Error(unit.problem);
      if (await instance.visit(key, pass)) return;
    }
  }

  /** @param {string | undefined} account one account, or the units of those that changed last */
  async settle(account) {
    const accounts = account ? [account] : [...this.#accounts.keys()].slice(-this.#limits.units);
    const settled = accounts.flatMap((id) => [...(this.#accounts.get(id)?.units.values() ?? [])]);
    const waiting = settled.filter((unit) => !unit.tried || this.#overtaken(unit));
    const next = async () => {
      for (let unit = waiting.shift(); unit; unit = waiting.shift()) {
        await this.#load(unit);
        await this.#retire(this.#limits.idle / HURRY);
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, next));
    await Promise.all(
      [...this.#instances].filter((each) => each.stopped).map((each) => each.stop()),
    );
    const problems = settled.flatMap(({ account, problem }) =>
      problem ? [{ account, problem }] : [],
    );
    const down = accounts.flatMap((id) =>
      [...(this.#accounts.get(id)?.down.values() ?? [])].map((problem) => ({
        account: id,
        problem,
      })),
    );
    return { problems: [...problems, ...down] };
  }

  /**
   * @returns {Promise<{rows?: object[], dump?: string[], error?: string}>} one result per query, the
   *   statements of an export, or SQLite's words
   */
  d1({ database, queries }) {
    return this.#stores.query(database, queries);
  }

  /** @returns {{path: string}} where a database's file is, once anything has asked it */
  d1File({ database }) {
    return { path: databasePath(this.#data, database) };
  }

  async objects({ namespace }) {
    return { ids: await objectsOf(this.#data, namespace) };
  }

  /**
   * Looks at an upload; no reload begins meanwhile unless somebody waits for it.
   *
   * @template T
   * @param {() => Promise<T>} look
   * @returns {Promise<T>}
   */
  async duringUpload(look) {
    this.#uploads += 1;
    try {
      return await look();
    } finally {
      this.#uploads -= 1;
    }
  }

  /** Runs a Worker's `scheduled` handler, as a cron trigger does. */
  async scheduled({ account, key, cron, time }) {
    let outcome;
    await this.visit({ account, key }, async (_, instance) => {
      outcome = await instance.scheduled(key, { cron, scheduledTime: new Date(time) });
    });
    return { outcome: outcome.outcome };
  }

  /** Removes data now and, as workerd may still hold it, once more when those that may have ended. */
  async forget(data) {
    const holders = new Set([...this.#instances].filter((each) => !this.#isCurrent(each.unit)));
    if (holders.size > 0) this.#gone.push({ data, holders });
    await remove(this.#data, data);
  }

  /** @param {{units: number, idle: number}} limits how many units stay loaded, and how long others */
  limit(limits) {
    this.#limits = limits;
    this.#retire();
  }

  describe() {
    const loaded = [...this.#instances].map(({ unit, running }) => ({
      account: unit.account,
      workers: unit.workers.map(({ script }) => script),
      running,
      current: this.#isCurrent(unit),
      problem: unit.problem ?? null,
    }));
    return { accounts: [...new Set(loaded.map(({ account }) => account))], loaded };
  }

  async dispose() {
    clearTimeout(this.#retiring);
    for (const { units } of this.#accounts.values())
      for (const unit of units.values()) disarm(unit);
    await Promise.all([...this.#instances].map((each) => each.stop()));
    await this.#stores.dispose();
  }

  #isCurrent(unit) {
    return this.#accounts.get(unit.account)?.byKey.get(unit.workers[0].key) === unit;
  }

  /** Whether a workerd still runs what came before a unit. */
  #overtaken(unit) {
    return [...this.#instances].some((each) => each.unit !== unit && each.unit.meets(unit));
  }

  #partition(id, account) {
    const before = account.units;
    account.units = unitsOf(id, account.workers, before);
    account.byKey.clear();
    for (const unit of account.units.values()) {
      for (const key of unit.keys) account.byKey.set(key, unit);
    }
    const fresh = [...account.units].filter(([digest]) => !before.has(digest));
    for (const [digest, unit] of before) if (!account.units.has(digest)) disarm(unit);
    const stale = [...this.#instances].filter(
      ({ unit }) => unit.account === id && !this.#isCurrent(unit),
    );
    for (const instance of stale) {
      const heirs = [...instance.unit.keys].flatMap((key) => account.byKey.get(key) ?? []);
      for (const heir of heirs) this.#soon(heir);
      if (heirs.length === 0) this.#later(() => instance.stop());
    }
    for (const [, unit] of fresh) this.#wakeLater(unit);
  }

  /** @returns {Promise<Instance>} one that runs the unit, or has stopped because the unit has changed */
  async #load(unit) {
    let instance = [...this.#instances].find((each) => each.unit === unit && !each.stopped);
    if (!instance) {
      disarm(unit);
      const before = [...this.#instances].filter((each) => each.unit.meets(unit));
      instance = new Instance(unit, this.#work);
      this.#instances.add(instance);
      instance.start(before.map((each) => each.stop()));
      this.#retire();
    }
    await instance.start([]);
    return instance;
  }

  /** Loads a unit when its burst of changes is over. */
  #soon(unit, began = Date.now()) {
    if (unit.timer) return;
    unit.timer = setTimeout(() => {
      unit.timer = undefined;
      if (this.#uploads > 0 && Date.now() - began < LONGEST_BURST) this.#soon(unit, began);
      else this.#later(() => this.#load(unit));
    }, DEBOUNCE);
  }

  /** Loads a unit with unfinished Workflows, and when an alarm of it is about to ring. */
  async #wakeLater(unit) {
    if (await this.#resumer.any(this.#data, unit.workflows, this.#note)) {
      if (this.#isCurrent(unit)) this.#soon(unit);
      return;
    }
    const due = dueOf(this.#data, unit.namespaces, this.#note) - AHEAD;
    if (due === Number.POSITIVE_INFINITY || !this.#isCurrent(unit)) return;
    clearTimeout(unit.alarm);
    const wait = Math.min(Math.max(due - Date.now(), DEBOUNCE), LONGEST_TIMER);
    unit.alarm = setTimeout(() => {
      if (due - Date.now() > AHEAD) this.#wakeLater(unit);
      else this.#later(() => this.#load(unit));
    }, wait);
  }

  /** Ends units that nobody has asked for lately and that do nothing, when there are many. */
  async #retire(idle = this.#limits.idle) {
    clearTimeout(this.#retiring);
    const { units } = this.#limits;
    const live = [...this.#instances].filter((each) => !each.stopped && !each.unit.problem);
    if (live.length <= units) return;
    live.sort((one, other) => other.used - one.used);
    for (const instance of live.slice(units)) {
      if (!instance.running || Date.now() - instance.used < idle) continue;
      if ((await instance.busy()) || instance.stopped) continue;
      this.#later(() => instance.stop());
      this.#wakeLater(instance.unit);
    }
    this.#retiring = setTimeout(() => this.#retire(), this.#limits.idle);
  }

  /** An instance has ended: what it held may go, and so may what it was made for. */
  async #ended(instance) {
    this.#instances.delete(instance);
    for (const gone of this.#gone) {
      if (gone.holders.delete(instance) && gone.holders.size === 0)
        await remove(this.#data, gone.data);
    }
    this.#gone = this.#gone.filter(({ holders }) => holders.size > 0);
  }

  #later(work) {
    Promise.resolve()
      .then(work)
      .catch((error) => this.#note(`${error.message}`));
  }

  #note = (message) => this.#emit('note', { message });

  /** What instances need of this. */
  get #work() {
    return {
      data: this.#data,
      keeping: () => this.#limits.idle * KEEPING,
      resumer: this.#resumer,
      emit: this.#emit,
      note: this.#note,
      ended: (instance) => this.#ended(instance),
      run: (unit, more) => this.#turns.take(() => this.#run(unit, more)),
    };
  }

  async #run(unit, more) {
    const room = await makeRoom(this.#data, `${this.#rooms++}`);
    const access = { ...this.#stores.access, miniflare: this.#programs.home };
    const { code } = this.#accounts.get(unit.account);
    const newest = this.#programs.workerd.compatibilityDate;
    const workers = unit.workers.map((worker) =>
      workerOptions(withoutAbsent(worker, unit.keys), code.get(worker.code), newest, access),
    );
    const miniflare = this.#miniflare(room, workers, more);
    try {
      await miniflare.ready;
    } catch (error) {
      await miniflare.dispose().catch(() => {});
      await rm(room, { recursive: true, force: true });
      throw error;
    }
    return { room, miniflare };
  }

  #miniflare(root, workers, more) {
    const { Miniflare, convertV4MiniflareOptions, Log, LogLevel } = this.#programs.miniflare;
    class StderrLog extends Log {
      log(message) {
        process.stderr.write(`${message}\n`);
      }
    }
    const options = {
      host: '127.0.0.1',
      port: 0,
      cf: false,
      logRequests: false,
      log: new StderrLog(LogLevel.WARN),
      enableDevRegistry: false,
      resourcePersistencePath: root,
      resourceTmpPath: path.resolve(this.#data, 'tmp'),
      handleStructuredLogs: ({ level, message }) => process.stderr.write(`${level}: ${message}\n`),
      workers,
      ...more,
    };
    return new Miniflare(convertV4MiniflareOptions(options));
  }
}

function disarm(unit) {
  clearTimeout(unit.alarm);
  clearTimeout(unit.timer);
  unit.timer = undefined;
}
