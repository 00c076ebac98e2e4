import { Field, ID, InputType, Int, InterfaceType, ObjectType } from 'type-graphql';
import {
  ConcurrencyPolicy,
  Isolation,
  OrderDirection,
  UpdateStrategyType,
  type ValueOf,
  WorkloadKind,
  WorkloadOrderField,
  WorkloadStatus,
} from '../enums.js';
import { DateTime } from '../scalars.js';
import { connectionOf } from './connection.js';
import { Condition, KeyValue, NamespacedResource, Node, Resource } from './resource.js';

@InterfaceType({ implements: [NamespacedResource, Resource, Node], description: 'What makes pods and keeps them.' })
export abstract class Workload {
  @Field(() => WorkloadKind, { description: 'Which of the five it is.' })
  workloadKind!: ValueOf<typeof WorkloadKind>;
  @Field(() => WorkloadStatus, { description: 'How it is.' })
  status!: ValueOf<typeof WorkloadStatus>;
  @Field(() => String, { nullable: true, description: 'Why it is so, in the words of the condition that says it.' })
  statusMessage!: string | null;
  @Field(() => [String], { description: 'Images of the template, each once.' })
  images!: string[];
  @Field(() => [KeyValue], { description: 'Labels by which it knows its pods, in the order of the keys.' })
  selector!: KeyValue[];
  @Field(() => [Condition], { description: 'What its controller says of it.' })
  conditions!: Condition[];
}

@ObjectType({ simpleResolvers: true, description: 'Desired, current and ready counts of a workload that keeps replicas.' })
export class ReplicaStatus {
  @Field(() => Int, { description: 'Wanted.' })
  desired!: number;
  @Field(() => Int, { description: 'There.' })
  current!: number;
  @Field(() => Int, { description: 'Ready.' })
  ready!: number;
  @Field(() => Int, { description: 'Made from the newest template.' })
  updated!: number;
  @Field(() => Int, { description: 'Ready for long enough to count.' })
  available!: number;
}

@ObjectType({
  simpleResolvers: true,
  description: '`maxSurge` and `maxUnavailable` are counts or percentages, such as `1` or `25%`.',
})
export class UpdateStrategy {
  @Field(() => UpdateStrategyType, { nullable: true, description: 'How pods are replaced.' })
  type!: ValueOf<typeof UpdateStrategyType> | null;
  @Field(() => String, { nullable: true, description: 'Pods that may be there beside those wanted.' })
  maxSurge!: string | null;
  @Field(() => String, { nullable: true, description: 'Pods that may be missing.' })
  maxUnavailable!: string | null;
  @Field(() => Int, { nullable: true, description: 'Of a stateful set: pods below this number stay as they are.' })
  partition!: number | null;
  @Field(() => Int, { description: 'Seconds that a pod must be ready to count as available.' })
  minReadySeconds!: number;
}

const implemented = [Workload, NamespacedResource, Resource, Node];

@ObjectType({ implements: implemented, simpleResolvers: true, description: 'Replicas that are all alike (部署).' })
export class Deployment {
  @Field(() => ReplicaStatus, { description: 'How many there are.' })
  replicas!: ReplicaStatus;
  @Field(() => Boolean, { description: 'A rollout that was paused; not a stopped workload.' })
  paused!: boolean;
  @Field(() => UpdateStrategy, { description: 'How pods are replaced when the template changes.' })
  updateStrategy!: UpdateStrategy;
}

@ObjectType({
  implements: implemented,
  simpleResolvers: true,
  description: 'Replicas with a name and disks of their own each (有状态副本集).',
})
export class StatefulSet {
  @Field(() => ReplicaStatus, { description: 'How many there are.' })
  replicas!: ReplicaStatus;
  @Field(() => String, { nullable: true, description: 'The service that gives the pods their names in DNS.' })
  serviceName!: string | null;
  @Field(() => UpdateStrategy, { description: 'How pods are replaced when the template changes.' })
  updateStrategy!: UpdateStrategy;
}

