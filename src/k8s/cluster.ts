import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterConfig } from '../config.js';
import { GatewayError } from '../errors.js';
import type { ClusterInfo, ClusterStatus } from './catalog.js';
import type { ClusterConnection, ReadOptions } from './connection.js';
import { readLines } from './items.js';
import type { Kind } from './kind.js';
import type { ObjectRecord } from './objects.js';
import { resourcePath } from './paths.js';
import type { UnavailableCluster } from './reader.js';
import { Reflector, type Log } from './reflector.js';
import { compareVersions } from './resource-version.js';
import type { ClusterSource, PastEvent } from './source.js';
import { statusOf } from './status-error.js';
import { Store } from './store.js';

export interface ClusterOptions {
  readonly watchSilenceMs: number;
  readonly historySize: number;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Between two looks at the cluster's health. */
  readonly probeIntervalMs: number;
}

/** How far one kind of a cluster is, for `/readyz`. */
export interface KindProgress {
  readonly state: 'SYNCING' | 'SYNCED' | 'STALE' | 'FAILED';
  /** Objects that can be read; while `SYNCING` those that were listed so far. */
  readonly objects: number;
  /** Objects that there will be, where the cluster says so; only while `SYNCING`. */
  readonly of?: number;
  /** RFC 3339; only when `STALE`. */
  readonly staleSince?: string;
}

/** How far a cluster is, for `/readyz`. */
export interface ClusterProgress {
  readonly cluster: string;
  readonly status: ClusterStatus;
  readonly kinds: Readonly<Record<string, KindProgress>>;
}

interface Health {
  /** Undefined until the first look. */
  readonly status: ClusterStatus | undefined;
  readonly message: string | undefined;
}

/** What of one kind is followed; `R` is the kind's, which the map of them cannot say. */
interface Followed {
  readonly store: Store<ObjectRecord>;
  readonly reflector: Reflector;
}

const maxProbeMs = 5_000;
/**
 * That everything was told, a bookmark proves: kube-apiserver sends one 2 s before the end of a watch, or up to 1.3 s later. With a watch of 3 s, the
 * shortest that has one, it comes after 1 to 2.3 s.
 */
const pastTimeoutSeconds = 3;
/** What a resume may replay; past it, a snapshot is cheaper. */
const maxPastEvents = 10_000;

const notReachedYet = 'The cluster has not been reached yet.';
const stillRead = 'The cluster is still being read.';

/** One cluster: follows its kinds into stores, and knows how it is. */
export class Cluster implements ClusterSource {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly #config: ClusterConfig;
  readonly #connection: ClusterConnection;
  readonly #options: ClusterOptions;
  readonly #followed: ReadonlyMap<string, Followed>;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  #probing: Promise<void> | undefined;
  #probeNow: () => void = () => undefined;
  #uid: string | undefined;
  #version: string | undefined;
  #health: Health = { status: undefined, message: notReachedYet };

  constructor(config: ClusterConfig, connection: ClusterConnection, kinds: readonly Kind[], options: ClusterOptions) {
    this.name = config.name;
    this.kinds = kinds;
    this.#config = config;
    this.#connection = connection;
    this.#options = options;
    this.#followed = new Map(kinds.map((kind) => [kind.name, this.#follow(kind)]));
  }

