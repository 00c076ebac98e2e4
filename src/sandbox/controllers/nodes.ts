import { equalJson } from '../json.js';
import { hash32 } from '../random.js';
import type { StorageEvent } from '../storage.js';
import { tolerationOf } from './placement.js';
import { isTerminating } from './pods.js';
import {
  conditionOf,
  keyOf,
  resourceOf,
  splitKey,
  withCondition,
  type ClusterNode,
  type Condition,
  type NodeStatus,
  type Taint,
} from './shapes.js';
import { nodeStateOf, type NodeState } from './steering.js';
import type { Controller, Queue, World } from './work.js';

/** How often a kubelet says that nothing has changed. */
const heartbeatMs = 300_000;
/** The same while time stands still, and weeks may pass in a second: nobody listens. */
const quietHeartbeatMs = 48 * 3_600_000;
/** Until pods of a node that is gone are taken for lost. */
const lostMs = 40_000;

const leases = 'leases.coordination.k8s.io';
const leaseNamespace = 'kube-node-lease';

const notReadyKey = 'node.kubernetes.io/not-ready';
const unreachableKey = 'node.kubernetes.io/unreachable';
const unschedulableKey = 'node.kubernetes.io/unschedulable';
/** Taints that say how the node is; all others are left to those who set them. */
const ownKeys = new Set([notReadyKey, unreachableKey, unschedulableKey]);

const standardCapacity = { cpu: '8', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '110' };

/** Registers the kubelet of each node and keeps its heartbeat; taints nodes by how they are. */
export class NodeController implements Controller {
  readonly name = 'nodes';
  readonly #world: World;
  readonly #queue: Queue;

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
  }

  observe(event: StorageEvent): void {
    if (resourceOf(event) === 'nodes' && event.type !== 'DELETED') this.#queue.add(event.object.metadata.name);
  }

  /** Has every kubelet say how it is, where it is due to. */
  hearAll(): void {
    for (const { metadata } of this.#world.storage.list('nodes')) this.sync(metadata.name);
  }

  sync(key: string): void {
    const { storage, clock } = this.#world;
    const found = storage.get('nodes', undefined, key) as ClusterNode | undefined;
    if (found === undefined || isTerminating(found)) return;
    const state = nodeStateOf(found);
    const node = this.#tag(found);
    const status = this.#status(node, state);
    const pauseMs = clock.isRunning ? heartbeatMs : quietHeartbeatMs;
    const isDue = this.#sinceHeartbeatMs(node) >= pauseMs && state !== 'unreachable';
    const isNews = isDue || !equalJson(withoutHeartbeats(node.status), withoutHeartbeats(status));
    const told = isNews ? (storage.update('nodes', { ...node, status }, 'status') as ClusterNode) : node;
    if (isNews && state !== 'unreachable') this.#renewLease(told);
    const taints = taintsFor(told, clock.instant());
    if (!equalJson(taints, told.spec?.taints ?? [])) {
      const { taints: _before, ...spec } = told.spec ?? {};
      storage.update('nodes', { ...told, spec: taints.length === 0 ? spec : { ...spec, taints } });
    }
    this.#queue.addAfter(key, pauseMs);
  }

  /** What Kubernetes tells a node's life by; here it goes with the heartbeat. */
  #renewLease({ apiVersion, kind, metadata: { name, uid } }: ClusterNode): void {
    const { storage, clock } = this.#world;
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: clock.instant().replace('Z', '.000000Z') };
    const lease = storage.get(leases, leaseNamespace, name);
    if (lease !== undefined) storage.update(leases, { ...lease, spec });
    else
      storage.create(leases, { metadata: { name, namespace: leaseNamespace, ownerReferences: [{ apiVersion, kind, name, uid }] }, spec });
  }

  /** The labels that every kubelet gives its node. */
  #tag(node: ClusterNode): ClusterNode {
    const { metadata, status } = node;
    const architecture = status?.nodeInfo?.architecture ?? 'amd64';
    const labels = {
      'kubernetes.io/arch': architecture,
      'kubernetes.io/hostname': metadata.name,
      'kubernetes.io/os': 'linux',
      ...metadata.labels,
    };
    if (equalJson(labels, metadata.labels)) return node;
    return this.#world.storage.update('nodes', { ...node, metadata: { ...metadata, labels } }) as ClusterNode;
  }

  #sinceHeartbeatMs({ status }: ClusterNode): number {
    return this.#world.clock.now() - Date.parse(conditionOf(status?.conditions, 'Ready')?.lastHeartbeatTime ?? '1970-01-01T00:00:00Z');
  }

  #status(node: ClusterNode, state: NodeState): NodeStatus {
    const { status = {}, metadata } = node;
    const now = this.#world.clock.instant();
    const make = (type: string, value: Condition['status'], reason: string, message: string): Condition => ({
      type,
      status: value,
      lastHeartbeatTime: state === 'unreachable' ? (conditionOf(status.conditions, type)?.lastHeartbeatTime ?? now) : now,
      lastTransitionTime: now,
      reason,
      message,
    });
    let conditions = status.conditions ?? [];
    for (const condition of conditionsFor(state, make)) conditions = withCondition(conditions, condition);
    const capacity = { ...standardCapacity, ...status.capacity };
    const number = hash32(metadata.name);
    return {
      ...status,
      capacity,
      allocatable: status.allocatable ?? capacity,
      conditions,
      addresses: status.addresses ?? [
        { type: 'InternalIP', address: `192.168.${(number >> 8) & 0xff}.${1 + (number % 254)}` },
        { type: 'Hostname', address: metadata.name },
      ],
      daemonEndpoints: status.daemonEndpoints ?? { kubeletEndpoint: { Port: 10_250 } },
      nodeInfo: {
        machineID: number.toString(16).padStart(32, '0'),
        systemUUID: metadata.uid,
        bootID: metadata.uid,
        kernelVersion: '6.8.0-60-generic',
        osImage: 'Ubuntu 24.04.3 LTS',
        containerRuntimeVersion: 'containerd://2.1.4',
        kubeletVersion: this.#world.version,
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: metadata.labels?.['kubernetes.io/arch'] ?? 'amd64',
        ...status.nodeInfo,
      },
    };
  }
}

