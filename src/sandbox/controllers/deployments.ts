import { equalJson } from '../json.js';
import { hash32, safeEncode } from '../random.js';
import { StatusError } from '../status.js';
import type { StorageEvent } from '../storage.js';
import { isTerminating } from './pods.js';
import {
  canonicalJson,
  conditionOf,
  controlledBy,
  controllerKey,
  controllerOf,
  equalTemplates,
  keyOf,
  resolve,
  resourceOf,
  splitKey,
  withCondition,
  type Condition,
  type Deployment,
  type DeploymentStatus,
  type Pod,
  type ReplicaSet,
} from './shapes.js';
import type { Controller, Queue, World } from './work.js';

const revisionKey = 'deployment.kubernetes.io/revision';
const historyKey = 'deployment.kubernetes.io/revision-history';
const desiredKey = 'deployment.kubernetes.io/desired-replicas';
const maxKey = 'deployment.kubernetes.io/max-replicas';
/** Annotations of a deployment that are not its replica sets'. */
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionKey,
  historyKey,
  desiredKey,
  maxKey,
  'deprecated.deployment.rollback.to',
]);
/** "No deadline", as Kubernetes writes it. */
const never = 2 ** 31 - 1;

/** The replica sets of one deployment, the new one being that of its current template. */
interface Family {
  fresh: ReplicaSet | undefined;
  old: ReplicaSet[];
}

