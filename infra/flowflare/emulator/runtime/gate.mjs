/** Lets many pass at a time, or one alone: requests pass together, a reload alone. */
export class Gate {
  #inside = new Set();
  #closed = undefined;

  /** Whether nobody is inside. */
  get empty() {
    return this.#inside.size === 0 && !this.#closed;
  }

  /**
   * Runs `work` together with others, after any exclusive work has ended.
   *
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async shared(work) {
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
   * Runs `work` when everybody inside has left, or after `patience` milliseconds of waiting.
   *
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

/** Lets a few do something at a time, in the order in which they came. */
export class Turns {
  #free;
  #waiting = [];

  /** @param {number} count how many at a time */
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
