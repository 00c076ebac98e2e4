import { GatewayError } from '../errors.js';

/** How much of the loop and of the store one request may take. */
export interface BudgetOptions {
  /** Objects that relations and lists may resolve in one request. Default 20,000. */
  readonly maxObjects: number;
  /** Milliseconds that a request may keep the loop before it gives way. Default 10. */
  readonly sliceMs: number;
}

/**
 * Counts what one request resolves, and lets other requests in between. Every resolver of a relation or a list passes its answer through `take`,
 * and so does every refusal of a field.
 */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #pacer: Pacer;
  readonly #signal: AbortSignal | undefined;
  #onSpent: ((error: GatewayError) => void) | undefined;
  #objects = 0;
  #spent: GatewayError | undefined;

  /** @param signal Ends the request at its next relation once it is aborted. */
  constructor(pacer: Pacer, options: BudgetOptions, signal?: AbortSignal) {
    this.#pacer = pacer;
    this.#options = options;
    this.#signal = signal;
  }

  /**
   * `listener` is told once, when the budget is spent, with the error that the whole operation is to be answered with: from then on nothing that asks
   * is answered any more. Without a listener everything that asks gets that error, each for itself, which may be a million times.
   */
  whenSpent(listener: (error: GatewayError) => void): void {
    this.#onSpent = listener;
  }

  /** Objects resolved so far. */
  get objects(): number {
    return this.#objects;
  }

  /**
   * Counts `count` objects, and gives `value` back: at once while the loop's slice lasts, else as a promise that is kept in a later turn.
   * @throws GatewayError `QUERY_TOO_COMPLEX` past the limit; `TIMEOUT` where the request's time is over.
   */
  take<T>(count: number, value: T): T | Promise<T> {
    this.#objects += count;
    if (this.#spent === undefined) {
      if (this.#objects > this.#options.maxObjects) {
        this.#spend('QUERY_TOO_COMPLEX', `The query resolves more than ${this.#options.maxObjects} objects; ask for fewer, in pages.`);
      } else if (this.#signal?.aborted === true) this.#spend('TIMEOUT', 'The request took too long.');
    }
    if (this.#spent !== undefined) {
      // A promise of one's own: the many that wait for it are forgotten with it, as soon as the operation is.
      if (this.#onSpent !== undefined) return new Promise<T>(() => undefined);
      throw this.#spent;
    }
    return this.#pacer.isDue(this.#options.sliceMs) ? this.#pacer.turn().then(() => value) : value;
  }

  #spend(code: 'QUERY_TOO_COMPLEX' | 'TIMEOUT', message: string): void {
    this.#spent = new GatewayError(code, message);
    this.#onSpent?.(this.#spent);
  }
}

/**
 * Shares the loop between requests: one for the whole process. Who gives way waits in one queue, and is let on one by one, for a slice's time per
 * turn of the loop; so a thousand waiting relations do not become one long turn.
 */
export class Pacer {
  readonly #waiting: (() => void)[] = [];
  #head = 0;
  #scheduled = false;
  #turnStartedMs = 0;
  #turnKnown = false;

  /** Whether the present turn of the loop has run for `sliceMs` since a request first asked in it. */
  isDue(sliceMs: number): boolean {
    const now = performance.now();
    if (!this.#turnKnown) this.#beginTurn(now);
    return now - this.#turnStartedMs >= sliceMs;
  }

  /** Resolves in a later turn of the loop. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#scheduled) {
        this.#scheduled = true;
        setImmediate(this.#letOn);
      }
    });
  }

  #beginTurn(now: number): void {
    this.#turnKnown = true;
    this.#turnStartedMs = now;
    setImmediate(() => {
      this.#turnKnown = false;
    });
  }

  /** One at a time: what it sets going runs as microtasks before the next immediate of this turn, or, once the slice is used up, in the next turn. */
  readonly #letOn = (): void => {
    const next = this.#waiting[this.#head++];
    next?.();
    if (this.#head < this.#waiting.length) {
      setImmediate(this.#letOn);
    } else {
      this.#waiting.length = 0;
      this.#head = 0;
      this.#scheduled = false;
    }
  };
}
