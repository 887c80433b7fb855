/**
 * The one workerd: loads the Workers of the accounts in use, reloads once per burst of changes, and
 * answers D1 queries at any time.
 *
 * An account's Workers are loaded when somebody asks for them (a request to a Worker's port, `settle`)
 * and from then on reloaded soon after each change; accounts that nobody asks for cost nothing. While
 * workerd is started anew, queries and requests wait at the gate: nothing is lost in between.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { databasePath, objectsOf, remove, sweep } from './files.mjs';
import { Gate } from './gate.mjs';
import { SYSTEM_WORKER, workerOptions } from './options.mjs';
import { Resumer } from './resume.mjs';

const DEBOUNCE = 150;
const PATIENCE = 3_000;
/** So many accounts stay loaded; those beyond go when nobody has asked for them for a while. */
const MANY = 4;
const IDLE = 10_000;

export class Runtime {
  #programs;
  #data;
  #emit;
  #miniflare;
  #gate = new Gate();
  #resumer = new Resumer();
  #tail = Promise.resolve();
  #timer;
  /** How many uploads are being looked at: they belong to the burst that a reload waits for. */
  #uploads = 0;
  /** @type {Map<string, object>} each account's document, as uploaded */
  #desired = new Map();
  /** @type {Map<string, Record<string, object[]>>} each account's modules */
  #code = new Map();
  /** @type {Map<string, {document: object, targets: Map<string, URL>, problem?: string}>} */
  #loaded = new Map();
  /** @type {Map<string, number>} accounts in use, with the time of their last use */
  #active = new Map();
  /** @type {object[]} what was deleted while workerd still had it open */
  #gone = [];
  #databases = new Map();
  #databaseNamespace;

  constructor({ miniflare, workerd, data, emit }) {
    this.#programs = { miniflare, workerd };
    this.#data = data;
    this.#emit = emit;
  }

