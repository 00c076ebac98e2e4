import { equalJson } from '../json.js';
import { StatusError } from '../status.js';
import type { SandboxObject, StorageEvent } from '../storage.js';
import { mostDispensable, generatedName, isActive, isFinished, isReady, isTerminating, podFrom, queueOwner } from './pods.js';
import {
  conditionOf,
  controllerOf,
  keyOf,
  resourceOf,
  splitKey,
  withCondition,
  type Condition,
  type Job,
  type JobStatus,
  type Pod,
  type PodTemplate,
} from './shapes.js';
import type { Controller, Queue, World } from './work.js';

const finalizer = 'batch.kubernetes.io/job-tracking';
const indexKey = 'batch.kubernetes.io/job-completion-index';
/** Until a failed pod is replaced, twice as long for each failure in a row. */
const firstBackOffMs = 10_000;
const maxBackOffMs = 600_000;
/** Pods made or taken away at a time. */
const maxBurst = 200;
/** Before the key of a pod whose job is gone. */
const orphanMark = 'pod ';

/** How a job ends. */
interface Ending {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

interface Failures {
  inARow: number;
  lastAtMs: number;
}

/** Runs jobs to their end: counts pods that finished, replaces those that failed with growing pauses, and says how it went. */
export class JobController implements Controller {
  readonly name = 'jobs';
  readonly #world: World;
  readonly #queue: Queue;
  /** By uid of the job. */
  readonly #failures = new Map<string, Failures>();

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
  }

