import type { ResourceName, SandboxObject, Storage, StorageEvent } from '../storage.js';
import { resourceTypes } from '../resources.js';
import { controllerOf, resourceOf, type Pod } from './shapes.js';

export interface Stored {
  readonly resource: ResourceName;
  readonly object: SandboxObject;
}

/** What the controllers look up by other things than names. It follows the storage, write by write. */
export class ObjectIndex {
  /** By the uid of the controller, then by resource, then by the object's own uid. */
  readonly #controlled = new Map<string, Map<ResourceName, Map<string, SandboxObject>>>();
  /** By the uid of any owner. */
  readonly #owned = new Map<string, Map<string, Stored>>();
  readonly #podsByNode = new Map<string, Map<string, Pod>>();
  readonly #uids = new Set<string>();
  readonly #unsubscribe: () => void;

  constructor(storage: Storage) {
    for (const { resource } of resourceTypes) for (const object of storage.list(resource)) this.#add(resource, object);
    this.#unsubscribe = storage.subscribe((event) => this.#follow(event));
  }

  /** Objects that the owner with this uid controls, in the order of their creation. */
  controlled(resource: ResourceName, uid: string): SandboxObject[] {
    return [...(this.#controlled.get(uid)?.get(resource)?.values() ?? [])];
  }

  /** How many that are. */
  countControlled(resource: ResourceName, uid: string): number {
    return this.#controlled.get(uid)?.get(resource)?.size ?? 0;
  }

  /** How many name this uid among their owners. */
  countDependents(uid: string): number {
    return this.#owned.get(uid)?.size ?? 0;
  }

  /** Everything that names this uid among its owners. */
  dependents(uid: string): Stored[] {
    return [...(this.#owned.get(uid)?.values() ?? [])];
  }

  /** Pods bound to the node, the finished ones included. */
  podsOn(node: string): Pod[] {
    return [...(this.#podsByNode.get(node)?.values() ?? [])];
  }

  has(uid: string): boolean {
    return this.#uids.has(uid);
  }

  stop(): void {
    this.#unsubscribe();
  }

  #follow(event: StorageEvent): void {
    const resource = resourceOf(event);
    if (event.type === 'DELETED') {
      this.#remove(resource, event.previous ?? event.object);
      return;
    }
    const { previous, object } = event;
    // An object keeps its place among its siblings unless its owners or its node have changed.
    if (previous !== undefined && !hasSamePlaces(previous, object)) this.#remove(resource, previous);
    this.#add(resource, object);
  }

  #add(resource: ResourceName, object: SandboxObject): void {
    const { uid, ownerReferences = [] } = object.metadata;
    this.#uids.add(uid);
    const controller = controllerOf(object)?.uid;
    if (controller !== undefined) at(at(this.#controlled, controller), resource).set(uid, object);
    for (const owner of ownerReferences) at(this.#owned, owner.uid).set(uid, { resource, object });
    const node = nodeOf(resource, object);
    if (node !== undefined) at(this.#podsByNode, node).set(uid, object as Pod);
  }

  #remove(resource: ResourceName, object: SandboxObject): void {
    const { uid, ownerReferences = [] } = object.metadata;
    this.#uids.delete(uid);
    const controller = controllerOf(object)?.uid;
    const byResource = controller === undefined ? undefined : this.#controlled.get(controller);
    if (controller !== undefined && byResource !== undefined) {
      drop(byResource, resource, uid);
      if (byResource.size === 0) this.#controlled.delete(controller);
    }
    for (const owner of ownerReferences) drop(this.#owned, owner.uid, uid);
    const node = nodeOf(resource, object);
    if (node !== undefined) drop(this.#podsByNode, node, uid);
  }
}

function hasSamePlaces(one: SandboxObject, other: SandboxObject): boolean {
  if (one.metadata.ownerReferences !== other.metadata.ownerReferences) {
    const [before, after] = [one, other].map(({ metadata }) =>
      (metadata.ownerReferences ?? []).map((owner) => `${owner.uid}${owner.controller}`).join(),
    );
    if (before !== after) return false;
  }
  return (one.spec as { nodeName?: string } | undefined)?.nodeName === (other.spec as { nodeName?: string } | undefined)?.nodeName;
}

function nodeOf(resource: ResourceName, object: SandboxObject): string | undefined {
  if (resource !== 'pods') return undefined;
  const { nodeName } = (object as Pod).spec;
  return nodeName === '' ? undefined : nodeName;
}

function at<K, V, M extends Map<V, unknown>>(map: Map<K, M>, key: K): M {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = new Map<V, unknown>() as M));
  return found;
}

function drop<K>(map: Map<K, Map<string, unknown>>, key: K, member: string): void {
  const found = map.get(key);
  found?.delete(member);
  if (found?.size === 0) map.delete(key);
}
