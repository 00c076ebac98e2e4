import { equalJson } from '../json.js';
import { StatusError } from '../status.js';
import type { StorageEvent } from '../storage.js';
import { byDispensability, generatedName, isActive, isReady, isTerminating, podFrom, queueOwner, untilAvailableMs } from './pods.js';
import {
  conditionOf,
  keyOf,
  resourceOf,
  splitKey,
  withCondition,
  type Condition,
  type Pod,
  type ReplicaSet,
  type ReplicaSetStatus,
} from './shapes.js';
import type { Controller, Queue, World } from './work.js';

/** Pods made at a time; more would hold the event loop for too long. */
const maxBurst = 100;

/** Keeps as many pods of a replica set as it asks for. Pods that nobody controls are left alone: none is adopted. */
export class ReplicaSetController implements Controller {
  readonly name = 'replica sets';
  readonly #world: World;
  readonly #queue: Queue;

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
  }

  observe(event: StorageEvent): void {
    const resource = resourceOf(event);
    if (resource === 'replicasets.apps') this.#queue.add(keyOf(event.object.metadata));
    if (resource === 'pods') queueOwner(this.#world, this.#queue, event.object, 'ReplicaSet');
  }

  sync(key: string): void {
    const { storage, index, clock } = this.#world;
    const { namespace, name } = splitKey(key);
    const set = storage.get('replicasets.apps', namespace, name) as ReplicaSet | undefined;
    if (set === undefined) return;
    let failure: StatusError | undefined;
    if (!isTerminating(set)) {
      try {
        this.#scale(set);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        failure = error;
      }
    }

    const pods = index.controlled('pods', set.metadata.uid) as Pod[];
    const active = pods.filter(isActive);
    const { minReadySeconds = 0, template } = set.spec;
    const waits = active.map((pod) => untilAvailableMs(pod, minReadySeconds, clock));
    const soonestMs = Math.min(...waits.filter((wait) => wait > 0));
    if (soonestMs !== Infinity) this.#queue.addAfter(key, soonestMs);
    const labels = Object.entries(template.metadata?.labels ?? {});
    const status: ReplicaSetStatus = {
      replicas: active.length,
      fullyLabeledReplicas: active.filter((pod) => labels.every(([label, value]) => pod.metadata.labels?.[label] === value)).length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: waits.filter((wait) => wait === 0).length,
      terminatingReplicas: pods.filter(isTerminating).length,
      observedGeneration: set.metadata.generation ?? 1,
    };
    const conditions = this.#conditions(set, failure);
    if (conditions.length > 0) status.conditions = conditions;
    for (const count of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const)
      if (status[count] === 0) delete status[count];
    // While it is terminating, its last pods may take it along with them.
    if (storage.get('replicasets.apps', namespace, name)?.metadata.uid !== set.metadata.uid) return;
    if (!equalJson(set.status, status)) storage.update('replicasets.apps', { ...set, status }, 'status');
    if (failure !== undefined) throw failure;
  }

  #scale(set: ReplicaSet): void {
    const { storage, index, random } = this.#world;
    const { namespace, name, uid } = set.metadata;
    const pods = (index.controlled('pods', uid) as Pod[]).filter(isActive);
    const surplus = pods.length - (set.spec.replicas ?? 1);
    if (surplus > 0) {
      const dispensable = pods.sort(byDispensability(pods)).slice(0, surplus);
      for (const pod of dispensable) storage.delete('pods', namespace, pod.metadata.name, { preconditions: { uid: pod.metadata.uid } });
    }
    const missing = Math.min(-surplus, maxBurst);
    for (let count = 0; count < missing; count++)
      storage.create('pods', podFrom(set.spec.template, set, generatedName(`${name}-`, random)));
    if (missing < -surplus) this.#queue.add(keyOf(set.metadata));
  }

  #conditions(set: ReplicaSet, failure: StatusError | undefined): Condition[] {
    const conditions = set.status?.conditions ?? [];
    if (failure === undefined) return conditions.filter(({ type }) => type !== 'ReplicaFailure');
    const current = conditionOf(conditions, 'ReplicaFailure');
    if (current?.message === failure.message) return conditions;
    return withCondition(conditions, {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: failure.message,
      lastTransitionTime: this.#world.clock.instant(),
    });
  }
}
