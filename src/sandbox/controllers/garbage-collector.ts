import { equalJson } from '../json.js';
import { findKind } from '../resources.js';
import type { ResourceName, SandboxObject, StorageEvent } from '../storage.js';
import { addPaced, isTerminating } from './pods.js';
import { keyOf, resourceOf, splitKey, type OwnerReference } from './shapes.js';
import type { Controller, Queue, World } from './work.js';

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

/**
 * Deletes what has lost its owners, and lets owners go that wait for what they own: after it (`Foreground`), before it (`Background`), or without
 * taking it along (`Orphan`).
 */
export class GarbageCollector implements Controller {
  readonly name = 'garbage collector';
  readonly #world: World;
  readonly #queue: Queue;

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
  }

  observe(event: StorageEvent): void {
    const { object, type } = event;
    const resource = resourceOf(event);
    const { index } = this.#world;
    const { uid, ownerReferences = [], finalizers = [] } = object.metadata;
    if (type === 'DELETED') {
      for (const { resource: each, object: dependent } of index.dependents(uid)) this.#add(each, dependent);
      // Who waits for it to go may now go itself.
      for (const owner of ownerReferences) this.#addOwner(owner, object);
      return;
    }
    const isWaiting = isTerminating(object) && (finalizers.includes(foreground) || finalizers.includes(orphan));
    const owners = event.previous?.metadata.ownerReferences;
    const isNew = ownerReferences.length > 0 && (owners === undefined || !equalJson(owners, ownerReferences));
    if (isWaiting || isNew) this.#add(resource, object);
  }

  #add(resource: ResourceName, { metadata }: SandboxObject): void {
    this.#queue.add(`${resource} ${keyOf(metadata)}`);
  }

  #addOwner({ apiVersion, kind, name, uid }: OwnerReference, { metadata }: SandboxObject): void {
    const type = findKind(apiVersion, kind);
    if (type === undefined) return;
    const owner = this.#world.storage.get(type.resource, type.namespaced ? metadata.namespace : undefined, name);
    if (owner?.metadata.uid !== uid || !isTerminating(owner)) return;
    addPaced(this.#queue, `${type.resource} ${keyOf(owner.metadata)}`, this.#world.index.countDependents(uid));
  }

  sync(key: string): void {
    const space = key.indexOf(' ');
    const resource = key.slice(0, space);
    const { namespace, name } = splitKey(key.slice(space + 1));
    const object = this.#world.storage.get(resource, namespace, name);
    if (object === undefined) return;
    const { finalizers = [] } = object.metadata;
    if (isTerminating(object) && finalizers.includes(orphan)) this.#release(resource, object);
    else if (isTerminating(object) && finalizers.includes(foreground)) this.#takeAlong(resource, object);
    else if (!isTerminating(object)) this.#collect(resource, object);
  }

  /** What it owned stays, and is owned by it no more. */
  #release(resource: ResourceName, owner: SandboxObject): void {
    const { storage, index } = this.#world;
    for (const { resource: each, object } of index.dependents(owner.metadata.uid)) {
      const ownerReferences = (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
      storage.update(each, withOwners(object, ownerReferences));
    }
    this.#unhold(resource, owner, orphan);
  }

  /** It goes once nothing is left that blocks it. */
  #takeAlong(resource: ResourceName, owner: SandboxObject): void {
    const { storage, index } = this.#world;
    const { uid } = owner.metadata;
    let isBlocked = false;
    for (const { resource: each, object } of index.dependents(uid)) {
      const blocks = object.metadata.ownerReferences?.some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true);
      if (blocks === true) isBlocked = true;
      if (isTerminating(object)) continue;
      const hasOwn = index.countDependents(object.metadata.uid) > 0;
      storage.delete(each, object.metadata.namespace, object.metadata.name, {
        propagationPolicy: hasOwn ? 'Foreground' : 'Background',
        preconditions: { uid: object.metadata.uid },
      });
    }
    // Some of them may have gone at once.
    const left = index
      .dependents(uid)
      .some(({ object }) => object.metadata.ownerReferences?.some((each) => each.uid === uid && each.blockOwnerDeletion === true));
    if (!isBlocked || !left) this.#unhold(resource, owner, foreground);
  }

  #unhold(resource: ResourceName, { metadata }: SandboxObject, finalizer: string): void {
    const { storage } = this.#world;
    const current = storage.get(resource, metadata.namespace, metadata.name);
    if (current === undefined || current.metadata.uid !== metadata.uid) return;
    const finalizers = (current.metadata.finalizers ?? []).filter((each) => each !== finalizer);
    storage.update(resource, { ...current, metadata: { ...current.metadata, finalizers } });
  }

  #collect(resource: ResourceName, object: SandboxObject): void {
    const { storage, index } = this.#world;
    const { ownerReferences = [], namespace, name, uid } = object.metadata;
    // An owner of a kind that this cluster does not have cannot be told to be gone.
    const isGone = (owner: OwnerReference): boolean => findKind(owner.apiVersion, owner.kind) !== undefined && !index.has(owner.uid);
    const left = ownerReferences.filter((owner) => !isGone(owner));
    if (left.length === ownerReferences.length) return;
    if (left.length > 0) storage.update(resource, withOwners(object, left));
    else storage.delete(resource, namespace, name, { propagationPolicy: 'Background', preconditions: { uid } });
  }
}

function withOwners(object: SandboxObject, ownerReferences: OwnerReference[]): SandboxObject {
  const { ownerReferences: _before, ...metadata } = object.metadata;
  return { ...object, metadata: ownerReferences.length === 0 ? metadata : { ...metadata, ownerReferences } };
}