/** Rolls deployments out through replica sets, with the steps, conditions and revisions of Kubernetes' own controller. */
export class DeploymentController implements Controller {
  readonly name = 'deployments';
  readonly #world: World;
  readonly #queue: Queue;

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
  }

  observe(event: StorageEvent): void {
    const resource = resourceOf(event);
    if (resource === 'deployments.apps') this.#queue.add(keyOf(event.object.metadata));
    if (resource === 'replicasets.apps') this.#addOwner(event.object as ReplicaSet);
    // A Recreate rollout waits for the old pods to be gone, which no replica set counts while they end.
    if (resource === 'pods' && event.type === 'DELETED') {
      const owner = controllerOf(event.object);
      const { namespace } = event.object.metadata;
      if (owner?.kind !== 'ReplicaSet') return;
      const set = this.#world.storage.get('replicasets.apps', namespace, owner.name);
      if (set !== undefined) this.#addOwner(set as ReplicaSet);
    }
  }

  #addOwner(set: ReplicaSet): void {
    const key = controllerKey(set, 'Deployment');
    if (key !== undefined) this.#queue.add(key);
  }

  sync(key: string): void {
    const { namespace, name } = splitKey(key);
    let deployment = this.#world.storage.get('deployments.apps', namespace, name) as Deployment | undefined;
    if (deployment === undefined) return;
    if (isTerminating(deployment)) {
      const family = this.#family(deployment);
      this.#writeStatus(deployment, this.#count(deployment, family));
      return;
    }
    deployment = this.#notePause(deployment);
    const family = this.#family(deployment);
    if (deployment.spec.paused === true) {
      this.#resize(deployment, family);
      return;
    }
    const wanted = String(replicasOf(deployment));
    // Asked after the revision was synced, as a scaling is told by what the replica sets were last sized for.
    deployment = this.#syncRevision(deployment, family);
    const isScaling = all(family).some((set) => replicasOf(set) > 0 && (set.metadata.annotations?.[desiredKey] ?? wanted) !== wanted);
    if (isScaling) this.#resize(deployment, family);
    else if (deployment.spec.strategy?.type === 'Recreate') this.#recreate(deployment, family);
    else this.#roll(deployment, family);
  }

  #family(deployment: Deployment): Family {
    const sets = (this.#world.index.controlled('replicasets.apps', deployment.metadata.uid) as ReplicaSet[]).sort(byAge);
    const fresh = sets.find((set) => equalTemplates(set.spec.template, deployment.spec.template));
    return { fresh, old: sets.filter((set) => set !== fresh) };
  }

  /** So that a pause is not taken for lack of progress. */
  #notePause(deployment: Deployment): Deployment {
    const { conditions = [] } = deployment.status ?? {};
    const current = conditionOf(conditions, 'Progressing');
    if (!hasDeadline(deployment) || current?.reason === 'ProgressDeadlineExceeded') return deployment;
    const isPaused = deployment.spec.paused === true;
    if (isPaused === (current?.reason === 'DeploymentPaused')) return deployment;
    const [reason, message] = isPaused ? pausedTexts : resumedTexts;
    const progressing = this.#condition('Progressing', 'Unknown', reason, message);
    return this.#writeStatus(deployment, { ...deployment.status, conditions: put(conditions, progressing) });
  }

  /** The new replica set is the one of the highest revision, and the deployment says which that is. */
  #syncRevision(deployment: Deployment, family: Family): Deployment {
    const { fresh } = family;
    if (fresh === undefined) return deployment;
    const { annotations, changed } = annotationsFor(deployment, fresh, 1 + Math.max(0, ...family.old.map(revisionOf)));
    if (changed || (fresh.spec.minReadySeconds ?? 0) !== (deployment.spec.minReadySeconds ?? 0)) {
      family.fresh = this.#writeSet({
        ...fresh,
        metadata: { ...fresh.metadata, annotations },
        spec: { ...fresh.spec, minReadySeconds: deployment.spec.minReadySeconds ?? 0 },
      });
    }
    const next = this.#noteRevision(deployment, annotations[revisionKey] ?? '1');
    if (!hasDeadline(next) || conditionOf(next.status?.conditions, 'Progressing') !== undefined) return next;
    return this.#noteProgress(next, 'FoundNewReplicaSet', `Found new replica set "${fresh.metadata.name}"`);
  }

  #noteRevision(deployment: Deployment, revision: string): Deployment {
    const { annotations } = deployment.metadata;
    if (annotations?.[revisionKey] === revision) return deployment;
    const metadata = { ...deployment.metadata, annotations: { ...annotations, [revisionKey]: revision } };
    // With the status, as Kubernetes does: it is no new generation.
    return this.#world.storage.update('deployments.apps', { ...deployment, metadata }, 'status') as Deployment;
  }

  #noteProgress(deployment: Deployment, reason: string, message: string): Deployment {
    const { conditions = [] } = deployment.status ?? {};
    const progressing = this.#condition('Progressing', 'True', reason, message);
    return this.#writeStatus(deployment, { ...deployment.status, conditions: put(conditions, progressing) });
  }

  /** Makes the replica set of the current template where there is none yet. */
  #createFresh(deployment: Deployment, family: Family): Deployment {
    if (family.fresh !== undefined) return deployment;
    const { storage } = this.#world;
    const { metadata, spec, status } = deployment;
    const hash = safeEncode(hash32(canonicalJson(spec.template) + String(status?.collisionCount ?? '')));
    const labels = { ...spec.template.metadata?.labels, 'pod-template-hash': hash };
    const draft = {
      metadata: {
        name: `${metadata.name}-${hash}`,
        namespace: metadata.namespace,
        labels,
        ownerReferences: [controlledBy(deployment)],
      },
      spec: {
        replicas: 0,
        ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
        selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, 'pod-template-hash': hash } },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
    } as unknown as ReplicaSet;
    draft.spec.replicas = growthOf(deployment, [...family.old, draft], draft);
    const revision = 1 + Math.max(0, ...family.old.map(revisionOf));
    const { annotations } = annotationsFor(deployment, draft, revision);
    draft.metadata.annotations = { ...annotations, ...sizeAnnotations(deployment) };
    try {
      family.fresh = storage.create('replicasets.apps', draft) as ReplicaSet;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (error.reason === 'AlreadyExists') {
        this.#writeStatus(deployment, { ...status, collisionCount: (status?.collisionCount ?? 0) + 1 });
      } else if (hasDeadline(deployment) && !isNamespaceEnding(error)) {
        const message = `Failed to create new replica set "${draft.metadata.name}": ${error.message}`;
        const failed = this.#condition('Progressing', 'False', 'ReplicaSetCreateError', message);
        this.#writeStatus(deployment, { ...status, conditions: put(status?.conditions ?? [], failed) });
      }
      throw error;
    }
    if (replicasOf(family.fresh) > 0) this.#tellSize(deployment, family.fresh, 0, replicasOf(family.fresh));
    const next = this.#noteRevision(deployment, String(revision));
    if (!hasDeadline(next)) return next;
    return this.#noteProgress(next, 'NewReplicaSetCreated', `Created new replica set "${family.fresh.metadata.name}"`);
  }

  #roll(before: Deployment, family: Family): void {
    const deployment = this.#createFresh(before, family);
    const { fresh } = family;
    if (fresh === undefined) return;
    const wanted = replicasOf(deployment);
    const size = replicasOf(fresh) > wanted ? wanted : growthOf(deployment, all(family), fresh);
    const didGrow = this.#size(deployment, family, fresh, size);
    if (!didGrow && !this.#shrinkOld(deployment, family) && isComplete(deployment, deployment.status)) this.#cleanUp(deployment, family);
    this.#syncStatus(deployment, family);
  }

  /** Takes away old pods: first those that do not work anyway, then as many as availability allows. */
  #shrinkOld(deployment: Deployment, family: Family): boolean {
    const { fresh } = family;
    const active = family.old.filter((set) => replicasOf(set) > 0);
    if (fresh === undefined || active.length === 0) return false;
    const { maxUnavailable } = boundsOf(deployment);
    const minAvailable = replicasOf(deployment) - maxUnavailable;
    const missing = replicasOf(fresh) - (fresh.status?.availableReplicas ?? 0);
    const spare = sum(all(family), replicasOf) - minAvailable - missing;
    if (spare <= 0) return false;
    let cleaned = 0;
    for (const set of active) {
      const unhealthy = replicasOf(set) - (set.status?.availableReplicas ?? 0);
      const fewer = Math.min(spare - cleaned, unhealthy);
      if (fewer <= 0) continue;
      this.#size(deployment, family, set, replicasOf(set) - fewer);
      cleaned += fewer;
    }
    const available = sum(all(family), (set) => set.status?.availableReplicas ?? 0);
    let scaled = 0;
    for (const set of family.old.filter((each) => replicasOf(each) > 0)) {
      const fewer = Math.min(replicasOf(set), available - minAvailable - scaled);
      if (fewer <= 0) break;
      this.#size(deployment, family, set, replicasOf(set) - fewer);
      scaled += fewer;
    }
    return cleaned + scaled > 0;
  }

  #recreate(before: Deployment, family: Family): void {
    let deployment = before;
    let didShrink = false;
    for (const set of family.old) if (replicasOf(set) > 0) didShrink = this.#size(deployment, family, set, 0) || didShrink;
    if (didShrink || this.#hasOldPods(family)) return this.#syncStatus(deployment, family);
    deployment = this.#createFresh(deployment, family);
    if (family.fresh !== undefined) this.#size(deployment, family, family.fresh, replicasOf(deployment));
    if (isComplete(deployment, deployment.status)) this.#cleanUp(deployment, family);
    this.#syncStatus(deployment, family);
  }

  #hasOldPods({ old }: Family): boolean {
    const { index } = this.#world;
    return old.some((set) =>
      (index.controlled('pods', set.metadata.uid) as Pod[]).some(
        ({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed',
      ),
    );
  }

  /** Spreads a change of size over the replica sets in proportion, so that it neither hastens nor undoes a rollout. */
  #resize(deployment: Deployment, family: Family): void {
    const sets = all(family);
    const active = sets.filter((set) => replicasOf(set) > 0);
    const wanted = replicasOf(deployment);
    const only = active.length === 1 ? active[0] : active.length === 0 ? (family.fresh ?? family.old.at(-1)) : undefined;
    if (only !== undefined) this.#size(deployment, family, only, wanted);
    else if (family.fresh !== undefined && isSaturated(deployment, family.fresh)) {
      for (const set of family.old) if (replicasOf(set) > 0) this.#size(deployment, family, set, 0);
    } else if (active.length > 0 && deployment.spec.strategy?.type !== 'Recreate') this.#resizeInProportion(deployment, family, active);
    if (deployment.spec.paused === true) this.#cleanUp(deployment, family);
    this.#writeStatus(deployment, this.#count(deployment, family));
  }

  #resizeInProportion(deployment: Deployment, family: Family, active: ReplicaSet[]): void {
    const wanted = replicasOf(deployment);
    const { maxSurge } = boundsOf(deployment);
    const added = (wanted > 0 ? wanted + maxSurge : 0) - sum(active, replicasOf);
    active.sort((one, other) => replicasOf(other) - replicasOf(one) || (added > 0 ? -byAge(one, other) : byAge(one, other)));
    let given = 0;
    const sizes = active.map((set) => {
      const size = replicasOf(set);
      const before = Number(set.metadata.annotations?.[maxKey] ?? 0) || (deployment.status?.replicas ?? 0);
      const whole = wanted === 0 ? -size : before === 0 ? 0 : Math.round((size * (wanted + maxSurge)) / before) - size;
      const part = added > 0 ? Math.min(whole, added - given) : Math.max(whole, added - given);
      if (added === 0 || added === given) return size;
      given += part;
      return size + part;
    });
    for (const [place, set] of active.entries()) {
      const leftover = place === 0 && added !== 0 ? added - given : 0;
      this.#size(deployment, family, set, Math.max(0, (sizes[place] ?? 0) + leftover), true);
    }
  }

  /** @returns whether it changed the size. */
  #size(deployment: Deployment, family: Family, set: ReplicaSet, replicas: number, always = false): boolean {
    const isOther = replicasOf(set) !== replicas;
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) };
    if (!isOther && (!always || equalJson(annotations, set.metadata.annotations))) return false;
    const written = this.#writeSet({ ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } });
    if (isOther) this.#tellSize(deployment, set, replicasOf(set), replicas);
    if (family.fresh === set) family.fresh = written;
    family.old = family.old.map((each) => (each === set ? written : each));
    return isOther;
  }

  #tellSize(deployment: Deployment, { metadata }: ReplicaSet, from: number, to: number): void {
    const message = `Scaled ${from < to ? 'up' : 'down'} replica set ${metadata.name} from ${from} to ${to}`;
    this.#world.events.record(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message, component: 'deployment-controller' });
  }

  #cleanUp(deployment: Deployment, family: Family): void {
    const { revisionHistoryLimit: limit = 10 } = deployment.spec;
    const surplus = family.old.length - limit;
    for (const set of [...family.old].sort((one, other) => revisionOf(one) - revisionOf(other)).slice(0, Math.max(0, surplus))) {
      const isObserved = (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0);
      if ((set.status?.replicas ?? 0) !== 0 || replicasOf(set) !== 0 || !isObserved || isTerminating(set)) continue;
      this.#world.storage.delete('replicasets.apps', set.metadata.namespace, set.metadata.name, { propagationPolicy: 'Background' });
    }
  }

  #syncStatus(deployment: Deployment, family: Family): void {
    const next = this.#count(deployment, family);
    let conditions = next.conditions ?? [];
    const current = conditionOf(deployment.status?.conditions, 'Progressing');
    const subject = family.fresh === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${family.fresh.metadata.name}"`;
    const isOver = (next.replicas ?? 0) === (next.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
    if (!hasDeadline(deployment)) conditions = conditions.filter(({ type }) => type !== 'Progressing');
    else if (!isOver) {
      if (isComplete(deployment, next)) {
        conditions = put(
          conditions,
          this.#condition('Progressing', 'True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`),
        );
      } else if (hasProgressed(deployment.status, next)) {
        // The time of the last progress is what the deadline counts from, so it is written anew though nothing else differs.
        const progressing = this.#condition('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`);
        conditions = withCondition(conditions, progressing);
      } else if (this.#isLate(deployment, conditions)) {
        conditions = put(
          conditions,
          this.#condition('Progressing', 'False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`),
        );
      }
    }
    const failure = [family.fresh, ...family.old]
      .map((set) => conditionOf(set?.status?.conditions, 'ReplicaFailure'))
      .find((each) => each !== undefined);
    conditions =
      failure === undefined
        ? conditions.filter(({ type }) => type !== 'ReplicaFailure')
        : put(conditions, { ...failure, lastUpdateTime: failure.lastTransitionTime ?? this.#world.clock.instant() });
    const written = this.#writeStatus(deployment, { ...next, conditions });
    const progressing = conditionOf(conditions, 'Progressing');
    if (
      !hasDeadline(written) ||
      progressing === undefined ||
      isComplete(written, next) ||
      progressing.reason === 'ProgressDeadlineExceeded'
    )
      return;
    const lateAtMs = Date.parse(progressing.lastUpdateTime ?? '') + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
    this.#queue.addAfter(keyOf(deployment.metadata), Math.max(1000, lateAtMs + 1000 - this.#world.clock.now()));
  }

  #isLate(deployment: Deployment, conditions: readonly Condition[]): boolean {
    const progressing = conditionOf(conditions, 'Progressing');
    if (progressing === undefined || progressing.reason === 'NewReplicaSetAvailable') return false;
    if (progressing.reason === 'ProgressDeadlineExceeded') return true;
    const deadlineMs = (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
    return Date.parse(progressing.lastUpdateTime ?? '') + deadlineMs < this.#world.clock.now();
  }

  #count(deployment: Deployment, family: Family): DeploymentStatus {
    const sets = all(family);
    const available = sum(sets, (set) => set.status?.availableReplicas ?? 0);
    const counts: Record<string, number> = {
      replicas: sum(sets, (set) => set.status?.replicas ?? 0),
      updatedReplicas: family.fresh?.status?.replicas ?? 0,
      readyReplicas: sum(sets, (set) => set.status?.readyReplicas ?? 0),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, sum(sets, replicasOf) - available),
    };
    const isAvailable = available >= replicasOf(deployment) - boundsOf(deployment).maxUnavailable;
    const condition = isAvailable
      ? this.#condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
      : this.#condition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.');
    return {
      observedGeneration: deployment.metadata.generation ?? 1,
      ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
      terminatingReplicas: sum(sets, (set) => set.status?.terminatingReplicas ?? 0),
      ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
      conditions: put(deployment.status?.conditions ?? [], condition),
    };
  }

  #condition(type: string, status: Condition['status'], reason: string, message: string): Condition {
    const now = this.#world.clock.instant();
    return { type, status, lastUpdateTime: now, lastTransitionTime: now, reason, message };
  }

  #writeStatus(deployment: Deployment, status: DeploymentStatus): Deployment {
    if (equalJson(deployment.status, status)) return deployment;
    return this.#world.storage.update('deployments.apps', { ...deployment, status }, 'status') as Deployment;
  }

  #writeSet(set: ReplicaSet): ReplicaSet {
    return this.#world.storage.update('replicasets.apps', set) as ReplicaSet;
  }
}

