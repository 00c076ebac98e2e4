import { GatewayError } from '../errors.js';
import { decodePosition, digest, encodePosition, positionOf, type Position } from './cursor.js';
import type { Kind } from './kind.js';
import { namespaces, type NamespaceRecord } from './namespaces.js';
import type { ObjectRecord } from './objects.js';
import { Pasts } from './pasts.js';
import type { Change, ListQuery, ObjectKey, Order, Page, Reader, UnavailableCluster, WatchQuery } from './reader.js';
import { compareKeys, comparePosition, compareValues, isWithin, Selector, type ScopedNamespaces } from './selection.js';
import type { ClusterSource } from './source.js';
import { labelPair, type Store } from './store.js';
import { watchStores, type LiveScope } from './watch.js';

/** Candidates that are fewer than this are gathered and sorted for one page; more are walked in an order that is kept. */
const maxSorted = 2_000;

/** Reads from the stores of all clusters. */
export class StoreReader implements Reader {
  readonly #sources: readonly ClusterSource[];
  readonly #byName: ReadonlyMap<string, ClusterSource>;
  readonly #projectLabel: string;
  readonly pasts = new Pasts();

  constructor(sources: readonly ClusterSource[], options: { readonly projectLabel: string }) {
    this.#sources = sources;
    this.#byName = new Map(sources.map((source) => [source.name, source]));
    this.#projectLabel = options.projectLabel;
  }

  get<R extends ObjectRecord>(kind: Kind<R>, { cluster, namespace, name }: ObjectKey): R | undefined {
    return this.#byName.get(cluster)?.store(kind).get(namespace, name);
  }

  byUid<R extends ObjectRecord>(kind: Kind<R>, cluster: string, uid: string): R | undefined {
    return this.#byName.get(cluster)?.store(kind).byUid(uid);
  }

  related<R extends ObjectRecord>(kind: Kind<R>, cluster: string, index: string, value: string): readonly R[] {
    return this.#byName.get(cluster)?.store(kind).lookUp(index, value) ?? [];
  }

  namespaceOf(record: ObjectRecord): NamespaceRecord | undefined {
    if (record.kind === namespaces.name) return record as NamespaceRecord;
    if (record.namespaceName === undefined) return undefined;
    const namespace = this.#byName.get(record.clusterName)?.store(namespaces).get(undefined, record.namespaceName);
    return namespace !== undefined && isWithin(record.createdAt, namespace) ? namespace : undefined;
  }

  projectOf(record: ObjectRecord): string | undefined {
    const namespace = this.namespaceOf(record);
    return namespace === undefined ? undefined : this.#projectLabelOf(namespace);
  }

  namespacesOf(project: string): readonly NamespaceRecord[] {
    return this.#sources.flatMap((source) => source.store(namespaces).lookUp('label', labelPair(this.#projectLabel, project)));
  }

  list<R extends ObjectRecord>(kinds: readonly Kind<R>[], query: ListQuery<R>): Page<R> {
    if (query.after !== undefined && query.offset !== undefined) {
      throw new GatewayError('BAD_USER_INPUT', 'A page begins after a cursor or at an offset, not both.', { field: 'offset' });
    }
    const identity = digest(query.identity);
    const after = query.after === undefined ? undefined : decodePosition(identity, query.after);
    const selected = this.#select(query);
    const selector = new Selector(query, this);
    const lists = selected.sources.flatMap((source) =>
      kinds.map((kind) => new StoreList(kind, source.store(kind), query, selector, selected.scope.get(source.name), this)),
    );
    const isBackward = query.orderBy?.direction === 'DESC';

    const items: R[] = [];
    let toSkip = query.offset ?? 0;
    const skipped = toSkip;
    let hasNextPage = false;
    for (const record of merge(
      lists.map((list) => list.walk(after, isBackward)),
      compareBy(query.orderBy, this),
      isBackward,
    )) {
      if (toSkip > 0) toSkip -= 1;
      else if (items.length < query.first) items.push(record);
      else {
        hasNextPage = true;
        break;
      }
    }
    const isBefore = (): boolean =>
      after === undefined ? skipped > toSkip : lists.some((list) => list.walk(after, !isBackward, true).next().done !== true);
    let total: number | undefined;
    return {
      items,
      hasNextPage,
      get hasPreviousPage() {
        return isBefore();
      },
      cursorOf: (item) => encodePosition(identity, positionOf(item, query.orderBy?.value(item, this))),
      totalCount: () => (total ??= lists.reduce((sum, list) => sum + list.count(), 0)),
      unavailableClusters: this.unavailable(selected.sources, kinds),
    };
  }

