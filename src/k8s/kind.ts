import type { ObjectRecord, RecordSource } from './objects.js';
import type { Reader } from './reader.js';

/**
 * One kind of object that the gateway keeps: where it is served, what its record is, and how its records are found and ordered.
 * Everything here is pure. `record` never throws, whatever the object looks like.
 */
export interface Kind<R extends ObjectRecord = ObjectRecord> {
  /** Kubernetes' own name, such as `Pod`; unique among the kinds of the gateway. */
  readonly name: string;
  /** Such as `v1` or `apps/v1`. */
  readonly apiVersion: string;
  /** As in the URL, such as `pods`. */
  readonly plural: string;
  readonly namespaced: boolean;
  record(source: RecordSource): R;
  /**
   * Look-ups beside those that every kind has (key, uid, namespace, label pair, `controller` = uid of the controlling owner):
   * each gives the values under which a record is found. Values are few and short.
   */
  readonly indexes?: Readonly<Record<string, IndexValues<R>>>;
  /** What `R` shows that comes from objects of other kinds. */
  readonly neighbours?: Neighbours<R>;
}

/** Declared as a method is, so that a kind of pods is a kind of objects. */
export type IndexValues<R extends ObjectRecord> = { of(record: R): readonly string[] }['of'];

/** What a record's answer owes to objects of other kinds, so that a watch can tell when to look again. */
export interface Neighbours<R extends ObjectRecord> {
  /**
   * By kind name (`ReplicaSet`, `Job`, `RuntimeClass`, …): the records of this kind that a changed neighbour may concern, as a look-up in an index of
   * this kind. Namespaces need no entry: their objects are always looked at again.
   */
  readonly of: Readonly<
    Record<string, (neighbour: Pick<ObjectRecord, 'uid' | 'name' | 'namespaceName'>) => { readonly index: string; readonly value: string }>
  >;
  /** Everything that is derived from neighbours, as one short text; a watcher gets MODIFIED when it changes. */
  signature(record: R, reader: Reader): string;
}
