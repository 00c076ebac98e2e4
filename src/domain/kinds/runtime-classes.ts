import type { Kind } from '../../k8s/kind.js';
import type { RecordSource } from '../../k8s/objects.js';
import { isObject, objectAt, textAt } from '../json.js';
import { readResourceList, toAmounts, type ResourceAmounts } from '../resources.js';
import { ResourceRecord } from './resource-record.js';

export class RuntimeClassRecord extends ResourceRecord {
  /** What runs the pods, in the node's configuration: isolation is decided by it, never by the class's own name. */
  readonly handler: string;
  /** What a pod of this class costs beside its containers. */
  readonly overhead: ResourceAmounts | undefined;

  constructor(source: RecordSource) {
    super(source);
    this.handler = textAt(source.object, 'handler') ?? '';
    const podFixed = objectAt(source.object, 'overhead')['podFixed'];
    this.overhead = isObject(podFixed) ? toAmounts(readResourceList(podFixed), 0) : undefined;
  }

  get kind(): string {
    return 'RuntimeClass';
  }
  get apiVersion(): string {
    return 'node.k8s.io/v1';
  }
}

export const runtimeClasses: Kind<RuntimeClassRecord> = {
  name: 'RuntimeClass',
  apiVersion: 'node.k8s.io/v1',
  plural: 'runtimeclasses',
  namespaced: false,
  record: (source) => new RuntimeClassRecord(source),
  indexes: {
    /** All classes of a cluster. */
    cluster: (runtimeClass) => [runtimeClass.clusterName],
  },
};
