import type { Kind } from './kind.js';
import type { ObjectRecord } from './objects.js';
import type { UnavailableCluster } from './reader.js';
import type { Item } from './sink.js';
import type { Store } from './store.js';

/** An event of a watch, as the API server told it. */
export interface PastEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly item: Item;
}

/** One cluster as the reader sees it. */
export interface ClusterSource {
  readonly name: string;
  /** The cluster's own uid (kube-system's); undefined until it has been reached. */
  readonly uid: string | undefined;
  /** What the cluster watches. */
  readonly kinds: readonly Kind[];
  /** The store of a kind that the cluster watches. @throws Error for one that it does not. */
  store<R extends ObjectRecord>(kind: Kind<R>): Store<R>;
  /** Undefined while all these kinds are synced and current. */
  unavailable(kinds: readonly Kind[]): UnavailableCluster | undefined;
  /** Called when `unavailable` or `uid` may answer otherwise. @returns what ends the notice. */
  onAvailability(listener: () => void): () => void;
  /**
   * Asks the API server what happened to a kind after `from` (exclusive) until `to` (inclusive), in order: for who resumes from before this process began.
   * Undefined where that cannot be told for certain (410, unreachable, or no proof within 3 s that all of it was told), or once `signal` is aborted.
   */
  past(kind: Kind, from: string, to: string, signal: AbortSignal): Promise<readonly PastEvent[] | undefined>;
}