type Make = (type: string, value: Condition['status'], reason: string, message: string) => Condition;

function conditionsFor(state: NodeState, make: Make): Condition[] {
  if (state === 'unreachable')
    return ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) =>
      make(type, 'Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.'),
    );
  return [
    make('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    make('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    make('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    state === 'ready'
      ? make('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
      : make('Ready', 'False', 'KubeletNotReady', 'container runtime is down'),
  ];
}

function withoutHeartbeats(status: NodeStatus | undefined): unknown {
  return { ...status, conditions: status?.conditions?.map((condition) => ({ ...condition, lastHeartbeatTime: '' })) };
}

/** The node's taints, with those that follow from how it is. */
function taintsFor({ spec, status }: ClusterNode, now: string): Taint[] {
  const ready = conditionOf(status?.conditions, 'Ready')?.status;
  const wanted: Taint[] = [];
  const key = ready === 'True' ? undefined : ready === 'False' ? notReadyKey : unreachableKey;
  if (key !== undefined) wanted.push({ key, effect: 'NoSchedule', timeAdded: now }, { key, effect: 'NoExecute', timeAdded: now });
  if (spec?.unschedulable === true) wanted.push({ key: unschedulableKey, effect: 'NoSchedule', timeAdded: now });
  const current = spec?.taints ?? [];
  const isSame = (one: Taint, other: Taint): boolean => one.key === other.key && one.effect === other.effect;
  return [
    ...current.filter((taint) => !ownKeys.has(taint.key) || wanted.some((each) => isSame(each, taint))),
    ...wanted.filter((taint) => !current.some((each) => isSame(each, taint))),
  ];
}

/** Takes pods away from nodes that they may not stay on: those that are tainted with NoExecute, and those that are gone. */
export class EvictionController implements Controller {
  readonly name = 'evictions';
  readonly #world: World;
  readonly #queue: Queue;

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
  }

  observe(event: StorageEvent): void {
    const resource = resourceOf(event);
    if (resource === 'pods' && event.type !== 'DELETED') {
      const [name, before] = [event.object, event.previous].map((pod) => (pod?.spec as { nodeName?: string } | undefined)?.nodeName ?? '');
      if (name !== undefined && name !== '' && name !== before) this.#examine(keyOf(event.object.metadata), name);
    }
    if (resource !== 'nodes') return;
    const drives = ({ spec }: ClusterNode): boolean => spec?.taints?.some(({ effect }) => effect === 'NoExecute') === true;
    const isLost = event.type === 'DELETED';
    if (!isLost && (!drives(event.object as ClusterNode) || event.previous?.spec === event.object.spec)) return;
    for (const { metadata } of this.#world.index.podsOn(event.object.metadata.name)) {
      if (isLost) this.#queue.addAfter(keyOf(metadata), lostMs);
      else this.#queue.add(keyOf(metadata));
    }
  }

  /** A pod that has come to a node is looked at where that node drives pods away, or does not exist. */
  #examine(key: string, nodeName: string): void {
    const node = this.#world.storage.get('nodes', undefined, nodeName) as ClusterNode | undefined;
    if (node === undefined) this.#queue.addAfter(key, lostMs);
    else if (node.spec?.taints?.some(({ effect }) => effect === 'NoExecute') === true) this.#queue.add(key);
  }

  sync(key: string): void {
    const { storage, clock, events } = this.#world;
    const { namespace, name } = splitKey(key);
    const pod = storage.get('pods', namespace, name);
    if (pod === undefined) return;
    const { uid } = pod.metadata;
    const spec = pod.spec as { nodeName?: string; tolerations?: Parameters<typeof tolerationOf>[0] };
    const node = storage.get('nodes', undefined, spec.nodeName ?? '') as ClusterNode | undefined;
    if (node === undefined) {
      storage.delete('pods', namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
      return;
    }
    if (isTerminating(pod)) return;
    const nowMs = clock.now();
    let leaveMs = Infinity;
    for (const taint of node.spec?.taints ?? []) {
      if (taint.effect !== 'NoExecute') continue;
      const toleration = tolerationOf(spec.tolerations, taint);
      const seconds = toleration === undefined ? 0 : (toleration.tolerationSeconds ?? Infinity);
      leaveMs = Math.min(leaveMs, (taint.timeAdded === undefined ? nowMs : Date.parse(taint.timeAdded)) + Math.max(0, seconds) * 1000);
    }
    if (leaveMs === Infinity) return;
    if (leaveMs > nowMs) return this.#queue.addAfter(key, leaveMs - nowMs);
    events.record(pod, {
      type: 'Normal',
      reason: 'TaintManagerEviction',
      message: `Marking for deletion Pod ${key}`,
      component: 'taint-eviction-controller',
    });
    storage.delete('pods', namespace, name, { preconditions: { uid } });
  }
}
