import type { Kind } from './kind.js';
import type { ObjectRecord } from './objects.js';
import { OrderedIndex } from './ordered-index.js';
import { compareVersions } from './resource-version.js';
import type { Item, Sink } from './sink.js';

/** What happened to one object. */
export interface StoreChange<R extends ObjectRecord = ObjectRecord> {
  /** As it is now; undefined where it is gone. */
  readonly record: R | undefined;
  /** As it was before; undefined where it was not there. */
  readonly previous: R | undefined;
  /** Whoever was told this change and all before it knows the state at this version; undefined in the middle of a list. */
  readonly version: string | undefined;
}

/** A change that is over: what is needed to tell it to somebody who resumes. */
export interface PastChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly namespaceName: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly createdAt: string;
}

/** A change and the version that it made. */
export interface RingEntry extends PastChange {
  readonly version: string;
}

/** A list that is under way. */
interface Listing {
  /** Uids that it has told. */
  readonly seen: Set<string>;
  /** By uid, what it and the lists before it that were abandoned have changed since the last whole one; undefined before the first. */
  readonly changes: Map<string, PastChange> | undefined;
}

/** The place of one object; its record changes, the place stays as long as the uid does. */
interface Place<R extends ObjectRecord> {
  record: R;
}

/** The objects of one kind in one cluster, and what happened to them lately. Everything is synchronous. */
export class Store<R extends ObjectRecord> implements Sink {
  readonly kind: Kind<R>;
  readonly clusterName: string;
  readonly #historySize: number;
  readonly #places = new Map<string, Place<R>>();
  readonly #byUid = new Map<string, Place<R>>();
  readonly #indexes = new Map<string, Map<string, Set<Place<R>>>>();
  readonly #ordered = new Map<string, OrderedIndex<R>>();
  readonly #listeners = new Set<(change: StoreChange<R>) => void>();
  readonly #deletedAt = new Map<string, string>();
  #history: RingEntry[] = [];
  /** `#history` tells everything after this version. */
  #historyFrom: string | undefined;
  #listing: Listing | undefined;
  #resourceVersion: string | undefined;
  #revision = 0;

