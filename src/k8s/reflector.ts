import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../errors.js';
import type { ClusterConnection } from './connection.js';
import { PageError, readLines, readPage, type PageInfo, type WatchLine } from './items.js';
import type { Kind } from './kind.js';
import { resourcePath } from './paths.js';
import { compareVersions } from './resource-version.js';
import type { Sink } from './sink.js';
import { statusOf, toGatewayError, toStatusError } from './status-error.js';

/** How far a kind of one cluster is. */
export interface SyncState {
  /** A list was whole once: what the sink has can be read. */
  readonly synced: boolean;
  /** Objects that the latest list has told so far. */
  readonly listed: number;
  /** Objects that the latest list is going to tell in all, where the server says so. */
  readonly total: number | undefined;
  /** Since when (milliseconds since the epoch) the sink may be behind; undefined while it follows, and before it was synced. */
  readonly staleSinceMs: number | undefined;
  /** Why the latest attempt failed; undefined once one has come through. */
  readonly failure: GatewayError | undefined;
}

/** Where messages go; a pino logger is one. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ReflectorOptions {
  readonly connection: ClusterConnection;
  readonly kind: Pick<Kind, 'name' | 'apiVersion' | 'plural'>;
  readonly sink: Sink;
  readonly watchSilenceMs: number;
  /** Already names the cluster and the kind. */
  readonly log: { readonly fields: object; readonly to: Log };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The state is another one; not told for each object of a list. */
  onChange(): void;
}

const pageSize = 500;
/** A page that broke off is asked for again so often before the whole list is. */
const maxPageRetries = 2;
const maxOpenRetries = 2;
const openTimeoutMs = 15_000;
const firstBackoffMs = 100;
const maxBackoffMs = 30_000;
/** A watch that lived for less, and told nothing, is no success. */
const shortLifeMs = 1_000;

/** The position is lost: everything is to be listed again. No failure, as long as the list comes through. */
class Relist extends Error {}