@ObjectType({ implements: implemented, simpleResolvers: true, description: 'One pod on each node (守护进程集).' })
export class DaemonSet {
  @Field(() => ReplicaStatus, { description: 'How many there are; `desired` is the number of nodes that it should run on.' })
  replicas!: ReplicaStatus;
  @Field(() => UpdateStrategy, { description: 'How pods are replaced when the template changes.' })
  updateStrategy!: UpdateStrategy;
}

@ObjectType({ implements: implemented, simpleResolvers: true, description: 'Pods that run until they are done (任务).' })
export class Job {
  @Field(() => Int, { nullable: true, description: 'Pods that must succeed; null where one is enough and the rest follow it.' })
  completions!: number | null;
  @Field(() => Int, { description: 'Pods that may run at once.' })
  parallelism!: number;
  @Field(() => Int, { description: 'Pods that are not finished.' })
  active!: number;
  @Field(() => Int, { description: 'Pods that succeeded.' })
  succeeded!: number;
  @Field(() => Int, { description: 'Pods that failed.' })
  failed!: number;
  @Field(() => Boolean, { description: 'Whether it makes no pods until it is let go on.' })
  suspended!: boolean;
  @Field(() => DateTime, { nullable: true, description: 'When its controller took it up.' })
  startedAt!: string | null;
  @Field(() => DateTime, { nullable: true, description: 'When it was done; null where it failed or is not done.' })
  completedAt!: string | null;
}

@ObjectType({ implements: implemented, simpleResolvers: true, description: 'Jobs by a timetable (定时任务).' })
export class CronJob {
  @Field(() => String, { description: 'In the syntax of cron, such as `0 3 * * *`.' })
  schedule!: string;
  @Field(() => String, { nullable: true, description: "Such as `Asia/Shanghai`; null for the cluster's own." })
  timeZone!: string | null;
  @Field(() => Boolean, { description: 'Whether it starts no jobs.' })
  suspended!: boolean;
  @Field(() => ConcurrencyPolicy, { nullable: true, description: 'What it does when the run before is not finished.' })
  concurrencyPolicy!: ValueOf<typeof ConcurrencyPolicy> | null;
  @Field(() => DateTime, { nullable: true, description: 'When it last started a job by its timetable.' })
  lastScheduledAt!: string | null;
}

export const WorkloadConnection = connectionOf(() => Workload, 'Workload', 'workloads');

@InputType({ description: 'Which workloads; all that is given must hold.' })
export class WorkloadFilter {
  @Field(() => [String], { nullable: true, description: 'In one of these clusters.' })
  clusters?: string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Of one of these projects.' })
  projects?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'In a namespace of one of these names.' })
  namespaces?: string[] | null;
  @Field(() => [WorkloadKind], { nullable: true, description: 'Of one of these kinds.' })
  kinds?: ValueOf<typeof WorkloadKind>[] | null;
  @Field(() => String, { nullable: true, description: 'Part of the name; upper and lower case are the same.' })
  search?: string | null;
  @Field(() => String, { nullable: true, description: "In Kubernetes' text syntax, such as `app=web,tier!=test`." })
  labelSelector?: string | null;
  @Field(() => [WorkloadStatus], { nullable: true, description: 'In one of these states.' })
  statuses?: ValueOf<typeof WorkloadStatus>[] | null;
  @Field(() => Isolation, { nullable: true, description: 'Kept apart in this way.' })
  isolation?: ValueOf<typeof Isolation> | null;
  @Field(() => String, { nullable: true, description: 'Part of the name of one of its images; upper and lower case are the same.' })
  image?: string | null;
}

@InputType({ description: 'How workloads are ordered.' })
export class WorkloadOrder {
  @Field(() => WorkloadOrderField, { description: 'By what.' })
  field!: ValueOf<typeof WorkloadOrderField>;
  @Field(() => OrderDirection, { defaultValue: 'ASC', description: 'Which end comes first.' })
  direction!: ValueOf<typeof OrderDirection>;
}
