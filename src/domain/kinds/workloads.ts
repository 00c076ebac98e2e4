import type { Kind } from '../../k8s/kind.js';
import { toEpochMs, type RecordSource } from '../../k8s/objects.js';
import { imagesOf } from '../containers.js';
import { nextRun } from '../cron.js';
import { isolationSignature } from '../isolation.js';
import {
  instantAt,
  intAt,
  intOrTextAt,
  keyValues,
  nameIn,
  noTexts,
  objectAt,
  objectsAt,
  share,
  shareList,
  textAt,
  type JsonObject,
  type KeyValue,
} from '../json.js';
import { readPodTemplate, type PodTemplate } from '../pod-template.js';
import {
  countAt,
  cronJobStatus,
  deploymentStatus,
  jobStatus,
  setStatus,
  type ReplicaStatus,
  type StatusAndMessage,
  type WorkloadStatus,
} from '../workload-status.js';
import { controllerKindOf, ResourceRecord } from './resource-record.js';

export type WorkloadKind = 'DEPLOYMENT' | 'STATEFUL_SET' | 'DAEMON_SET' | 'JOB' | 'CRON_JOB';
export type UpdateStrategyType = 'ROLLING_UPDATE' | 'RECREATE' | 'ON_DELETE';
export type ConcurrencyPolicy = 'ALLOW' | 'FORBID' | 'REPLACE';

/** As the contract's `UpdateStrategy`. */
export interface UpdateStrategy {
  readonly type: UpdateStrategyType | undefined;
  /** A count or a percentage, such as `25%`. */
  readonly maxSurge: string | undefined;
  readonly maxUnavailable: string | undefined;
  readonly partition: number | undefined;
  readonly minReadySeconds: number;
}

const strategyTypes: ReadonlyMap<string, UpdateStrategyType> = new Map([
  ['RollingUpdate', 'ROLLING_UPDATE'],
  ['Recreate', 'RECREATE'],
  ['OnDelete', 'ON_DELETE'],
]);
const concurrencyPolicies: ReadonlyMap<string, ConcurrencyPolicy> = new Map([
  ['Allow', 'ALLOW'],
  ['Forbid', 'FORBID'],
  ['Replace', 'REPLACE'],
]);

/** What makes pods and keeps them. Its status and counts are on the record; its template and what else is asked for rarely is read from the object. */
export abstract class WorkloadRecord extends ResourceRecord {
  readonly status: WorkloadStatus;
  readonly statusMessage: string | undefined;
  /** Of the template's containers but the init containers, each once. */
  readonly images: readonly string[];
  /** Of the template. */
  readonly runtimeClassName: string | undefined;

  /** @param template Where the pod template is in the object. */
  protected constructor(source: RecordSource, template: JsonObject, { status, statusMessage }: StatusAndMessage) {
    super(source);
    const spec = objectAt(template, 'spec');
    this.status = status;
    this.statusMessage = statusMessage;
    this.images = shareList(imagesOf(spec));
    this.runtimeClassName = share(textAt(spec, 'runtimeClassName'));
  }

  abstract get workloadKind(): WorkloadKind;

  get template(): PodTemplate {
    const { clusterName } = this;
    return readPodTemplate(templateOf(this.object), { clusterName, selector: objectAt(this.object, 'spec', 'selector') });
  }
  /** The labels by which it knows its pods; requirements that are no pairs are left out. A cron job knows none: its jobs do. */
  get selector(): KeyValue[] {
    return keyValues(objectAt(this.object, 'spec', 'selector', 'matchLabels'));
  }
}

/** Replicas that are all alike. */
export class DeploymentRecord extends WorkloadRecord {
  readonly replicas: ReplicaStatus;
  readonly paused: boolean;

  constructor(source: RecordSource) {
    const { object } = source;
    const replicas = readReplicas(object);
    super(source, templateOf(object), deploymentStatus(object, replicas));
    this.replicas = replicas;
    this.paused = objectAt(object, 'spec')['paused'] === true;
  }

  get kind(): string {
    return 'Deployment';
  }
  get apiVersion(): string {
    return 'apps/v1';
  }
  get workloadKind(): WorkloadKind {
    return 'DEPLOYMENT';
  }
  get updateStrategy(): UpdateStrategy {
    return readUpdateStrategy(this.object, 'strategy');
  }
}

/** Replicas with a name and disks of their own each. */
export class StatefulSetRecord extends WorkloadRecord {
  readonly replicas: ReplicaStatus;

