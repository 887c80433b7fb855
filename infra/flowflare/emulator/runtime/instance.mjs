/**
 * One workerd that runs the Workers of one unit, from start to end. It never changes.
 *
 * Changed Workers are loaded into another instance after this one has stopped, because Durable
 * Objects and Workflows have one owner at a time.
 */
import { rm } from 'node:fs/promises';

import { nextAlarm } from './alarms.mjs';
import { Gate } from './gate.mjs';
import { messageOf } from './messages.mjs';

/** @import { Miniflare, V4SharedOptions } from 'miniflare' */
/** @import { Message, Outcome } from './queues.mjs' */
/** @import { Engines } from './instance_control.mjs' */
/** @import { Resumer } from './resume.mjs' */
/** @import { Unit } from './units.mjs' */
/** @import { Event } from './wire.d.ts' */
/**
 * @typedef {object} Work what instances need from the runtime
 * @property {string} data folder of Miniflare's data
 * @property {() => number} keeping within how many milliseconds an alarm keeps a unit loaded
 * @property {Resumer} resumer
 * @property {(event: Event) => void} emit
 * @property {(message: string) => void} note
 * @property {(instance: Instance) => Promise<void>} ended
 * @property {(unit: Unit, more: V4SharedOptions) => Promise<{room: string, miniflare: Miniflare}>} run
 *   starts a Miniflare
 */
/**
 * @typedef {Miniflare & {_getInternalDurableObjectNamespace:
 *   (plugin: string, service: string, name: string) => Promise<Engines>}} MiniflareInside with the
 *   method that Miniflare's types do not have
 */

const PATIENCE = 3_000;

export class Instance {
  /** @type {Map<string, URL>} the address of each Worker, by its key */
  targets = new Map();
  /** The time of the last use, in milliseconds. */
  used = Date.now();
  running = false;
  stopped = false;
  #gate = new Gate();
  #sockets = 0;
  #work;
  /** @type {Miniflare | undefined} */
  #miniflare;
  /** @type {string | undefined} */
  #room;
  /** @type {Promise<void> | undefined} */
  #started;
  /** @type {Promise<void> | undefined} */
  #ended;

  /**
   * @param {Unit} unit @param {Work} work
   */
  constructor(unit, work) {
    this.unit = unit;
    this.#work = work;
  }

  /**
   * Start workerd, or store in the unit's `problem` why it does not start.
   * @param {Promise<void>[]} before what has to end first
   */
  start(before) {
    this.#started ??= this.#start(before);
    return this.#started;
  }

  /**
   * Pass a request to a Worker.
   * @param {string} key
   * @param {(target: URL, instance: Instance) => Promise<void>} pass
   * @returns {Promise<boolean>} false if the instance has stopped and nothing was passed
   */
  visit(key, pass) {
    this.used = Date.now();
    return this.#gate.share(async () => {
      if (this.stopped) return false;
      const target = this.targets.get(key);
      if (!target) throw new Error(`The Worker ${key} does not run here.`);
      await pass(target, this);
      this.used = Date.now();
      return true;
    });
  }

  /** Count a WebSocket; @returns {() => void} to be called when it is closed */
  hold() {
    this.#sockets += 1;
    return () => {
      this.#sockets -= 1;
      this.used = Date.now();
    };
  }

  /**
   * Whether it must not be stopped: it has requests, WebSockets, Workflows or alarms that are due
   * soon.
   */
  async busy() {
    const { resumer, data, keeping, note } = this.#work;
    if (!this.#gate.empty || this.#sockets > 0) return true;
    if (nextAlarm(data, this.unit.namespaces, note) < Date.now() + keeping()) return true;
    return resumer.hasUnfinished(data, this.unit.workflows, note);
  }

  /**
   * Run a Worker's `scheduled` handler.
   * @param {string} key @param {{cron: string, scheduledTime: Date}} event
   */
  async scheduled(key, event) {
    const worker = await this.#live.getWorker(key);
    return worker.scheduled(event);
  }

  /**
   * Run a Worker's `queue` handler.
   * @param {string} key @param {string} queue @param {Message[]} messages
   * @returns {Promise<Outcome>}
   */
  async deliver(key, queue, messages) {
    const worker = await this.#live.getWorker(key);
    return worker.queue(queue, messages);
  }

  /**
   * Find the engine objects of a Workflow.
   * @param {string} workflow the Workflow's ID
   */
  engines(workflow) {
    const inside = /** @type {MiniflareInside} */ (this.#live);
    const service = `workflows:${workflow}`;
    return inside._getInternalDurableObjectNamespace('workflows', service, 'Engine');
  }

  /** Stop workerd when its running requests have been answered, or after `PATIENCE`. */
  stop() {
    this.stopped = true;
    this.#ended ??= this.#stop();
    return this.#ended;
  }

  get #live() {
    if (!this.#miniflare) throw new Error('This workerd does not run.');
    return this.#miniflare;
  }

  /** @param {Promise<void>[]} before */
  async #start(before) {
    await Promise.all(before);
    if (this.stopped) return;
    const { run, emit } = this.#work;
    const began = performance.now();
    try {
      const started = await run(this.unit, {
        unsafeHandleRuntimeRestart: () => this.#recover(),
      });
      this.#room = started.room;
      this.#miniflare = started.miniflare;
      await this.#findAddresses();
      this.running = true;
    } catch (error) {
      this.unit.problem = messageOf(error);
      this.#work.note(`The Workers do not start: ${this.unit.problem}`);
    }
    this.unit.tried = true;
    const milliseconds = Math.round(performance.now() - began);
    const event = before.length > 0 ? 'reloaded' : 'loaded';
    emit({ event, workers: this.unit.workers.length, milliseconds });
    if (this.running) await this.#resume();
  }

  async #stop() {
    await this.#started;
    await this.#gate.exclusive(async () => {
      this.running = false;
      await this.#miniflare?.dispose().catch((error) => this.#work.note(messageOf(error)));
      if (this.#room) await rm(this.#room, { recursive: true, force: true });
    }, PATIENCE);
    await this.#work.ended(this);
  }

  async #findAddresses() {
    for (const { key } of this.unit.workers) {
      this.targets.set(key, await this.#live.unsafeGetDirectURL(key));
    }
  }

  /** Workerd crashed and Miniflare has restarted it. */
  async #recover() {
    this.#work.emit({ event: 'crashed' });
    if (this.stopped) return;
    await this.#gate.exclusive(async () => {
      await this.#findAddresses();
      await this.#resume();
    }, PATIENCE);
  }

  async #resume() {
    const { resumer, data, note, emit } = this.#work;
    /** @param {string} id */
    const engines = (id) => this.engines(id);
    const resumed = await resumer.resume(data, this.unit.workflows, engines, note);
    if (resumed > 0) emit({ event: 'resumed', instances: resumed });
  }
}