const pausedTexts = ['DeploymentPaused', 'Deployment is paused'] as const;
const resumedTexts = ['DeploymentResumed', 'Deployment is resumed'] as const;

function all({ fresh, old }: Family): ReplicaSet[] {
  return fresh === undefined ? [...old] : [...old, fresh];
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function replicasOf({ spec }: { spec: { replicas?: number } }): number {
  return spec.replicas ?? 1;
}

function byAge(one: ReplicaSet, other: ReplicaSet): number {
  const { creationTimestamp: left, name } = one.metadata;
  const { creationTimestamp: right, name: otherName } = other.metadata;
  // Within one second, the revision tells what the time does not.
  return left === right ? revisionOf(one) - revisionOf(other) || (name < otherName ? -1 : 1) : left < right ? -1 : 1;
}

function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[revisionKey] ?? 0);
}

function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== never;
}

function isNamespaceEnding(error: StatusError): boolean {
  return error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;
}

/** How many pods a rollout may have beyond what is wanted, and how many may be missing. */
function boundsOf(deployment: Deployment): { maxSurge: number; maxUnavailable: number } {
  const { strategy } = deployment.spec;
  const wanted = replicasOf(deployment);
  if (strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = resolve(strategy?.rollingUpdate?.maxSurge ?? '25%', wanted, 'up');
  const maxUnavailable = resolve(strategy?.rollingUpdate?.maxUnavailable ?? '25%', wanted, 'down');
  // Rounded down to nothing, both together would stop every rollout.
  return { maxSurge, maxUnavailable: wanted === 0 ? 0 : Math.min(wanted, maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable) };
}

function growthOf(deployment: Deployment, sets: readonly ReplicaSet[], fresh: ReplicaSet): number {
  const wanted = replicasOf(deployment);
  if (deployment.spec.strategy?.type === 'Recreate') return wanted;
  const room = wanted + boundsOf(deployment).maxSurge - sum(sets, replicasOf);
  return room <= 0 ? replicasOf(fresh) : replicasOf(fresh) + Math.min(room, wanted - replicasOf(fresh));
}

function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  return (
    replicasOf(set) === wanted &&
    Number(set.metadata.annotations?.[desiredKey]) === wanted &&
    (set.status?.availableReplicas ?? 0) === wanted
  );
}

