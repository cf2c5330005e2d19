/** Shows what the stack is doing while it starts, and how long each part took. */
export class Progress {
  readonly #print: (line: string) => void;
  readonly #begun = performance.now();

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Runs a part of the start; several may run at once. What takes longer than a second announces itself before it is done. */
  async phase<T>(what: string, work: () => Promise<T>, detail: (result: T) => string = () => ''): Promise<T> {
    const begun = performance.now();
    const announcement = setTimeout(() => this.#print(`  …  ${what}`), 1_000);
    try {
      const result = await work();
      this.#print(`  ✓  ${[what, detail(result)].filter(Boolean).join(' ').padEnd(58)} ${seconds(begun)}`);
      return result;
    } finally {
      clearTimeout(announcement);
    }
  }

  /** Since the start. */
  total(): string {
    return seconds(this.#begun);
  }
}

const seconds = (since: number): string => `${((performance.now() - since) / 1_000).toFixed(1).padStart(5)} s`;
