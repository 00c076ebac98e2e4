import { setTimeout as sleep } from 'node:timers/promises';
import { decodeProgress, digest, encodePosition, encodeProgress, positionOf, type Position, type Progress } from './cursor.js';
import type { Kind } from './kind.js';
import { namespaces, type NamespaceRecord } from './namespaces.js';
import type { ObjectRecord } from './objects.js';
import type { Pasts } from './pasts.js';
import type { Change, Reader, UnavailableCluster, WatchQuery } from './reader.js';
import { comparePosition, compareKeys, isWithin, Selector } from './selection.js';
import type { ClusterSource } from './source.js';
import type { PastChange, Store, StoreChange } from './store.js';
import { compareVersions } from './resource-version.js';
import { turns } from './turns.js';

/** What a watch needs of the reader that it belongs to. */
export interface WatchedReader extends Reader {
  sourcesOf(clusters: readonly string[] | undefined): readonly ClusterSource[];
  /** Each time new maps, which are the caller's. */
  scopeOf(sources: readonly ClusterSource[], projects: readonly string[] | undefined): LiveScope;
  unavailable(sources: readonly ClusterSource[], kinds: readonly Kind[]): readonly UnavailableCluster[];
  readonly pasts: Pasts;
}

/** As `Scope`; follows what becomes of the namespaces. */
export type LiveScope = ReadonlyMap<string, Map<string, NamespaceRecord>> | undefined;

/** Of a snapshot, what is looked up at once. */
const batchSize = 256;
/** How long a store that is behind a cursor may take to catch up. */
const catchUpMs = 2_000;
const catchUpPollMs = 20;

/** One kind of one cluster that the stream owes something to, and how far that has been told. */
interface Part {
  readonly source: ClusterSource;
  readonly kind: Kind;
  readonly store: Pick<Store<ObjectRecord>, 'resourceVersion' | 'since'>;
  told: string | undefined;
}

/** A kind that changes what is streamed, but is not. */
interface Neighbour extends Part {
  readonly store: Store<ObjectRecord>;
}

/** A kind that is streamed: what of it the client has, or is about to be told. */
interface Told<R extends ObjectRecord> extends Part {
  readonly kind: Kind<R>;
  readonly store: Store<R>;
  readonly slots: Map<string, Slot<R>>;
  /** Those that wait for their turn. */
  readonly looks: Map<string, Look<R>>;
}

/** One object that the client has, or is about to be told of. */
interface Slot<R extends ObjectRecord> {
  readonly part: Told<R>;
  readonly uid: string;
  readonly namespaceName: string | undefined;
  readonly name: string;
  /** What was sent last; undefined where the client has nothing. */
  sent: string | undefined;
  /** Of the newest change that waits; undefined where it moves no cursor. */
  version: string | undefined;
}

/**
 * Objects that something else's change concerns, however many: each is looked at when the turn of all comes, by key. Until the last one was, it stands
 * in front of whatever came after it.
 */
interface Look<R extends ObjectRecord> {
  readonly part: Told<R>;
  readonly key: string;
  find(): readonly R[];
  /** Uids that are still to be looked at, the next one last; undefined before its turn. */
  rest: string[] | undefined;
}

/** Stands in the queue behind what it speaks of: once reached, all that was told. */
interface Marker {
  reached(): void;
}

/** That the client has it is known, what of it is not. */
const unknownState = '?';
/** The same, of an object that is younger than the cursor: a client may be a little ahead of its cursor. */
const newSinceCursor = '+';
/** No digest of a scope. */
const halfTold = '?';

/**
 * Streams what a selection holds. One rule makes every change: an object is looked at, and told by whether the client has it and whether it is
 * selected now. So nothing waits but names of objects to look at, each once: a slow consumer gets the latest state, and costs no more than that.
 * Whatever changes, a watcher does no more at that moment than to note it; the work is done in its own turns.
 */
