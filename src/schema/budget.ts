import { GatewayError } from '../errors.js';
import type { Turns } from '../k8s/turns.js';

/** How much of the store one request may take. */
export interface BudgetOptions {
  /** Objects that relations and lists may resolve in one request. Default 20,000. */
  readonly maxObjects: number;
}

/**
 * Counts what one request resolves, and lets other requests in between. Look-ups in an index, and refusals of a field, pass through `take`; what takes
 * longer than a look-up goes through `run`.
 */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #turns: Turns;
  readonly #signal: AbortSignal | undefined;
  readonly #owner: string | undefined;
  #onSpent: ((error: GatewayError) => void) | undefined;
  #objects = 0;
  #spent: GatewayError | undefined;

  /**
   * @param turns Shared by all requests: how long they may keep the loop, all together, before they give way.
   * @param signal Ends the request at its next relation once it is aborted.
   * @param owner The user: users have their turns one after the other, whoever asks for more.
   */
  constructor(turns: Turns, options: BudgetOptions, signal?: AbortSignal, owner?: string) {
    this.#turns = turns;
    this.#options = options;
    this.#signal = signal;
    this.#owner = owner;
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
    const never = this.#count(count);
    if (never !== undefined) return never;
    return this.#turns.spent() ? this.#turns.next(this.#owner).then(() => value) : value;
  }

  /**
   * Does work that takes longer than a look-up: at once while the loop's slice lasts, else in a later turn, so that a thousand pieces of it, which one
   * answer sets going together, do not become one long turn.
   * @param sizeOf How many objects the work came to.
   * @throws as {@link take}, and what `work` throws.
   */
  run<T>(work: () => T, sizeOf: (found: T) => number): T | Promise<T> {
    const done = (): T | Promise<T> => {
      // Who is over already does nothing any more.
      const over = this.#count(0);
      if (over !== undefined) return over;
      const found = work();
      return this.#count(sizeOf(found)) ?? found;
    };
    return this.#turns.spent() ? this.#turns.next(this.#owner).then(done) : done();
  }

  /** @returns undefined while the budget lasts, else what is never answered. @throws as {@link take}. */
  #count(count: number): Promise<never> | undefined {
    this.#objects += count;
    if (this.#spent === undefined) {
      if (this.#objects > this.#options.maxObjects) {
        this.#spend('QUERY_TOO_COMPLEX', `The query resolves more than ${this.#options.maxObjects} objects; ask for fewer, in pages.`);
      } else if (this.#signal?.aborted === true) this.#spend('TIMEOUT', 'The request took too long.');
    }
    if (this.#spent === undefined) return undefined;
    // A promise of one's own: the many that wait for it are forgotten with it, as soon as the operation is.
    if (this.#onSpent !== undefined) return new Promise(() => undefined);
    throw this.#spent;
  }

  #spend(code: 'QUERY_TOO_COMPLEX' | 'TIMEOUT', message: string): void {
    this.#spent = new GatewayError(code, message);
    this.#onSpent?.(this.#spent);
  }
}
