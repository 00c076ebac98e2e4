import type { Kind } from './kind.js';
import { ObjectRecord, type RecordSource } from './objects.js';

/** What project a namespace belongs to, its reader tells (`Reader.projectOf`): the label that names it is configuration. */
export class NamespaceRecord extends ObjectRecord {
  /** `Active` or `Terminating`. */
  readonly phase: string;

  constructor(source: RecordSource) {
    super(source);
    const status = source.object['status'] as { phase?: unknown } | undefined;
    this.phase = typeof status?.phase === 'string' ? status.phase : 'Active';
  }

  get kind(): string {
    return 'Namespace';
  }
  get apiVersion(): string {
    return 'v1';
  }
}

/** Watched from the start and for good: whose every other object is depends on them. */
export const namespaces: Kind<NamespaceRecord> = {
  name: 'Namespace',
  apiVersion: 'v1',
  plural: 'namespaces',
  namespaced: false,
  record: (source) => new NamespaceRecord(source),
};
