import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ContainerStateKind, Isolation, OrderDirection, PodOrderField, PodPhase, type ValueOf } from '../enums.js';
import { DateTime } from '../scalars.js';
import { connectionOf } from './connection.js';
import { ContainerResources } from './pod-template.js';
import { Condition, NamespacedResource, Node, Resource, ResourceAmounts } from './resource.js';
import { Governed } from '../governance.js';

@ObjectType({ simpleResolvers: true, description: 'How a container ended.' })
export class ContainerTermination {
  @Field(() => String, { nullable: true, description: 'Such as `OOMKilled`.' })
  reason!: string | null;
  @Field(() => String, { nullable: true, description: 'What it left behind to be read.' })
  message!: string | null;
  @Field(() => Int, { description: 'Of its process.' })
  exitCode!: number;
  @Field(() => Int, { nullable: true, description: 'The signal that ended it; null where none did.' })
  signal!: number | null;
  @Field(() => DateTime, { nullable: true, description: 'When that run began.' })
  startedAt!: string | null;
  @Field(() => DateTime, { nullable: true, description: 'When that run ended.' })
  finishedAt!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A container of a pod, as it is now.' })
export class Container {
  @Field(() => String, { description: 'Unique in the pod.' })
  name!: string;
  @Field(() => String, { description: 'As the pod names it.' })
  image!: string;
  @Field(() => Boolean, { description: 'Whether it runs before the others.' })
  init!: boolean;
  @Field(() => Boolean, { description: 'Whether it is an init container that keeps running beside the others.' })
  sidecar!: boolean;
  @Field(() => Boolean, { description: 'Whether its probes are content.' })
  ready!: boolean;
  @Field(() => ContainerStateKind, { description: 'What it is doing.' })
  state!: ValueOf<typeof ContainerStateKind>;
  @Field(() => String, { nullable: true, description: 'Why it waits or ended, such as `CrashLoopBackOff`.' })
  reason!: string | null;
  @Field(() => String, { nullable: true, description: 'The same in words.' })
  message!: string | null;
  @Field(() => Int, { nullable: true, description: 'Null while it has not ended.' })
  exitCode!: number | null;
  @Field(() => Int, { description: 'How often it was started again.' })
  restarts!: number;
  @Field(() => DateTime, { nullable: true, description: 'When this run began.' })
  startedAt!: string | null;
  @Field(() => DateTime, { nullable: true, description: 'When this run ended; null while it has not.' })
  finishedAt!: string | null;
  @Field(() => ContainerTermination, { nullable: true, description: 'How it ended the time before, such as OOMKilled.' })
  lastTermination!: ContainerTermination | null;
  @Field(() => ContainerResources, { description: 'What is kept free for it.' })
  requests!: ContainerResources;
  @Field(() => ContainerResources, { description: 'What it cannot go beyond.' })
  limits!: ContainerResources;
}

@ObjectType({
  implements: [NamespacedResource, Resource, Node],
  simpleResolvers: true,
  description: 'Containers that run together on one node (容器组).',
})
export class Pod {
  @Field(() => String, { nullable: true, description: 'The whole object as YAML, without managed fields.' })
  @Governed('POD_YAML_VIEW')
  yaml!: string | null;
  @Field(() => PodPhase, { description: 'Where it is in its life.' })
  phase!: ValueOf<typeof PodPhase>;
  @Field(() => String, { description: 'What `kubectl get pods` shows, such as CrashLoopBackOff.' })
  status!: string;
  @Field(() => Boolean, { description: 'Whether it gets traffic.' })
  ready!: boolean;
  @Field(() => Int, { description: 'How often its containers were started again, all together.' })
  restarts!: number;
  @Field(() => String, { nullable: true, description: 'The runtime class that it asked for; null for the default.' })
  runtimeClassName!: string | null;
  @Field(() => String, { nullable: true, description: 'Its address in the cluster; null until it has one.' })
  podIP!: string | null;
  @Field(() => [String], { description: 'Its addresses of every family.' })
  podIPs!: string[];
  @Field(() => String, { nullable: true, description: 'The address of its node.' })
  hostIP!: string | null;
  @Field(() => String, { nullable: true, description: 'Null until it is scheduled.' })
  nodeName!: string | null;
  @Field(() => [Container], { description: 'Init containers first, in the order of the template.' })
  containers!: Container[];
  @Field(() => ResourceAmounts, { description: "What is kept free for it, by Kubernetes' own arithmetic." })
  requested!: ResourceAmounts;
  @Field(() => [Condition], { description: 'What its kubelet and the scheduler say of it.' })
  conditions!: Condition[];
  @Field(() => DateTime, { nullable: true, description: 'When its kubelet took it up.' })
  startedAt!: string | null;
}

export const PodConnection = connectionOf(() => Pod, 'Pod', 'pods');

@InputType({ description: 'Which pods; all that is given must hold.' })
export class PodFilter {
  @Field(() => [String], { nullable: true, description: 'In one of these clusters.' })
  clusters?: string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Of one of these projects.' })
  projects?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'In a namespace of one of these names.' })
  namespaces?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'On one of these nodes.' })
  nodeNames?: string[] | null;
  @Field(() => ID, { nullable: true, description: 'Of this workload, through its replica sets or jobs where it has them.' })
  workload?: string | null;
  @Field(() => String, { nullable: true, description: 'Part of the name; upper and lower case are the same.' })
  search?: string | null;
  @Field(() => String, { nullable: true, description: "In Kubernetes' text syntax, such as `app=web,tier!=test`." })
  labelSelector?: string | null;
  @Field(() => [PodPhase], { nullable: true, description: 'In one of these phases.' })
  phases?: ValueOf<typeof PodPhase>[] | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether it gets traffic.' })
  ready?: boolean | null;
  @Field(() => Isolation, { nullable: true, description: 'Kept apart in this way.' })
  isolation?: ValueOf<typeof Isolation> | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether it asks for GPUs.' })
  hasGpu?: boolean | null;
}

@InputType({ description: 'How pods are ordered.' })
export class PodOrder {
  @Field(() => PodOrderField, { description: 'By what.' })
  field!: ValueOf<typeof PodOrderField>;
  @Field(() => OrderDirection, { defaultValue: 'ASC', description: 'Which end comes first.' })
  direction!: ValueOf<typeof OrderDirection>;
}
