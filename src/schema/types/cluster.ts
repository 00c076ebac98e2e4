import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { ClusterNodeOrderField, ClusterStatus, Isolation, NodeRole, OrderDirection, TaintEffect, type ValueOf } from '../enums.js';
import { connectionOf } from './connection.js';
import { Condition, Node, Resource, ResourceAmounts } from './resource.js';

@ObjectType({
  implements: [Node],
  simpleResolvers: true,
  description: 'Amounts are null while the cluster has never been reached.',
})
export class Cluster {
  @Field(() => ID, { description: 'Opaque; the same on every replica and after a restart.' })
  id!: string;
  @Field(() => String, { description: 'As configured; unique.' })
  name!: string;
  @Field(() => String, { description: 'For people, as configured; the name where nothing else is.' })
  displayName!: string;
  @Field(() => String, {
    nullable: true,
    description: "Kubernetes' version, such as `v1.36.3`; null while the cluster has never been reached.",
  })
  version!: string | null;
  @Field(() => ClusterStatus, { description: 'How it is.' })
  status!: ValueOf<typeof ClusterStatus>;
  @Field(() => String, { nullable: true, description: 'Why the cluster is not healthy.' })
  statusMessage!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'A container runtime that pods can ask for; `isolation` tells whether it gives a pod a kernel of its own.',
})
export class RuntimeClass {
  @Field(() => String, { description: 'What pods name it by.' })
  name!: string;
  @Field(() => String, { description: "What the nodes' container runtime calls it." })
  handler!: string;
  @Field(() => Isolation, { description: 'What its pods are kept apart by.' })
  isolation!: ValueOf<typeof Isolation>;
  @Field(() => ResourceAmounts, {
    nullable: true,
    description: 'What each pod costs beside its containers; null where nothing is declared.',
  })
  overhead!: ResourceAmounts | null;
}

@ObjectType({ simpleResolvers: true, description: 'What keeps pods off a node unless they tolerate it.' })
export class Taint {
  @Field(() => String, { description: 'Such as `nvidia.com/gpu`.' })
  key!: string;
  @Field(() => String, { nullable: true, description: 'Null where there is none.' })
  value!: string | null;
  @Field(() => TaintEffect, { nullable: true, description: 'What it does to pods that do not tolerate it.' })
  effect!: ValueOf<typeof TaintEffect> | null;
}

@ObjectType({
  implements: [Resource, Node],
  simpleResolvers: true,
  description: 'A Kubernetes node (节点): one cloud server of a cluster.',
})
export class ClusterNode {
  @Field(() => [NodeRole], { description: 'MASTER where it runs the control plane, WORKER where it takes workloads; may be both.' })
  roles!: ValueOf<typeof NodeRole>[];
  @Field(() => Boolean, { description: 'Whether its kubelet says that it can take pods.' })
  ready!: boolean;
  @Field(() => Boolean, { description: 'False while scheduling is stopped.' })
  schedulable!: boolean;
  @Field(() => [Taint], { description: 'What keeps pods off it.' })
  taints!: Taint[];
  @Field(() => [Condition], { description: 'What its kubelet and the cluster say of it.' })
  conditions!: Condition[];
  @Field(() => String, { nullable: true, description: 'The cloud server that this node runs on, from its provider id.' })
  serverId!: string | null;
  @Field(() => String, { nullable: true, description: 'Address inside the cluster.' })
  internalIP!: string | null;
  @Field(() => String, { description: 'Such as `amd64` or `arm64`.' })
  architecture!: string;
  @Field(() => String, { description: 'Such as `Ubuntu 24.04 LTS`.' })
  osImage!: string;
  @Field(() => String, { description: "The node's own kernel, which STANDARD pods share." })
  kernelVersion!: string;
  @Field(() => String, { description: 'Such as `containerd://2.1.0`.' })
  containerRuntimeVersion!: string;
  @Field(() => String, { description: 'Such as `v1.36.3`.' })
  kubeletVersion!: string;
  @Field(() => Boolean, { nullable: true, description: 'Whether it can run secure workloads; null where the node does not tell.' })
  supportsSecure!: boolean | null;
  @Field(() => ResourceAmounts, { description: 'What the machine has.' })
  capacity!: ResourceAmounts;
  @Field(() => ResourceAmounts, { description: 'What of it pods may have.' })
  allocatable!: ResourceAmounts;
}

export const ClusterNodeConnection = connectionOf(() => ClusterNode, 'ClusterNode', 'nodes');

@InputType({ description: 'Which nodes; all that is given must hold.' })
export class ClusterNodeFilter {
  @Field(() => String, { nullable: true, description: 'Part of the name; upper and lower case are the same.' })
  search?: string | null;
  @Field(() => String, { nullable: true, description: "In Kubernetes' text syntax, such as `zone in (a, b),!retired`." })
  labelSelector?: string | null;
  @Field(() => [NodeRole], { nullable: true, description: 'One of these roles.' })
  roles?: ValueOf<typeof NodeRole>[] | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether it is ready.' })
  ready?: boolean | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether pods may be scheduled on it.' })
  schedulable?: boolean | null;
  @Field(() => String, { nullable: true, description: 'Such as `arm64`.' })
  architecture?: string | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether the machine has GPUs.' })
  hasGpu?: boolean | null;
}

@InputType({ description: 'How nodes are ordered.' })
export class ClusterNodeOrder {
  @Field(() => ClusterNodeOrderField, { description: 'By what.' })
  field!: ValueOf<typeof ClusterNodeOrderField>;
  @Field(() => OrderDirection, { defaultValue: 'ASC', description: 'Which end comes first.' })
  direction!: ValueOf<typeof OrderDirection>;
}
