import { findBy, intAt, longAt, objectAt, objectsAt, textAt, type JsonObject } from './json.js';

/**
 * How a workload is: the first of these that holds. What Kubernetes says comes first, counts after it; `kubectl rollout status` counts the same way.
 * - STOPPED: no replicas are wanted (`spec.replicas`), and the annotation says that somebody stopped it.
 * - SUSPENDED: a job or cron job with `spec.suspend`.
 * - FAILED: a deployment's `Progressing` condition has the reason `ProgressDeadlineExceeded`, or a job's `Failed` holds.
 * - COMPLETED: a job's `Complete` holds.
 * - PROGRESSING: its controller has not seen the latest generation, fewer replicas are updated than wanted, old ones are left, a deployment's
 *   `Progressing` has another reason than `NewReplicaSetAvailable`, or a job has active pods.
 * - DEGRADED: fewer replicas are available than wanted.
 * - RUNNING: all else; no replicas without the annotation, too.
 */
export type WorkloadStatus = 'RUNNING' | 'PROGRESSING' | 'STOPPED' | 'DEGRADED' | 'FAILED' | 'COMPLETED' | 'SUSPENDED';

/** As the contract's `ReplicaStatus`. */
export interface ReplicaStatus {
  readonly desired: number;
  readonly current: number;
  readonly ready: number;
  readonly updated: number;
  readonly available: number;
}

/** How a workload is, and why in the words of the condition that says it. */
export interface StatusAndMessage {
  readonly status: WorkloadStatus;
  readonly statusMessage: string | undefined;
}

/** Remembers how many replicas a workload had when it was stopped; without it, no replicas are what somebody scaled it to. */
export const stoppedReplicasAnnotation = 'gateway.openstack.org/stopped-replicas';

const running: StatusAndMessage = Object.freeze({ status: 'RUNNING', statusMessage: undefined });
const progressing: StatusAndMessage = Object.freeze({ status: 'PROGRESSING', statusMessage: undefined });
const stopped: StatusAndMessage = Object.freeze({ status: 'STOPPED', statusMessage: undefined });
const suspended: StatusAndMessage = Object.freeze({ status: 'SUSPENDED', statusMessage: undefined });

/** Its `Progressing` condition is absent where it has no deadline: then the counts decide. */
export function deploymentStatus(object: JsonObject, replicas: ReplicaStatus): StatusAndMessage {
  if (isStopped(object)) return stopped;
  const conditions = conditionsOf(object);
  const progress = findBy(conditions, 'type', 'Progressing');
  if (progress?.['reason'] === 'ProgressDeadlineExceeded') return { status: 'FAILED', statusMessage: textAt(progress, 'message') };
  // Why pods cannot be made, such as a quota, says more than that they are not there yet.
  const failure = conditionThatHolds(conditions, 'ReplicaFailure');
  const isRolledOut = progress === undefined || progress['reason'] === 'NewReplicaSetAvailable';
  if (!isObserved(object) || replicas.updated < replicas.desired || replicas.current > replicas.updated || !isRolledOut) {
    return { status: 'PROGRESSING', statusMessage: messageOf(failure ?? (isRolledOut ? undefined : progress)) };
  }
  if (replicas.available < replicas.desired) {
    const available = findBy(conditions, 'type', 'Available');
    return { status: 'DEGRADED', statusMessage: messageOf(failure ?? (available?.['status'] === 'False' ? available : undefined)) };
  }
  return running;
}

/**
 * Of stateful sets and daemon sets, which say no conditions of their own.
 * @param held Pods that an update leaves as they are on purpose: those below a partition, or all of them where updates wait for deletions.
 */
export function setStatus(object: JsonObject, replicas: ReplicaStatus, held: number): StatusAndMessage {
  if (isStopped(object)) return stopped;
  const isUpdated = replicas.updated >= replicas.desired - held && replicas.current - replicas.updated <= held;
  if (!isObserved(object) || !isUpdated) return progressing;
  return replicas.available < replicas.desired ? { status: 'DEGRADED', statusMessage: undefined } : running;
}

/** Of a job. @param active Its pods that are not finished. */
export function jobStatus(object: JsonObject, active: number): StatusAndMessage {
  const conditions = conditionsOf(object);
  if (objectAt(object, 'spec')['suspend'] === true)
    return { status: 'SUSPENDED', statusMessage: messageOf(conditionThatHolds(conditions, 'Suspended')) };
  const failed = conditionThatHolds(conditions, 'Failed');
  if (failed !== undefined) return { status: 'FAILED', statusMessage: textAt(failed, 'message') };
  const complete = conditionThatHolds(conditions, 'Complete');
  if (complete !== undefined) return { status: 'COMPLETED', statusMessage: textAt(complete, 'message') };
  return active > 0 ? progressing : running;
}

/** A cron job only waits: how its runs are, its jobs tell. */
export function cronJobStatus(object: JsonObject): StatusAndMessage {
  return objectAt(object, 'spec')['suspend'] === true ? suspended : running;
}

/** Only what keeps as many replicas as it is told can be stopped: not a daemon set that no node takes. */
function isStopped(object: JsonObject): boolean {
  const isAtZero = objectAt(object, 'spec')['replicas'] === 0;
  return isAtZero && Object.hasOwn(objectAt(object, 'metadata', 'annotations'), stoppedReplicasAnnotation);
}

/** Its controller has seen what was last wanted. */
function isObserved(object: JsonObject): boolean {
  return (longAt(objectAt(object, 'status'), 'observedGeneration') ?? 0) >= (longAt(objectAt(object, 'metadata'), 'generation') ?? 0);
}

function conditionsOf(object: JsonObject): readonly JsonObject[] {
  return objectsAt(objectAt(object, 'status'), 'conditions');
}

function conditionThatHolds(conditions: readonly JsonObject[], type: string): JsonObject | undefined {
  return conditions.find((condition) => condition['type'] === type && condition['status'] === 'True');
}

function messageOf(condition: JsonObject | undefined): string | undefined {
  return condition && textAt(condition, 'message');
}

/** A count of Kubernetes: absent is none, and there are never fewer. */
export function countAt(value: JsonObject, key: string): number {
  return Math.max(0, intAt(value, key) ?? 0);
}