  observe(event: StorageEvent): void {
    const { object, type } = event;
    const resource = resourceOf(event);
    if (resource === 'jobs.batch') {
      if (type !== 'DELETED') return this.#queue.add(keyOf(object.metadata));
      this.#failures.delete(object.metadata.uid);
      for (const { metadata } of this.#world.index.controlled('pods', object.metadata.uid)) this.#queue.add(orphanMark + keyOf(metadata));
    }
    if (resource !== 'pods') return;
    const owner = controllerOf(object);
    if (owner?.kind !== 'Job') return;
    if (this.#world.index.has(owner.uid)) queueOwner(this.#world, this.#queue, object, 'Job');
    else if (type !== 'DELETED') this.#queue.add(orphanMark + keyOf(object.metadata));
  }

  sync(key: string): void {
    const { storage } = this.#world;
    if (key.startsWith(orphanMark)) {
      const { namespace, name } = splitKey(key.slice(orphanMark.length));
      const pod = storage.get('pods', namespace, name) as Pod | undefined;
      if (pod !== undefined && !this.#world.index.has(controllerOf(pod)?.uid ?? '')) this.#release(pod);
      return;
    }
    const { namespace, name } = splitKey(key);
    const job = storage.get('jobs.batch', namespace, name) as Job | undefined;
    if (job === undefined) return;
    const end = endOf(job);
    if (end === undefined) this.#run(job);
    else this.#retire(job, end);
  }

  /** A finished job keeps nothing, and goes when its time is over. */
  #retire(job: Job, end: Condition): void {
    const { storage, clock } = this.#world;
    const { metadata, spec } = job;
    for (const pod of this.#pods(job)) this.#release(pod);
    this.#failures.delete(metadata.uid);
    const { ttlSecondsAfterFinished } = spec;
    if (ttlSecondsAfterFinished === undefined || isTerminating(job)) return;
    const leftMs = Date.parse(end.lastTransitionTime ?? '') + ttlSecondsAfterFinished * 1000 - clock.now();
    if (leftMs > 0) return this.#queue.addAfter(keyOf(metadata), leftMs);
    storage.delete('jobs.batch', metadata.namespace, metadata.name, {
      propagationPolicy: 'Foreground',
      preconditions: { uid: metadata.uid },
    });
  }

  #pods({ metadata }: Job): Pod[] {
    return this.#world.index.controlled('pods', metadata.uid) as Pod[];
  }

  #run(job: Job): void {
    const { storage, clock } = this.#world;
    const { status = {}, spec, metadata } = job;
    const tally = new Tally(job, this.#pods(job));
    this.#noteFailures(job, tally);
    let startTime = status.startTime ?? (spec.suspend === true ? undefined : clock.instant());
    let ending = this.#ending(job, tally, startTime);
    let failure: StatusError | undefined;
    try {
      if (ending !== undefined) for (const pod of tally.active) this.#delete(pod);
      else if (!isTerminating(job)) this.#manage(job, tally);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      failure = error;
    }
    const left = this.#pods(job);
    const active = left.filter(isActive);
    const terminating = countTerminating(left);
    ending ??= completion(job, tally, active.length);
    if (ending?.type === 'Failed') tally.failRest();
    let conditions = status.conditions ?? [];
    const suspension = ending === undefined ? this.#suspension(job) : undefined;
    if (ending !== undefined) conditions = this.#conclude(conditions, ending, terminating + active.length === 0);
    else if (suspension !== undefined) {
      conditions = withCondition(conditions, suspension);
      startTime = spec.suspend === true ? undefined : clock.instant();
      this.#tell(job, 'Normal', spec.suspend === true ? 'Suspended' : 'Resumed', suspension.message ?? '');
    }
    const next: JobStatus = {
      ...(conditions.length === 0 ? {} : { conditions }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(conditionOf(conditions, 'Complete') === undefined ? {} : { completionTime: clock.instant() }),
      ...(active.length === 0 ? {} : { active: active.length }),
      ...(tally.succeeded === 0 ? {} : { succeeded: tally.succeeded }),
      ...(tally.failed === 0 ? {} : { failed: tally.failed }),
      ...(tally.completedIndexes === '' ? {} : { completedIndexes: tally.completedIndexes }),
      uncountedTerminatedPods: {},
      ready: active.filter(isReady).length,
      terminating,
    };
    const current = storage.get('jobs.batch', metadata.namespace, metadata.name) as Job | undefined;
    if (current?.metadata.uid !== metadata.uid) return;
    if (!equalJson(current.status, next)) this.#tellEnd(storage.update('jobs.batch', { ...current, status: next }, 'status') as Job);
    for (const pod of tally.counted) this.#release(pod);
    if (failure !== undefined) throw failure;
  }

  /** Whether the job is to end whatever its pods still do. */
  #ending(job: Job, tally: Tally, startTime: string | undefined): Ending | undefined {
    const { backoffLimit = 6, activeDeadlineSeconds, suspend, template } = job.spec;
    const conditions = job.status?.conditions;
    for (const [interim, type] of [
      ['SuccessCriteriaMet', 'Complete'],
      ['FailureTarget', 'Failed'],
    ] as const) {
      const met = conditionOf(conditions, interim);
      if (met?.status === 'True') return { type, reason: met.reason ?? '', message: met.message ?? '' };
    }
    const isRestarting = template.spec.restartPolicy === 'OnFailure';
    const restarts = isRestarting ? tally.restarts : 0;
    if (tally.failed > backoffLimit || (restarts > 0 && restarts >= backoffLimit))
      return { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
    if (activeDeadlineSeconds === undefined || suspend === true || startTime === undefined) return undefined;
    const leftMs = Date.parse(startTime) + activeDeadlineSeconds * 1000 - this.#world.clock.now();
    if (leftMs <= 0) return { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
    this.#queue.addAfter(keyOf(job.metadata), leftMs);
    return undefined;
  }

  /** @param isOver Whether none of its pods runs any more: only then does Kubernetes call a job finished. */
  #conclude(before: Condition[], { type, reason, message }: Ending, isOver: boolean): Condition[] {
    const now = this.#world.clock.instant();
    const make = (each: string): Condition => ({
      type: each,
      status: 'True',
      lastProbeTime: now,
      lastTransitionTime: now,
      reason,
      message,
    });
    const interim = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
    const conditions = conditionOf(before, interim) === undefined ? [...before, make(interim)] : before;
    return isOver ? [...conditions, make(type)] : conditions;
  }

  /** The condition that tells of it, where it has changed. */
  #suspension({ spec, status }: Job): Condition | undefined {
    const current = conditionOf(status?.conditions, 'Suspended');
    const isSuspended = spec.suspend === true;
    const isTold = current === undefined ? !isSuspended : current.status === (isSuspended ? 'True' : 'False');
    if (isTold) return undefined;
    const now = this.#world.clock.instant();
    const [reason, message] = isSuspended ? ['JobSuspended', 'Job suspended'] : ['JobResumed', 'Job resumed'];
    return { type: 'Suspended', status: isSuspended ? 'True' : 'False', lastProbeTime: now, lastTransitionTime: now, reason, message };
  }

  #tellEnd(job: Job): void {
    const end = endOf(job);
    if (end?.type === 'Complete') this.#tell(job, 'Normal', 'Completed', 'Job completed');
    else if (end !== undefined) this.#tell(job, 'Warning', end.reason ?? '', end.message ?? '');
  }

  /** Failures in a row make the pauses longer; a success ends the row. */
  #noteFailures({ metadata }: Job, tally: Tally): void {
    if (tally.newFailures.length + tally.newSuccesses.length === 0) return;
    const failures = this.#failures.get(metadata.uid) ?? { inARow: 0, lastAtMs: 0 };
    const times = tally.newFailures.map((pod) => finishedAtMs(pod, this.#world.clock.now())).sort((one, other) => one - other);
    const lastSuccessMs = Math.max(0, ...tally.newSuccesses.map((pod) => finishedAtMs(pod, this.#world.clock.now())));
    if (lastSuccessMs > 0) failures.inARow = 0;
    failures.inARow += times.filter((time) => time > lastSuccessMs).length;
    failures.lastAtMs = times.at(-1) ?? failures.lastAtMs;
    this.#failures.set(metadata.uid, failures);
  }

  #pauseMs({ metadata }: Job): number {
    const { inARow = 0, lastAtMs = 0 } = this.#failures.get(metadata.uid) ?? {};
    if (inARow === 0) return 0;
    return Math.max(0, lastAtMs + Math.min(maxBackOffMs, firstBackOffMs * 2 ** Math.min(inARow - 1, 20)) - this.#world.clock.now());
  }

  #manage(job: Job, tally: Tally): void {
    const { parallelism = 1, completions, suspend } = job.spec;
    const active = tally.active;
    if (suspend === true) {
      for (const pod of active) this.#stop(job, pod);
      return;
    }
    let wanted = parallelism;
    if (completions !== undefined) wanted = Math.max(0, Math.min(parallelism, completions - tally.succeeded));
    else if (tally.succeeded > 0) wanted = active.length;
    if (active.length > wanted) {
      const surplus = mostDispensable(active, Math.min(maxBurst, active.length - wanted));
      for (const pod of surplus) this.#stop(job, pod);
      return;
    }
    const onlyFailed = job.spec.podReplacementPolicy === 'Failed';
    const missing = wanted - active.length - (onlyFailed ? tally.terminating : 0);
    if (missing <= 0) return;
    const pauseMs = this.#pauseMs(job);
    if (pauseMs > 0) return this.#queue.addAfter(keyOf(job.metadata), pauseMs);
    const count = Math.min(missing, maxBurst);
    const indexes = job.spec.completionMode === 'Indexed' ? tally.pendingIndexes(count) : undefined;
    for (let place = 0; place < (indexes?.length ?? count); place++) this.#create(job, indexes?.[place]);
    if (count < missing) this.#queue.add(keyOf(job.metadata));
  }

  #create(job: Job, index: number | undefined): void {
    const { storage, random } = this.#world;
    const { name } = job.metadata;
    const { metadata, spec } = job.spec.template;
    const finalizers = [...(metadata?.finalizers ?? []).filter((each) => each !== finalizer), finalizer];
    const mark = index === undefined ? {} : { [indexKey]: String(index) };
    const template: PodTemplate = {
      metadata: {
        ...metadata,
        finalizers,
        ...(index === undefined ? {} : { labels: { ...metadata?.labels, ...mark }, annotations: { ...metadata?.annotations, ...mark } }),
      },
      spec: index === undefined ? spec : withIndex(spec, `${name}-${index}`),
    };
    const base = index === undefined ? `${name}-` : `${name}-${index}-`;
    try {
      const { metadata: made } = storage.create('pods', podFrom(template, job, generatedName(base, random)));
      this.#tell(job, 'Normal', 'SuccessfulCreate', `Created pod: ${made.name}`);
    } catch (error) {
      if (error instanceof StatusError) this.#tell(job, 'Warning', 'FailedCreate', `Error creating: ${error.message}`);
      throw error;
    }
  }

  /** Takes a pod away that shall not count. */
  #stop(job: Job, pod: Pod): void {
    this.#release(pod);
    this.#delete(pod);
    this.#tell(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }

  #delete({ metadata }: Pod): void {
    this.#world.storage.delete('pods', metadata.namespace, metadata.name, { preconditions: { uid: metadata.uid } });
  }

  /** Lets a pod go that was counted. */
  #release({ metadata }: Pod): void {
    const { storage } = this.#world;
    const pod = storage.get('pods', metadata.namespace, metadata.name);
    if (pod === undefined || pod.metadata.uid !== metadata.uid || pod.metadata.finalizers?.includes(finalizer) !== true) return;
    const { finalizers, ...rest } = pod.metadata;
    const left = finalizers.filter((each) => each !== finalizer);
    storage.update('pods', { ...pod, metadata: left.length === 0 ? rest : { ...rest, finalizers: left } });
  }

  #tell(job: SandboxObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#world.events.record(job, { type, reason, message, component: 'job-controller' });
  }
}

