import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { MemoryStorage, Revision } from './memory-storage.js';
import type { ResourceType } from './resources.js';
import { drained, maxSliceMs, objectJson } from './serialization.js';
import { StatusError } from './status.js';
import type { SandboxObject, StorageEvent } from './storage.js';

export interface WatchRequest {
  readonly type: ResourceType;
  /** All namespaces without it. */
  readonly namespace: string | undefined;
  readonly matches: ((object: SandboxObject) => boolean) | undefined;
  /** Undefined or 0: what exists is sent first. */
  readonly resourceVersion: number | undefined;
  /** What exists is sent first, and a bookmark that says when it ended. */
  readonly sendInitialEvents: boolean;
  readonly allowBookmarks: boolean;
  readonly timeoutMs: number;
  /** Other form of the objects than their own JSON, such as a table. */
  readonly transform: ((object: SandboxObject) => unknown) | undefined;
}

/** The watch falls this far behind before it is cut: a client that does not read must not fill the memory. */
const maxBufferedBytes = 16 * 1024 * 1024;
const bookmarkBeforeEndMs = 2_000;
const lineEnd = Buffer.from('}\n');
const lineStarts = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};

type EventType = keyof typeof lineStarts;

class Watcher {
  readonly #timers: NodeJS.Timeout[] = [];
  /** What happened while the past was still being sent; undefined once that is over. */
  #waiting: (() => void)[] | undefined = [];

  constructor(
    readonly request: WatchRequest,
    readonly response: ServerResponse,
  ) {}

  /** What a write means to this watch; undefined where nothing. An object that stops matching is deleted, as far as the watch can tell. */
  view(event: StorageEvent): { type: EventType; object: SandboxObject } | undefined {
    const { namespace, matches } = this.request;
    const { object, previous } = event;
    if (namespace !== undefined && object.metadata.namespace !== namespace) return undefined;
    if (matches === undefined) return event;
    const matched = previous !== undefined && matches(previous);
    if (event.type === 'DELETED') return matched ? event : undefined;
    if (matches(object)) return { type: matched ? 'MODIFIED' : 'ADDED', object };
    if (!matched) return undefined;
    const { resourceVersion } = object.metadata;
    return { type: 'DELETED', object: { ...previous, metadata: { ...previous.metadata, resourceVersion } } };
  }

  send(line: Buffer): void {
    if (this.response.writableLength > maxBufferedBytes) this.response.destroy();
    else this.response.write(line);
  }

  /** Runs `work` now, or once the past was sent. */
  live(work: () => void): void {
    if (this.#waiting === undefined) work();
    else this.#waiting.push(work);
  }

  /** Sends the past in slices, at the pace of the client, and then what happened meanwhile. */
  async catchUp(past: Iterable<{ type: EventType; object: SandboxObject }>, end: () => void): Promise<void> {
    const { response } = this;
    let sliceEndMs = performance.now() + maxSliceMs;
    const giveWay = async (): Promise<void> => {
      if (response.writableNeedDrain) await drained(response);
      else if (performance.now() > sliceEndMs) await setImmediate();
      else return;
      sliceEndMs = performance.now() + maxSliceMs;
    };
    for (const { type, object } of past) {
      this.sendObject(type, object);
      await giveWay();
      if (response.destroyed || response.writableEnded) return;
    }
    end();
    for (let work = this.#waiting?.shift(); work !== undefined; work = this.#waiting?.shift()) work();
    this.#waiting = undefined;
  }

  sendObject(type: EventType, object: SandboxObject): void {
    const { transform } = this.request;
    this.send(transform === undefined ? lineOf(type, object) : Buffer.from(`${JSON.stringify({ type, object: transform(object) })}\n`));
  }

  sendBookmark(resourceVersion: number, isInitialEnd: boolean): void {
    const { apiVersion, kind } = this.request.type;
    const annotations = isInitialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const object = { kind, apiVersion, metadata: { resourceVersion: String(resourceVersion), creationTimestamp: null, ...annotations } };
    this.send(Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object: this.#bookmarkForm(object) })}\n`));
  }

  #bookmarkForm(object: { metadata: unknown }): unknown {
    if (this.request.transform === undefined) return object;
    const row = { cells: [], object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata } };
    return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata, columnDefinitions: null, rows: [row] };
  }