  /** @param {{known: Record<string, string[]>}} request ids of all that there is, by what it is */
  async start({ known }) {
    await mkdir(this.#data, { recursive: true });
    await sweep(this.#data, known);
    const { Miniflare } = this.#programs.miniflare;
    this.#miniflare = new Miniflare(this.#options([]));
    await this.#miniflare.ready;
    return { workerd: this.#programs.workerd.version };
  }

  /**
   * Takes an account's new document; reloads soon if the account is in use.
   *
   * @param {object} document
   * @param {Record<string, object[]>} code modules that came with it, by the names its Workers use;
   *   the others came before
   */
  accountChanged(document, code) {
    const before = this.#code.get(document.account) ?? {};
    const names = document.workers.map((worker) => worker.code);
    const now = Object.fromEntries(names.map((name) => [name, code[name] ?? before[name]]));
    this.#code.set(document.account, now);
    for (const worker of document.workers) worker.modules = now[worker.code];
    this.#desired.delete(document.account); // the map's order is that of the changes
    this.#desired.set(document.account, document);
    if (this.#active.has(document.account)) this.#soon();
    else if (document.workers.some(hasWorkflow)) this.#wakeLater(document);
  }

  /**
   * Passes a request to a Worker, after what was uploaded last is running.
   *
   * @param {{account: string, key: string}} route
   * @param {(target: URL) => Promise<void>} pass
   */
  async visit({ account, key }, pass) {
    for (;;) {
      await this.#current(account);
      const visited = await this.#gate.shared(async () => {
        const loaded = this.#loaded.get(account);
        if (!this.#isCurrent(account)) return false;
        if (loaded?.problem) throw new Error(loaded.problem);
        const target = loaded?.targets.get(key);
        if (!target) throw new Error('This Worker is not there any more.');
        await pass(target);
        return true;
      });
      if (visited) return;
    }
  }

  /** @param {string | undefined} account one account, or all that changed */
  async settle(account) {
    const accounts = account ? [account] : [...this.#desired.keys()].slice(-MANY);
    for (const each of accounts) this.#active.set(each, Date.now());
    for (const each of accounts) await this.#current(each);
    const problems = accounts.flatMap((each) => {
      const problem = this.#loaded.get(each)?.problem;
      return problem ? [{ account: each, problem }] : [];
    });
    return { problems };
  }

  /**
   * @returns {Promise<{rows?: object[], dump?: string[], error?: string}>} one result per query, the
   *   statements of an export, or SQLite's words
   */
  async d1({ database, queries }) {
    return this.#gate.shared(async () => {
      const response = await (await this.#database(database)).fetch(
        'http://d1/query?resultsFormat=ROWS_AND_COLUMNS',
        {
          method: 'POST',
          body: JSON.stringify(queries),
          cf: { miniflare: { name: database } },
        },
      );
      const body = await response.json();
      if (body.success) return { dump: body.results[0] };
      return Array.isArray(body) ? { rows: body } : { error: body.error };
    });
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
    await this.visit({ account, key }, async () => {
      const worker = await this.#miniflare.getWorker(key);
      outcome = await worker.scheduled({ cron, scheduledTime: new Date(time) });
    });
    return { outcome: outcome.outcome };
  }

  /** Removes data now and, as workerd may still hold it, once more after the next reload. */
  async forget(gone) {
    for (const id of gone.databases) this.#databases.delete(id);
    this.#gone.push(gone);
    await remove(this.#data, gone);
  }

  describe() {
    return {
      accounts: [...this.#active.keys()],
      loaded: [...this.#loaded].map(([account, { document, problem }]) => ({
        account,
        version: document.version,
        current: this.#isCurrent(account),
        problem: problem ?? null,
      })),
    };
  }

  async dispose() {
    clearTimeout(this.#timer);
    await this.#tail;
    await this.#miniflare?.dispose();
  }

  #isCurrent(account) {
    const desired = this.#desired.get(account);
    return desired === undefined || this.#loaded.get(account)?.document.version === desired.version;
  }

  async #current(account) {
    this.#active.set(account, Date.now());
    while (!this.#isCurrent(account)) await this.#flush();
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#uploads > 0 ? this.#soon() : this.#flush()), DEBOUNCE);
  }

  #wakeLater({ account, workers }) {
    const ids = workflowIds({ workers });
    this.#resumer.any(this.#data, ids, this.#note).then((any) => {
      if (!any) return;
      this.#active.set(account, Date.now());
      this.#soon();
    });
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#tail = this.#tail.then(() => this.#reload());
    return this.#tail;
  }

  /** Loads the accounts in use; does nothing when what is loaded is what is wanted. */
  async #reload() {
    await this.#retire();
    const wanted = [...this.#active.keys()]
      .map((account) => this.#desired.get(account))
      .filter((document) => document !== undefined);
    const stale = wanted.filter(({ account }) => !this.#isCurrent(account));
    if (stale.length === 0) return;
    const began = performance.now();
    await this.#gate.exclusive(() => this.#load(wanted, stale), PATIENCE);
    const milliseconds = Math.round(performance.now() - began);
    const workers = wanted.flatMap((document) => document.workers).length;
    this.#emit('reloaded', { workers, milliseconds });
  }

  async #load(wanted, stale) {
    const { healthy, broken } = await this.#apply(wanted, stale);
    this.#loaded.clear();
    for (const document of healthy) {
      const targets = await this.#targets(document);
      this.#loaded.set(document.account, { document, targets });
    }
    for (const [document, problem] of broken) {
      this.#loaded.set(document.account, { document, targets: new Map(), problem });
    }
    await this.#afterStart();
  }

  /** Starts workerd with all accounts, or with those whose Workers start: one bad one harms no other. */
  async #apply(wanted, stale) {
    const broken = new Map();
    const healthy = [];
    for (const document of wanted) {
      const problem = this.#loaded.get(document.account)?.problem;
      if (stale.includes(document)) continue;
      if (problem) broken.set(document, problem);
      else healthy.push(document);
    }
    if (!(await this.#tryOptions([...healthy, ...stale]))) {
      return { healthy: [...healthy, ...stale], broken };
    }
    for (const document of stale) {
      const problem = await this.#tryOptions([...healthy, document]);
      if (problem) broken.set(document, problem);
      else healthy.push(document);
    }
    await this.#miniflare.setOptions(this.#options(healthy));
    return { healthy, broken };
  }

  /** @returns {Promise<string | undefined>} why workerd does not start with them */
  async #tryOptions(documents) {
    try {
      await this.#miniflare.setOptions(this.#options(documents));
      return undefined;
    } catch (error) {
      this.#note(`Workers do not start: ${error.message}`);
      return error.message;
    }
  }

  async #targets({ workers }) {
    const targets = new Map();
    for (const { key } of workers) {
      targets.set(key, await this.#miniflare.unsafeGetDirectURL(key));
    }
    return targets;
  }

  /** What a fresh workerd needs: new stubs, deleted files gone, unfinished Workflows running. */
  async #afterStart() {
    this.#databases.clear();
    this.#databaseNamespace = undefined;
    for (const gone of this.#gone.splice(0)) await remove(this.#data, gone);
    const workflows = new Set(
      [...this.#loaded.values()].flatMap(({ document, problem }) =>
        problem ? [] : workflowIds(document),
      ),
    );
    const woken = await this.#resumer.wake(
      this.#data,
      [...workflows],
      (id) => this.#internal('workflows', `workflows:${id}`, 'Engine'),
      this.#note,
    );
    if (woken > 0) this.#emit('resumed', { instances: woken });
  }

  /** workerd crashed and Miniflare has started it again. */
  async #restarted() {
    this.#emit('crashed');
    await this.#gate.exclusive(async () => {
      for (const loaded of this.#loaded.values()) {
        if (!loaded.problem) loaded.targets = await this.#targets(loaded.document);
      }
      await this.#afterStart();
    }, PATIENCE);
  }

  /** Drops accounts that nobody has asked for lately and that do nothing, when there are many. */
  async #retire() {
    const byUse = [...this.#active].sort((one, other) => other[1] - one[1]);
    for (const [account, used] of byUse.slice(MANY)) {
      if (Date.now() - used < IDLE) continue;
      const ids = workflowIds(this.#desired.get(account) ?? { workers: [] });
      if (await this.#resumer.any(this.#data, ids, this.#note)) continue;
      this.#active.delete(account);
      this.#loaded.delete(account);
    }
  }

  async #database(id) {
    this.#databaseNamespace ??= this.#internal('d1', 'd1:db', 'D1DatabaseObject');
    const namespace = await this.#databaseNamespace;
    let stub = this.#databases.get(id);
    if (!stub) {
      stub = namespace.get(namespace.idFromName(id));
      this.#databases.set(id, stub);
    }
    return stub;
  }

  /** Miniflare's own Durable Objects: what `mf.getD1Database` stands on, for any id, unbound too. */
  #internal(plugin, service, className) {
    return this.#miniflare._getInternalDurableObjectNamespace(plugin, service, className);
  }

  #note = (message) => this.#emit('note', { message });

  #options(documents) {
    const { convertV4MiniflareOptions, Log, LogLevel } = this.#programs.miniflare;
    const newest = this.#programs.workerd.compatibilityDate;
    class StderrLog extends Log {
      log(message) {
        process.stderr.write(`${message}\n`);
      }
    }
    return convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      cf: false,
      logRequests: false,
      log: new StderrLog(LogLevel.WARN),
      resourcePersistencePath: path.resolve(this.#data),
      resourceTmpPath: path.resolve(this.#data, 'tmp'),
      handleStructuredLogs: ({ level, message }) => process.stderr.write(`${level}: ${message}\n`),
      unsafeHandleRuntimeRestart: () => this.#restarted(),
      workers: [
        SYSTEM_WORKER,
        ...documents.flatMap(({ workers }) =>
          workers.map((worker) => workerOptions(worker, newest)),
        ),
      ],
    });
  }
}

function hasWorkflow(worker) {
  return Object.keys(worker.workflows).length > 0;
}

function workflowIds({ workers }) {
  return workers.flatMap(({ workflows }) => Object.values(workflows).map(({ id }) => id));
}
