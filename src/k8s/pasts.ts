import type { Kind } from './kind.js';
import type { ObjectRecord } from './objects.js';
import { compareVersions } from './resource-version.js';
import type { ClusterSource } from './source.js';
import type { PastChange, Store } from './store.js';
import { turns } from './turns.js';

/** How many kinds of one cluster are asked for their past at once. */
const maxAtOnce = 4;
/** How long who resumes waits for others' questions and its own. */
const maxWaitMs = 10_000;
/** What could not be told is not asked for again for so long. */
const lostMs = 10_000;

/** Who wants the past of one kind of one cluster. */
interface Line {
  /** The versions after which they want it; one object each. */
  readonly waiting: Set<{ readonly from: string }>;
  asking: Promise<void> | undefined;
  /** Nothing after this version, or an earlier one, could be told. */
  lost: { readonly upTo: string; readonly untilMs: number } | undefined;
}

/** The questions that one cluster is asked. */
interface Desk {
  atOnce: number;
  readonly waiting: (() => void)[];
}

/**
 * What happened before the histories of the stores begin. A crowd that resumes, as after a restart of the gateway, makes one question per kind and not
 * one each: it is asked from the oldest version that anybody wants, and the answer is put in front of the store's history, for whoever comes later.
 */
export class Pasts {
  readonly #lines = new WeakMap<Store<ObjectRecord>, Line>();
  readonly #desks = new WeakMap<ClusterSource, Desk>();

  /** As `Store.since`, and beyond it; undefined, too, where `signal` is aborted or the cluster has been asked too much to answer within 10 s. */
  async since(source: ClusterSource, kind: Kind, from: string, signal: AbortSignal): Promise<readonly PastChange[] | undefined> {
    const store = source.store(kind);
    const line = this.#lineOf(store);
    const untilMs = performance.now() + maxWaitMs;
    const entry = { from };
    line.waiting.add(entry);
    try {
      for (;;) {
        const known = store.since(from);
        if (known !== undefined) return known;
        const nowMs = performance.now();
        if (signal.aborted || nowMs >= untilMs || isLost(line, from, nowMs) || !isOlder(from, store.historyFrom)) return undefined;
        line.asking ??= this.#ask(source, kind, store, line).finally(() => (line.asking = undefined));
        await settled(line.asking, signal, untilMs - nowMs);
      }
    } finally {
      line.waiting.delete(entry);
    }
  }

  async #ask(source: ClusterSource, kind: Kind, store: Store<ObjectRecord>, line: Line): Promise<void> {
    const desk = this.#deskOf(source);
    if (desk.atOnce === maxAtOnce) await new Promise<void>((resolve) => desk.waiting.push(resolve));
    else desk.atOnce += 1;
    try {
      // Who comes in the same moment is asked for as well.
      await turns.next();
      const wanted = [...line.waiting].map(({ from }) => from).sort((one, other) => compareVersions(one, other) ?? 0);
      // The oldest is for all; where that is lost, half of them at a time.
      const from = wanted[line.lost !== undefined && performance.now() < line.lost.untilMs ? wanted.length >>> 1 : 0];
      const to = store.historyFrom;
      if (from === undefined || to === undefined || !isOlder(from, to)) return;
      // Nobody's own signal: others may want the answer still. The cluster bounds the time.
      const events = await source.past(kind, from, to, never);
      const isKept =
        events !== undefined &&
        store.recall(
          from,
          to,
          events.map(({ type, item: { object } }) => {
            const { namespace, name, uid, creationTimestamp, resourceVersion } = object.metadata;
            return { type, namespaceName: namespace, name, uid, createdAt: creationTimestamp, version: resourceVersion };
          }),
        );
      if (!isKept) line.lost = { upTo: from, untilMs: performance.now() + lostMs };
    } finally {
      const next = desk.waiting.shift();
      if (next === undefined) desk.atOnce -= 1;
      else next();
    }
  }

  #lineOf(store: Store<ObjectRecord>): Line {
    let line = this.#lines.get(store);
    if (line === undefined) this.#lines.set(store, (line = { waiting: new Set(), asking: undefined, lost: undefined }));
    return line;
  }

  #deskOf(source: ClusterSource): Desk {
    let desk = this.#desks.get(source);
    if (desk === undefined) this.#desks.set(source, (desk = { atOnce: 0, waiting: [] }));
    return desk;
  }
}

const never = new AbortController().signal;

/** Of versions that cannot be compared, none is. */
function isOlder(one: string, other: string | undefined): boolean {
  return other !== undefined && (compareVersions(one, other) ?? 0) < 0;
}

function isLost({ lost }: Line, from: string, nowMs: number): boolean {
  return lost !== undefined && nowMs < lost.untilMs && (compareVersions(from, lost.upTo) ?? 0) <= 0;
}

/** Resolves when the work is done, or one need not wait any more. @throws What the work throws. */
function settled(work: Promise<void>, signal: AbortSignal, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, timeoutMs);
    signal.addEventListener('abort', end, { once: true });
    work.then(end, (error: unknown) => {
      reject(error instanceof Error ? error : new Error(String(error)));
      end();
    });
  });
}