  constructor(kind: Kind<R>, clusterName: string, options: { readonly historySize: number }) {
    this.kind = kind;
    this.clusterName = clusterName;
    this.#historySize = options.historySize;
    for (const name of ['namespace', 'label', 'controller', ...Object.keys(kind.indexes ?? {})]) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#places.size;
  }
  /** A list was whole once. */
  get synced(): boolean {
    return this.#resourceVersion !== undefined;
  }
  /** The version up to which everything is known; undefined until {@link synced}. */
  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }
  /** {@link since} tells everything after this version; undefined until {@link synced}. */
  get historyFrom(): string | undefined {
    return this.#historyFrom;
  }
  /** Counts the changes of records. */
  get revision(): number {
    return this.#revision;
  }

  get(namespace: string | undefined, name: string): R | undefined {
    return this.#places.get(keyOf(namespace, name))?.record;
  }

  byUid(uid: string): R | undefined {
    return this.#byUid.get(uid)?.record;
  }

  *all(): Generator<R, void, undefined> {
    for (const place of this.#places.values()) yield place.record;
  }

  /** @throws Error for an index that the kind does not have. */
  count(index: string, value: string): number {
    return this.#bucket(index, value)?.size ?? 0;
  }

  /** In no particular order. @throws Error for an index that the kind does not have. */
  lookUp(index: string, value: string): R[] {
    const found: R[] = [];
    const bucket = this.#bucket(index, value);
    if (bucket !== undefined) for (const place of bucket) found.push(place.record);
    return found;
  }

  /** All records in an order, which is kept from the first time on. @param compare The same for the same name; depends on nothing but the records. */
  ordered(name: string, compare: (one: R, other: R) => number): OrderedIndex<R> {
    let kept = this.#ordered.get(name);
    if (kept === undefined) {
      kept = new OrderedIndex(compare, this.all());
      this.#ordered.set(name, kept);
    }
    return kept;
  }

  /** Called after each change. @returns what ends the notice. */
  onChange(listener: (change: StoreChange<R>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * What happened after `version`, oldest first, up to what the records are now: behind the history comes what a list that is not whole yet has told.
   * Undefined where that is no longer, or not yet, known.
   */
  since(version: string): readonly PastChange[] | undefined {
    if (this.#historyFrom === undefined || this.#resourceVersion === undefined) return undefined;
    if (isNewer(this.#historyFrom, version) || isNewer(version, this.#resourceVersion)) return undefined;
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isNewer(this.#history[middle]?.version ?? version, version)) high = middle;
      else low = middle + 1;
    }
    return [...this.#history.slice(low), ...(this.#listing?.changes?.values() ?? [])];
  }

  /**
   * Puts in front of the history what happened after `from` until `to`, which is where it began when that was asked for, oldest first. It goes as any
   * history does, when there is too much.
   * @returns false where that is more than is kept at all.
   */
  recall(from: string, to: string, changes: readonly RingEntry[]): boolean {
    if (this.#history.length + changes.length > 2 * this.#historySize + maxRecalled) return false;
    // Else it has gone on meanwhile, and the two do not meet.
    if (this.#historyFrom === to) {
      this.#history = [...changes, ...this.#history];
      this.#historyFrom = from;
    }
    return true;
  }

  startList(): void {
    // What a list that was abandoned has changed is in the records: it belongs to the history all the same.
    this.#listing = { seen: new Set(), changes: this.synced ? (this.#listing?.changes ?? new Map<string, PastChange>()) : undefined };
  }

  listed(item: Item): void {
    this.#listing?.seen.add(item.object.metadata.uid);
    const now = this.#record(item);
    const before = this.#places.get(keyOf(now.namespaceName, now.name))?.record;
    if (before?.uid === now.uid && before.resourceVersion === now.resourceVersion) return;
    this.#replace(before, now, undefined);
  }

  endList(resourceVersion: string): void {
    const listing = this.#listing;
    const before = this.#resourceVersion;
    for (const { record } of this.#places.values()) if (listing?.seen.has(record.uid) !== true) this.#remove(record, undefined);
    this.#listing = undefined;
    this.#resourceVersion = resourceVersion;
    // What was before the first list, or in another timeline (a restored etcd), nobody can be told.
    if (before === undefined || isNewer(before, resourceVersion)) {
      this.#history = [];
      this.#historyFrom = resourceVersion;
      this.#deletedAt.clear();
    } else {
      for (const change of listing?.changes?.values() ?? []) this.#remember(change, resourceVersion);
    }
    this.#tell({ record: undefined, previous: undefined, version: resourceVersion });
  }

  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', item: Item): void {
    const { metadata } = item.object;
    const { resourceVersion, uid } = metadata;
    const before = this.#places.get(keyOf(metadata.namespace, metadata.name))?.record;
    const isSame = before?.resourceVersion === resourceVersion;
    if (before !== undefined && (isSame ? type !== 'DELETED' : !isNewer(resourceVersion, before.resourceVersion))) return;
    if (type === 'DELETED') {
      if (before?.uid === uid) this.#remove(before, resourceVersion);
      this.#bury(uid, resourceVersion);
    } else {
      const buried = this.#deletedAt.get(uid);
      if (buried !== undefined && !isNewer(resourceVersion, buried)) return;
      this.#replace(before, this.#record(item), resourceVersion);
    }
    this.#reach(resourceVersion);
  }

  bookmark(resourceVersion: string): void {
    this.#reach(resourceVersion);
  }

  #reach(resourceVersion: string): void {
    if (this.#resourceVersion !== undefined && isNewer(resourceVersion, this.#resourceVersion)) this.#resourceVersion = resourceVersion;
  }

  #record({ object, json }: Item): R {
    return this.kind.record({ clusterName: this.clusterName, object, json });
  }

  #bury(uid: string, version: string): void {
    this.#deletedAt.set(uid, version);
    // Events that come out of order do so by moments: the last few deletions are enough.
    if (this.#deletedAt.size > 1_000) {
      const [oldest] = this.#deletedAt.keys();
      if (oldest !== undefined) this.#deletedAt.delete(oldest);
    }
  }

  /** @param version Undefined where a list tells it. */
  #replace(before: R | undefined, now: R, version: string | undefined): void {
    // A name that was used again is another object: the end of the old one was missed. It is not all that there is to tell at this version.
    if (before !== undefined && before.uid !== now.uid) {
      this.#remove(before, version, false);
      before = undefined;
    }
    const key = keyOf(now.namespaceName, now.name);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = { record: now };
      this.#places.set(key, place);
      this.#byUid.set(now.uid, place);
    }
    place.record = now;
    for (const [name, values] of this.#indexes)
      this.#reindex(values, place, before && this.#valuesOf(name, before), this.#valuesOf(name, now));
    for (const index of this.#ordered.values()) {
      if (before !== undefined) index.remove(before);
      index.insert(now);
    }
    this.#revision += 1;
    this.#note(past(before === undefined ? 'ADDED' : 'MODIFIED', now), version);
    this.#tell({ record: now, previous: before, version });
  }

  #remove(record: R, version: string | undefined, isAll = true): void {
    const key = keyOf(record.namespaceName, record.name);
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#byUid.delete(record.uid);
    for (const [name, values] of this.#indexes) this.#reindex(values, place, this.#valuesOf(name, record), none);
    for (const index of this.#ordered.values()) index.remove(record);
    this.#revision += 1;
    this.#note(past('DELETED', record), version);
    this.#tell({ record: undefined, previous: record, version: isAll ? version : undefined });
  }

  /** What a list changes has no version before the list has one. */
  #note(change: PastChange, version: string | undefined): void {
    if (version !== undefined) {
      this.#remember(change, version);
      return;
    }
    const changes = this.#listing?.changes;
    const isNew = change.type === 'MODIFIED' && changes?.get(change.uid)?.type === 'ADDED';
    changes?.set(change.uid, isNew ? { ...change, type: 'ADDED' } : change);
  }

  #remember(change: PastChange, version: string): void {
    if (this.#historyFrom === undefined) return;
    this.#history.push({ ...change, version });
    // In halves, so that it costs nothing per change.
    if (this.#history.length > 2 * this.#historySize) {
      const dropped = this.#history.splice(0, this.#history.length - this.#historySize);
      this.#historyFrom = dropped.at(-1)?.version ?? this.#historyFrom;
    }
  }

  #tell(change: StoreChange<R>): void {
    for (const listener of this.#listeners) listener(change);
  }

  #bucket(index: string, value: string): Set<Place<R>> | undefined {
    const values = this.#indexes.get(index);
    if (values === undefined) throw new Error(`${this.kind.name} has no index ${index}`);
    return values.get(value);
  }

  #valuesOf(index: string, record: R): readonly string[] {
    return indexValues(this.kind, index, record);
  }

  #reindex(values: Map<string, Set<Place<R>>>, place: Place<R>, before: readonly string[] = none, now: readonly string[]): void {
    if (before.length === now.length && before.every((value, at) => value === now[at])) return;
    for (const value of before) {
      const bucket = values.get(value);
      bucket?.delete(place);
      if (bucket?.size === 0) values.delete(value);
    }
    for (const value of now) {
      const bucket = values.get(value);
      if (bucket === undefined) values.set(value, new Set([place]));
      else bucket.add(place);
    }
  }
}

/** What is kept of histories from before this process, beyond the size of a history: as many as one cluster's answer may have. */
const maxRecalled = 10_000;

const none: readonly string[] = Object.freeze([]);

/** The values under which an index of a kind finds a record. */
export function indexValues<R extends ObjectRecord>(kind: Kind<R>, index: string, record: R): readonly string[] {
  switch (index) {
    case 'namespace':
      return record.namespaceName === undefined ? none : [record.namespaceName];
    case 'label':
      return Object.entries(record.labelMap).map(([key, value]) => labelPair(key, value));
    case 'controller':
      return record.controllerUid === undefined ? none : [record.controllerUid];
    default:
      return kind.indexes?.[index]?.(record) ?? none;
  }
}

/** Value of the index `label`. */
export const labelPair = (key: string, value: string): string => `${key}=${value}`;

const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}\0${name}`;

/** Of versions that cannot be compared, the one that came later is newer. */
function isNewer(one: string, other: string): boolean {
  return (compareVersions(one, other) ?? 1) > 0;
}

function past(type: PastChange['type'], { namespaceName, name, uid, createdAt }: ObjectRecord): PastChange {
  return { type, namespaceName, name, uid, createdAt };
}
