/**
 * Run the Workers: each unit of an account in its own workerd, which is loaded on first use,
 * reloaded soon after a change, and stopped when many other units were used since.
 *
 * Units that are never called cost nothing. A request waits while its unit is loaded, so none is
 * lost. Data that Workers share is in the stores, which are never reloaded.
 */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';

import { nextAlarm } from './alarms.mjs';
import { makeRoom, ROOMS, remove, sweep } from './files.mjs';
import { Turns } from './gate.mjs';
import { Instance } from './instance.mjs';
import { messageOf } from './messages.mjs';
import { workerOptions, workflowsWorkers } from './options.mjs';
import { sharing, startMiniflare } from './programs.mjs';
import { Resumer } from './resume.mjs';
import { nameSources, readSourceMaps, TAIL, TAIL_NAME } from './source_maps.mjs';
import { Stores } from './stores.mjs';
import { digestOf, groupUnits, withoutAbsent } from './units.mjs';

/** @import { V4SharedOptions } from 'miniflare' */
/** @import { Work } from './instance.mjs' */
/** @import { Programs } from './programs.mjs' */
/** @import { Queues } from './queues.mjs' */
/** @import { Members, Unit } from './units.mjs' */
/** @import { Answers, Data, Event, Limits, Module, Requests, Worker } from './wire.d.ts' */

const DEBOUNCE = 150;
/** How long a reload waits for uploads of the same burst, in milliseconds. */
const MAX_BURST = 2_000;
/** How many units stay loaded, and after how many idle milliseconds others are stopped. */
const LIMITS = { units: 16, idle: 10_000 };
/** The factor by which idle units stop sooner while a test waits for all units of an account. */
const HURRY = 10;
/** A unit stays loaded if its next alarm is due within this many idle times. */
const KEEPING = 6;
/** How many workerds start at a time, so that the first of many does not wait for the last. */
const TOGETHER = 4;
/** How long before its alarm a unit is loaded, in milliseconds, and the longest timer: a day. */
const AHEAD = 1_000;
const MAX_TIMER = 86_400_000;

class Account {
  /** @type {Members} by key */
  workers = new Map();
  /** @type {Map<string, string>} why Workers are down that cannot run, by key */
  down = new Map();
  /** @type {Map<string, Module[]>} modules by the names that Workers use */
  code = new Map();
  /** @type {Map<string, Unit>} by digest */
  units = new Map();
  /** @type {Map<string, Unit>} by the keys of their Workers */
  byKey = new Map();
}

export class Runtime {
  #programs;
  #data;
  #emit;
  #queues;
  #tails;
  stores = new Stores();
  #resumer = new Resumer();
  /** @type {Map<string, Account>} in the order of their changes */
  #accounts = new Map();
  /** @type {Set<Instance>} all that have not ended */
  #instances = new Set();
  #limits = LIMITS;
  #turns = new Turns(TOGETHER);
  #rooms = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #retiring;
  /** How many uploads are being validated; a reload waits for them as for other changes of its burst. */
  #uploads = 0;
  /** @type {{data: Data, holders: Set<Instance>}[]} data deleted while a workerd had it open */
  #deletions = [];

  /**
   * @param {{programs: Programs, data: string, emit: (event: Event) => void, queues: Queues, tails: import('./tails.mjs').Tails}} parts
   */
  constructor({ programs, data, emit, queues, tails }) {
    this.#programs = programs;
    this.#data = path.resolve(data);
    this.#emit = emit;
    this.#queues = queues;
    this.#tails = tails;
  }

