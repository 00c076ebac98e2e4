import { randomUUID } from 'node:crypto';
import { toInstant } from './clock.js';
import { cloneJson, equalJson, freezeJson, isObject, textOf, type JsonObject } from './json.js';
import { resourceTypes, type ResourceType } from './resources.js';
import { placeOf, SortedObjects } from './sorted-objects.js';
import { alreadyExists, badRequest, conflict, expired, forbidden, notFound, StatusError } from './status.js';
import type { DeleteOptions, ResourceName, SandboxMeta, SandboxObject, Storage, StorageEvent } from './storage.js';
import { graceOf, prepareCreate, prepareStatus, prepareUpdate } from './validation.js';

export interface MemoryStorageOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Past writes that watches and continued lists can go back to, per kind. Default 20,000. */
  maxHistory?: number;
}

export interface WriteOptions {
  /** Checks and answers as the write would, and stores nothing. Default false. */
  dryRun?: boolean;
}

/** A write that is remembered. */
export interface Revision extends StorageEvent {
  readonly resourceVersion: number;
}

export interface PageQuery {
  /** All namespaces without it. */
  namespace?: string | undefined;
  /** The state of that version; default now. */
  resourceVersion?: number | undefined;
  /** Starts behind this object. */
  after?: { namespace: string; name: string } | undefined;
  /** Default: no end. */
  limit?: number | undefined;
  /** Default: all. */
  matches?: ((object: SandboxObject) => boolean) | undefined;
}

export interface ObjectPage {
  readonly items: readonly SandboxObject[];
  readonly resourceVersion: number;
  /** How many more there are; undefined where that is not known because of `matches`. */
  readonly remaining: number | undefined;
  readonly hasMore: boolean;
}

interface Bucket {
  readonly byName: Map<string, SandboxObject>;
  readonly objects: SortedObjects;
}

/** All objects of one kind as they stood at one version. */
type Snapshot = readonly { readonly namespace: string; readonly objects: SortedObjects }[];

/** The objects of one kind, and what happened to them. */
class Collection {
  readonly #buckets = new Map<string, Bucket>();
  /** Sorted as `<namespace>/`, which is how etcd's keys sort. */
  #namespaces: string[] = [];
  #history: Revision[] = [];
  #all: readonly SandboxObject[] | undefined;
  /** States of the past that continued lists read, by version; the newest last. */
  readonly #past = new Map<number, Snapshot>();
  #oldest = 0;

  constructor(
    readonly type: ResourceType,
    readonly maxHistory: number,
  ) {}

  get(namespace: string, name: string): SandboxObject | undefined {
    return this.#buckets.get(namespace)?.byName.get(name);
  }

