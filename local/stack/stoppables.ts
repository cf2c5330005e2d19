interface Stoppable {
  stop(): Promise<void>;
}

/** What has to be stopped when the stack stops, last started first; also what is still starting at that moment. */
export class Stoppables {
  readonly #starting: Promise<Stoppable>[] = [];
  #stopping: Promise<void> | undefined;

  /** Remembers what `starting` resolves to, and hands it on. */
  add<T extends Stoppable>(starting: Promise<T> | T): Promise<T> {
    const promise = Promise.resolve(starting);
    this.#starting.push(promise);
    return promise;
  }

  /** True once `stop` was called: then nothing new should be started. */
  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (let next = this.#starting.pop(); next; next = this.#starting.pop()) {
      const stoppable = await next.catch(() => undefined);
      await stoppable?.stop();
    }
  }
}