function isComplete(deployment: Deployment, status: DeploymentStatus | undefined): boolean {
  const wanted = replicasOf(deployment);
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status ?? {};
  return (
    updatedReplicas === wanted &&
    replicas === wanted &&
    availableReplicas === wanted &&
    observedGeneration >= (deployment.metadata.generation ?? 1)
  );
}

function hasProgressed(before: DeploymentStatus | undefined, after: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus | undefined): number => (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before?.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before?.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before?.availableReplicas ?? 0)
  );
}

function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const wanted = replicasOf(deployment);
  return { [desiredKey]: String(wanted), [maxKey]: String(wanted + boundsOf(deployment).maxSurge) };
}

/** The annotations of the new replica set: the deployment's own, and a revision that moves on where it was rolled back to. */
function annotationsFor(
  deployment: Deployment,
  set: ReplicaSet,
  revision: number,
): { annotations: Record<string, string>; changed: boolean } {
  const before = set.metadata.annotations ?? {};
  const annotations = { ...before };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!ownAnnotations.has(key)) annotations[key] = value;
  const current = Number(before[revisionKey] ?? 0);
  if (current < revision) {
    annotations[revisionKey] = String(revision);
    if (current > 0) annotations[historyKey] = [...(before[historyKey]?.split(',') ?? []), String(current)].slice(-100).join(',');
  }
  return { annotations, changed: !equalJson(before, annotations) };
}

/** Sets a condition unless it says the same already: an unchanged one keeps its times. */
function put(conditions: readonly Condition[], condition: Condition): Condition[] {
  const current = conditionOf(conditions, condition.type);
  if (current?.status === condition.status && current.reason === condition.reason) return [...conditions];
  // Kubernetes appends what has changed.
  return withCondition(
    conditions.filter((each) => each !== current),
    current?.status === condition.status && current.lastTransitionTime !== undefined
      ? { ...condition, lastTransitionTime: current.lastTransitionTime }
      : condition,
  );
}
