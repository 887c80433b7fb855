/** Let many pass at a time or one alone: requests pass together, a reload alone. */
export class Gate {
  /** @type {Set<Promise<void>>} */
  #inside = new Set();
  /** @type {Promise<void> | undefined} */
  #closed;

  /** Whether nothing is running. */
  get empty() {
    return this.#inside.size === 0 && !this.#closed;
  }

  /**
   * Run `work` together with others, after any exclusive work has ended.
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async share(work) {
    while (this.#closed) await this.#closed;
    const running = work();
    const settled = running.then(
      () => {},
      () => {},
    );
    this.#inside.add(settled);
    settled.then(() => this.#inside.delete(settled));
    return running;
  }

  /**
   * Run `work` when all shared work has ended, or after waiting for `patience` milliseconds.
   * @template T
   * @param {() => Promise<T>} work
   * @param {number} patience
   * @returns {Promise<T>}
   */
  async exclusive(work, patience) {
    while (this.#closed) await this.#closed;
    const { promise: closed, resolve: open } = promiseNothing();
    this.#closed = closed;
    try {
      const { promise: late, resolve } = promiseNothing();
      const timer = setTimeout(resolve, patience);
      await Promise.race([Promise.all(this.#inside), late]);
      clearTimeout(timer);
      return await work();
    } finally {
      this.#closed = undefined;
      open();
    }
  }
}

/** Limit how many tasks run at a time; they run in the order of their requests. */
export class Turns {
  #free;
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {number} count how many tasks run at a time */
  constructor(count) {
    this.#free = count;
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async take(work) {
    if (this.#free > 0) this.#free -= 1;
    else {
      const { promise, resolve } = promiseNothing();
      this.#waiting.push(resolve);
      await promise;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

/** @returns {PromiseWithResolvers<void>} */
const promiseNothing = () => Promise.withResolvers();
