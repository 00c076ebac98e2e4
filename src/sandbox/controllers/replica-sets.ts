import { equalJson } from '../json.js';
import { StatusError } from '../status.js';
import type { StorageEvent } from '../storage.js';
import { mostDispensable, generatedName, isActive, isTerminating, podFrom, queueOwner, untilAvailableMs } from './pods.js';
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

/** Pods made or taken away at a time; more would hold the event loop for too long. */
const maxBurst = 200;

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
    const { storage } = this.#world;
    const { namespace, name } = splitKey(key);
    const set = storage.get('replicasets.apps', namespace, name) as ReplicaSet | undefined;
    if (set === undefined) return;
    let failure: StatusError | undefined;
    if (!isTerminating(set)) {
      try {
        // What it made and took away is counted once all of it is.
        if (this.#scale(set)) return this.#queue.add(key);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        failure = error;
      }
    }
    const status = this.#count(set);
    const conditions = this.#conditions(set, failure);
    if (conditions.length > 0) status.conditions = conditions;
    // While it is terminating, its last pods may take it along with them.
    if (storage.get('replicasets.apps', namespace, name)?.metadata.uid !== set.metadata.uid) return;
    if (!equalJson(set.status, status)) storage.update('replicasets.apps', { ...set, status }, 'status');
    if (failure !== undefined) throw failure;
  }

  #count(set: ReplicaSet): ReplicaSetStatus {
    const { index, clock } = this.#world;
    const { minReadySeconds = 0, template } = set.spec;
    const labels = Object.entries(template.metadata?.labels ?? {});
    let [replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, terminatingReplicas] = [0, 0, 0, 0, 0];
    let soonestMs = Infinity;
    for (const pod of index.controlled('pods', set.metadata.uid) as Pod[]) {
      if (isTerminating(pod)) terminatingReplicas++;
      if (!isActive(pod)) continue;
      replicas++;
      if (labels.every(([label, value]) => pod.metadata.labels?.[label] === value)) fullyLabeledReplicas++;
      const waitMs = untilAvailableMs(pod, minReadySeconds, clock);
      if (waitMs !== Infinity) readyReplicas++;
      if (waitMs === 0) availableReplicas++;
      else soonestMs = Math.min(soonestMs, waitMs);
    }
    if (soonestMs !== Infinity) this.#queue.addAfter(keyOf(set.metadata), soonestMs);
    return {
      replicas,
      ...(fullyLabeledReplicas === 0 ? {} : { fullyLabeledReplicas }),
      ...(readyReplicas === 0 ? {} : { readyReplicas }),
      ...(availableReplicas === 0 ? {} : { availableReplicas }),
      terminatingReplicas,
      observedGeneration: set.metadata.generation ?? 1,
    };
  }

  /** @returns whether there is more to do. */
  #scale(set: ReplicaSet): boolean {
    const { storage, index, random } = this.#world;
    const { namespace, name, uid } = set.metadata;
    const pods = (index.controlled('pods', uid) as Pod[]).filter(isActive);
    const surplus = pods.length - (set.spec.replicas ?? 1);
    if (surplus > 0) {
      for (const { metadata } of mostDispensable(pods, Math.min(surplus, maxBurst))) {
        storage.delete('pods', namespace, metadata.name, { preconditions: { uid: metadata.uid } });
        this.#tell(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${metadata.name}`);
      }
    }
    const missing = Math.min(-surplus, maxBurst);
    try {
      for (let count = 0; count < missing; count++) {
        const { metadata } = storage.create('pods', podFrom(set.spec.template, set, generatedName(`${name}-`, random)));
        this.#tell(set, 'Normal', 'SuccessfulCreate', `Created pod: ${metadata.name}`);
      }
    } catch (error) {
      if (error instanceof StatusError) this.#tell(set, 'Warning', 'FailedCreate', `Error creating: ${error.message}`);
      throw error;
    }
    return Math.abs(surplus) > maxBurst;
  }

  #tell(set: ReplicaSet, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#world.events.record(set, { type, reason, message, component: 'replicaset-controller' });
  }

  #conditions(set: ReplicaSet, failure: StatusError | undefined): Condition[] {
    const conditions = set.status?.conditions ?? [];
    if (failure === undefined) return conditions.filter(({ type }) => type !== 'ReplicaFailure');
    // The first failure is the one told of: each later one names another pod that could not be made.
    if (conditionOf(conditions, 'ReplicaFailure') !== undefined) return conditions;
    return withCondition(conditions, {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: failure.message,
      lastTransitionTime: this.#world.clock.instant(),
    });
  }
}
