import type { Kind } from '../../k8s/kind.js';
import type { RecordSource } from '../../k8s/objects.js';
import { controllerKindOf, ResourceRecord } from './resource-record.js';

/** A link between a deployment and its pods, and one of its revisions; no type of the graph. */
export class ReplicaSetRecord extends ResourceRecord {
  /** Kind of the owner whose uid is {@link controllerUid}. */
  readonly controllerKind: string | undefined;

  constructor(source: RecordSource) {
    super(source);
    this.controllerKind = controllerKindOf(source.object);
  }

  get kind(): string {
    return 'ReplicaSet';
  }
  get apiVersion(): string {
    return 'apps/v1';
  }
}

export const replicaSets: Kind<ReplicaSetRecord> = {
  name: 'ReplicaSet',
  apiVersion: 'apps/v1',
  plural: 'replicasets',
  namespaced: true,
  record: (source) => new ReplicaSetRecord(source),
};