  /** @param {Requests['start']} request */
  async start({ known }) {
    await mkdir(this.#data, { recursive: true });
    await rm(path.join(this.#data, ROOMS), { recursive: true, force: true });
    await sweep(this.#data, known);
    await this.stores.start(sharing(this.#programs, this.#data), () =>
      this.#emit({ event: 'crashed' }),
    );
    return { workerd: this.#programs.workerd.version };
  }

  /**
   * Store an account's changes, and soon reload the units in use that they affect.
   * @param {Requests['account']} request
   */
  accountChanged({ change: { account: id, changed, removed }, code }) {
    const account = this.#accounts.get(id) ?? new Account();
    this.#accounts.delete(id);
    this.#accounts.set(id, account);
    for (const key of [...removed, ...changed.map((worker) => worker.key)]) {
      account.workers.delete(key);
      account.down.delete(key);
    }
    for (const worker of changed) {
      if ('down' in worker) account.down.set(worker.key, worker.down);
      else account.workers.set(worker.key, { worker, digest: digestOf(worker) });
    }
    for (const [name, modules] of Object.entries(code)) account.code.set(name, modules);
    const needed = new Set([...account.workers.values()].map(({ worker }) => worker.code));
    for (const name of account.code.keys()) if (!needed.has(name)) account.code.delete(name);
    this.#partition(id, account);
  }

  /**
   * Pass a request to a Worker, once its last upload is running.
   * @param {{account: string, key: string}} route
   * @param {(target: URL, instance: Instance) => Promise<void>} pass
   */
  async visit({ account, key }, pass) {
    for (;;) {
      const workers = this.#accounts.get(account);
      const unit = workers?.byKey.get(key);
      if (!unit) throw new Error(workers?.down.get(key) ?? 'This Worker no longer exists.');
      const instance = await this.#load(unit);
      if (instance.stopped) continue;
      if (unit.problem) throw new Error(unit.problem);
      if (await instance.visit(key, pass)) return;
    }
  }

  /**
   * Wait until the last uploads run.
   * @param {Requests['settle']} request
   * @returns {Promise<Answers['settle']>}
   */
  async settle({ account }) {
    const accounts = account ? [account] : [...this.#accounts.keys()].slice(-this.#limits.units);
    const settled = accounts.flatMap((id) => [...(this.#accounts.get(id)?.units.values() ?? [])]);
    const waiting = settled.filter((unit) => !unit.tried || this.#isOutdated(unit));
    const next = async () => {
      for (let unit = waiting.shift(); unit; unit = waiting.shift()) {
        await this.#load(unit);
        await this.#retire(this.#limits.idle / HURRY);
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, next));
    await Promise.all(
      [...this.#instances].filter(({ stopped }) => stopped).map((ended) => ended.stop()),
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

  /** @param {Requests['d1']} request */
  d1({ database, queries }) {
    return this.stores.databases.query(database, queries);
  }

  /**
   * Validate an upload. Meanwhile a reload starts only if a request waits for it.
   * @template T
   * @param {() => Promise<T>} validate
   */
  async duringUpload(validate) {
    this.#uploads += 1;
    try {
      return await validate();
    } finally {
      this.#uploads -= 1;
    }
  }

  /**
   * Run a handler of a Worker, and return what `run` returns.
   * @template T
   * @param {{account: string, key: string}} route
   * @param {(instance: Instance) => Promise<T>} run
   * @returns {Promise<T>}
   */
  handle(route, run) {
    return new Promise((resolve, reject) => {
      this.visit(route, async (_, instance) => resolve(await run(instance))).catch(reject);
    });
  }

  /**
   * Remove data now. If workerds may still have it open, remove it again when they have ended.
   * @param {Data} data
   */
  async forget(data) {
    const holders = new Set([...this.#instances].filter(({ unit }) => !this.#isCurrent(unit)));
    if (holders.size > 0) this.#deletions.push({ data, holders });
    await remove(this.#data, data);
  }

  /** @param {Limits} limits */
  limit(limits) {
    this.#limits = limits;
    this.#retire();
  }

  /** @returns {Answers['workers']} */
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
    await Promise.all([...this.#instances].map((instance) => instance.stop()));
    await this.stores.dispose();
  }

  /** @param {Unit} unit */
  #isCurrent(unit) {
    return this.#accounts.get(unit.account)?.byKey.get(unit.workers[0].key) === unit;
  }

  /** Whether a workerd still runs an earlier version of a unit. @param {Unit} unit */
  #isOutdated(unit) {
    return [...this.#instances].some(
      (instance) => instance.unit !== unit && instance.unit.meets(unit),
    );
  }

  /** @param {string} id @param {Account} account */
  #partition(id, account) {
    const before = account.units;
    account.units = groupUnits(id, account.workers, before);
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

  /**
   * @param {Unit} unit
   * @returns {Promise<Instance>} runs the unit, or has stopped because the unit has changed
   */
  async #load(unit) {
    let instance = [...this.#instances].find(
      (instance) => instance.unit === unit && !instance.stopped,
    );
    if (!instance) {
      disarm(unit);
      const before = [...this.#instances].filter((instance) => instance.unit.meets(unit));
      instance = new Instance(unit, this.#work);
      this.#instances.add(instance);
      instance.start(before.map((instance) => instance.stop()));
      this.#retire();
    }
    await instance.start([]);
    return instance;
  }

  /** Load a unit when its burst of changes is over. @param {Unit} unit */
  #soon(unit, began = Date.now()) {
    if (unit.timer) return;
    unit.timer = setTimeout(() => {
      unit.timer = undefined;
      if (this.#uploads > 0 && Date.now() - began < MAX_BURST) this.#soon(unit, began);
      else this.#later(() => this.#load(unit));
    }, DEBOUNCE);
  }

  /** Load a unit with unfinished Workflows, or when one of its alarms is almost due. @param {Unit} unit */
  async #wakeLater(unit) {
    if (await this.#resumer.hasUnfinished(this.#data, unit.workflows, this.#note)) {
      if (this.#isCurrent(unit)) this.#soon(unit);
      return;
    }
    const due = nextAlarm(this.#data, unit.namespaces, this.#note) - AHEAD;
    if (due === Number.POSITIVE_INFINITY || !this.#isCurrent(unit)) return;
    clearTimeout(unit.alarm);
    const wait = Math.min(Math.max(due - Date.now(), DEBOUNCE), MAX_TIMER);
    unit.alarm = setTimeout(() => {
      if (due - Date.now() > AHEAD) this.#wakeLater(unit);
      else this.#later(() => this.#load(unit));
    }, wait);
  }

  /** Stop idle units when more are loaded than the limit allows. */
  async #retire(idle = this.#limits.idle) {
    clearTimeout(this.#retiring);
    const live = [...this.#instances].filter(({ stopped, unit }) => !stopped && !unit.problem);
    if (live.length <= this.#limits.units) return;
    live.sort((first, second) => second.used - first.used);
    for (const instance of live.slice(this.#limits.units)) {
      if (!instance.running || Date.now() - instance.used < idle) continue;
      if ((await instance.busy()) || instance.stopped) continue;
      this.#later(() => instance.stop());
      this.#wakeLater(instance.unit);
    }
    this.#retiring = setTimeout(() => this.#retire(), this.#limits.idle);
  }

  /** Forget an ended instance, and remove deleted data that it had open. @param {Instance} instance */
  async #forgetInstance(instance) {
    this.#instances.delete(instance);
    for (const deletion of this.#deletions) {
      if (deletion.holders.delete(instance) && deletion.holders.size === 0)
        await remove(this.#data, deletion.data);
    }
    this.#deletions = this.#deletions.filter(({ holders }) => holders.size > 0);
  }

  /** @param {() => unknown} work */
  #later(work) {
    Promise.resolve()
      .then(work)
      .catch((error) => this.#note(messageOf(error)));
  }

  /** @param {string} message */
  #note = (message) => this.#emit({ event: 'note', message });

  /** @returns {Work} */
  get #work() {
    return {
      data: this.#data,
      keeping: () => this.#limits.idle * KEEPING,
      resumer: this.#resumer,
      emit: this.#emit,
      note: this.#note,
      ended: (instance) => this.#forgetInstance(instance),
      run: (unit, more) => this.#turns.take(() => this.#run(unit, more)),
    };
  }

  /** @param {Unit} unit @param {V4SharedOptions} more */
  async #run(unit, more) {
    const room = await makeRoom(this.#data, `${this.#rooms++}`);
    const access = {
      d1: { ...this.stores.databases.access, miniflare: this.#programs.home },
      stores: { ...this.stores.access, miniflare: this.#programs.home },
      queues: { ...this.#queues.access, miniflare: this.#programs.home },
    };
    /** @param {Worker} worker */
    const modulesOf = ({ code }) => this.#accounts.get(unit.account)?.code.get(code) ?? [];
    const present = unit.workers.map((worker) => withoutAbsent(worker, unit.keys));
    const newest = this.#programs.workerd.compatibilityDate;
    const workers = present.map((each) => workerOptions(each, modulesOf(each), newest, access));
    const explain = nameSources(readSourceMaps(unit.workers, modulesOf));
    if (workers.some(({ tails }) => tails?.includes(TAIL_NAME))) workers.push(TAIL);
    workers.push(...this.#tails.workers(present, explain), ...workflowsWorkers(present));
    const miniflare = startMiniflare(this.#programs, this.#data, room, workers, more, explain);
    try {
      await miniflare.ready;
    } catch (error) {
      await miniflare.dispose().catch(() => {});
      await rm(room, { recursive: true, force: true });
      throw error;
    }
    return { room, miniflare };
  }
}

/** @param {Unit} unit */
function disarm(unit) {
  clearTimeout(unit.alarm);
  clearTimeout(unit.timer);
  unit.timer = undefined;
}