/**
 * Follows one kind of one cluster for as long as it runs: lists it in pages, then watches it from there; listens again where it stood when the
 * watch ends, and lists again when that position is no longer known. Nothing that fails ends it; it waits longer each time, up to 30 s.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #path: string;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** Version that everything was told up to; undefined while a list is needed. */
  #position: string | undefined;
  #heardAtMs = 0;
  #wake: () => void = () => undefined;
  #attempt = 0;
  #unpaged = false;
  #garbageAt: string | undefined;
  #state: SyncState = { synced: false, listed: 0, total: undefined, staleSinceMs: undefined, failure: undefined };

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#path = resourcePath(options.kind);
  }

  get state(): SyncState {
    return this.#state;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** There is reason to believe that what failed will work now: waits no longer. */
  retryNow(): void {
    if (this.#state.failure === undefined) return;
    this.#attempt = 0;
    this.#wake();
  }

  /** Resolves when nothing is told any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let waitMs: number;
      try {
        if (this.#position === undefined) this.#position = await this.#list();
        waitMs = await this.#watch(this.#position);
      } catch (error) {
        if (signal.aborted) return;
        waitMs = this.#failed(error);
      }
      if (waitMs > 0) await this.#pause(waitMs);
    }
  }

  async #pause(waitMs: number): Promise<void> {
    const wake = new AbortController();
    this.#wake = () => wake.abort();
    if (this.#stop.signal.aborted) return;
    await sleep(waitMs, undefined, { signal: wake.signal }).catch(() => undefined);
  }

  /** @returns the version that the list was of. */
  async #list(): Promise<string> {
    const { sink } = this.#options;
    sink.startList();
    this.#change({ listed: 0, total: undefined });
    let version: string | undefined;
    let skipped = 0;
    let token: string | undefined;
    do {
      const page: PageInfo = await this.#page(token);
      // All pages are of one version; should a server not keep to that, the first one's watch tells what came after it.
      version ??= page.resourceVersion;
      skipped += page.skipped;
      token = page.continue;
      const { listed } = this.#state;
      this.#change({
        total: page.remainingItemCount === undefined ? (token === undefined ? listed : undefined) : listed + page.remainingItemCount,
      });
    } while (token !== undefined);
    sink.endList(version);
    this.#unpaged = false;
    if (skipped > 0) this.#log('warn', 'objects of a list cannot be used', { skipped });
    this.#followed();
    return version;
  }

  async #page(token: string | undefined): Promise<PageInfo> {
    const { connection, kind, sink } = this.#options;
    const before = this.#state.listed;
    for (let retries = 0; ; retries += 1) {
      let listed = before;
      try {
        const chunks = await connection.stream(this.#path, {
          signal: this.#stop.signal,
          query: { limit: this.#unpaged ? undefined : pageSize, continue: token },
          maxRetries: maxOpenRetries,
        });
        return await readPage(chunks, kind, (item) => {
          sink.listed(item);
          listed += 1;
          this.#state = { ...this.#state, listed };
        });
      } catch (error) {
        if (statusOf(error)?.status === 410 && token !== undefined) {
          // The list took longer than the server keeps its version: without pages it is of one moment.
          this.#unpaged = true;
          throw new Relist('the list expired between its pages', { cause: error });
        }
        const isCut = error instanceof PageError || (listed > before && error instanceof GatewayError && statusOf(error) === undefined);
        if (!isCut || retries >= maxPageRetries || this.#stop.signal.aborted) throw error;
        this.#state = { ...this.#state, listed: before };
      }
    }
  }

  /** @returns how long to wait before it is opened again. */
  async #watch(position: string): Promise<number> {
    const { connection, kind, now, watchSilenceMs } = this.#options;
    const chunks = await this.#open(position, connection);
    const openedAtMs = now();
    this.#followed();
    let end = 'closed' as 'closed' | 'garbage' | Error;
    try {
      await readLines(chunks, kind, (line) => {
        this.#heardAtMs = now();
        const told = this.#tell(line);
        if (told !== undefined) end = told;
        return told === undefined;
      });
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      // Broken, or silent: it is opened again where it stood, and only if that fails is the cluster lost.
      if (error.code !== 'TIMEOUT') end = error;
    }
    if (end === 'garbage') {
      // Told again from here, it may be whole. If it is not, the list tells what the watch cannot.
      if (this.#garbageAt === this.#position) throw new Relist('the watch told twice what cannot be read');
      this.#garbageAt = this.#position;
      this.#log('warn', 'a watch told what cannot be read', {});
      return this.#backoffMs();
    }
    if (end instanceof Error && (end instanceof Relist || statusOf(end) !== undefined)) throw end;
    const wasGood = this.#position !== position || now() - openedAtMs >= Math.min(shortLifeMs, watchSilenceMs);
    if (wasGood) this.#attempt = 0;
    return wasGood && end === 'closed' ? 0 : this.#backoffMs();
  }

  async #open(position: string, connection: ClusterConnection): Promise<AsyncIterable<Uint8Array>> {
    const { watchSilenceMs } = this.#options;
    try {
      return await connection.stream(this.#path, {
        signal: this.#stop.signal,
        query: {
          watch: true,
          allowWatchBookmarks: true,
          resourceVersion: position,
          // A server tells its version shortly before the end of a watch that has one: so that even where nothing happens the position does not
          // grow old, and a connection that is only half open cannot pass for a quiet one.
          timeoutSeconds: Math.max(1, Math.floor((watchSilenceMs / 1000) * (0.8 + 0.2 * Math.random()))),
        },
        timeoutMs: openTimeoutMs,
        idleTimeoutMs: watchSilenceMs,
        maxRetries: 0,
      });
    } catch (error) {
      throw expired(error);
    }
  }

  /** @returns what ends the watch, if it does. */
  #tell(line: WatchLine): 'garbage' | Error | undefined {
    const { sink } = this.#options;
    switch (line.type) {
      case 'BOOKMARK':
        if (this.#position !== undefined && (compareVersions(line.resourceVersion, this.#position) ?? 0) < 0)
          return new Relist('the server went back in time');
        sink.bookmark(line.resourceVersion);
        this.#position = line.resourceVersion;
        return undefined;
      case 'ERROR':
        return expired(toGatewayError(toStatusError(line.status, 500)));
      case 'UNUSABLE':
        return 'garbage';
      default: {
        sink.event(line.type, line.item);
        const version = line.item.object.metadata.resourceVersion;
        // One that comes late does not take the position back.
        if (this.#position === undefined || (compareVersions(version, this.#position) ?? 1) > 0) this.#position = version;
        return undefined;
      }
    }
  }

  #backoffMs(): number {
    const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.#attempt);
    this.#attempt = Math.min(this.#attempt + 1, 20);
    return backoffMs * (0.5 + 0.5 * Math.random());
  }

  /** @returns how long to wait. */
  #failed(error: unknown): number {
    const staleSinceMs = this.#state.synced ? (this.#state.staleSinceMs ?? this.#heardAtMs) : undefined;
    if (error instanceof Relist) {
      this.#position = undefined;
      this.#log('info', 'listing again', { reason: error.message });
      this.#change({ staleSinceMs });
      return this.#backoffMs();
    }
    let failure: GatewayError;
    if (error instanceof GatewayError) failure = error;
    else {
      // Nothing can be said of what the sink has taken: it gets everything again.
      this.#position = undefined;
      const isPage = error instanceof PageError;
      failure = new GatewayError(
        'UNAVAILABLE',
        isPage ? 'The cluster sent something that is no list.' : 'The gateway failed to read the cluster.',
        {
          cause: error,
        },
      );
      if (!isPage) this.#log('error', 'reading a cluster failed', { err: error });
    }
    if (this.#state.failure?.message !== failure.message) this.#log('warn', 'a kind cannot be read', { err: failure });
    this.#change({ failure, staleSinceMs });
    return Math.max(this.#backoffMs(), statusOf(failure)?.retryAfterMs ?? 0);
  }

  /** The sink has all there is. */
  #followed(): void {
    this.#heardAtMs = this.#options.now();
    const { synced, failure, listed } = this.#state;
    if (!synced || failure !== undefined) this.#log('info', 'a kind is read', { objects: listed });
    this.#change({ synced: true, failure: undefined, staleSinceMs: undefined });
  }

  #change(to: Partial<SyncState>): void {
    const was = this.#state;
    this.#state = { ...was, ...to };
    const { synced, staleSinceMs, failure } = this.#state;
    if (synced !== was.synced || staleSinceMs !== was.staleSinceMs || failure !== was.failure) this.#options.onChange();
  }

  #log(level: keyof Log, message: string, fields: object): void {
    const { log } = this.#options;
    log.to[level]({ ...log.fields, ...fields }, message);
  }
}

/** Kubernetes tells it as the answer, and as an ERROR event of a watch that was answered. */
function expired(error: unknown): Error {
  if (statusOf(error)?.status === 410) return new Relist('the position of the watch expired', { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}