  constructor(source: RecordSource) {
    const { object } = source;
    const replicas = readReplicas(object);
    const { type, partition = 0 } = readUpdateStrategy(object, 'updateStrategy');
    const firstOrdinal = countAt(objectAt(object, 'spec', 'ordinals'), 'start');
    super(source, templateOf(object), setStatus(object, replicas, type === 'ON_DELETE' ? Infinity : Math.max(0, partition - firstOrdinal)));
    this.replicas = replicas;
  }

  get kind(): string {
    return 'StatefulSet';
  }
  get apiVersion(): string {
    return 'apps/v1';
  }
  get workloadKind(): WorkloadKind {
    return 'STATEFUL_SET';
  }
  get updateStrategy(): UpdateStrategy {
    return readUpdateStrategy(this.object, 'updateStrategy');
  }
  get serviceName(): string | undefined {
    return textAt(objectAt(this.object, 'spec'), 'serviceName');
  }
  override get template(): PodTemplate {
    const { clusterName, object } = this;
    const spec = objectAt(object, 'spec');
    return readPodTemplate(templateOf(object), {
      clusterName,
      selector: objectAt(spec, 'selector'),
      claimTemplates: objectsAt(spec, 'volumeClaimTemplates'),
    });
  }
}

/** One pod on each node. */
export class DaemonSetRecord extends WorkloadRecord {
  readonly replicas: ReplicaStatus;

  constructor(source: RecordSource) {
    const { object } = source;
    const status = objectAt(object, 'status');
    const replicas: ReplicaStatus = {
      desired: countAt(status, 'desiredNumberScheduled'),
      current: countAt(status, 'currentNumberScheduled'),
      ready: countAt(status, 'numberReady'),
      updated: countAt(status, 'updatedNumberScheduled'),
      available: countAt(status, 'numberAvailable'),
    };
    const { type } = readUpdateStrategy(object, 'updateStrategy');
    super(source, templateOf(object), setStatus(object, replicas, type === 'ON_DELETE' ? Infinity : 0));
    this.replicas = replicas;
  }

  get kind(): string {
    return 'DaemonSet';
  }
  get apiVersion(): string {
    return 'apps/v1';
  }
  get workloadKind(): WorkloadKind {
    return 'DAEMON_SET';
  }
  get updateStrategy(): UpdateStrategy {
    return readUpdateStrategy(this.object, 'updateStrategy');
  }
}

/** Pods that run until they are done. */
export class JobRecord extends WorkloadRecord {
  /** Undefined where one success is enough and the other pods follow it. */
  readonly completions: number | undefined;
  readonly parallelism: number;
  /** Pods that are not finished. */
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly suspended: boolean;
  readonly startedAt: string | undefined;
  /** Undefined where it failed, too. */
  readonly completedAt: string | undefined;
  /** Kind of the owner whose uid is {@link controllerUid}. */
  readonly controllerKind: string | undefined;

  constructor(source: RecordSource) {
    const { object } = source;
    const spec = objectAt(object, 'spec');
    const status = objectAt(object, 'status');
    const active = countAt(status, 'active');
    super(source, templateOf(object), jobStatus(object, active));
    this.completions = intAt(spec, 'completions');
    this.parallelism = intAt(spec, 'parallelism') ?? 1;
    this.active = active;
    this.succeeded = countAt(status, 'succeeded');
    this.failed = countAt(status, 'failed');
    this.suspended = spec['suspend'] === true;
    this.startedAt = instantAt(status, 'startTime');
    this.completedAt = instantAt(status, 'completionTime');
    this.controllerKind = controllerKindOf(object);
  }

  get kind(): string {
    return 'Job';
  }
  get apiVersion(): string {
    return 'batch/v1';
  }
  get workloadKind(): WorkloadKind {
    return 'JOB';
  }
}

/** Jobs by a timetable. */
export class CronJobRecord extends WorkloadRecord {
  readonly schedule: string;
  /** Undefined for the controller's own, which is UTC unless the cluster's masters are set otherwise. */
  readonly timeZone: string | undefined;
  readonly suspended: boolean;
  readonly lastScheduledAt: string | undefined;

  constructor(source: RecordSource) {
    const { object } = source;
    const spec = objectAt(object, 'spec');
    super(source, objectAt(spec, 'jobTemplate', 'spec', 'template'), cronJobStatus(object));
    this.schedule = share(textAt(spec, 'schedule') ?? '');
    this.timeZone = share(textAt(spec, 'timeZone'));
    this.suspended = spec['suspend'] === true;
    this.lastScheduledAt = instantAt(objectAt(object, 'status'), 'lastScheduleTime');
  }

