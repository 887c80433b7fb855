/**
 * One workerd that runs the Workers of one unit, from its start to its end; it never changes.
 *
 * What changes is loaded into another instance after this one has stopped: Durable Objects and
 * Workflows have one owner at a time.
 */
import { rm } from 'node:fs/promises';

import { dueOf } from './alarms.mjs';
import { Gate } from './gate.mjs';

const PATIENCE = 3_000;

export class Instance {
  /** @type {Map<string, URL>} where each Worker answers, by its key */
  targets = new Map();
  /** When somebody used it last. */
  used = Date.now();
  running = false;
  stopped = false;
  #gate = new Gate();
  #sockets = 0;
  #work;
  #miniflare;
  #room;
  #started;
  #ended;

  /**
   * @param {import('./units.mjs').Unit} unit
   * @param {{run: Function, resumer: object, data: string, keeping: Function, emit: Function, ended: Function}} work
   *   starts a Miniflare, wakes Workflows, is told of what happens
   */
  constructor(unit, work) {
    this.unit = unit;
    this.#work = work;
  }

  /**
   * Starts workerd, or leaves the reason why it does not start in the unit's `problem`.
   *
   * @param {Promise<void>[]} before what has to end first
   */
  start(before) {
    this.#started ??= this.#start(before);
    return this.#started;
  }

  /**
   * Passes something to a Worker.
   *
   * @param {string} key
   * @param {(target: URL, instance: Instance) => Promise<void>} pass
   * @returns {Promise<boolean>} false if it has stopped and nothing was passed
   */
  visit(key, pass) {
    this.used = Date.now();
    return this.#gate.shared(async () => {
      if (this.stopped) return false;
      await pass(this.targets.get(key), this);
      this.used = Date.now();
      return true;
    });
  }

  /** Counts a WebSocket; @returns {() => void} to be called when it is closed */
  hold() {
    this.#sockets += 1;
    return () => {
      this.#sockets -= 1;
      this.used = Date.now();
    };
  }

  /** Whether it does something that must go on: requests, WebSockets, Workflows, alarms that ring soon. */
  async busy() {
    const { resumer, data, keeping, note } = this.#work;
    if (!this.#gate.empty || this.#sockets > 0) return true;
    if (dueOf(data, this.unit.namespaces, note) < Date.now() + keeping()) return true;
    return resumer.any(data, this.unit.workflows, note);
  }

  /** Runs a Worker's `scheduled` handler. */
  async scheduled(key, event) {
    const worker = await this.#miniflare.getWorker(key);
    return worker.scheduled(event);
  }

  /** Ends workerd when the requests that are inside have been answered, or soon. */
  stop() {
    this.stopped = true;
    this.#ended ??= this.#stop();
    return this.#ended;
  }

  async #start(before) {
    await Promise.all(before);
    if (this.stopped) return;
    const { run, emit } = this.#work;
    const began = performance.now();
    try {
      const made = await run(this.unit, {
        unsafeHandleRuntimeRestart: () => this.#restarted(),
      });
      this.#room = made.room;
      this.#miniflare = made.miniflare;
      await this.#find();
      this.running = true;
    } catch (error) {
      this.#work.note(`Workers do not start: ${error.message}`);
      this.unit.problem = error.message;
    }
    this.unit.tried = true;
    const milliseconds = Math.round(performance.now() - began);
    const event = before.length > 0 ? 'reloaded' : 'loaded';
    emit(event, { workers: this.unit.workers.length, milliseconds });
    if (this.running) await this.#resume();
  }

  async #stop() {
    await this.#started;
    await this.#gate.exclusive(async () => {
      this.running = false;
      await this.#miniflare?.dispose().catch((error) => this.#work.note(error.message));
      if (this.#room) await rm(this.#room, { recursive: true, force: true });
    }, PATIENCE);
    await this.#work.ended(this);
  }

  async #find() {
    for (const { key } of this.unit.workers) {
      this.targets.set(key, await this.#miniflare.unsafeGetDirectURL(key));
    }
  }

  /** workerd crashed and Miniflare has started it again. */
  async #restarted() {
    this.#work.emit('crashed');
    if (this.stopped) return;
    await this.#gate.exclusive(async () => {
      await this.#find();
      await this.#resume();
    }, PATIENCE);
  }

  async #resume() {
    const { resumer, data, note, emit } = this.#work;
    const engines = (id) =>
      this.#miniflare._getInternalDurableObjectNamespace('workflows', `workflows:${id}`, 'Engine');
    const woken = await resumer.wake(data, this.unit.workflows, engines, note);
    if (woken > 0) emit('resumed', { instances: woken });
  }
}
