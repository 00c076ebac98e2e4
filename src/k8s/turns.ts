/**
 * Shares the event loop between long pieces of work: in one turn of the loop all of them together run about `sliceMs`, then they wait
 * for later turns, one after the other, as many in a turn as its time allows; owners by turns, so that who waits with thousands of pieces holds up nobody else. Each alone yielding every 5 ms would not do: ten of them would
 * still block the loop for 50.
 *
 * Work asks before every small step: `if (turns.spent()) await turns.next();`
 */
export class Turns {
  readonly #sliceMs: number;
  /** By owner, in the order in which they are to be let on. */
  readonly #waiting = new Map<string, Line>();
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

  /** Resolves in a later turn of the loop. @param owner Whose work it is, such as a user's id. */
  next(owner = ''): Promise<void> {
    if (!this.#open) this.#start();
    let line = this.#waiting.get(owner);
    if (line === undefined) this.#waiting.set(owner, (line = { waiters: [], head: 0 }));
    const { waiters } = line;
    return new Promise((resolve) => waiters.push(resolve));
  }

  #start(): void {
    this.#open = true;
    this.#startedAtMs = performance.now();
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#waiting.size === 0) {
      this.#open = false;
      return;
    }
    this.#start();
    this.#letOn();
  };

  /** What it sets going runs as microtasks, of which the next look is one. */
  readonly #letOn = (): void => {
    const [next] = this.#waiting;
    if (next === undefined) return;
    const [owner, line] = next;
    const waiter = line.waiters[line.head];
    line.head += 1;
    this.#waiting.delete(owner);
    if (line.head < line.waiters.length) this.#waiting.set(owner, line);
    waiter?.();
    queueMicrotask(this.#more);
  };

  readonly #more = (): void => {
    if (this.#open && !this.spent()) this.#letOn();
  };
}

/** Those before `head` have had their turn. */
interface Line {
  readonly waiters: (() => void)[];
  head: number;
}

/** The one that everything which parses for long shares. */
export const turns = new Turns();
