import type { Kind } from '../../k8s/kind.js';
import type { RecordSource } from '../../k8s/objects.js';
import { findBy, nameIn, objectAt, objectsAt, share, textAt, type JsonObject } from '../json.js';
import { readNodeAmounts, type ResourceAmounts } from '../resources.js';
import { ResourceRecord } from './resource-record.js';

export type NodeRole = 'MASTER' | 'WORKER';
export type TaintEffect = 'NO_SCHEDULE' | 'PREFER_NO_SCHEDULE' | 'NO_EXECUTE';

/** As the contract's `Taint`. */
export interface Taint {
  readonly key: string;
  readonly value: string | undefined;
  readonly effect: TaintEffect | undefined;
}

export const taintEffects: ReadonlyMap<string, TaintEffect> = new Map([
  ['NoSchedule', 'NO_SCHEDULE'],
  ['PreferNoSchedule', 'PREFER_NO_SCHEDULE'],
  ['NoExecute', 'NO_EXECUTE'],
]);

const masterLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'] as const;
const workerLabel = 'node-role.kubernetes.io/worker';
const masterRoles: readonly NodeRole[] = Object.freeze(['MASTER']);
const bothRoles: readonly NodeRole[] = Object.freeze(['MASTER', 'WORKER']);
const workerRoles: readonly NodeRole[] = Object.freeze(['WORKER']);
const noTaints: readonly Taint[] = Object.freeze([]);

export class NodeRecord extends ResourceRecord {
  /** Both for a node of the control plane that takes workloads: no taint of its role keeps them off, or a label says so. */
  readonly roles: readonly NodeRole[];
  readonly ready: boolean;
  /** False while scheduling is stopped. */
  readonly schedulable: boolean;
  readonly taints: readonly Taint[];
  /** The cloud server, from the provider id. */
  readonly serverId: string | undefined;
  readonly internalIP: string | undefined;
  /** Empty where the node has not told yet; so are the four below. */
  readonly architecture: string;
  readonly osImage: string;
  readonly kernelVersion: string;
  readonly containerRuntimeVersion: string;
  readonly kubeletVersion: string;
  readonly capacity: ResourceAmounts;
  readonly allocatable: ResourceAmounts;
  /** Handlers of runtime classes that its container runtime has; undefined where the kubelet does not tell. */
  readonly runtimeHandlers: readonly string[] | undefined;

  constructor(source: RecordSource) {
    super(source);
    const { object } = source;
    const spec = objectAt(object, 'spec');
    const status = objectAt(object, 'status');
    const info = objectAt(status, 'nodeInfo');
    this.ready = findBy(objectsAt(status, 'conditions'), 'type', 'Ready')?.['status'] === 'True';
    this.schedulable = spec['unschedulable'] !== true;
    this.taints = readTaints(spec);
    this.roles = rolesOf(this.labelMap, this.taints);
    this.serverId = serverIdOf(textAt(spec, 'providerID'));
    const internal = findBy(objectsAt(status, 'addresses'), 'type', 'InternalIP');
    this.internalIP = internal && textAt(internal, 'address');
    this.architecture = share(textAt(info, 'architecture') ?? textAt(objectAt(object, 'metadata', 'labels'), 'kubernetes.io/arch') ?? '');
    this.osImage = share(textAt(info, 'osImage') ?? '');
    this.kernelVersion = share(textAt(info, 'kernelVersion') ?? '');
    this.containerRuntimeVersion = share(textAt(info, 'containerRuntimeVersion') ?? '');
    this.kubeletVersion = share(textAt(info, 'kubeletVersion') ?? '');
    this.capacity = readNodeAmounts(status['capacity']);
    this.allocatable = readNodeAmounts(status['allocatable']);
    this.runtimeHandlers = Array.isArray(status['runtimeHandlers'])
      ? objectsAt(status, 'runtimeHandlers').map((handler) => share(textAt(handler, 'name') ?? ''))
      : undefined;
  }

  get kind(): string {
    return 'Node';
  }
  get apiVersion(): string {
    return 'v1';
  }

  get hasGpu(): boolean {
    return this.capacity.gpus > 0;
  }
}

export const nodes: Kind<NodeRecord> = {
  name: 'Node',
  apiVersion: 'v1',
  plural: 'nodes',
  namespaced: false,
  record: (source) => new NodeRecord(source),
  indexes: {
    /** All nodes of a cluster, for its sums. */
    cluster: (node) => [node.clusterName],
    role: (node) => node.roles,
  },
};

function rolesOf(labels: Readonly<Record<string, string>>, taints: readonly Taint[]): readonly NodeRole[] {
  if (!masterLabels.some((label) => Object.hasOwn(labels, label))) return workerRoles;
  const isKeptFree = taints.some(({ key, effect }) => masterLabels.some((label) => label === key) && effect !== 'PREFER_NO_SCHEDULE');
  return isKeptFree && !Object.hasOwn(labels, workerLabel) ? masterRoles : bothRoles;
}

function readTaints(spec: JsonObject): readonly Taint[] {
  const taints = objectsAt(spec, 'taints');
  if (taints.length === 0) return noTaints;
  return taints.map((taint) => ({
    key: share(textAt(taint, 'key') ?? ''),
    value: share(textAt(taint, 'value')),
    effect: nameIn(taintEffects, taint['effect']),
  }));
}

/** The last part of ids such as `openstack:///6f1c…` and `openstack://region/6f1c…`. */
function serverIdOf(providerId: string | undefined): string | undefined {
  const id = providerId?.slice(providerId.lastIndexOf('/') + 1);
  return id === '' ? undefined : id;
}
