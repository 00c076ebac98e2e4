import type { KubernetesObject } from './objects.js';

/** One object of a list or a watch: parsed, stripped, and its stripped JSON. */
export interface Item {
  readonly object: KubernetesObject;
  readonly json: Uint8Array;
}

/**
 * What a reflector feeds: one kind of one cluster. Every call is synchronous and in the order of what happened; the reflector yields
 * between them. A list may be abandoned half-way (`startList` again), and may tell
 * an object twice: until `endList` nothing that was there before is gone.
 */
export interface Sink {
  startList(): void;
  listed(item: Item): void;
  /** The list is whole, and this is the state at `resourceVersion`: what was not listed is gone. `resourceVersion` may be lower than before (a restored etcd). */
  endList(resourceVersion: string): void;
  /** A watch event. One that is not newer than what the sink has of that object is ignored. */
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', item: Item): void;
  /** Everything up to here has been told. */
  bookmark(resourceVersion: string): void;
}
