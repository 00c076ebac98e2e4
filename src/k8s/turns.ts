/**
 * Shares the event loop between long pieces of work: in one turn of the loop all of them together run about `sliceMs`, then they wait
 * for later turns, one after the other, as many in a turn as its time allows. Each alone yielding every 5 ms would not do: ten of them would
 * still block the loop for 50.
 *
 * Work asks before every small step: `if (turns.spent()) await turns.next();`
 */
export class Turns {
  readonly #sliceMs: number;
  /** Those before `#head` have had their turn. */
  #waiting: (() => void)[] = [];
  #head = 0;
  #startedAtMs = 0;
  #open = false;

  constructor(sliceMs = 5) {
    this.#sliceMs = sliceMs;
  }

  /** Whether this turn's time is used up. */
  spent(): boolean {
    if (this.#open) return performance.now() - this.#startedAtMs >= this.#sliceMs;
    this.#start();
    return false;
  }

  /** Resolves in a later turn of the loop. */
  next(): Promise<void> {
    if (!this.#open) this.#start();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #start(): void {
    this.#open = true;
    this.#startedAtMs = performance.now();
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#head === this.#waiting.length) {
      this.#open = false;
      return;
    }
    this.#start();
    this.#letOn();
  };

  /** What it sets going runs as microtasks, of which the next look is one. */
  readonly #letOn = (): void => {
    const waiter = this.#waiting[this.#head];
    if (waiter === undefined) return;
    this.#head += 1;
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    }
    waiter();
    queueMicrotask(this.#more);
  };

  readonly #more = (): void => {
    if (this.#open && !this.spent()) this.#letOn();
  };
}

/** The one that everything which parses for long shares. */
export const turns = new Turns();