  watch<R extends ObjectRecord>(kinds: readonly Kind<R>[], query: WatchQuery<R>, signal: AbortSignal): AsyncIterable<Change<R>> {
    return watchStores(this, kinds, query, signal);
  }

  /** The sources that a selection names, in the order of the configuration. */
  sourcesOf(clusters: readonly string[] | undefined): readonly ClusterSource[] {
    if (clusters === undefined) return this.#sources;
    const names = new Set(clusters);
    return this.#sources.filter((source) => names.has(source.name));
  }

  /** By cluster, the namespaces of these projects; undefined for what is in none, too. */
  scopeOf(sources: readonly ClusterSource[], projects: readonly string[] | undefined): LiveScope {
    if (projects === undefined) return undefined;
    return new Map(
      sources.map((source) => {
        const store = source.store(namespaces);
        const found = projects.flatMap((project) => store.lookUp('label', labelPair(this.#projectLabel, project)));
        return [source.name, new Map(found.map((namespace) => [namespace.name, namespace]))];
      }),
    );
  }

  unavailable(sources: readonly ClusterSource[], kinds: readonly Kind[]): readonly UnavailableCluster[] {
    const read = [namespaces, ...kinds];
    return sources.flatMap((source) => source.unavailable(read) ?? []);
  }

  #projectLabelOf(namespace: NamespaceRecord): string | undefined {
    return Object.hasOwn(namespace.labelMap, this.#projectLabel) ? namespace.labelMap[this.#projectLabel] : undefined;
  }

  #select<R extends ObjectRecord>(
    query: ListQuery<R>,
  ): { sources: readonly ClusterSource[]; scope: ReadonlyMap<string, ScopedNamespaces> } {
    const sources = this.sourcesOf(query.clusters);
    return { sources, scope: this.scopeOf(sources, query.projects) ?? new Map<string, ScopedNamespaces>() };
  }
}

/** What a list takes from one store. */
class StoreList<R extends ObjectRecord> {
  readonly #kind: Kind<R>;
  readonly #store: Store<R>;
  readonly #query: ListQuery<R>;
  readonly #selector: Selector<R>;
  readonly #scope: ScopedNamespaces | undefined;
  readonly #reader: Reader;
  readonly #compare: (one: R, other: R) => number;
  #sorted: readonly R[] | undefined;

  constructor(
    kind: Kind<R>,
    store: Store<R>,
    query: ListQuery<R>,
    selector: Selector<R>,
    scope: ScopedNamespaces | undefined,
    reader: Reader,
  ) {
    this.#kind = kind;
    this.#store = store;
    this.#query = query;
    this.#selector = selector;
    this.#scope = query.projects === undefined ? undefined : (scope ?? new Map());
    this.#reader = reader;
    this.#compare = compareBy(query.orderBy, reader);
  }

  /** What is selected, from behind a position (before it, `backward`) on. @param inclusive Whether what stands at the position counts. */
  *walk(after: Position | undefined, backward: boolean, inclusive = false): Generator<R, void, undefined> {
    const { orderBy } = this.#query;
    const toPosition =
      after &&
      ((record: R): number => {
        const order = comparePosition(record, orderBy?.value(record, this.#reader), after);
        return order === 0 && inclusive ? (backward ? -1 : 1) : order;
      });
    for (const record of this.#candidates(toPosition, backward)) {
      if (this.#selector.selects(this.#kind, record, this.#scope)) yield record;
    }
  }

  count(): number {
    const { namespaces: names, labels, where, filter } = this.#query;
    if (this.#scope === undefined && names === undefined && (labels === undefined || labels.length === 0) && filter === undefined) {
      if (where === undefined || where.length === 0) return this.#store.size;
      const [only, ...others] = where;
      const [value, ...more] = only?.values ?? [];
      if (only !== undefined && others.length === 0 && value !== undefined && more.length === 0)
        return this.#store.count(only.index, value);
    }
    let count = 0;
    for (const record of this.#narrowed()?.records() ?? this.#store.all()) {
      if (this.#selector.selects(this.#kind, record, this.#scope)) count += 1;
    }
    return count;
  }

  #candidates(toPosition: ((record: R) => number) | undefined, backward: boolean): Iterable<R> {
    const { orderBy } = this.#query;
    const isKept = orderBy?.derived !== true;
    if (this.#sorted === undefined) {
      const narrowed = this.#narrowed();
      if (isKept && (narrowed === undefined || narrowed.size > maxSorted)) {
        const index = this.#store.ordered(orderBy?.name ?? '', this.#compare);
        return backward ? index.backward(toPosition) : index.forward(toPosition);
      }
      // Values that other objects lend are worked out once per record, not once per comparison.
      this.#sorted = sortBy([...(narrowed?.records() ?? this.#store.all())], orderBy, this.#reader);
    }
    const sorted = backward ? [...this.#sorted].reverse() : this.#sorted;
    if (toPosition === undefined) return sorted;
    return sorted.filter((record) => (backward ? toPosition(record) < 0 : toPosition(record) > 0));
  }

  /** The smallest set that an index offers; undefined where none narrows. */
  #narrowed(): { readonly size: number; records(): Iterable<R> } | undefined {
    const store = this.#store;
    const { namespaces: names, labels = [], where = [] } = this.#query;
    const offers: { readonly size: number; records(): Iterable<R> }[] = [];
    const offer = (index: string, values: readonly string[]): void => {
      offers.push({
        size: values.reduce((sum, value) => sum + store.count(index, value), 0),
        // A record may be found under several of the values.
        records: () => new Set(values.flatMap((value) => store.lookUp(index, value))),
      });
    };
    const scoped = this.#scope && [...this.#scope.keys()];
    const inNamespaces = scoped === undefined ? names && [...new Set(names)] : scoped.filter((name) => this.#selector.takesNamespace(name));
    if (inNamespaces !== undefined) {
      if (this.#kind.name === namespaces.name) {
        offers.push({ size: inNamespaces.length, records: () => inNamespaces.flatMap((name) => store.get(undefined, name) ?? []) });
      } else offer('namespace', inNamespaces);
    }
    for (const { index, values } of where) offer(index, [...new Set(values)]);
    for (const requirement of labels) {
      if (requirement.operator === 'IN')
        offer(
          'label',
          [...new Set(requirement.values)].map((value) => labelPair(requirement.key, value)),
        );
    }
    return offers.reduce<(typeof offers)[number] | undefined>(
      (best, next) => (best === undefined || next.size < best.size ? next : best),
      undefined,
    );
  }
}

/** Ascending; the direction is the walker's. */
function compareBy<R extends ObjectRecord>(order: Order<R> | undefined, reader: Reader): (one: R, other: R) => number {
  if (order === undefined) return compareKeys;
  return (one, other) => compareValues(order.value(one, reader), order.value(other, reader)) || compareKeys(one, other);
}

function sortBy<R extends ObjectRecord>(records: R[], order: Order<R> | undefined, reader: Reader): readonly R[] {
  if (order === undefined) return records.sort(compareKeys);
  const values = new Map(records.map((record) => [record, order.value(record, reader)]));
  return records.sort((one, other) => compareValues(values.get(one), values.get(other)) || compareKeys(one, other));
}

/** Of several ordered walks one. */
function* merge<R>(
  walks: Generator<R, void, undefined>[],
  compare: (one: R, other: R) => number,
  backward: boolean,
): Generator<R, void, undefined> {
  const [only, ...others] = walks;
  if (only !== undefined && others.length === 0) {
    yield* only;
    return;
  }
  const heads = walks.flatMap((walk) => {
    const { value, done } = walk.next();
    return done === true ? [] : [{ walk, record: value }];
  });
  const sign = backward ? -1 : 1;
  while (heads.length > 0) {
    let best = heads[0];
    for (const head of heads) if (best === undefined || sign * compare(head.record, best.record) < 0) best = head;
    if (best === undefined) return;
    yield best.record;
    const { value, done } = best.walk.next();
    if (done === true) heads.splice(heads.indexOf(best), 1);
    else best.record = value;
  }
}