export async function* watchStores<R extends ObjectRecord>(
  reader: WatchedReader,
  kinds: readonly Kind<R>[],
  query: WatchQuery<R>,
  signal: AbortSignal,
): AsyncGenerator<Change<R>, void, undefined> {
  const watcher = new Watcher(reader, kinds, query, signal);
  try {
    yield* watcher.run();
  } finally {
    watcher.close();
  }
}

class Watcher<R extends ObjectRecord> {
  readonly #reader: WatchedReader;
  readonly #query: WatchQuery<R>;
  readonly #selector: Selector<R>;
  readonly #kinds: readonly Kind<R>[];
  readonly #signal: AbortSignal;
  readonly #identity: string;
  readonly #sources: readonly ClusterSource[];
  readonly #parts: readonly Told<R>[];
  /** Namespaces, and the kinds that the parts' kinds call neighbours. */
  readonly #neighbours: readonly Neighbour[];
  readonly #queue = new Set<Slot<R> | Look<R> | Marker>();
  readonly #stops: (() => void)[] = [];
  readonly #scopeMarker: Marker = { reached: () => (this.#toldScope = this.#scopeDigest()) };
  readonly #markers = new Map<Part, { version: string; readonly marker: Marker }>();
  #scope: LiveScope;
  /** Of `#scope`, once it was asked for. */
  #digest: string | undefined;
  #projects: readonly string[] | undefined;
  #toldScope = '';
  /** Cursors follow what is told; not so during a snapshot or a replay, which count as a whole. */
  #isLive = false;
  /** Until it is known what a client that resumes has, everything that changes may be among it: the cursor that it came with. */
  #resumed: Progress | undefined;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(reader: WatchedReader, kinds: readonly Kind<R>[], query: WatchQuery<R>, signal: AbortSignal) {
    this.#reader = reader;
    this.#kinds = kinds;
    this.#query = query;
    this.#selector = new Selector(query, reader);
    this.#signal = signal;
    this.#identity = digest(query.identity);
    this.#projects = query.projects?.current();
    this.#sources = reader.sourcesOf(query.clusters);
    this.#scope = reader.scopeOf(this.#sources, this.#projects);
    this.#parts = this.#sources.flatMap((source) =>
      kinds.map((kind): Told<R> => ({ source, kind, store: source.store(kind), told: undefined, slots: new Map(), looks: new Map() })),
    );
    const neighbourNames = new Set(kinds.flatMap((kind) => Object.keys(kind.neighbours?.of ?? {})));
    this.#neighbours = this.#sources.flatMap((source) =>
      source.kinds
        .filter((kind) => kind.name === namespaces.name || neighbourNames.has(kind.name))
        .map((kind): Neighbour => ({ source, kind, store: source.store(kind), told: undefined })),
    );
  }

  async *run(): AsyncGenerator<Change<R>, void, undefined> {
    if (this.#signal.aborted) return;
    const after = this.#query.after === undefined ? undefined : decodeProgress(this.#identity, this.#query.after);
    this.#listen();
    let from: Position | null | undefined = null;
    if (after !== undefined) {
      this.#resumed = after;
      const isResumed = await this.#replay(after);
      if (this.#signal.aborted) return;
      if (isResumed) from = after.snapshot;
      else {
        this.#forget();
        this.#startSnapshot();
        yield { type: 'RESET', cursor: this.#cursor(null) };
      }
    } else this.#startSnapshot();

    if (from !== undefined) yield* this.#snapshot(from, after !== undefined);
    // What waited since the cursor comes before SYNCED, what happened since then after it.
    let isSynced = false;
    this.#queue.add({ reached: () => (isSynced = true) });
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#signal.aborted) return;
      const [next] = this.#queue;
      if (next === undefined) {
        await this.#somethingToDo();
        continue;
      }
      if (turns.spent()) {
        await turns.next();
        continue;
      }
      if ('reached' in next) {
        this.#queue.delete(next);
        next.reached();
        if (isSynced && !this.#isLive) {
          this.#isLive = true;
          for (const part of this.#allParts()) part.told = this.#target.get(part) ?? part.told;
          yield {
            type: 'SYNCED',
            cursor: this.#cursor(undefined),
            unavailableClusters: this.#reader.unavailable(this.#sources, this.#kinds),
          };
        }
        continue;
      }
      if ('find' in next) {
        const slot = this.#nextOf(next);
        const change = slot && this.#changeOf(slot);
        if (change !== undefined) yield { ...change, cursor: this.#cursorNow() };
        continue;
      }
      this.#queue.delete(next);
      const change = this.#changeOf(next);
      if (this.#isLive && next.version !== undefined) raise(next.part, next.version);
      if (change !== undefined) yield { ...change, cursor: this.#cursorNow() };
    }
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#queue.clear();
  }

  /** What is told by the time of SYNCED. */
  readonly #target = new Map<Part, string | undefined>();
  #targetScope = '';

  #startSnapshot(): void {
    this.#aim();
    for (const part of this.#allParts()) part.told = this.#target.get(part);
    this.#toldScope = this.#targetScope;
  }

  #aim(): void {
    for (const part of this.#allParts()) this.#target.set(part, part.store.resourceVersion);
    this.#targetScope = this.#scopeDigest();
  }

  /** The client has nothing, and nobody takes anything of it for granted. */
  #forget(): void {
    this.#resumed = undefined;
    this.#queue.clear();
    this.#markers.clear();
    for (const part of this.#parts) {
      part.slots.clear();
      part.looks.clear();
    }
  }

  async *#snapshot(from: Position | null, isResume: boolean): AsyncGenerator<Change<R>, void, undefined> {
    let position = from;
    for await (const record of this.#selected(from)) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const part = this.#partOf(record);
      const slot = this.#slotOf(part, record);
      position = positionOf(record, undefined);
      const change = this.#changeOf(slot);
      if (change === undefined) continue;
      // A client that resumes may have it from before; to the snapshot that goes on it is new.
      const told: Change<R> = { ...change, cursor: this.#cursor(position) };
      yield isResume && told.type === 'MODIFIED' ? { ...told, type: 'ADDED' } : told;
      if (this.#signal.aborted) return;
    }
  }

  /** All that is selected, in the order of keys, from behind a position on; gives way in between. */
  async *#selected(from: Position | null): AsyncGenerator<R, void, undefined> {
    let after = from === null ? undefined : encodePosition(this.#identity, from);
    for (;;) {
      if (this.#signal.aborted) return;
      const page = this.#reader.list(this.#kinds, {
        identity: this.#query.identity,
        clusters: this.#query.clusters,
        projects: this.#projects,
        namespaces: this.#query.namespaces,
        labels: this.#query.labels,
        where: this.#query.where,
        filter: this.#query.filter,
        first: batchSize,
        after,
      });
      for (const record of page.items) {
        yield record;
        if (turns.spent()) await turns.next();
      }
      const last = page.items.at(-1);
      if (!page.hasNextPage || last === undefined) return;
      after = page.cursorOf(last);
    }
  }

  /** Queues what happened since the cursor. @returns false where that cannot be told for certain. */
  async #replay(after: Progress): Promise<boolean> {
    if (!(await this.#hasCaughtUp(after))) return false;
    if (after.scope !== this.#scopeDigest()) return false;
    this.#toldScope = after.scope;
    this.#aim();
    const changes = await Promise.all(this.#allParts().map((part) => this.#changesSince(part, after)));
    if (this.#signal.aborted || changes.some((known) => known === undefined)) return false;
    if (this.#targetScope !== this.#scopeDigest()) return false;

    // The client has what is selected now, but for what changed; of that, whatever it was.
    const last = after.snapshot;
    if (last !== null) {
      for await (const record of this.#selected(null)) {
        if (last !== undefined && comparePosition(record, undefined, last) > 0) break;
        const part = this.#partOf(record);
        if (part.slots.has(record.uid)) continue;
        const slot = this.#slotOf(part, record);
        if (versionIn(after, part) === undefined) this.#enqueue(slot);
        else slot.sent = this.#stateOf(part, record);
      }
    }
    for (const [at, part] of this.#parts.entries()) {
      for (const change of changes[at] ?? []) {
        this.#replayOwn(part, change, last);
        if (turns.spent()) await turns.next();
      }
    }
    for (const [at, part] of this.#neighbours.entries()) {
      for (const change of changes[this.#parts.length + at] ?? []) {
        this.#lookAtNeighboursOf(part, change);
        if (turns.spent()) await turns.next();
      }
    }
    await this.#assumeLooks();
    // Whose objects are the viewer's was looked at over some turns: it must have been the same all the while.
    if (this.#signal.aborted || this.#targetScope !== this.#scopeDigest()) return false;
    for (const part of this.#allParts()) part.told = versionIn(after, part);
    this.#resumed = undefined;
    return true;
  }

  /** What the client made of objects whose surroundings changed is not known: they are told again. */
  async #assumeLooks(): Promise<void> {
    // What is queued meanwhile is met as well.
    for (const entry of this.#queue) {
      if (!('find' in entry)) continue;
      while (this.#queue.has(entry)) {
        const slot = this.#nextOf(entry);
        if (slot !== undefined) {
          if (slot.sent !== undefined && slot.sent !== newSinceCursor) slot.sent = unknownState;
          this.#enqueue(slot);
        }
        if (turns.spent()) await turns.next();
      }
    }
  }

  #replayOwn(part: Told<R>, change: PastChange, last: Position | null | undefined): void {
    if (last === null) return;
    // What stands behind the position is not told yet.
    if (last !== undefined && compareKeys(placeOf({ ...change, part }), last) > 0) return;
    if (!this.#isOwn(part, change)) return;
    const slot = this.#slotOf(part, change, unknownState);
    slot.sent = change.type === 'ADDED' || slot.sent === newSinceCursor ? newSinceCursor : unknownState;
    this.#enqueue(slot);
  }

  /** Of the namespaces that the selection comes to; others are never named. */
  #isOwn(part: Part, { namespaceName, name, createdAt }: Pick<ObjectRecord, 'namespaceName' | 'name' | 'createdAt'>): boolean {
    const own = part.kind.name === namespaces.name ? name : namespaceName;
    if (!this.#selector.takesNamespace(own)) return false;
    if (this.#scope === undefined) return true;
    const namespace = own === undefined ? undefined : this.#scope.get(part.source.name)?.get(own);
    return namespace !== undefined && isWithin(createdAt, namespace);
  }

  async #hasCaughtUp(after: Progress): Promise<boolean> {
    const names = new Set(this.#sources.map(({ name }) => name));
    if (!Object.keys(after.clusters).every((name) => names.has(name))) return false;
    // Of a cluster that was never read, or had nothing of the viewer's, nothing was told: it is not waited for, and may be any.
    const toldSources = this.#sources.filter((source) =>
      this.#parts.some((part) => part.source === source && !wasToldNothing(after, part)),
    );
    const needed = [...this.#parts.filter((part) => !wasToldNothing(after, part)), ...this.#neighbours].filter((part) =>
      toldSources.includes(part.source),
    );
    if (needed.some((part) => versionIn(after, part) === undefined)) return false;
    const isThere = (part: Part): boolean => {
      const told = versionIn(after, part);
      const now = part.store.resourceVersion;
      return told !== undefined && now !== undefined && (compareVersions(now, told) ?? -1) >= 0;
    };
    const isReady = (): boolean =>
      toldSources.every((source) => source.uid !== undefined && source.uid === after.clusters[source.name]?.uid) && needed.every(isThere);
    for (let waitedMs = 0; !isReady(); waitedMs += catchUpPollMs) {
      if (waitedMs >= catchUpMs) return false;
      try {
        await sleep(catchUpPollMs, undefined, { signal: this.#signal });
      } catch {
        return false;
      }
    }
    return true;
  }

  async #changesSince(part: Part, after: Progress): Promise<readonly PastChange[] | undefined> {
    const from = versionIn(after, part);
    if (from === undefined) return [];
    return part.store.since(from) ?? (await this.#reader.pasts.since(part.source, part.kind, from, this.#signal));
  }

  #listen(): void {
    for (const part of this.#parts) this.#stops.push(part.store.onChange((change) => this.#onOwnChange(part, change)));
    for (const part of this.#neighbours) this.#stops.push(part.store.onChange((change) => this.#onNeighbourChange(part, change)));
    const stop = this.#query.projects?.onChange(() => this.#rescope());
    if (stop !== undefined) this.#stops.push(stop);
    const wake = (): void => this.#wake();
    this.#signal.addEventListener('abort', wake);
    this.#stops.push(() => this.#signal.removeEventListener('abort', wake));
  }

  #onOwnChange(part: Told<R>, { record, previous, version }: StoreChange<R>): void {
    const object = record ?? previous;
    if (object === undefined) {
      if (version !== undefined) this.#mark(part, version);
      return;
    }
    const slot = part.slots.get(object.uid) ?? this.#newSlotFor(part, object, record);
    if (slot === undefined) return;
    if (version !== undefined) slot.version = version;
    this.#enqueue(slot);
  }

  /** Undefined where an object that the client does not have is none of its business. */
  #newSlotFor(part: Told<R>, object: R, record: R | undefined): Slot<R> | undefined {
    if (this.#resumed !== undefined && versionIn(this.#resumed, part) !== undefined) {
      return this.#isOwn(part, object) ? this.#slotOf(part, object, unknownState) : undefined;
    }
    return record !== undefined && this.#isSelected(part, record) ? this.#slotOf(part, record) : undefined;
  }

  #onNeighbourChange(part: Neighbour, { record, previous, version }: StoreChange): void {
    const neighbour = record ?? previous;
    if (part.kind.name === namespaces.name) this.#onNamespaceChange(part.source, record as NamespaceRecord | undefined, previous);
    else if (neighbour !== undefined) this.#lookAtNeighboursOf(part, neighbour);
    if (version !== undefined) this.#mark(part, version);
  }

  #onNamespaceChange(source: ClusterSource, record: NamespaceRecord | undefined, previous: ObjectRecord | undefined): void {
    const name = record?.name ?? previous?.name;
    if (name === undefined) return;
    const project = record && this.#reader.projectOf(record);
    // Namespaces are written to for much that concerns nothing in them.
    if (
      record?.uid === previous?.uid &&
      record?.deletionRequestedAt === previous?.deletionRequestedAt &&
      project === (previous && this.#reader.projectOf(previous))
    )
      return;
    this.#lookAtNamespace(source, name);
    const found = this.#scope?.get(source.name);
    if (found === undefined) return;
    const before = found.get(name);
    if (record !== undefined && project !== undefined && this.#projects?.includes(project) === true) found.set(name, record);
    else found.delete(name);
    if (before?.uid !== found.get(name)?.uid) this.#digest = undefined;
    this.#requeue(this.#scopeMarker);
  }

  #lookAtNeighboursOf(neighbour: Part, object: Pick<ObjectRecord, 'uid' | 'name' | 'namespaceName'>): void {
    if (neighbour.kind.name === namespaces.name) {
      this.#lookAtNamespace(neighbour.source, object.name);
      return;
    }
    for (const part of this.#parts) {
      if (part.source !== neighbour.source) continue;
      const at = part.kind.neighbours?.of[neighbour.kind.name]?.(object);
      if (at !== undefined) this.#lookAt(part, `${at.index}/${at.value}`, () => part.store.lookUp(at.index, at.value));
    }
  }

  #lookAtNamespace(source: ClusterSource, name: string): void {
    for (const part of this.#parts) {
      if (part.source !== source) continue;
      if (part.kind.name === namespaces.name)
        this.#lookAt(part, `name/${name}`, () => [part.store.get(undefined, name)].filter((record) => record !== undefined));
      else if (part.kind.namespaced) this.#lookAt(part, `namespace/${name}`, () => part.store.lookUp('namespace', name));
    }
  }

  /** One that waits already finds what there is when its turn comes: it keeps its place, and markers of what changed come behind it. */
  #lookAt(part: Told<R>, key: string, find: () => readonly R[]): void {
    if (part.looks.has(key)) return;
    const look: Look<R> = { part, key, find, rest: undefined };
    part.looks.set(key, look);
    this.#requeue(look);
  }

  /** Undefined where the next object is gone, or none of the client's business. */
  #nextOf(look: Look<R>): Slot<R> | undefined {
    const { part } = look;
    if (look.rest === undefined) {
      part.looks.delete(look.key);
      look.rest = [...look.find()].sort((one, other) => compareKeys(other, one)).map(({ uid }) => uid);
    }
    const uid = look.rest.pop();
    if (look.rest.length === 0) this.#queue.delete(look);
    const record = uid === undefined ? undefined : part.store.byUid(uid);
    return record && (part.slots.get(record.uid) ?? this.#newSlotFor(part, record, record));
  }

  #rescope(): void {
    let projects: readonly string[] | undefined;
    try {
      projects = this.#query.projects?.current();
    } catch (error) {
      this.#failure = { error };
      this.#wake();
      return;
    }
    const before = this.#scope;
    const now = this.#reader.scopeOf(this.#sources, projects);
    this.#projects = projects;
    this.#scope = now;
    this.#digest = undefined;
    for (const source of this.#sources) {
      if (before === undefined || now === undefined) {
        if (before === now) continue;
        for (const part of this.#parts)
          if (part.source === source) this.#lookAt(part, '', () => [...part.store.ordered('', compareKeys).forward()]);
        continue;
      }
      const [old, fresh] = [before.get(source.name), now.get(source.name)];
      for (const name of [...new Set([...(old?.keys() ?? []), ...(fresh?.keys() ?? [])])].sort()) {
        if (old?.get(name)?.uid !== fresh?.get(name)?.uid) this.#lookAtNamespace(source, name);
      }
    }
    this.#requeue(this.#scopeMarker);
  }

  #mark(part: Part, version: string): void {
    let entry = this.#markers.get(part);
    if (entry === undefined) {
      const made = {
        version,
        marker: {
          reached: () => {
            if (this.#isLive) raise(part, made.version);
          },
        },
      };
      entry = made;
      this.#markers.set(part, entry);
    }
    entry.version = version;
    this.#requeue(entry.marker);
  }

  /** A change that waits already takes the place of its newest version; before SYNCED it keeps its place, because no cursor names it. */
  #enqueue(slot: Slot<R>): void {
    if (!this.#isLive && this.#queue.has(slot)) return;
    this.#requeue(slot);
  }

  #requeue(entry: Slot<R> | Look<R> | Marker): void {
    this.#queue.delete(entry);
    this.#queue.add(entry);
    this.#wake();
  }

  #somethingToDo(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Looks at an object, and notes that what it returns is told. */
  #changeOf(slot: Slot<R>): Change<R> | undefined {
    const { part, uid } = slot;
    const record = part.store.byUid(uid);
    if (record !== undefined && this.#isSelected(part, record)) {
      const state = this.#stateOf(part, record);
      const had = slot.sent;
      slot.sent = state;
      if (had === state) return undefined;
      return { type: had === undefined || had === newSinceCursor ? 'ADDED' : 'MODIFIED', cursor: '', kind: part.kind, record };
    }
    part.slots.delete(uid);
    this.#queue.delete(slot);
    if (slot.sent === undefined) return undefined;
    const key = { cluster: part.source.name, namespace: slot.namespaceName, name: slot.name, uid };
    return { type: 'DELETED', cursor: '', kind: part.kind, key };
  }

  #isSelected(part: Told<R>, record: R): boolean {
    const scope = this.#scope === undefined ? undefined : (this.#scope.get(part.source.name) ?? new Map());
    return this.#selector.selects(part.kind, record, scope);
  }

  /** Everything that an answer about the record owes to others, too. */
  #stateOf(part: Told<R>, record: R): string {
    return `${record.resourceVersion}/${this.#reader.projectOf(record) ?? ''}/${part.kind.neighbours?.signature(record, this.#reader) ?? ''}`;
  }

  #slotOf(part: Told<R>, { uid, namespaceName, name }: Pick<ObjectRecord, 'uid' | 'namespaceName' | 'name'>, sent?: string): Slot<R> {
    let slot = part.slots.get(uid);
    if (slot === undefined) {
      slot = { part, uid, namespaceName, name, sent, version: undefined };
      part.slots.set(uid, slot);
    }
    return slot;
  }

  #partOf(record: R): Told<R> {
    const part = this.#parts.find(({ source, kind }) => source.name === record.clusterName && kind.name === record.kind);
    if (part === undefined) throw new Error(`a ${record.kind} that is not watched`);
    return part;
  }

  #allParts(): readonly Part[] {
    return [...this.#parts, ...this.#neighbours];
  }

  #cursorNow(): string {
    // Nothing waits: all that the stores know is told.
    if (this.#isLive && this.#queue.size === 0) {
      for (const part of this.#allParts()) part.told = part.store.resourceVersion;
      this.#toldScope = this.#scopeDigest();
    }
    return this.#cursor(undefined);
  }

  #cursor(snapshot: Position | null | undefined): string {
    const clusters: Record<string, { uid: string | undefined; versions: Record<string, string | undefined> }> = {};
    for (const { name, uid } of this.#concerned()) clusters[name] = { uid, versions: {} };
    for (const { source, kind, told } of this.#allParts()) {
      const versions = clusters[source.name]?.versions;
      if (versions === undefined) continue;
      // A kind that is streamed may be a neighbour as well: what is told is what was told of both.
      const other = Object.hasOwn(versions, kind.name) ? versions[kind.name] : told;
      versions[kind.name] = told === undefined || other === undefined ? undefined : (compareVersions(told, other) ?? 0) < 0 ? told : other;
    }
    // Something was told of it, and no version says how much: whoever comes back with that has to start anew.
    for (const { source, kind, slots } of this.#parts) {
      const versions = clusters[source.name]?.versions;
      if (versions?.[kind.name] === undefined && slots.size > 0) delete versions?.[kind.name];
    }
    // While a change of scope is half told, no scope is what the client knows: it would have to start anew.
    const scope = this.#queue.has(this.#scopeMarker) ? halfTold : this.#toldScope;
    return encodeProgress(this.#identity, { clusters, scope, snapshot });
  }

  /** Clusters in which the viewer has something, or was told something: of others a cursor does not say that they are there. */
  #concerned(): readonly ClusterSource[] {
    const scope = this.#scope;
    if (scope === undefined) return this.#sources;
    const told = new Set(this.#parts.filter(({ slots }) => slots.size > 0).map(({ source }) => source));
    return this.#sources.filter((source) => told.has(source) || (scope.get(source.name)?.size ?? 0) > 0);
  }

  #scopeDigest(): string {
    return (this.#digest ??= this.#digestOfScope());
  }

  #digestOfScope(): string {
    if (this.#scope === undefined) return '';
    const names: string[] = [];
    for (const [cluster, found] of this.#scope) {
      for (const { name, uid } of found.values()) if (this.#selector.takesNamespace(name)) names.push(`${cluster}/${name}/${uid}`);
    }
    return digest(names.sort().join('\n'));
  }
}

function raise(part: Part, version: string): void {
  if (part.told === undefined || (compareVersions(version, part.told) ?? 1) > 0) part.told = version;
}

/** As opposed to something that no version names. True of every kind of a cluster that the cursor does not name. */
const wasToldNothing = ({ clusters }: Progress, { source, kind }: Part): boolean => {
  const versions = clusters[source.name]?.versions;
  return versions === undefined || (Object.hasOwn(versions, kind.name) && versions[kind.name] === undefined);
};

const versionIn = ({ clusters }: Progress, { source, kind }: Part): string | undefined => clusters[source.name]?.versions[kind.name];

const placeOf = ({ part, namespaceName, name }: { part: Part; namespaceName: string | undefined; name: string }): Position => ({
  value: undefined,
  namespaceName,
  name,
  kind: part.kind.name,
  clusterName: part.source.name,
});