  sendError(error: StatusError): void {
    this.response.end(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`);
  }

  after(delayMs: number, work: () => void): void {
    const timer = setTimeout(work, delayMs);
    timer.unref();
    this.#timers.push(timer);
  }

  every(intervalMs: number, work: () => void): void {
    const timer = setInterval(work, intervalMs);
    timer.unref();
    this.#timers.push(timer);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

function lineOf(type: EventType, object: SandboxObject): Buffer {
  return Buffer.concat([lineStarts[type], ...objectJson(object), lineEnd]);
}

/** Carries the writes of a storage to every open watch; each write is encoded once, however many watch. */
export class WatchHub {
  readonly #storage: MemoryStorage;
  readonly #bookmarkIntervalMs: number;
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #unsubscribe: () => void;

  constructor(storage: MemoryStorage, bookmarkIntervalMs: number) {
    this.#storage = storage;
    this.#bookmarkIntervalMs = bookmarkIntervalMs;
    this.#unsubscribe = storage.subscribe((event) => this.#dispatch(event));
  }

  /** Answers with a stream that ends at the request's timeout, or when the client goes. */
  serve(request: WatchRequest, response: ServerResponse): void {
    const watcher = new Watcher(request, response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    let past: Iterable<{ type: EventType; object: SandboxObject }>;
    try {
      past = this.#past(watcher);
    } catch (error) {
      // Once the request was understood, failures come as an event, as they do from the watch cache of Kubernetes.
      if (!(error instanceof StatusError)) throw error;
      watcher.sendError(error);
      return;
    }
    const { resource } = request.type;
    const watchers = this.#watchers.get(resource) ?? new Set();
    this.#watchers.set(resource, watchers.add(watcher));
    response.once('close', () => {
      watchers.delete(watcher);
      watcher.stop();
    });
    const startedAt = this.#storage.resourceVersion;
    void watcher.catchUp(past, () => {
      if (request.sendInitialEvents && request.allowBookmarks) watcher.sendBookmark(startedAt, true);
    });
    watcher.after(request.timeoutMs, () => response.end());
    if (!request.allowBookmarks) return;
    const bookmark = (): void => {
      const { resourceVersion } = this.#storage;
      watcher.live(() => watcher.sendBookmark(resourceVersion, false));
    };
    watcher.every(this.#bookmarkIntervalMs, bookmark);
    if (request.timeoutMs > bookmarkBeforeEndMs) watcher.after(request.timeoutMs - bookmarkBeforeEndMs, bookmark);
  }

  /** How many watches are open. */
  get size(): number {
    let size = 0;
    for (const watchers of this.#watchers.values()) size += watchers.size;
    return size;
  }

  /** Ends every watch. */
  close(): void {
    this.#unsubscribe();
    for (const watchers of this.#watchers.values()) for (const { response } of watchers) response.end();
  }

  #past(watcher: Watcher): Iterable<{ type: EventType; object: SandboxObject }> {
    const { type, namespace, matches, resourceVersion, sendInitialEvents } = watcher.request;
    if (!sendInitialEvents && resourceVersion !== undefined && resourceVersion !== 0)
      return viewed(watcher, this.#storage.since(type.resource, resourceVersion));
    return added(this.#storage.list(type.resource, namespace), matches);
  }

  #dispatch(event: StorageEvent): void {
    const watchers = this.#watchers.get(event.group === '' ? event.resource : `${event.resource}.${event.group}`);
    if (watchers === undefined) return;
    const lines: Partial<Record<EventType, Buffer>> = {};
    for (const watcher of watchers) {
      const view = watcher.view(event);
      if (view === undefined) continue;
      const { type, object } = view;
      watcher.live(() => {
        if (object === event.object && watcher.request.transform === undefined) watcher.send((lines[type] ??= lineOf(type, object)));
        else watcher.sendObject(type, object);
      });
    }
  }
}

function* added(
  objects: readonly SandboxObject[],
  matches: WatchRequest['matches'],
): Generator<{ type: EventType; object: SandboxObject }> {
  for (const object of objects) if (matches?.(object) !== false) yield { type: 'ADDED', object };
}

function* viewed(watcher: Watcher, revisions: readonly Revision[]): Generator<{ type: EventType; object: SandboxObject }> {
  for (const revision of revisions) {
    const view = watcher.view(revision);
    if (view !== undefined) yield view;
  }
}
