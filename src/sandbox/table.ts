import type { ResourceType } from './resources.js';
import type { SandboxObject } from './storage.js';

export interface TableOptions {
  /** Milliseconds since the epoch, for ages. */
  readonly now: number;
  /** What each row carries of its object. */
  readonly include: 'None' | 'Metadata' | 'Object';
  readonly resourceVersion: string;
}

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer';
  readonly format: string;
  readonly description: string;
  /** 0 is always shown, 1 only in wide output. */
  readonly priority: number;
}

export interface Table {
  kind: 'Table';
  apiVersion: 'meta.k8s.io/v1';
  metadata: { resourceVersion?: string; continue?: string };
  columnDefinitions: Column[] | null;
  rows: { cells: unknown[]; object?: unknown }[];
}

/** An object without what only its own kind has. */
export function metadataOf(object: SandboxObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

const columns: Column[] = [
  { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
  { name: 'Age', type: 'string', format: '', description: '', priority: 0 },
];

export function tableOf(_type: ResourceType, objects: readonly SandboxObject[], { include, resourceVersion }: TableOptions): Table {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion },
    columnDefinitions: columns,
    rows: objects.map((object) => ({
      cells: [object.metadata.name, object.metadata.creationTimestamp],
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : metadataOf(object) }),
    })),
  };
}
