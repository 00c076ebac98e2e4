/**
 * Shares the event loop between long pieces of work: in one turn of the loop all of them together run about `sliceMs`, then they wait
 * for later turns, one after the other. Each alone yielding every 5 ms would not do: ten of them would still block the loop for 50.
 *
 * Work asks before every small step: `if (turns.spent()) await turns.next();`
 */
export class Turns {
  readonly #sliceMs: number;
  readonly #waiting: (() => void)[] = [];
  #startedAt = 0;
  #open = false;

  constructor(sliceMs = 5) {
    this.#sliceMs = sliceMs;
  }

  /** Whether this turn's time is used up. */
  spent(): boolean {
    if (this.#open) return performance.now() - this.#startedAt >= this.#sliceMs;
    this.#start();
    return false;
  }

  /** Resolves in a later turn of the loop, which is then the caller's. */
  next(): Promise<void> {
    if (!this.#open) this.#start();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #start(): void {
    this.#open = true;
    this.#startedAt = performance.now();
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) {
      this.#open = false;
      return;
    }
    this.#start();
    waiter();
  };
}

/** The one that everything which parses for long shares. */
export const turns = new Turns();