  #follow(kind: Kind): Followed {
    const { watchSilenceMs, historySize, log, now } = this.#options;
    const store = new Store<ObjectRecord>(kind, this.name, { historySize });
    const reflector = new Reflector({
      connection: this.#connection,
      kind,
      sink: store,
      watchSilenceMs,
      now,
      log: { to: log, fields: { cluster: this.name, kind: kind.name } },
      onChange: () => this.#onSyncChange(reflector),
    });
    return { store, reflector };
  }

  start(): void {
    for (const { reflector } of this.#followed.values()) reflector.start();
    this.#probing ??= this.#probeForever();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#followed.values()].map(({ reflector }) => reflector.close()));
    await this.#probing;
    await this.#connection.close();
  }

  get uid(): string | undefined {
    return this.#uid;
  }

  get info(): ClusterInfo {
    const { name, displayName, projects } = this.#config;
    const { status, message } = this.#healthNow();
    return {
      name,
      displayName,
      version: this.#version,
      status: status ?? 'UNREACHABLE',
      statusMessage: message,
      reached: this.#version !== undefined,
      projects,
    };
  }

  store<R extends ObjectRecord>(kind: Kind<R>): Store<R> {
    const followed = this.#followed.get(kind.name);
    if (followed === undefined) throw new Error(`the gateway does not watch ${kind.name}`);
    // The store was made by a kind of this name, and names of kinds are unique.
    return followed.store as unknown as Store<R>;
  }

  unavailable(kinds: readonly Kind[]): UnavailableCluster | undefined {
    let staleSinceMs: number | undefined;
    let message: string | undefined;
    for (const kind of kinds) {
      const { state } = this.#reflector(kind);
      if (!state.synced) return { clusterName: this.name, message: this.#reason(state.failure), staleSince: undefined };
      if (state.staleSinceMs === undefined || state.staleSinceMs >= (staleSinceMs ?? Number.POSITIVE_INFINITY)) continue;
      staleSinceMs = state.staleSinceMs;
      message = this.#reason(state.failure);
    }
    if (staleSinceMs === undefined) return undefined;
    return { clusterName: this.name, message: message ?? stillRead, staleSince: new Date(staleSinceMs).toISOString() };
  }

  onAvailability(listener: () => void): () => void {
    // Wrapped, so that a listener that is given twice is told twice, and each ends by itself.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** Whether nothing more is to be waited for: these kinds are synced, or failed once. */
  isSettled(kinds: readonly Kind[]): boolean {
    return kinds.every((kind) => this.#isSettled(this.#reflector(kind)));
  }

  /** Whether each kind is synced, or failed once, and the cluster's health was looked at: who asks next is told of it. */
  get isReady(): boolean {
    return this.#health.status !== undefined && [...this.#followed.values()].every(({ reflector }) => this.#isSettled(reflector));
  }

  progress(): ClusterProgress {
    return {
      cluster: this.name,
      status: this.info.status,
      kinds: Object.fromEntries([...this.#followed].map(([name, { reflector, store }]) => [name, progressOf(reflector, store.size)])),
    };
  }

  async past(kind: Kind, from: string, to: string, signal: AbortSignal): Promise<readonly PastEvent[] | undefined> {
    if (from === to) return [];
    const limit = new AbortController();
    const onAbort = (): void => limit.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(onAbort, pastTimeoutSeconds * 1_000);
    if (signal.aborted) limit.abort();
    try {
      return await this.#pastWithin(kind, from, to, limit.signal);
    } catch (error) {
      if (!limit.signal.aborted && !(error instanceof GatewayError)) throw error;
      return undefined;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #pastWithin(kind: Kind, from: string, to: string, signal: AbortSignal): Promise<readonly PastEvent[] | undefined> {
    const chunks = await this.#connection.stream(resourcePath(kind), {
      signal,
      query: { watch: true, allowWatchBookmarks: true, resourceVersion: from, timeoutSeconds: pastTimeoutSeconds },
      maxRetries: 0,
    });
    const events: PastEvent[] = [];
    let isProven = false;
    await readLines(chunks, kind, (line) => {
      if (line.type === 'BOOKMARK') {
        isProven = (compareVersions(line.resourceVersion, to) ?? -1) >= 0;
        return !isProven;
      }
      if (line.type === 'ERROR' || line.type === 'UNUSABLE' || events.length === maxPastEvents) return false;
      const version = line.item.object.metadata.resourceVersion;
      const order = compareVersions(version, to);
      if (order === undefined) return false;
      if (order <= 0) events.push(line);
      isProven = order >= 0;
      return !isProven;
    });
    return isProven ? events : undefined;
  }

  #reflector(kind: Kind): Reflector {
    const followed = this.#followed.get(kind.name);
    if (followed === undefined) throw new Error(`the gateway does not watch ${kind.name}`);
    return followed.reflector;
  }

  #isSettled({ state }: Reflector): boolean {
    // A server that takes connections and answers nothing fails the look at its health long before it fails a list.
    return state.synced || state.failure !== undefined || this.#health.status === 'UNREACHABLE';
  }

  #reason(failure: GatewayError | undefined): string {
    if (failure !== undefined) return failure.message;
    return this.#health.status === 'UNREACHABLE' ? (this.#health.message ?? notReachedYet) : stillRead;
  }

  #onSyncChange({ state }: Reflector): void {
    // Where a kind is lost, the cluster may be.
    if (state.failure !== undefined && this.#health.status !== 'UNREACHABLE') this.#probeNow();
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** The last look's finding, and what the kinds have met since. */
  #healthNow(): Health {
    if (this.#health.status !== 'HEALTHY') return this.#health;
    const failures = [...this.#followed.values()].flatMap(({ reflector: { state } }) =>
      state.failure === undefined ? [] : [state.failure],
    );
    if (failures.length === 0) return this.#health;
    return { status: 'DEGRADED', message: 'Some kinds of objects of the cluster cannot be read.' };
  }

  async #probeForever(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      // Armed before the look: what is lost while it is under way may be more than it sees.
      const wake = new AbortController();
      this.#probeNow = () => wake.abort();
      const wasReached = this.#health.status !== undefined && this.#health.status !== 'UNREACHABLE';
      const health = await this.#probe(wasReached);
      if (signal.aborted) return;
      const { status, message } = this.#health;
      this.#health = health;
      if (status !== health.status || message !== health.message) {
        const fields = { cluster: this.name, status: health.status, reason: health.message };
        if (health.status === 'HEALTHY') this.#options.log.info(fields, 'a cluster is healthy');
        else this.#options.log.warn(fields, 'a cluster is not healthy');
        this.#tell();
      }
      if (status === 'UNREACHABLE' && health.status !== 'UNREACHABLE') {
        for (const { reflector } of this.#followed.values()) reflector.retryNow();
      }
      await this.#pause(wake);
    }
  }

  /** Until the next look is due, or there was a reason for one since `wake` was armed; not more than one a second. */
  async #pause(wake: AbortController): Promise<void> {
    const { probeIntervalMs } = this.#options;
    const minimumMs = Math.min(1_000, probeIntervalMs);
    await sleep(minimumMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    const onStop = (): void => wake.abort();
    this.#stop.signal.addEventListener('abort', onStop, { once: true });
    if (this.#stop.signal.aborted) wake.abort();
    await sleep(probeIntervalMs - minimumMs, undefined, { signal: wake.signal }).catch(() => undefined);
    this.#stop.signal.removeEventListener('abort', onStop);
  }

  async #probe(wasReached: boolean): Promise<Health> {
    const options = this.#probeOptions;
    try {
      const version = await this.#connection.read('/version', options);
      const gitVersion = (version as { gitVersion?: unknown } | null)?.gitVersion;
      // Once it was away, it may be another cluster under the same address.
      const isKnown = (this.#uid !== undefined && wasReached) || (await this.#readUid());
      this.#version = typeof gitVersion === 'string' && gitVersion.length <= 100 ? gitVersion : 'unknown';
      if (!isKnown) return { status: 'DEGRADED', message: 'The gateway cannot tell which cluster it is.' };
    } catch (error) {
      return { status: 'UNREACHABLE', message: error instanceof GatewayError ? error.message : notReachedYet };
    }
    try {
      await this.#connection.read('/readyz', { ...options, maxRetries: 0 });
    } catch (error) {
      const status = statusOf(error)?.status;
      // Whoever may not ask is told nothing of the cluster's health by that.
      if (status !== 401 && status !== 403 && status !== 404) return { status: 'DEGRADED', message: 'Health checks of the cluster fail.' };
    }
    return { status: 'HEALTHY', message: undefined };
  }

  get #probeOptions(): ReadOptions {
    return { signal: this.#stop.signal, timeoutMs: Math.min(maxProbeMs, this.#options.probeIntervalMs), maxRetries: 1 };
  }

  /** @returns whether it is known now. */
  async #readUid(): Promise<boolean> {
    const system = await this.#connection.read('/api/v1/namespaces/kube-system', this.#probeOptions).catch((error: unknown) => {
      const status = statusOf(error)?.status;
      if (status === 403 || status === 404) return undefined;
      throw error;
    });
    const uid = (system as { metadata?: { uid?: unknown } } | null | undefined)?.metadata?.uid;
    if (typeof uid !== 'string' || uid === '') return false;
    if (uid === this.#uid) return true;
    if (this.#uid !== undefined) this.#options.log.warn({ cluster: this.name }, 'another cluster answers than before');
    this.#uid = uid;
    this.#tell();
    return true;
  }
}

function progressOf({ state }: Reflector, size: number): KindProgress {
  const { synced, staleSinceMs, failure, listed, total } = state;
  if (staleSinceMs !== undefined) return { state: 'STALE', objects: size, staleSince: new Date(staleSinceMs).toISOString() };
  if (synced) return { state: 'SYNCED', objects: size };
  if (failure !== undefined) return { state: 'FAILED', objects: listed };
  return { state: 'SYNCING', objects: listed, ...(total !== undefined && { of: total }) };
}
