import type { Position } from './cursor.js';
import type { Kind } from './kind.js';
import { labelMatcher } from './label-selector.js';
import { namespaces, type NamespaceRecord } from './namespaces.js';
import { toEpochMs, type ObjectRecord } from './objects.js';
import type { Reader, Selection } from './reader.js';
import { indexValues } from './store.js';

/** The namespaces of one cluster that a set of projects comes to, by name. */
export type ScopedNamespaces = ReadonlyMap<string, NamespaceRecord>;

/** Where a selection's objects may be: by cluster, the namespaces of its projects; undefined is everywhere. */
export type Scope = ReadonlyMap<string, ScopedNamespaces> | undefined;

/** Whether an object of that age can be in a namespace: one that is older was in an earlier namespace of the same name. */
export function isWithin(createdAt: string, namespace: NamespaceRecord): boolean {
  return createdAt >= namespace.createdAt || toEpochMs(createdAt) >= toEpochMs(namespace.createdAt);
}

/** A selection, made ready to be held against many records: its lists may be long. */
export class Selector<R extends ObjectRecord> {
  readonly #reader: Reader;
  readonly #namespaces: ReadonlySet<string> | undefined;
  readonly #where: readonly { readonly index: string; readonly values: ReadonlySet<string> }[];
  readonly #hasLabels: ((labels: ObjectRecord['labelMap']) => boolean) | undefined;
  readonly #filter: Selection<R>['filter'];

  constructor(
    { namespaces: names, where = [], labels, filter }: Pick<Selection<R>, 'namespaces' | 'labels' | 'where' | 'filter'>,
    reader: Reader,
  ) {
    this.#reader = reader;
    this.#namespaces = names && new Set(names);
    this.#where = where.map(({ index, values }) => ({ index, values: new Set(values) }));
    this.#hasLabels = labels && labelMatcher(labels);
    this.#filter = filter;
  }

  /** Whether it is not narrowed to others. */
  takesNamespace(name: string | undefined): boolean {
    return this.#namespaces === undefined || (name !== undefined && this.#namespaces.has(name));
  }

  /** @param scope That of the record's cluster. */
  selects(kind: Kind<R>, record: R, scope: ScopedNamespaces | undefined): boolean {
    const namespaceName = kind.name === namespaces.name ? record.name : record.namespaceName;
    if (scope !== undefined) {
      const namespace = namespaceName === undefined ? undefined : scope.get(namespaceName);
      if (namespace === undefined || !isWithin(record.createdAt, namespace)) return false;
    }
    if (!this.takesNamespace(namespaceName)) return false;
    if (!this.#where.every(({ index, values }) => indexValues(kind, index, record).some((value) => values.has(value)))) return false;
    if (this.#hasLabels?.(record.labelMap) === false) return false;
    return this.#filter === undefined || this.#filter(record, this.#reader);
  }
}

const compareTexts = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

export function compareValues(one: string | number | undefined, other: string | number | undefined): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return compareTexts(String(one ?? ''), String(other ?? ''));
}

export function compareKeys(one: Position | ObjectRecord, other: Position | ObjectRecord): number {
  return (
    compareTexts(one.namespaceName ?? '', other.namespaceName ?? '') ||
    compareTexts(one.name, other.name) ||
    compareTexts(one.kind, other.kind) ||
    compareTexts(one.clusterName, other.clusterName)
  );
}

export function comparePosition(record: ObjectRecord, value: string | number | undefined, position: Position): number {
  return compareValues(value, position.value) || compareKeys(record, position);
}