  get kind(): string {
    return 'CronJob';
  }
  get apiVersion(): string {
    return 'batch/v1';
  }
  get workloadKind(): WorkloadKind {
    return 'CRON_JOB';
  }
  get concurrencyPolicy(): ConcurrencyPolicy | undefined {
    return nameIn(concurrencyPolicies, objectAt(this.object, 'spec')['concurrencyPolicy']);
  }
  override get template(): PodTemplate {
    const { clusterName, object } = this;
    return readPodTemplate(objectAt(object, 'spec', 'jobTemplate', 'spec', 'template'), { clusterName });
  }

  /**
   * RFC 3339; undefined where it is suspended or being deleted, or its schedule or time zone is none that Kubernetes takes.
   * @param nowMs Since the epoch.
   */
  nextScheduledAt(nowMs: number): string | undefined {
    if (this.suspended || this.deletionRequestedAt !== undefined) return undefined;
    const sinceMs = toEpochMs(this.lastScheduledAt ?? this.createdAt);
    const nextMs = nextRun(this.schedule, this.timeZone, { nowMs, sinceMs });
    return nextMs === undefined ? undefined : new Date(nextMs).toISOString().replace('.000Z', 'Z');
  }
}

const runtimeClassIndex = {
  runtimeClass: (workload: WorkloadRecord) => (workload.runtimeClassName === undefined ? noTexts : [workload.runtimeClassName]),
};

/** A workload shows the isolation of its runtime class, and nothing else of other objects. */
const neighbours: NonNullable<Kind<WorkloadRecord>['neighbours']> = {
  of: { RuntimeClass: (runtimeClass) => ({ index: 'runtimeClass', value: runtimeClass.name }) },
  signature: isolationSignature,
};

export const deployments: Kind<DeploymentRecord> = {
  name: 'Deployment',
  apiVersion: 'apps/v1',
  plural: 'deployments',
  namespaced: true,
  record: (source) => new DeploymentRecord(source),
  indexes: runtimeClassIndex,
  neighbours,
};

export const statefulSets: Kind<StatefulSetRecord> = {
  name: 'StatefulSet',
  apiVersion: 'apps/v1',
  plural: 'statefulsets',
  namespaced: true,
  record: (source) => new StatefulSetRecord(source),
  indexes: runtimeClassIndex,
  neighbours,
};

export const daemonSets: Kind<DaemonSetRecord> = {
  name: 'DaemonSet',
  apiVersion: 'apps/v1',
  plural: 'daemonsets',
  namespaced: true,
  record: (source) => new DaemonSetRecord(source),
  indexes: runtimeClassIndex,
  neighbours,
};

export const jobs: Kind<JobRecord> = {
  name: 'Job',
  apiVersion: 'batch/v1',
  plural: 'jobs',
  namespaced: true,
  record: (source) => new JobRecord(source),
  indexes: runtimeClassIndex,
  neighbours,
};

export const cronJobs: Kind<CronJobRecord> = {
  name: 'CronJob',
  apiVersion: 'batch/v1',
  plural: 'cronjobs',
  namespaced: true,
  record: (source) => new CronJobRecord(source),
  indexes: runtimeClassIndex,
  neighbours,
};

/** In the order of {@link WorkloadKind}. */
export const workloadKinds: readonly Kind<WorkloadRecord>[] = [deployments, statefulSets, daemonSets, jobs, cronJobs];

function templateOf(object: JsonObject): JsonObject {
  return objectAt(object, 'spec', 'template');
}

/** Of a deployment or a stateful set. */
function readReplicas(object: JsonObject): ReplicaStatus {
  const status = objectAt(object, 'status');
  return {
    desired: intAt(objectAt(object, 'spec'), 'replicas') ?? 1,
    current: countAt(status, 'replicas'),
    ready: countAt(status, 'readyReplicas'),
    updated: countAt(status, 'updatedReplicas'),
    available: countAt(status, 'availableReplicas'),
  };
}

/** @param field The one name of it in deployments, and another in sets. */
function readUpdateStrategy(object: JsonObject, field: 'strategy' | 'updateStrategy'): UpdateStrategy {
  const spec = objectAt(object, 'spec');
  const strategy = objectAt(spec, field);
  const rolling = objectAt(strategy, 'rollingUpdate');
  return {
    type: nameIn(strategyTypes, strategy['type']),
    maxSurge: intOrTextAt(rolling, 'maxSurge'),
    maxUnavailable: intOrTextAt(rolling, 'maxUnavailable'),
    partition: intAt(rolling, 'partition'),
    minReadySeconds: countAt(spec, 'minReadySeconds'),
  };
}