/** What became of a job's pods, those included that are not counted yet. */
class Tally {
  readonly active: readonly Pod[];
  /** Pods that finished since they were last counted. */
  readonly newSuccesses: readonly Pod[];
  readonly newFailures: readonly Pod[];
  /** What is to be let go once the status holds it. */
  readonly counted: Pod[];
  succeeded: number;
  failed: number;
  readonly terminating: number;
  readonly restarts: number;
  readonly #indexes: ReadonlySet<number> | undefined;
  readonly #completions: number;

  constructor(job: Job, pods: readonly Pod[]) {
    const { status = {}, spec } = job;
    const isIndexed = spec.completionMode === 'Indexed';
    this.#completions = spec.completions ?? 0;
    const tracked = pods.filter(({ metadata }) => metadata.finalizers?.includes(finalizer) === true);
    const isFailed = (pod: Pod): boolean =>
      pod.status?.phase === 'Failed' || (isTerminating(pod) && pod.status?.phase !== 'Succeeded' && spec.podReplacementPolicy !== 'Failed');
    this.active = pods.filter(isActive);
    this.terminating = countTerminating(pods);
    this.newSuccesses = tracked.filter((pod) => pod.status?.phase === 'Succeeded');
    this.newFailures = tracked.filter(isFailed);
    this.counted = [...this.newSuccesses, ...this.newFailures];
    this.failed = (status.failed ?? 0) + this.newFailures.length;
    if (isIndexed) {
      const indexes = parseIndexes(status.completedIndexes ?? '');
      for (const pod of this.newSuccesses) {
        const index = indexOf(pod);
        if (index < this.#completions) indexes.add(index);
      }
      this.#indexes = indexes;
    }
    this.succeeded = this.#indexes?.size ?? (status.succeeded ?? 0) + this.newSuccesses.length;
    this.restarts = this.active.reduce(
      (sum, { status: { containerStatuses = [], initContainerStatuses = [] } = {} }) =>
        sum + [...containerStatuses, ...initContainerStatuses].reduce((count, { restartCount }) => count + restartCount, 0),
      0,
    );
  }

  /** Of an indexed job: `0-2,4`. */
  get completedIndexes(): string {
    return this.#indexes === undefined ? '' : indexesText(this.#indexes);
  }

  /** The first places of an indexed job that have neither succeeded nor a pod. */
  pendingIndexes(count: number): number[] {
    const taken = new Set(this.active.map(indexOf));
    const pending: number[] = [];
    for (let index = 0; index < this.#completions && pending.length < count; index++)
      if (this.#indexes?.has(index) !== true && !taken.has(index)) pending.push(index);
    return pending;
  }

  /** Pods that had to end because the job did have failed. */
  failRest(): void {
    const rest = this.active.filter((pod) => pod.metadata.finalizers?.includes(finalizer) === true);
    this.failed += rest.length;
    this.counted.push(...rest);
  }
}

function countTerminating(pods: readonly Pod[]): number {
  return pods.filter((pod) => isTerminating(pod) && !isFinished(pod)).length;
}

function endOf({ status }: Job): Condition | undefined {
  return status?.conditions?.find(({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True');
}

/** A job without a number of completions is complete when one pod was successful and the others have finished. */
function completion({ spec: { completions } }: Job, { succeeded }: Tally, active: number): Ending | undefined {
  const isComplete = active === 0 && (completions === undefined ? succeeded > 0 : succeeded >= completions);
  return isComplete ? { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined;
}

function finishedAtMs(pod: Pod, nowMs: number): number {
  const times = (pod.status?.containerStatuses ?? []).map(({ state }) => Date.parse(state.terminated?.finishedAt ?? ''));
  const last = Math.max(...times.filter((time) => !Number.isNaN(time)));
  return last === -Infinity ? nowMs : last;
}

function indexOf({ metadata }: Pod): number {
  return Number(metadata.annotations?.[indexKey] ?? Infinity);
}

function withIndex(spec: PodTemplate['spec'], hostname: string): PodTemplate['spec'] {
  const variable = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } } };
  const tell = <C extends PodTemplate['spec']['containers'][number]>(container: C): C => ({
    ...container,
    env: [...(container.env ?? []).filter(({ name }) => name !== variable.name), variable],
  });
  return {
    ...spec,
    hostname,
    containers: spec.containers.map(tell),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(tell) }),
  };
}

function parseIndexes(text: string): Set<number> {
  const indexes = new Set<number>();
  for (const part of text.split(',')) {
    if (part === '') continue;
    const [first = '', last = first] = part.split('-');
    for (let index = Number(first); index <= Number(last); index++) indexes.add(index);
  }
  return indexes;
}

function indexesText(indexes: ReadonlySet<number>): string {
  const parts: { first: number; last: number }[] = [];
  for (const index of [...indexes].sort((one, other) => one - other)) {
    const part = parts.at(-1);
    if (part !== undefined && part.last === index - 1) part.last = index;
    else parts.push({ first: index, last: index });
  }
  return parts
    .map(({ first, last }) => (first === last ? String(first) : last === first + 1 ? `${first},${last}` : `${first}-${last}`))
    .join(',');
}
