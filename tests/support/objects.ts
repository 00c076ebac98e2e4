import type { Kind } from '../../src/k8s/kind.js';
import { namespaces } from '../../src/k8s/namespaces.js';
import type { KubernetesObject, ObjectMeta, ObjectRecord } from '../../src/k8s/objects.js';
import type { UnavailableCluster } from '../../src/k8s/reader.js';
import type { Item } from '../../src/k8s/sink.js';
import type { ClusterSource, PastEvent } from '../../src/k8s/source.js';
import { Store } from '../../src/k8s/store.js';

export const projectLabel = 'openstack.org/project-id';

/** An object as a test writes it; what it leaves out is filled in. */
export type Draft = Partial<Omit<KubernetesObject, 'metadata'>> & {
  readonly metadata?: Partial<ObjectMeta>;
  readonly [field: string]: unknown;
};

/** What the kinds of tests need; `apiVersion` and `kind` are the kind's. */
export function toItem(object: KubernetesObject): Item {
  return { object, json: Buffer.from(JSON.stringify(object), 'utf8') };
}

interface Followed {
  readonly kind: Kind;
  readonly store: Store<ObjectRecord>;
  readonly objects: Map<string, KubernetesObject>;
  readonly events: { readonly version: number; readonly type: PastEvent['type']; readonly object: KubernetesObject }[];
}

/**
 * A cluster that a test changes by hand: one resourceVersion for everything, as etcd has it. Its stores learn of changes at once, or, while
 * it is paused, when it is resumed.
 */
export class MemoryCluster implements ClusterSource {
  readonly name: string;
  readonly kinds: readonly Kind[];
  uid: string | undefined;
  /** Told as `unavailable` while it is set. */
  failure: UnavailableCluster | undefined;
  /** Whether the API server still tells what happened before. */
  remembers = true;
  pastCalls = 0;
  readonly #followed: ReadonlyMap<string, Followed>;
  readonly #listeners = new Set<() => void>();
  #version = 1;
  #uids = 0;
  #clockMs = Date.parse('2026-01-01T00:00:00Z');

  constructor(name: string, kinds: readonly Kind[], options: { readonly historySize?: number; readonly isSynced?: boolean } = {}) {
    this.name = name;
    this.uid = `uid-of-${name}`;
    this.kinds = kinds.some((kind) => kind.name === namespaces.name) ? kinds : [namespaces, ...kinds];
    this.#followed = new Map(
      this.kinds.map((kind) => [
        kind.name,
        {
          kind,
          store: new Store<ObjectRecord>(kind, name, { historySize: options.historySize ?? 1_000 }),
          objects: new Map<string, KubernetesObject>(),
          events: [],
        },
      ]),
    );
    if (options.isSynced !== false) for (const kind of this.kinds) this.relist(kind);
  }

  /** A second process's view of the same API server: it lists now, and knows nothing of before. */
  replica(historySize = 1_000): MemoryCluster {
    const other = new MemoryCluster(this.name, this.kinds, { historySize, isSynced: false });
    other.uid = this.uid;
    other.#version = this.#version;
    other.#uids = this.#uids;
    other.#clockMs = this.#clockMs;
    for (const [name, mine] of this.#followed) {
      const theirs = other.#of(name);
      for (const [key, object] of mine.objects) theirs.objects.set(key, object);
      theirs.events.push(...mine.events);
      other.relist(mine.kind);
    }
    return other;
  }

  get version(): string {
    return String(this.#version);
  }

  /** Creates, or replaces what has the same name; a `uid` that is given and new makes it another object. @returns the object as stored. */
  put(kind: Kind, draft: Draft): KubernetesObject {
    const followed = this.#of(kind.name);
    const key = `${draft.metadata?.namespace ?? ''}/${draft.metadata?.name ?? ''}`;
    const before = followed.objects.get(key);
    this.#version += 1;
    this.#clockMs += 1_000;
    const isNew = before === undefined || (draft.metadata?.uid !== undefined && draft.metadata.uid !== before.metadata.uid);
    const { metadata, ...rest } = draft;
    const object: KubernetesObject = {
      apiVersion: kind.apiVersion,
      kind: kind.name,
      ...rest,
      metadata: {
        name: 'unnamed',
        ...metadata,
        uid: metadata?.uid ?? (isNew ? `${kind.name.toLowerCase()}-${(this.#uids += 1)}` : before.metadata.uid),
        creationTimestamp:
          metadata?.creationTimestamp ??
          (isNew ? new Date(this.#clockMs).toISOString().replace('.000', '') : before.metadata.creationTimestamp),
        resourceVersion: this.version,
      },
    };
    if (isNew && before !== undefined) this.#remove(followed, key, before);
    followed.objects.set(key, object);
    this.#emit(followed, isNew ? 'ADDED' : 'MODIFIED', object);
    return object;
  }

  remove(kind: Kind, namespace: string | undefined, name: string): void {
    const followed = this.#of(kind.name);
    const key = `${namespace ?? ''}/${name}`;
    const before = followed.objects.get(key);
    if (before !== undefined) this.#remove(followed, key, before);
  }

  /** Lists a kind again, as after a 410. */
  relist(kind: Kind): void {
    const { store, objects } = this.#of(kind.name);
    store.startList();
    for (const object of objects.values()) store.listed(toItem(object));
    store.endList(this.version);
  }

  /** Tells all stores how far the API server is. */
  bookmark(): void {
    for (const { store } of this.#followed.values()) store.bookmark(this.version);
  }

  store<R extends ObjectRecord>(kind: Kind<R>): Store<R> {
    return this.#of(kind.name).store as unknown as Store<R>;
  }

  unavailable(): UnavailableCluster | undefined {
    return this.failure;
  }

  onAvailability(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  past(kind: Kind, from: string, to: string): Promise<readonly PastEvent[] | undefined> {
    this.pastCalls += 1;
    if (!this.remembers) return Promise.resolve(undefined);
    return Promise.resolve(
      this.#of(kind.name)
        .events.filter(({ version }) => version > Number(from) && version <= Number(to))
        .map(({ type, object }) => ({ type, item: toItem(object) })),
    );
  }

  #remove(followed: Followed, key: string, before: KubernetesObject): void {
    this.#version += 1;
    followed.objects.delete(key);
    this.#emit(followed, 'DELETED', { ...before, metadata: { ...before.metadata, resourceVersion: this.version } });
  }

  #emit(followed: Followed, type: PastEvent['type'], object: KubernetesObject): void {
    followed.events.push({ version: this.#version, type, object });
    followed.store.event(type, toItem(object));
    for (const listener of this.#listeners) listener();
  }

  #of(name: string): Followed {
    const followed = this.#followed.get(name);
    if (followed === undefined) throw new Error(`${name} is not followed`);
    return followed;
  }
}
