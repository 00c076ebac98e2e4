import type { Kind } from '../../k8s/kind.js';
import type { RecordSource } from '../../k8s/objects.js';
import type { Reader } from '../../k8s/reader.js';
import { imagesOf, readContainers, type Container } from '../containers.js';
import { isolationSignature } from '../isolation.js';
import { instantAt, nameIn, noTexts, objectAt, objectsAt, share, shareList, textAt, type JsonObject } from '../json.js';
import { isReady, podColumns } from '../pod-status.js';
import { podRequests, toAmounts, type ResourceAmounts } from '../resources.js';
import { replicaSets } from './replica-sets.js';
import { controllerKindOf, ResourceRecord } from './resource-record.js';
import { jobs } from './workloads.js';

export type PodPhase = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'UNKNOWN';

const phases: ReadonlyMap<string, PodPhase> = new Map([
  ['Pending', 'PENDING'],
  ['Running', 'RUNNING'],
  ['Succeeded', 'SUCCEEDED'],
  ['Failed', 'FAILED'],
  ['Unknown', 'UNKNOWN'],
]);

export class PodRecord extends ResourceRecord {
  readonly phase: PodPhase;
  /** What `kubectl get pods` shows. */
  readonly status: string;
  /** The pod's `Ready` condition: its services send to it. */
  readonly ready: boolean;
  /** Numerator and denominator of kubectl's READY column. */
  readonly readyContainers: number;
  readonly totalContainers: number;
  readonly restarts: number;
  readonly runtimeClassName: string | undefined;
  readonly podIP: string | undefined;
  readonly podIPs: readonly string[];
  readonly hostIP: string | undefined;
  /** Undefined until the pod is scheduled. */
  readonly nodeName: string | undefined;
  /** What it asks of its node, whether or not it still does: sums leave {@link finished} pods out. */
  readonly requested: ResourceAmounts;
  /** Of its containers but the init containers, each once. */
  readonly images: readonly string[];
  readonly startedAt: string | undefined;
  /** Kind of the owner whose uid is {@link controllerUid}. */
  readonly controllerKind: string | undefined;

  constructor(source: RecordSource) {
    super(source);
    const { object } = source;
    const spec = objectAt(object, 'spec');
    const status = objectAt(object, 'status');
    const columns = podColumns(object);
    this.phase = nameIn(phases, status['phase']) ?? 'UNKNOWN';
    this.status = share(columns.status);
    this.ready = isReady(objectsAt(status, 'conditions'));
    this.readyContainers = columns.readyContainers;
    this.totalContainers = columns.totalContainers;
    this.restarts = columns.restarts;
    this.runtimeClassName = share(textAt(spec, 'runtimeClassName'));
    this.podIPs = addressesOf(status);
    this.podIP = this.podIPs[0];
    this.hostIP = share(textAt(status, 'hostIP'));
    this.nodeName = share(textAt(spec, 'nodeName'));
    this.requested = toAmounts(podRequests(spec, status), 1);
    this.images = shareList(imagesOf(spec));
    this.startedAt = instantAt(status, 'startTime');
    this.controllerKind = controllerKindOf(object);
  }

  get kind(): string {
    return 'Pod';
  }
  get apiVersion(): string {
    return 'v1';
  }

  /** It has ended for good, and holds nothing of its node any more. */
  get finished(): boolean {
    return this.phase === 'SUCCEEDED' || this.phase === 'FAILED';
  }
  get hasGpu(): boolean {
    return this.requested.gpus > 0;
  }
  get containers(): Container[] {
    return readContainers(this.object);
  }
}

export const pods: Kind<PodRecord> = {
  name: 'Pod',
  apiVersion: 'v1',
  plural: 'pods',
  namespaced: true,
  record: (source) => new PodRecord(source),
  indexes: {
    node: (pod) => (pod.nodeName === undefined ? noTexts : [pod.nodeName]),
    phase: (pod) => [pod.phase],
    runtimeClass: (pod) => (pod.runtimeClassName === undefined ? noTexts : [pod.runtimeClassName]),
  },
  neighbours: {
    of: {
      ReplicaSet: (replicaSet) => ({ index: 'controller', value: replicaSet.uid }),
      Job: (job) => ({ index: 'controller', value: job.uid }),
      RuntimeClass: (runtimeClass) => ({ index: 'runtimeClass', value: runtimeClass.name }),
    },
    signature: (pod, reader) => `${ownersSignature(pod, reader)}/${isolationSignature(pod, reader)}`,
  },
};

/** What decides which workload a pod is of, beside the pod itself: who owns its replica set or its job. */
function ownersSignature(pod: PodRecord, reader: Reader): string {
  if (pod.controllerUid === undefined || (pod.controllerKind !== 'ReplicaSet' && pod.controllerKind !== 'Job')) return '';
  const owner = reader.byUid<ResourceRecord>(pod.controllerKind === 'Job' ? jobs : replicaSets, pod.clusterName, pod.controllerUid);
  // An owner in another namespace is none, and nothing of it is told.
  return owner === undefined || owner.namespaceName !== pod.namespaceName ? '' : (owner.controllerUid ?? owner.uid);
}

function addressesOf(status: JsonObject): readonly string[] {
  const addresses: string[] = [];
  for (const entry of objectsAt(status, 'podIPs')) {
    const address = textAt(entry, 'ip');
    if (address !== undefined) addresses.push(address);
  }
  if (addresses.length > 0) return addresses;
  const single = textAt(status, 'podIP');
  return single === undefined ? noTexts : [single];
}