  list(namespace: string | undefined): readonly SandboxObject[] {
    if (namespace !== undefined) return this.#buckets.get(namespace)?.objects.toArray() ?? [];
    return (this.#all ??= this.#namespaces.flatMap((each) => this.list(each)));
  }

  count(namespace: string): number {
    return this.#buckets.get(namespace)?.byName.size ?? 0;
  }

  put(object: SandboxObject): void {
    const { namespace = '', name } = object.metadata;
    let bucket = this.#buckets.get(namespace);
    if (bucket === undefined) {
      bucket = { byName: new Map(), objects: new SortedObjects() };
      this.#buckets.set(namespace, bucket);
      this.#namespaces.splice(placeOf(this.#namespaces, `${namespace}/`, withSlash), 0, namespace);
    }
    bucket.byName.set(name, object);
    bucket.objects.put(object);
    this.#all = undefined;
  }

  remove(object: SandboxObject): void {
    const { namespace = '', name } = object.metadata;
    const bucket = this.#buckets.get(namespace);
    if (bucket?.byName.delete(name) !== true) return;
    bucket.objects.remove(name);
    if (bucket.objects.size === 0) {
      this.#buckets.delete(namespace);
      this.#namespaces.splice(placeOf(this.#namespaces, `${namespace}/`, withSlash), 1);
    }
    this.#all = undefined;
  }

  remember(revision: Revision): void {
    this.#history.push(revision);
    // Not at every write: cutting an array costs its length.
    if (this.#history.length >= this.maxHistory * 1.25)
      this.forget(this.#history[this.#history.length - this.maxHistory - 1]?.resourceVersion ?? 0);
  }

  /** Forgets all up to that version, it included. */
  forget(resourceVersion: number): void {
    this.#oldest = Math.max(this.#oldest, resourceVersion);
    this.#history = this.#after(this.#oldest);
    for (const version of this.#past.keys()) if (version < this.#oldest) this.#past.delete(version);
  }

  /** @throws StatusError 410 where it reaches behind what is remembered. */
  since(resourceVersion: number): readonly Revision[] {
    if (resourceVersion < this.#oldest) throw expired(`too old resource version: ${resourceVersion} (${this.#oldest})`);
    return this.#after(resourceVersion);
  }

  /** @throws StatusError 410 where that state is forgotten. */
  snapshot(resourceVersion: number): Snapshot {
    const changed = this.since(resourceVersion);
    if (changed.length === 0) return this.#namespaces.map((namespace) => ({ namespace, objects: this.#objects(namespace) }));
    let past = this.#past.get(resourceVersion);
    if (past === undefined) {
      past = this.#undo(changed);
      this.#past.set(resourceVersion, past);
      const [eldest] = this.#past.keys();
      if (this.#past.size > 16 && eldest !== undefined) this.#past.delete(eldest);
    }
    return past;
  }

  #undo(changed: readonly Revision[]): Snapshot {
    const forks = new Map<string, SortedObjects>();
    for (const revision of changed.toReversed()) {
      const { namespace = '', name } = revision.object.metadata;
      let fork = forks.get(namespace);
      if (fork === undefined) forks.set(namespace, (fork = this.#objects(namespace).fork()));
      if (revision.previous === undefined) fork.remove(name);
      else fork.put(revision.previous);
    }
    const namespaces = [...new Set([...this.#namespaces, ...forks.keys()])].sort((a, b) => (withSlash(a) < withSlash(b) ? -1 : 1));
    return namespaces.map((namespace) => ({ namespace, objects: forks.get(namespace) ?? this.#objects(namespace).fork() }));
  }

  #objects(namespace: string): SortedObjects {
    return this.#buckets.get(namespace)?.objects ?? new SortedObjects();
  }

  #after(resourceVersion: number): Revision[] {
    return this.#history.slice(placeOf(this.#history, resourceVersion + 1, (revision) => revision.resourceVersion));
  }
}

function withSlash(namespace: string): string {
  return `${namespace}/`;
}

const randomLetters = 'bcdfghjklmnpqrstvwxz2456789';

function randomSuffix(): string {
  let suffix = '';
  for (let index = 0; index < 5; index++) suffix += randomLetters[Math.floor(Math.random() * randomLetters.length)];
  return suffix;
}

/** Objects in memory, their versions, and the writes of the recent past. Nothing survives the process. */
export class MemoryStorage implements Storage {
  readonly #collections = new Map<ResourceName, Collection>();
  readonly #listeners = new Set<(event: StorageEvent) => void>();
  readonly #now: () => number;
  readonly #untold: Revision[] = [];
  #isTelling = false;
  #resourceVersion = 0;

  constructor({ now, maxHistory = 20_000 }: MemoryStorageOptions) {
    this.#now = now;
    for (const type of resourceTypes) this.#collections.set(type.resource, new Collection(type, maxHistory));
    for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) this.create('namespaces', { metadata: { name } });
  }

  get resourceVersion(): number {
    return this.#resourceVersion;
  }

  get(resource: ResourceName, namespace: string | undefined, name: string): SandboxObject | undefined {
    return this.#collection(resource).get(namespace ?? '', name);
  }

  /** By namespace, then name. */
  list(resource: ResourceName, namespace?: string): readonly SandboxObject[] {
    return this.#collection(resource).list(namespace);
  }

  /**
   * Part of a list, in the order of `list`, as it stood at one version.
   *
   * @throws StatusError 410 Expired where that version is forgotten.
   */
  page(
    resource: ResourceName,
    { namespace, resourceVersion = this.#resourceVersion, after, limit = Infinity, matches }: PageQuery,
  ): ObjectPage {
    const items: SandboxObject[] = [];
    let remaining = 0;
    let hasMore = false;
    for (const { namespace: home, objects } of this.#collection(resource).snapshot(resourceVersion)) {
      if (namespace !== undefined && home !== namespace) continue;
      if (after !== undefined && withSlash(home) < withSlash(after.namespace)) continue;
      const start = after?.namespace === home ? objects.countUpTo(after.name) : 0;
      let passed = start;
      if (!hasMore) {
        for (const object of objects.from(start)) {
          const isWanted = matches?.(object) !== false;
          hasMore = isWanted && items.length >= limit;
          if (hasMore) break;
          if (isWanted) items.push(object);
          passed++;
        }
      }
      remaining += objects.size - passed;
      if (hasMore && matches !== undefined) break;
    }
    return { items, resourceVersion, remaining: matches === undefined ? remaining : undefined, hasMore };
  }

  /**
   * Writes of one kind after that version, the oldest first.
   *
   * @throws StatusError 410 Expired where they are not all remembered.
   */
  since(resource: ResourceName, resourceVersion: number): readonly Revision[] {
    return this.#collection(resource).since(resourceVersion);
  }

  /** Forgets the past, as etcd's compaction does: watches and continued lists from before end with 410. */
  compact(): void {
    for (const collection of this.#collections.values()) collection.forget(this.#resourceVersion);
  }

  create(resource: ResourceName, object: Record<string, unknown>, { dryRun = false }: WriteOptions = {}): SandboxObject {
    const collection = this.#collection(resource);
    const { type } = collection;
    const draft = cloneJson(object) as JsonObject;
    const given = isObject(draft.metadata) ? draft.metadata : {};
    if (given.resourceVersion !== undefined && given.resourceVersion !== '' && given.resourceVersion !== '0')
      throw new StatusError(500, 'InternalError', 'resourceVersion should not be set on objects to be created');
    const name = this.#nameFor(collection, given);
    const namespace = type.namespaced ? textOf(given.namespace) : '';
    const next: SandboxObject = {
      ...draft,
      apiVersion: type.apiVersion,
      kind: type.kind,
      metadata: {
        ...(given as Partial<SandboxMeta>),
        name,
        uid: randomUUID(),
        resourceVersion: '',
        creationTimestamp: this.#instant(),
      },
    };
    if (!type.namespaced) delete next.metadata.namespace;
    delete next.metadata.deletionTimestamp;
    delete next.metadata.deletionGracePeriodSeconds;
    delete next.metadata.generation;
    if (type.counted) next.metadata.generation = 1;
    if (type.namespaced) this.#admitInto(type, namespace, name);
    prepareCreate(type, next, { get: (...key) => this.get(...key) });
    if (collection.get(namespace, name) !== undefined) throw alreadyExists(type, name);
    if (dryRun) return next;
    const created = this.#write(collection, 'ADDED', next, undefined);
    if (resource === 'namespaces') this.create('serviceaccounts', { metadata: { name: 'default', namespace: name } });
    return created;
  }

  update(resource: ResourceName, object: SandboxObject, subresource?: 'status', { dryRun = false }: WriteOptions = {}): SandboxObject {
    const collection = this.#collection(resource);
    const { type } = collection;
    const given = object.metadata;
    const current = collection.get(given.namespace ?? '', given.name);
    if (current === undefined) throw notFound(type, given.name);
    if (given.uid !== undefined && given.uid !== '' && given.uid !== current.metadata.uid)
      throw conflict(
        type,
        given.name,
        `Precondition failed: UID in precondition: ${given.uid}, UID in object meta: ${current.metadata.uid}`,
      );
    if (given.resourceVersion !== undefined && given.resourceVersion !== '' && given.resourceVersion !== current.metadata.resourceVersion)
      throw conflict(type, given.name, 'the object has been modified; please apply your changes to the latest version and try again');
    const next = subresource === 'status' ? this.#withStatus(type, object, current) : this.#withSpec(type, object, current);
    if (isDone(next)) {
      if (!dryRun) this.#remove(collection, next);
      return next;
    }
    if (equalJson(next, current)) return current;
    if (dryRun) return next;
    const updated = this.#write(collection, 'MODIFIED', next, current);
    if (resource === 'namespaces') this.#endNamespace(given.name);
    return updated;
  }

  bind(namespace: string | undefined, name: string, node: string, { dryRun = false }: WriteOptions = {}): SandboxObject {
    const collection = this.#collection('pods');
    const pod = collection.get(namespace ?? '', name);
    if (pod === undefined) throw notFound(collection.type, name);
    if (pod.metadata.deletionTimestamp !== undefined)
      throw conflict(collection.type, name, `pod ${name} is being deleted, cannot be assigned to a host`);
    const { nodeName = '', schedulingGates } = pod.spec as { nodeName?: string; schedulingGates?: unknown[] };
    if (nodeName !== '') throw conflict(collection.type, name, `pod ${name} is already assigned to node "${nodeName}"`);
    if (schedulingGates !== undefined && schedulingGates.length > 0)
      throw conflict(collection.type, name, `pod ${name} has non-empty .spec.schedulingGates`);
    const status = pod.status as { conditions?: { type: string }[] } | undefined;
    const scheduled = {
      type: 'PodScheduled',
      observedGeneration: pod.metadata.generation,
      status: 'True',
      lastProbeTime: null,
      lastTransitionTime: this.#instant(),
    };
    const conditions = [...(status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled'), scheduled];
    const next: SandboxObject = { ...pod, spec: { ...pod.spec, nodeName: node }, status: { ...status, conditions } };
    return dryRun ? next : this.#write(collection, 'MODIFIED', next, pod);
  }

  delete(
    resource: ResourceName,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
    { dryRun = false }: WriteOptions = {},
  ): SandboxObject | undefined {
    const collection = this.#collection(resource);
    const { type } = collection;
    const current = collection.get(namespace ?? '', name);
    if (current === undefined) return undefined;
    const { uid, resourceVersion } = options.preconditions ?? {};
    const { metadata } = current;
    if (uid !== undefined && uid !== metadata.uid)
      throw conflict(type, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`);
    if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
      throw conflict(
        type,
        name,
        `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
      );
    if (type.resource === 'namespaces') return this.#deleteNamespace(collection, current, dryRun);

    const finalizers = finalizersFor(metadata.finalizers ?? [], options.propagationPolicy);
    const graceSeconds = graceOf(type, current, options.gracePeriodSeconds);
    const isMarked = metadata.deletionTimestamp !== undefined;
    if (graceSeconds === 0 && finalizers.length === 0) {
      const last = {
        ...current,
        metadata: { ...metadata, deletionTimestamp: metadata.deletionTimestamp ?? this.#instant(), deletionGracePeriodSeconds: 0 },
      };
      if (type.resource !== 'pods' && !isMarked) return dryRun ? current : this.#remove(collection, current);
      return dryRun ? last : this.#remove(collection, last);
    }
    // A second request may only shorten the wait.
    const isLater = isMarked && graceSeconds >= (metadata.deletionGracePeriodSeconds ?? 0);
    if (isLater && equalJson(finalizers, metadata.finalizers ?? [])) return current;
    const seconds = isLater ? (metadata.deletionGracePeriodSeconds ?? 0) : graceSeconds;
    const next: SandboxObject = {
      ...current,
      metadata: {
        ...metadata,
        ...(finalizers.length === 0 ? {} : { finalizers }),
        deletionGracePeriodSeconds: seconds,
        deletionTimestamp: isLater ? (metadata.deletionTimestamp ?? this.#instant()) : this.#instant(seconds),
        ...(metadata.generation === undefined || isMarked ? {} : { generation: metadata.generation + 1 }),
      },
    };
    return dryRun ? next : this.#write(collection, 'MODIFIED', next, current);
  }

  subscribe(listener: (event: StorageEvent) => void): () => void {
    // Wrapped, so that one function that subscribes twice is told twice.
    const each = (event: StorageEvent): void => listener(event);
    this.#listeners.add(each);
    return () => void this.#listeners.delete(each);
  }

  #collection(resource: ResourceName): Collection {
    const collection = this.#collections.get(resource);
    if (collection === undefined) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource');
    return collection;
  }

  #instant(afterSeconds = 0): string {
    return toInstant(this.#now() + afterSeconds * 1000);
  }

  #nameFor(collection: Collection, { name, generateName, namespace }: JsonObject): string {
    if (name !== undefined && name !== '') return textOf(name);
    if (typeof generateName !== 'string' || generateName === '') return '';
    const base = generateName.slice(0, 58);
    for (let attempt = 0; attempt < 8; attempt++) {
      const generated = base + randomSuffix();
      if (collection.get(collection.type.namespaced ? textOf(namespace) : '', generated) === undefined) return generated;
    }
    throw alreadyExists(collection.type, base);
  }

  #admitInto(type: ResourceType, namespace: string, name: string): void {
    if (namespace === '') throw badRequest('an empty namespace may not be set during creation');
    const home = this.get('namespaces', undefined, namespace);
    if (home === undefined) throw notFound({ group: '', plural: 'namespaces' }, namespace);
    if (home.metadata.deletionTimestamp === undefined) return;
    throw forbidden(type, name, `unable to create new content in namespace ${namespace} because it is being terminated`, [
      { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
    ]);
  }

  #withStatus(type: ResourceType, object: SandboxObject, current: SandboxObject): SandboxObject {
    const { annotations: _before, ...metadata } = current.metadata;
    const { annotations } = object.metadata;
    const next: SandboxObject = {
      ...current,
      metadata: annotations === undefined ? metadata : { ...metadata, annotations: cloneJson(annotations) },
      status: cloneJson(object.status as unknown),
    };
    if (object.status === undefined) delete next.status;
    prepareStatus(type, next);
    return next;
  }

  #withSpec(type: ResourceType, object: SandboxObject, current: SandboxObject): SandboxObject {
    const next = cloneJson(object);
    const kept = current.metadata;
    next.apiVersion = current.apiVersion;
    next.kind = current.kind;
    next.metadata = { ...next.metadata, uid: kept.uid, resourceVersion: kept.resourceVersion, creationTimestamp: kept.creationTimestamp };
    if (!type.namespaced) delete next.metadata.namespace;
    for (const key of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'generateName'] as const) {
      delete next.metadata[key];
      if (kept[key] !== undefined) Object.assign(next.metadata, { [key]: kept[key] });
    }
    if (type.subresources.includes('status')) {
      delete next.status;
      if (current.status !== undefined) next.status = current.status as unknown;
    }
    prepareUpdate(type, next, current);
    const isNewDeployment = type.kind === 'Deployment' && !equalJson(next.metadata.annotations ?? {}, kept.annotations ?? {});
    if (type.counted && (isNewDeployment || !equalJson(next.spec, current.spec))) next.metadata.generation = (kept.generation ?? 0) + 1;
    return next;
  }

  #deleteNamespace(collection: Collection, current: SandboxObject, dryRun: boolean): SandboxObject {
    const { name } = current.metadata;
    if (name === 'default' || name === 'kube-system' || name === 'kube-public')
      throw forbidden(collection.type, name, 'this namespace may not be deleted');
    if (current.metadata.deletionTimestamp !== undefined) return current;
    const next: SandboxObject = {
      ...current,
      metadata: { ...current.metadata, deletionTimestamp: this.#instant() },
      status: { ...(current.status as JsonObject | undefined), phase: 'Terminating' },
    };
    if (dryRun) return next;
    const marked = this.#write(collection, 'MODIFIED', next, current);
    setImmediate(() => this.#empty(name, next.metadata.uid));
    return marked;
  }

  /** Deletes what a terminating namespace holds, a slice at a time; what has finalizers or is running ends in its own time. */
  #empty(namespace: string, uid: string): void {
    if (this.get('namespaces', undefined, namespace)?.metadata.uid !== uid) return;
    let slice = 200;
    for (const [resource, collection] of this.#collections) {
      if (!collection.type.namespaced) continue;
      for (const object of collection.list(namespace)) {
        if (object.metadata.deletionTimestamp !== undefined) continue;
        if (slice-- === 0) {
          setImmediate(() => this.#empty(namespace, uid));
          return;
        }
        this.delete(resource, namespace, object.metadata.name, { propagationPolicy: 'Background' });
      }
    }
    this.#endNamespace(namespace);
  }

  /** Removes a terminating namespace once nothing is left in it. */
  #endNamespace(namespace: string): void {
    const collection = this.#collection('namespaces');
    const home = collection.get('', namespace);
    if (home?.metadata.deletionTimestamp === undefined || (home.metadata.finalizers ?? []).length > 0) return;
    for (const each of this.#collections.values()) if (each.type.namespaced && each.count(namespace) > 0) return;
    this.#remove(collection, home);
  }

  #write(collection: Collection, type: 'ADDED' | 'MODIFIED', next: SandboxObject, previous: SandboxObject | undefined): SandboxObject {
    const resourceVersion = ++this.#resourceVersion;
    const object = freezeJson({ ...next, metadata: { ...next.metadata, resourceVersion: String(resourceVersion) } });
    collection.put(object);
    this.#tell(collection, { type, resource: collection.type.plural, group: collection.type.group, object, previous, resourceVersion });
    return object;
  }

  #remove(collection: Collection, last: SandboxObject): SandboxObject {
    const resourceVersion = ++this.#resourceVersion;
    const object = freezeJson({ ...last, metadata: { ...last.metadata, resourceVersion: String(resourceVersion) } });
    const { namespace = '', name } = object.metadata;
    const previous = collection.get(namespace, name);
    collection.remove(object);
    this.#tell(collection, {
      type: 'DELETED',
      resource: collection.type.plural,
      group: collection.type.group,
      object,
      previous,
      resourceVersion,
    });
    if (collection.type.namespaced) this.#endNamespace(namespace);
    return object;
  }

  /** Listeners may write; what they write is told after what they were told, so that all see one order. */
  #tell(collection: Collection, revision: Revision): void {
    collection.remember(revision);
    this.#untold.push(revision);
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
        for (const listener of this.#listeners) {
          try {
            listener(next);
          } catch (error) {
            // One listener's bug must not hide a write from the others, nor fail the writer.
            queueMicrotask(() => {
              throw error;
            });
          }
        }
      }
    } finally {
      this.#isTelling = false;
    }
  }
}

/** Whether nothing holds an object back that was asked to go. */
function isDone({ metadata }: SandboxObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0 && metadata.deletionGracePeriodSeconds === 0;
}

function finalizersFor(finalizers: readonly string[], policy: DeleteOptions['propagationPolicy']): string[] {
  const wanted = policy === 'Foreground' ? 'foregroundDeletion' : policy === 'Orphan' ? 'orphan' : undefined;
  const own = finalizers.filter((each) => policy === undefined || (each !== 'foregroundDeletion' && each !== 'orphan'));
  return wanted === undefined ? own : [...own, wanted];
}
