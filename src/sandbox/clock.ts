/** Milliseconds that a slice of timers may hold the event loop. */
const sliceMs = 8;

interface Timer {
  readonly atMs: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

export interface SandboxClockOptions {
  /** The real clock, in milliseconds since the epoch. */
  now: () => number;
  /** Simulated seconds per real second. Default 1. */
  speed?: number;
  /** Simulated time to begin at, in milliseconds since the epoch. Default: the real time. */
  startAtMs?: number;
  /** Called before every step of `advance`, and after the last: brings to rest what the time that passed set in motion. Undefined: it rests already. */
  settle?: () => Promise<void> | undefined;
}

/**
 * The time of one embedded cluster. It stands still until `run`, and then follows the real clock at its speed; while it stands still, `advance`
 * lets simulated time pass as fast as the machine goes, from timer to timer.
 */
export class SandboxClock {
  readonly #realNow: () => number;
  readonly #speed: number;
  readonly #settle: () => Promise<void> | undefined;
  readonly #heap: Timer[] = [];
  #order = 0;
  #standing: number;
  #startedAtMs: number | undefined;
  #wake: NodeJS.Timeout | undefined;
  #wakeAtMs = Infinity;
  #isStopped = false;

  constructor({ now, speed = 1, startAtMs = now(), settle = () => undefined }: SandboxClockOptions) {
    this.#realNow = now;
    this.#speed = speed;
    this.#standing = startAtMs;
    this.#settle = settle;
  }

  /** Simulated time, in milliseconds since the epoch; never goes back. */
  readonly now = (): number => {
    if (this.#startedAtMs === undefined) return this.#standing;
    const passed = (this.#realNow() - this.#startedAtMs) * this.#speed;
    return Math.floor(this.#standing + Math.max(0, passed));
  };

  /** Now, or in so many simulated milliseconds, as Kubernetes writes instants: RFC 3339, whole seconds. */
  instant(afterMs = 0): string {
    return toInstant(this.now() + afterMs);
  }

  get isRunning(): boolean {
    return this.#startedAtMs !== undefined;
  }

  /** @returns what calls it off. */
  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { atMs: this.now() + Math.max(0, delayMs), order: this.#order++, callback };
    if (!this.#isStopped) {
      this.#push(timer);
      if (this.isRunning && timer.atMs < this.#wakeAtMs) this.#arm();
    }
    return () => {
      timer.callback = undefined;
    };
  }

  /** From here on, time passes by itself. */
  run(): void {
    if (this.isRunning || this.#isStopped) return;
    this.#startedAtMs = this.#realNow();
    this.#arm();
  }

  /** Lets simulated time pass, giving way to the event loop every few milliseconds. Not while it runs by itself. */
  async advance(byMs: number): Promise<void> {
    if (this.isRunning) throw new Error('A clock that runs cannot be advanced.');
    const untilMs = this.#standing + byMs;
    await giveWay();
    let sliceEnd = performance.now() + sliceMs;
    for (;;) {
      const unrest = this.#settle();
      if (unrest !== undefined) await unrest;
      const next = this.#peek();
      if (next === undefined || next.atMs > untilMs || this.#isStopped) break;
      this.#standing = Math.max(this.#standing, next.atMs);
      this.#pop()?.callback?.();
      if (performance.now() > sliceEnd) {
        await giveWay();
        sliceEnd = performance.now() + sliceMs;
      }
    }
    this.#standing = untilMs;
    await giveWay();
    await this.#settle();
  }

  /** Ends all timers for good. */
  stop(): void {
    this.#isStopped = true;
    this.#heap.length = 0;
    clearTimeout(this.#wake);
    this.#wake = undefined;
  }

  #arm(): void {
    clearTimeout(this.#wake);
    this.#wake = undefined;
    this.#wakeAtMs = Infinity;
    const next = this.#peek();
    if (next === undefined || this.#isStopped) return;
    this.#wakeAtMs = next.atMs;
    const delayMs = Math.min(2 ** 31 - 1, Math.ceil(Math.max(0, next.atMs - this.now()) / this.#speed));
    this.#wake = setTimeout(() => this.#fire(), delayMs);
    this.#wake.unref();
  }

  #fire(): void {
    const sliceEnd = performance.now() + sliceMs;
    for (let next = this.#peek(); next !== undefined && next.atMs <= this.now(); next = this.#peek()) {
      this.#pop();
      next.callback?.();
      if (performance.now() > sliceEnd) break;
    }
    this.#arm();
  }

  /** The next timer that was not called off. */
  #peek(): Timer | undefined {
    while (this.#heap.length > 0 && this.#heap[0]?.callback === undefined) this.#pop();
    return this.#heap[0];
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let place = heap.push(timer) - 1;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, timer)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      const goesRight = left !== undefined && right !== undefined && isBefore(right, left);
      const child = goesRight ? right : left;
      if (child === undefined || isBefore(last, child)) break;
      heap[place] = child;
      place = 2 * place + (goesRight ? 2 : 1);
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** Lets the event loop turn. */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

let lastSecond = NaN;
let lastInstant = '';

/** RFC 3339 in whole seconds, as Kubernetes writes most instants. */
export function toInstant(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== lastSecond) {
    lastInstant = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastInstant;
}
