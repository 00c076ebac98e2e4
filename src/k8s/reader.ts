import type { Kind } from './kind.js';
import type { LabelSelector } from './label-selector.js';
import type { NamespaceRecord } from './namespaces.js';
import type { ObjectRecord } from './objects.js';

/** Names one object. `namespace` is left out for cluster-scoped kinds. */
export interface ObjectKey {
  readonly cluster: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** What narrows a list or a watch. All that is given must hold; a name that is unknown matches nothing, without an error. */
export interface Selection<R extends ObjectRecord> {
  readonly clusters?: readonly string[] | undefined;
  /** Project ids; undefined is everything, objects of no project included. */
  readonly projects?: readonly string[] | undefined;
  readonly namespaces?: readonly string[] | undefined;
  readonly labels?: LabelSelector | undefined;
  /** Look-ups in indexes of the kind; each must hold, for one of its values. */
  readonly where?: readonly { readonly index: string; readonly values: readonly string[] }[] | undefined;
  /** What no index can tell. Pure but for look-ups in `reader`; never throws. */
  readonly filter?: ((record: R, reader: Reader) => boolean) | undefined;
  /** The query in canonical text (field, filter, order, but no paging): a cursor is only good for the query that it came from. */
  readonly identity: string;
}

export interface Order<R extends ObjectRecord> {
  /** Names the order; part of an index's name and of a cursor. */
  readonly name: string;
  /** What to order by; ties go by namespace, name, kind and cluster, in the same direction. */
  value(record: R, reader: Reader): string | number;
  readonly direction: 'ASC' | 'DESC';
  /** The value depends on other objects too: no index holds it, each page sorts anew. */
  readonly derived?: boolean;
}

export interface ListQuery<R extends ObjectRecord> extends Selection<R> {
  /** By namespace, name, kind and cluster where it is left out. */
  readonly orderBy?: Order<R> | undefined;
  /** 1 to 500. */
  readonly first: number;
  /** A cursor of the same query: the page begins behind that position, whether or not its object still exists. */
  readonly after?: string | undefined;
  /** Records to skip; not together with `after`. */
  readonly offset?: number | undefined;
}

/** A cluster whose part of an answer is missing (`staleSince` undefined) or as old as `staleSince` (RFC 3339). */
export interface UnavailableCluster {
  readonly clusterName: string;
  /** One of a few fixed sentences. */
  readonly message: string;
  readonly staleSince: string | undefined;
}

export interface Page<R extends ObjectRecord> {
  readonly items: readonly R[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** The cursor of one of `items`. */
  cursorOf(item: R): string;
  /** All that match, on every page; counted when it is first asked for. */
  totalCount(): number;
  readonly unavailableClusters: readonly UnavailableCluster[];
}

/** A value that may change while a stream lives. */
export interface Live<T> {
  current(): T;
  /** @returns what ends the notice. */
  onChange(listener: () => void): () => void;
}

export interface WatchQuery<R extends ObjectRecord> extends Omit<Selection<R>, 'projects'> {
  /**
   * As in {@link Selection}, but live; `current` may throw a GatewayError, which ends the stream with it. Left out: everything.
   */
  readonly projects?: Live<readonly string[] | undefined> | undefined;
  /** A cursor of the same query, of this process or another. */
  readonly after?: string | undefined;
}

/**
 * `ADDED`, `MODIFIED` and `DELETED` carry the record (for `DELETED` the last that was known, or a bare key after a resume).
 * `SYNCED`: everything that existed at the start, or happened since the cursor, has been sent. `RESET`: what happened since the cursor
 * cannot be told; a snapshot follows. `cursor` resumes after this change.
 */
export type Change<R extends ObjectRecord> =
  | { readonly type: 'ADDED' | 'MODIFIED'; readonly cursor: string; readonly kind: Kind<R>; readonly record: R }
  | { readonly type: 'DELETED'; readonly cursor: string; readonly kind: Kind<R>; readonly key: ObjectKey & { readonly uid: string } }
  | { readonly type: 'SYNCED'; readonly cursor: string; readonly unavailableClusters: readonly UnavailableCluster[] }
  | { readonly type: 'RESET'; readonly cursor: string };

/**
 * Reads the objects of all clusters that are watched, from memory: no call here reaches an API server but a `watch` that resumes
 * from before this process began. Records are shared and frozen. An `AuthorizedReader` is the same for what one viewer may see.
 */
export interface Reader {
  /** Undefined where there is none, or none that this reader may know of. */
  get<R extends ObjectRecord>(kind: Kind<R>, key: ObjectKey): R | undefined;
  /** The object that has this uid now, in that cluster. */
  byUid<R extends ObjectRecord>(kind: Kind<R>, cluster: string, uid: string): R | undefined;
  /** In no particular order; an index look-up. For relations and sums, not for pages. */
  related<R extends ObjectRecord>(kind: Kind<R>, cluster: string, index: string, value: string): readonly R[];
  /**
   * One page over one or more kinds and clusters, in the order of `query.orderBy`.
   * @throws GatewayError `BAD_USER_INPUT` for a cursor of another query, or one together with `offset`.
   */
  list<R extends ObjectRecord>(kinds: readonly Kind<R>[], query: ListQuery<R>): Page<R>;
  /**
   * Streams changes: one `ADDED` for each object that exists now, `SYNCED`, then what happens; after a cursor, what happened since it instead.
   * Changes of one object arrive in order; across objects there is no order but inside a snapshot, which goes by key. A consumer that falls behind
   * gets the latest state of each object, never a stale one after it. Aborting `signal` ends the stream without an error.
   * @throws GatewayError `BAD_USER_INPUT` for a cursor of another query; whatever `query.projects` throws.
   */
  watch<R extends ObjectRecord>(kinds: readonly Kind<R>[], query: WatchQuery<R>, signal: AbortSignal): AsyncIterable<Change<R>>;
  /**
   * The namespace that an object belongs to: the one of its name, unless that is younger than the object (then the name was used again).
   * The object itself where it is a namespace; undefined for what is cluster-scoped.
   */
  namespaceOf(record: ObjectRecord): NamespaceRecord | undefined;
  /** The project of `namespaceOf(record)`; undefined where it has none. */
  projectOf(record: ObjectRecord): string | undefined;
  /**
   * The namespaces of a project in all clusters, in no particular order; an index look-up. For what every member of the project may
   * know of them, their names: an `AuthorizedReader` gives them to whoever has any role in the project.
   */
  namespacesOf(project: string): readonly NamespaceRecord[];
}
