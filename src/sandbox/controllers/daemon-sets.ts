import { equalJson } from '../json.js';
import { StatusError } from '../status.js';
import type { StorageEvent } from '../storage.js';
import { matchesNode, untolerated } from './placement.js';
import { generatedName, isFinished, isReady, isTerminating, podFrom, queueOwner, untilAvailableMs } from './pods.js';
import { syncHistory, truncateHistory } from './revisions.js';
import {
  keyOf,
  resolve,
  resourceOf,
  splitKey,
  type ClusterNode,
  type DaemonSet,
  type DaemonSetStatus,
  type Pod,
  type PodSpec,
  type Toleration,
} from './shapes.js';
import type { Controller, Queue, World } from './work.js';

const hashLabel = 'controller-revision-hash';
/** Until the pod of a node whose pods fail is made again: longer each time. */
const firstBackOffMs = 1_000;
const maxBackOffMs = 900_000;

/** What happens to the pods of one node. */
interface Site {
  readonly node: ClusterNode;
  readonly shouldRun: boolean;
  readonly shouldContinue: boolean;
  /** Those that are not about to go; the oldest first. */
  readonly pods: readonly Pod[];
}

/** Keeps one pod of a daemon set on each node that takes it, and rolls out templates node by node. */
export class DaemonSetController implements Controller {
  readonly name = 'daemon sets';
  readonly #world: World;
  readonly #queue: Queue;
  /** By set and node: how often pods failed there, and when the next may be made. */
  readonly #backOff = new Map<string, { times: number; untilMs: number }>();

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
  }

  observe(event: StorageEvent): void {
    const resource = resourceOf(event);
    if (resource === 'daemonsets.apps') {
      if (event.type === 'DELETED') this.#forget(event.object.metadata.uid);
      else this.#queue.add(keyOf(event.object.metadata));
    }
    if (resource === 'pods') queueOwner(this.#world, this.#queue, event.object, 'DaemonSet');
    if (resource !== 'nodes') return;
    const { object, previous } = event;
    // A heartbeat moves no pods.
    const isSame =
      event.type === 'MODIFIED' && previous?.spec === object.spec && equalJson(previous?.metadata.labels, object.metadata.labels);
    if (isSame) return;
    for (const { metadata } of this.#world.storage.list('daemonsets.apps')) this.#queue.add(keyOf(metadata));
  }

  #forget(uid: string): void {
    for (const place of this.#backOff.keys()) if (place.startsWith(`${uid}/`)) this.#backOff.delete(place);
  }

  sync(key: string): void {
    const { storage } = this.#world;
    const { namespace, name } = splitKey(key);
    const set = storage.get('daemonsets.apps', namespace, name) as DaemonSet | undefined;
    if (set === undefined) return;
    const history = syncHistory(this.#world, set, hashLabel);
    const hash = history.current.metadata.labels?.[hashLabel] ?? '';
    let failure: StatusError | undefined;
    if (!isTerminating(set)) {
      try {
        this.#manage(set, this.#sites(set), hash);
        if (set.spec.updateStrategy?.type !== 'OnDelete') this.#roll(set, this.#sites(set), hash);
        const live = new Set(this.#pods(set).map(hashOf));
        truncateHistory(this.#world, set, history, ({ metadata }) => live.has(metadata.labels?.[hashLabel] ?? ''));
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        failure = error;
      }
    }
    const status = this.#count(set, this.#sites(set), hash);
    if (storage.get('daemonsets.apps', namespace, name)?.metadata.uid !== set.metadata.uid) return;
    if (!equalJson(set.status, status)) storage.update('daemonsets.apps', { ...set, status }, 'status');
    if (failure !== undefined) throw failure;
  }

  #pods({ metadata }: DaemonSet): Pod[] {
    return this.#world.index.controlled('pods', metadata.uid) as Pod[];
  }

  #sites(set: DaemonSet): Site[] {
    const byNode = new Map<string, Pod[]>();
    for (const pod of this.#pods(set)) {
      if (isTerminating(pod)) continue;
      const home = homeOf(pod);
      const there = byNode.get(home);
      if (there === undefined) byNode.set(home, [pod]);
      else there.push(pod);
    }
    const probe = { spec: daemonSpec(set) };
    return this.#world.ledger.accounts.map(({ node }) => {
      const fits = matchesNode(probe, node);
      const shouldRun = fits && untolerated(probe, node, ['NoSchedule', 'NoExecute']) === undefined;
      const shouldContinue = fits && untolerated(probe, node, ['NoExecute']) === undefined;
      const pods = byNode.get(node.metadata.name) ?? [];
      return {
        node,
        shouldRun,
        shouldContinue,
        pods: pods.toSorted((one, other) => (one.metadata.creationTimestamp < other.metadata.creationTimestamp ? -1 : 1)),
      };
    });
  }

  /** One pod on each node that should have one, and none elsewhere. */
  #manage(set: DaemonSet, sites: readonly Site[], hash: string): void {
    const surge = this.#bounds(set, sites).maxSurge;
    for (const { node, shouldRun, shouldContinue, pods } of sites) {
      if (!shouldContinue) {
        for (const pod of pods) this.#delete(set, pod);
        continue;
      }
      const failed = pods.filter(isFinished);
      for (const pod of failed) this.#replaceLater(set, node, pod);
      const living = pods.filter((pod) => !isFinished(pod));
      // While a rollout surges, an old and a new one may be there together.
      const [...surplus] = surge > 0 && living.filter((pod) => hashOf(pod) === hash).length === 1 ? living.slice(2) : living.slice(1);
      for (const pod of surplus) this.#delete(set, pod);
      if (shouldRun && pods.length === 0 && this.#waitMs(set, node) === 0) this.#create(set, node, hash);
    }
  }

  #replaceLater(set: DaemonSet, node: ClusterNode, pod: Pod): void {
    const place = `${set.metadata.uid}/${node.metadata.name}`;
    const times = this.#backOff.get(place)?.times ?? 0;
    const waitMs = Math.min(maxBackOffMs, firstBackOffMs * 2 ** times);
    this.#backOff.set(place, { times: times + 1, untilMs: this.#world.clock.now() + waitMs });
    const message = `Found failed daemon pod ${keyOf(pod.metadata)} on node ${node.metadata.name}, will try to kill it`;
    this.#tell(set, 'Warning', 'FailedDaemonPod', message);
    this.#delete(set, pod);
  }

  /** Milliseconds until a pod may be made there; calls back when they are over. */
  #waitMs({ metadata }: DaemonSet, node: ClusterNode): number {
    const untilMs = this.#backOff.get(`${metadata.uid}/${node.metadata.name}`)?.untilMs ?? 0;
    const waitMs = Math.max(0, untilMs - this.#world.clock.now());
    if (waitMs > 0) this.#queue.addAfter(keyOf(metadata), waitMs);
    return waitMs;
  }

  #roll(set: DaemonSet, sites: readonly Site[], hash: string): void {
    const { maxSurge, maxUnavailable } = this.#bounds(set, sites);
    const rollable = sites
      .filter(({ shouldRun, pods }) => shouldRun || pods.length > 0)
      .map(({ node, pods }) => ({
        node,
        old: pods.find((pod) => hashOf(pod) !== hash),
        fresh: pods.find((pod) => hashOf(pod) === hash),
      }));
    const isAvailable = (pod: Pod | undefined): boolean => pod !== undefined && this.#isAvailable(set, pod);
    // Old pods that do not work anyway are replaced whatever the bounds are.
    if (maxSurge === 0) {
      let spare = maxUnavailable - rollable.filter(({ old, fresh }) => !isAvailable(fresh ?? old)).length;
      for (const { old, fresh } of rollable) {
        if (old === undefined || fresh !== undefined) continue;
        if (!isAvailable(old)) this.#delete(set, old);
        else if (spare-- > 0) this.#delete(set, old);
      }
      return;
    }
    let spare = maxSurge - rollable.filter(({ old, fresh }) => old !== undefined && fresh !== undefined && !isAvailable(fresh)).length;
    for (const { node, old, fresh } of rollable) {
      if (old === undefined) continue;
      if (isAvailable(fresh)) this.#delete(set, old);
      else if (fresh === undefined && (!isAvailable(old) || spare-- > 0)) this.#create(set, node, hash);
    }
  }

  #bounds(set: DaemonSet, sites: readonly Site[]): { maxSurge: number; maxUnavailable: number } {
    const { maxSurge, maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
    const wanted = sites.filter(({ shouldRun }) => shouldRun).length;
    const surge = resolve(maxSurge, wanted, 'up');
    const unavailable = resolve(maxUnavailable, wanted, 'up');
    return { maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
  }

  #isAvailable(set: DaemonSet, pod: Pod): boolean {
    const waitMs = untilAvailableMs(pod, set.spec.minReadySeconds ?? 0, this.#world.clock);
    if (waitMs > 0 && waitMs !== Infinity) this.#queue.addAfter(keyOf(set.metadata), waitMs);
    return waitMs === 0;
  }

  #create(set: DaemonSet, { metadata }: ClusterNode, hash: string): void {
    const { storage, random } = this.#world;
    const { template } = set.spec;
    const spec = daemonSpec(set);
    const terms = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [metadata.name] }] }];
    const affinity = {
      ...spec.affinity,
      nodeAffinity: { ...spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
    };
    const generation = set.metadata.annotations?.['deprecated.daemonset.template.generation'] ?? '1';
    const labels = { ...template.metadata?.labels, [hashLabel]: hash, 'pod-template-generation': generation };
    const draft = podFrom(
      { metadata: { ...template.metadata, labels }, spec: { ...spec, affinity } },
      set,
      generatedName(`${set.metadata.name}-`, random),
    );
    try {
      const { metadata: made } = storage.create('pods', draft);
      this.#tell(set, 'Normal', 'SuccessfulCreate', `Created pod: ${made.name}`);
    } catch (error) {
      if (error instanceof StatusError) this.#tell(set, 'Warning', 'FailedCreate', `Error creating: ${error.message}`);
      throw error;
    }
  }

  #delete(set: DaemonSet, { metadata }: Pod): void {
    this.#world.storage.delete('pods', metadata.namespace, metadata.name, { preconditions: { uid: metadata.uid } });
    this.#tell(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${metadata.name}`);
  }

  #tell(set: DaemonSet, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#world.events.record(set, { type, reason, message, component: 'daemonset-controller' });
  }

  #count(set: DaemonSet, sites: readonly Site[], hash: string): DaemonSetStatus {
    const status = {
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      desiredNumberScheduled: 0,
      numberReady: 0,
      observedGeneration: set.metadata.generation ?? 1,
      updatedNumberScheduled: 0,
      numberAvailable: 0,
      numberUnavailable: 0,
    };
    for (const { shouldRun, pods } of sites) {
      if (!shouldRun) {
        if (pods.length > 0) status.numberMisscheduled++;
        continue;
      }
      status.desiredNumberScheduled++;
      if (pods.length === 0) continue;
      status.currentNumberScheduled++;
      // The newer of two is the one that the rollout is about.
      const pod = pods.find((each) => hashOf(each) === hash) ?? pods[0];
      if (pod === undefined) continue;
      if (isReady(pod)) status.numberReady++;
      if (pods.some((each) => this.#isAvailable(set, each))) status.numberAvailable++;
      if (hashOf(pod) === hash) status.updatedNumberScheduled++;
    }
    status.numberUnavailable = status.desiredNumberScheduled - status.numberAvailable;
    const { updatedNumberScheduled, numberAvailable, numberUnavailable, ...always } = status;
    return {
      ...always,
      ...(updatedNumberScheduled === 0 ? {} : { updatedNumberScheduled }),
      ...(numberAvailable === 0 ? {} : { numberAvailable }),
      ...(numberUnavailable === 0 ? {} : { numberUnavailable }),
    };
  }
}

function hashOf({ metadata }: Pod): string {
  return metadata.labels?.[hashLabel] ?? '';
}

/** The node that a pod is on, or is meant for. */
function homeOf({ spec }: Pod): string {
  if (spec.nodeName !== undefined && spec.nodeName !== '') return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms.flatMap(({ matchFields = [] }) => matchFields.flatMap(({ values = [] }) => values))[0] ?? '';
}

const standardTolerations: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];
const networkToleration: Toleration = { key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' };

/** The pods' spec, with the taints that daemons put up with. */
function daemonSpec({ spec: { template } }: DaemonSet): PodSpec {
  const own = template.spec.tolerations ?? [];
  const more = [...standardTolerations, ...(template.spec.hostNetwork === true ? [networkToleration] : [])];
  return { ...template.spec, tolerations: [...own, ...more.filter((each) => !own.some((other) => equalJson(each, other)))] };
}
