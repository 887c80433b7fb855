/** Let many pass at a time or one alone: requests pass together, a reload alone. */
export class Gate {
  #inside = new Set();
  #closed = undefined;

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
    let open = () => {};
    this.#closed = new Promise((resolve) => {
      open = resolve;
    });
    try {
      const { promise: late, resolve } = Promise.withResolvers();
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
    else await new Promise((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
