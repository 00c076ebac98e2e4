import type { Position } from './cursor.js';
import type { Kind } from './kind.js';
import { matchesLabels } from './label-selector.js';
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

/** Whether a record is what a selection wants; `scope` is that of the record's cluster. */
export function isSelected<R extends ObjectRecord>(
  kind: Kind<R>,
  record: R,
  query: Pick<Selection<R>, 'namespaces' | 'labels' | 'where' | 'filter'>,
  scope: ScopedNamespaces | undefined,
  reader: Reader,
): boolean {
  const namespaceName = kind.name === namespaces.name ? record.name : record.namespaceName;
  if (scope !== undefined) {
    const namespace = namespaceName === undefined ? undefined : scope.get(namespaceName);
    if (namespace === undefined || !isWithin(record.createdAt, namespace)) return false;
  }
  if (query.namespaces !== undefined && (namespaceName === undefined || !query.namespaces.includes(namespaceName))) return false;
  if (query.where?.every(({ index, values }) => indexValues(kind, index, record).some((value) => values.includes(value))) === false)
    return false;
  if (query.labels !== undefined && !matchesLabels(query.labels, record.labelMap)) return false;
  return query.filter === undefined || query.filter(record, reader);
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
