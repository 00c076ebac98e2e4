import { giveWay, type SandboxClock } from '../clock.js';
import type { Random } from '../random.js';
import { StatusError } from '../status.js';
import type { Storage, StorageEvent } from '../storage.js';
import type { EventRecorder } from './events.js';
import type { NodeLedger } from './node-ledger.js';
import type { ObjectIndex } from './object-index.js';

/** Milliseconds that work may hold the event loop before it gives way. */
const sliceMs = 8;
const firstRetryMs = 5;
const maxRetryMs = 60_000;

/** What every controller works with. */
export interface World {
  readonly storage: Storage;
  readonly index: ObjectIndex;
  readonly ledger: NodeLedger;
  readonly events: EventRecorder;
  readonly clock: SandboxClock;
  readonly random: Random;
  /** Of the kubelets. */
  readonly version: string;
}

/** Keys that one controller has to look at: each once, however often it was added. */
export interface Queue {
  add(key: string): void;
  /** In so many simulated milliseconds; of several for one key, the earliest counts. */
  addAfter(key: string, delayMs: number): void;
}

/**
 * Brings the cluster towards what its objects ask for, one object at a time, and only when something has changed. A sync that throws is tried again,
 * later each time.
 */
export interface Controller {
  readonly name: string;
  /** Called for every write: queues the keys that it concerns, and does nothing else. */
  observe(event: StorageEvent): void;
  sync(key: string): void;
}

/** @param error Not a `StatusError`, which is expected and tried again. */
export type ErrorReport = (error: unknown, at: { controller: string; key: string }) => void;

interface Post {
  readonly controller: Controller;
  readonly keys: Set<string>;
  readonly addAfter: Queue['addAfter'];
  readonly failures: Map<string, number>;
}

/** Runs the controllers of one cluster: each key of each queue in turn, giving way to the event loop, and nothing when no key waits. */
export class WorkLoop {
  readonly #clock: SandboxClock;
  readonly #report: ErrorReport;
  readonly #posts: Post[] = [];
  readonly #unsubscribe: () => void;
  /** Whose round it is. */
  #turn = 0;
  /** How many of the keys that waited when the round began are still to be looked at. */
  #left = 0;
  #pending: NodeJS.Immediate | undefined;
  #isWorking = false;
  #isStopped = false;

  constructor({ storage, clock }: Pick<World, 'storage' | 'clock'>, report: ErrorReport) {
    this.#clock = clock;
    this.#report = report;
    this.#unsubscribe = storage.subscribe((event) => {
      for (const { controller } of this.#posts) {
        try {
          controller.observe(event);
        } catch (error) {
          report(error, { controller: controller.name, key: event.object.metadata.name });
        }
      }
    });
  }

  /** @param make Gets the queue that `sync` is fed from. The controllers are served in turn, in the order in which they were added. */
  add<C extends Controller>(make: (queue: Queue) => C): C {
    const keys = new Set<string>();
    const timers = new Map<string, { atMs: number; cancel: () => void }>();
    const add = (key: string): void => {
      timers.get(key)?.cancel();
      timers.delete(key);
      keys.add(key);
      this.#schedule();
    };
    const addAfter = (key: string, delayMs: number): void => {
      if (delayMs <= 0) return add(key);
      const atMs = this.#clock.now() + delayMs;
      const current = timers.get(key);
      if (current !== undefined && current.atMs <= atMs) return;
      current?.cancel();
      timers.set(key, { atMs, cancel: this.#clock.after(delayMs, () => add(key)) });
    };
    const controller = make({ add, addAfter });
    this.#posts.push({ controller, keys, addAfter, failures: new Map() });
    return controller;
  }

  get isIdle(): boolean {
    return this.#posts.every((post) => post.keys.size === 0);
  }

  /** Works until nothing waits, giving way to the event loop. @returns undefined where that took one slice only. */
  settle(): Promise<void> | undefined {
    this.#work(performance.now() + sliceMs);
    return this.isIdle ? undefined : this.#goOn();
  }

  async #goOn(): Promise<void> {
    while (!this.isIdle && !this.#isStopped) {
      await giveWay();
      this.#work(performance.now() + sliceMs);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe();
    clearImmediate(this.#pending);
    for (const post of this.#posts) post.keys.clear();
  }

  #schedule(): void {
    if (this.#pending !== undefined || this.#isWorking || this.#isStopped) return;
    this.#pending = setImmediate(() => {
      this.#pending = undefined;
      this.#work(performance.now() + sliceMs);
      if (!this.isIdle) this.#schedule();
    });
  }

  #work(untilMs: number): void {
    if (this.#isWorking || this.#isStopped) return;
    this.#isWorking = true;
    try {
      for (let idle = 0; idle < this.#posts.length;) {
        const post = this.#posts[this.#turn] as Post;
        idle = post.keys.size === 0 ? idle + 1 : 0;
        // What a sync adds comes in the next round. A slice that ends within a round goes on there: what happens must not depend on how fast it goes.
        this.#left ||= post.keys.size;
        for (const key of post.keys) {
          if (performance.now() > untilMs) return;
          post.keys.delete(key);
          this.#sync(post, key);
          if (--this.#left === 0) break;
        }
        this.#turn = (this.#turn + 1) % this.#posts.length;
      }
    } finally {
      this.#isWorking = false;
    }
  }

  #sync({ controller, failures, addAfter }: Post, key: string): void {
    try {
      controller.sync(key);
      failures.delete(key);
    } catch (error) {
      const times = failures.get(key) ?? 0;
      failures.set(key, times + 1);
      if (!(error instanceof StatusError)) this.#report(error, { controller: controller.name, key });
      addAfter(key, Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(times, 20)));
    }
  }
}
