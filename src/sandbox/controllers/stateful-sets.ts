import { equalJson } from '../json.js';
import { StatusError } from '../status.js';
import type { StorageEvent } from '../storage.js';
import { isFinished, isReady, isTerminating, podFrom, queueOwner, untilAvailableMs } from './pods.js';
import { syncHistory, truncateHistory } from './revisions.js';
import {
  keyOf,
  resolve,
  resourceOf,
  splitKey,
  type ControllerRevision,
  type Pod,
  type PodTemplate,
  type StatefulSet,
  type StatefulSetStatus,
} from './shapes.js';
import type { Controller, Queue, World } from './work.js';

const hashLabel = 'controller-revision-hash';

/** One place of the set: its number, and the pod that has it. */
interface Place {
  readonly ordinal: number;
  readonly pod: Pod | undefined;
}

/** Keeps the numbered pods of stateful sets, one after the other or all at once, and rolls out templates from the highest number down. */
export class StatefulSetController implements Controller {
  readonly name = 'stateful sets';
  readonly #world: World;
  readonly #queue: Queue;

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
  }

  observe(event: StorageEvent): void {
    const resource = resourceOf(event);
    if (resource === 'statefulsets.apps') this.#queue.add(keyOf(event.object.metadata));
    if (resource === 'pods') queueOwner(this.#world, this.#queue, event.object, 'StatefulSet');
  }

  sync(key: string): void {
    const { storage } = this.#world;
    const { namespace, name } = splitKey(key);
    const set = storage.get('statefulsets.apps', namespace, name) as StatefulSet | undefined;
    if (set === undefined) return;
    const history = syncHistory(this.#world, set, 'controller.kubernetes.io/hash');
    const current = history.all.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? history.current;
    let failure: StatusError | undefined;
    if (!isTerminating(set)) {
      try {
        this.#step(set, current, history.current);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        failure = error;
      }
    }
    const status = this.#count(set, current, history.current);
    if (storage.get('statefulsets.apps', namespace, name)?.metadata.uid !== set.metadata.uid) return;
    if (!equalJson(set.status, status)) storage.update('statefulsets.apps', { ...set, status }, 'status');
    const live = new Set([current.metadata.name, ...this.#pods(set).map(revisionOf)]);
    if (!isTerminating(set)) truncateHistory(this.#world, set, history, ({ metadata }) => live.has(metadata.name));
    if (failure !== undefined) throw failure;
  }

  #pods({ metadata }: StatefulSet): Pod[] {
    return this.#world.index.controlled('pods', metadata.uid) as Pod[];
  }

  /** Does what can be done now; what has to wait is called back by the pods that it waits for. */
  #step(set: StatefulSet, current: ControllerRevision, update: ControllerRevision): void {
    const { replicas = 1, podManagementPolicy, updateStrategy } = set.spec;
    const first = set.spec.ordinals?.start ?? 0;
    const isOrdered = podManagementPolicy !== 'Parallel';
    const byOrdinal = new Map(this.#pods(set).map((pod) => [ordinalOf(pod), pod]));
    const places = Array.from({ length: replicas }, (_, index): Place => ({ ordinal: first + index, pod: byOrdinal.get(first + index) }));
    const condemned = [...byOrdinal.values()]
      .filter((pod) => ordinalOf(pod) < first || ordinalOf(pod) >= first + replicas)
      .sort((one, other) => ordinalOf(other) - ordinalOf(one));
    const firstUnhealthy = [...places.map(({ pod }) => pod), ...condemned.toReversed()].find(
      (pod) => pod !== undefined && !this.#isAvailable(set, pod),
    );

    let isWaiting = false;
    for (const place of places) {
      if (!this.#keep(set, place, isOrdered, isCurrent(set, place.ordinal) ? current : update)) isWaiting = true;
      if (isWaiting && isOrdered) return;
    }
    for (const pod of condemned) {
      if (isTerminating(pod)) {
        if (isOrdered) return;
        continue;
      }
      if (isOrdered && !this.#isAvailable(set, pod) && pod !== firstUnhealthy) return;
      this.#delete(set, pod);
      isWaiting = true;
      if (isOrdered) return;
    }
    if (isWaiting || updateStrategy?.type === 'OnDelete') return;
    this.#roll(set, places, update);
  }

  /** @returns whether the place is as it should be. */
  #keep(set: StatefulSet, { ordinal, pod }: Place, isOrdered: boolean, revision: ControllerRevision): boolean {
    if (pod === undefined) {
      this.#create(set, ordinal, revision);
      return false;
    }
    if (isFinished(pod)) {
      if (!isTerminating(pod)) this.#delete(set, pod);
      return false;
    }
    return !isOrdered || (!isTerminating(pod) && this.#isAvailable(set, pod));
  }

  #roll(set: StatefulSet, places: readonly Place[], update: ControllerRevision): void {
    const { partition = 0, maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
    let spare = Math.max(1, resolve(maxUnavailable, places.length, 'up'));
    for (const { pod } of places.slice(partition).reverse()) {
      if (pod === undefined || spare === 0) return;
      if (revisionOf(pod) !== update.metadata.name && !isTerminating(pod)) {
        this.#delete(set, pod);
        spare--;
      } else if (!this.#isAvailable(set, pod)) spare--;
    }
  }

  #isAvailable(set: StatefulSet, pod: Pod): boolean {
    if (isTerminating(pod) || pod.status?.phase !== 'Running') return false;
    const waitMs = untilAvailableMs(pod, set.spec.minReadySeconds ?? 0, this.#world.clock);
    if (waitMs > 0 && waitMs !== Infinity) this.#queue.addAfter(keyOf(set.metadata), waitMs);
    return waitMs === 0;
  }

  #create(set: StatefulSet, ordinal: number, revision: ControllerRevision): void {
    const { storage, events } = this.#world;
    const { spec, metadata } = set;
    const name = `${metadata.name}-${ordinal}`;
    const { $patch: _patch, ...template } = (revision.data as { spec: { template: PodTemplate & { $patch?: string } } }).spec.template;
    const claims = (spec.volumeClaimTemplates ?? []).map((claim) => ({ claim, claimName: `${claim.metadata.name}-${name}` }));
    for (const { claim, claimName } of claims) {
      if (storage.get('persistentvolumeclaims', metadata.namespace, claimName) !== undefined) continue;
      const labels = { ...claim.metadata.labels, ...spec.selector.matchLabels };
      storage.create('persistentvolumeclaims', {
        metadata: { ...claim.metadata, name: claimName, namespace: metadata.namespace, labels },
        spec: claim.spec,
      });
      this.#tell(set, 'SuccessfulCreate', `create Claim ${claimName} Pod ${name} in StatefulSet ${metadata.name} success`);
    }
    const volumes = (template.spec.volumes as { name: string }[] | undefined) ?? [];
    const own = claims.map(({ claim, claimName }) => ({ name: claim.metadata.name, persistentVolumeClaim: { claimName } }));
    const labels = {
      ...template.metadata?.labels,
      'apps.kubernetes.io/pod-index': String(ordinal),
      [hashLabel]: revision.metadata.name,
      'statefulset.kubernetes.io/pod-name': name,
    };
    const podSpec = {
      ...template.spec,
      hostname: name,
      ...(spec.serviceName === undefined || spec.serviceName === '' ? {} : { subdomain: spec.serviceName }),
      ...(own.length + volumes.length === 0
        ? {}
        : { volumes: [...own, ...volumes.filter((volume) => !own.some((each) => each.name === volume.name))] }),
    };
    try {
      storage.create('pods', podFrom({ metadata: { ...template.metadata, labels }, spec: podSpec }, set, { name }));
    } catch (error) {
      if (error instanceof StatusError) {
        const message = `create Pod ${name} in StatefulSet ${metadata.name} failed error: ${error.message}`;
        events.record(set, { type: 'Warning', reason: 'FailedCreate', message, component: 'statefulset-controller' });
      }
      throw error;
    }
    this.#tell(set, 'SuccessfulCreate', `create Pod ${name} in StatefulSet ${metadata.name} successful`);
  }

  #delete(set: StatefulSet, { metadata }: Pod): void {
    this.#world.storage.delete('pods', metadata.namespace, metadata.name, { preconditions: { uid: metadata.uid } });
    this.#tell(set, 'SuccessfulDelete', `delete Pod ${metadata.name} in StatefulSet ${set.metadata.name} successful`);
  }

  #tell(set: StatefulSet, reason: string, message: string): void {
    this.#world.events.record(set, { type: 'Normal', reason, message, component: 'statefulset-controller' });
  }

  #count(set: StatefulSet, current: ControllerRevision, update: ControllerRevision): StatefulSetStatus {
    const { replicas: wanted = 1, updateStrategy } = set.spec;
    const pods = this.#pods(set);
    const staying = pods.filter((pod) => !isTerminating(pod));
    const count = (items: readonly Pod[], is: (pod: Pod) => boolean): number => items.filter(is).length;
    const replicas = pods.length;
    const readyReplicas = count(pods, (pod) => pod.status?.phase === 'Running' && isReady(pod));
    const updatedReplicas = count(staying, (pod) => revisionOf(pod) === update.metadata.name);
    const isDone = updateStrategy?.type !== 'OnDelete' && updatedReplicas === wanted && replicas === wanted && readyReplicas === wanted;
    const at = isDone ? update : current;
    const currentReplicas = count(staying, (pod) => revisionOf(pod) === at.metadata.name);
    return {
      observedGeneration: set.metadata.generation ?? 1,
      replicas,
      ...(readyReplicas === 0 ? {} : { readyReplicas }),
      ...(currentReplicas === 0 ? {} : { currentReplicas }),
      ...(updatedReplicas === 0 ? {} : { updatedReplicas }),
      availableReplicas: count(pods, (pod) => this.#isAvailable(set, pod)),
      currentRevision: at.metadata.name,
      updateRevision: update.metadata.name,
      collisionCount: 0,
    };
  }
}

function revisionOf({ metadata }: Pod): string {
  return metadata.labels?.[hashLabel] ?? '';
}

function ordinalOf({ metadata }: Pod): number {
  return Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1));
}

/** Whether a pod that is made at this place is still of the revision before. */
function isCurrent({ spec, status }: StatefulSet, ordinal: number): boolean {
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  const start = spec.ordinals?.start ?? 0;
  if (rollingUpdate !== undefined) return ordinal < start + (rollingUpdate.partition ?? 0);
  return type === 'RollingUpdate' && ordinal < start + (status?.currentReplicas ?? 0);
}
