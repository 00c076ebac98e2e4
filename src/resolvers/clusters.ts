import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { encodeClusterId } from '../domain/ids.js';
import { isolationOfHandler, supportsSecure, type Isolation } from '../domain/isolation.js';
import { nodes, type NodeRecord } from '../domain/kinds/nodes.js';
import { pods, type PodRecord } from '../domain/kinds/pods.js';
import { runtimeClasses, type RuntimeClassRecord } from '../domain/kinds/runtime-classes.js';
import type { WorkloadRecord } from '../domain/kinds/workloads.js';
import { AmountSum, sumAmounts, sumOfPods, type ResourceAmounts as Amounts } from '../domain/resources.js';
import type { ClusterInfo } from '../k8s/catalog.js';
import { namespaces, type NamespaceRecord } from '../k8s/namespaces.js';
import type { Context } from '../schema/context.js';
import { Isolation as IsolationEnum } from '../schema/enums.js';
import { Governed } from '../schema/governance.js';
import { ClusterNodeArguments, NamespaceArguments, PodArguments, WorkloadArguments } from '../schema/types/arguments.js';
import { Cluster, ClusterNode, ClusterNodeConnection, RuntimeClass } from '../schema/types/cluster.js';
import { Namespace, NamespaceConnection } from '../schema/types/namespace.js';
import { PodConnection } from '../schema/types/pod.js';
import { ResourceAmounts } from '../schema/types/resource.js';
import { WorkloadConnection } from '../schema/types/workload.js';
import { listNamespaces, listNodes, listPods, listWorkloads, type Listed } from './lists.js';
import { checkName, checkNamespace } from './names.js';
import type { Place } from './selections.js';

const nodeName = { description: 'Its Kubernetes name.' };

@Resolver(() => Cluster)
export class ClusterResolver {
  @Query(() => [Cluster], { nullable: true, description: 'All clusters, in the order of the configuration.' })
  @Governed('CLUSTER_VIEW')
  clusters(@Ctx() { clusters, budget }: Context): object {
    const all = clusters.all();
    return budget.take(all.length, all);
  }

  @Query(() => Cluster, { nullable: true, description: 'One cluster, by its configured name.' })
  @Governed('CLUSTER_VIEW')
  cluster(
    @Ctx() { clusters }: Context,
    @Arg('name', () => String, { description: 'As configured.' }) name: string,
  ): ClusterInfo | undefined {
    return clusters.get(name);
  }

  @FieldResolver(() => ID, { description: 'Opaque; the same on every replica and after a restart.' })
  id(@Root() { name }: ClusterInfo): string {
    return encodeClusterId(name);
  }

  @FieldResolver(() => [String], { nullable: true, description: 'Of its nodes, such as `amd64`, in alphabetical order.' })
  architectures(@Root() cluster: ClusterInfo, @Ctx() ctx: Context): object | undefined {
    if (!cluster.reached) return undefined;
    return ctx.budget.run(() => {
      const found = new Set(nodesOf(cluster, ctx).map(({ architecture }) => architecture));
      return [...found].filter((architecture) => architecture !== '').sort();
    }, one);
  }

  @FieldResolver(() => ResourceAmounts, { nullable: true, description: 'What its machines have, all together.' })
  capacity(@Root() cluster: ClusterInfo, @Ctx() ctx: Context): object | undefined {
    return cluster.reached ? ctx.budget.run(() => sumAmounts(nodesOf(cluster, ctx).map(({ capacity }) => capacity)), one) : undefined;
  }

  @FieldResolver(() => ResourceAmounts, { nullable: true, description: 'What of it pods may have.' })
  allocatable(@Root() cluster: ClusterInfo, @Ctx() ctx: Context): object | undefined {
    return cluster.reached ? ctx.budget.run(() => sumAmounts(nodesOf(cluster, ctx).map(({ allocatable }) => allocatable)), one) : undefined;
  }

  @FieldResolver(() => ResourceAmounts, { nullable: true, description: 'Sum of the requests of pods that are not finished.' })
  async requested(@Root() cluster: ClusterInfo, @Ctx() { reader, budget }: Context): Promise<Amounts | undefined> {
    if (!cluster.reached) return undefined;
    const sum = new AmountSum();
    for (const phase of unfinishedPhases) {
      for (const [at, pod] of reader.related(pods, cluster.name, 'phase', phase).entries()) {
        sum.add(pod.requested);
        // A hundred thousand pods take longer than one request may keep the loop.
        if (at % podsPerLook === 0) await budget.take(0, undefined);
      }
    }
    return sum.total();
  }

  @FieldResolver(() => ClusterNodeConnection, { nullable: true, description: 'Its nodes.' })
  @Governed('NODE_VIEW')
  nodes(
    @Root() cluster: ClusterInfo,
    @Ctx() ctx: Context,
    @Args(() => ClusterNodeArguments) args: ClusterNodeArguments,
  ): Listed<NodeRecord> {
    return listNodes(ctx, args, placeIn(cluster, 'nodes'));
  }

  @FieldResolver(() => ClusterNode, { nullable: true, description: 'One of its nodes.' })
  @Governed('NODE_VIEW')
  node(
    @Root() cluster: ClusterInfo,
    @Ctx() { reader, budget }: Context,
    @Arg('name', () => String, nodeName) name: string,
  ): object | undefined {
    checkName(name);
    return budget.take(1, reader.get(nodes, { cluster: cluster.name, name }));
  }

  @FieldResolver(() => NamespaceConnection, { nullable: true, description: 'Its namespaces.' })
  @Governed('NAMESPACE_VIEW')
  namespaces(
    @Root() cluster: ClusterInfo,
    @Ctx() ctx: Context,
    @Args(() => NamespaceArguments) args: NamespaceArguments,
  ): Listed<NamespaceRecord> {
    return listNamespaces(ctx, args, placeIn(cluster, 'namespaces'));
  }

  @FieldResolver(() => Namespace, { nullable: true, description: 'One of its namespaces.' })
  @Governed('NAMESPACE_VIEW')
  namespace(
    @Root() cluster: ClusterInfo,
    @Ctx() { reader, budget }: Context,
    @Arg('name', () => String, nodeName) name: string,
  ): object | undefined {
    checkNamespace(name, 'name');
    return budget.take(1, reader.get(namespaces, { cluster: cluster.name, name }));
  }

  @FieldResolver(() => WorkloadConnection, { nullable: true, description: 'Its workloads, of all kinds.' })
  @Governed('WORKLOAD_VIEW')
  workloads(
    @Root() cluster: ClusterInfo,
    @Ctx() ctx: Context,
    @Args(() => WorkloadArguments) args: WorkloadArguments,
  ): Listed<WorkloadRecord> {
    return listWorkloads(ctx, args, placeIn(cluster, 'workloads'));
  }

  @FieldResolver(() => PodConnection, { nullable: true, description: 'Its pods.' })
  @Governed('WORKLOAD_VIEW')
  pods(@Root() cluster: ClusterInfo, @Ctx() ctx: Context, @Args(() => PodArguments) args: PodArguments): Listed<PodRecord> {
    return listPods(ctx, args, placeIn(cluster, 'pods'));
  }

  @FieldResolver(() => [RuntimeClass], { nullable: true, description: 'What pods can run on, by name.' })
  runtimeClasses(@Root() cluster: ClusterInfo, @Ctx() { reader, budget }: Context): object {
    const found = [...reader.related(runtimeClasses, cluster.name, 'cluster', cluster.name)].sort((one, other) =>
      one.name < other.name ? -1 : 1,
    );
    return budget.take(found.length, found);
  }
}

@Resolver(() => RuntimeClass)
export class RuntimeClassResolver {
  @FieldResolver(() => IsolationEnum, { description: 'What its pods are kept apart by.' })
  isolation(@Root() { handler }: RuntimeClassRecord, @Ctx() { isolationPatterns }: Context): Isolation {
    return isolationOfHandler(handler, isolationPatterns);
  }
}

@Resolver(() => ClusterNode)
export class ClusterNodeResolver {
  @FieldResolver(() => Cluster, { nullable: true, description: 'The cluster that it is a part of.' })
  @Governed('CLUSTER_VIEW')
  cluster(@Root() { clusterName }: NodeRecord, @Ctx() { clusters, budget }: Context): object | undefined {
    return budget.take(1, clusters.get(clusterName));
  }

  @FieldResolver(() => Boolean, { nullable: true, description: 'Whether it can run secure workloads; null where the node does not tell.' })
  supportsSecure(@Root() node: NodeRecord, @Ctx() { reader, isolationPatterns }: Context): boolean | undefined {
    return supportsSecure(node, reader, isolationPatterns);
  }

  @FieldResolver(() => ResourceAmounts, { nullable: true, description: 'Sum of the requests of its pods that are not finished.' })
  requested(@Root() node: NodeRecord, @Ctx() { reader, budget }: Context): object {
    return budget.run(() => sumOfPods(reader.related(pods, node.clusterName, 'node', node.name)), one);
  }

  @FieldResolver(() => PodConnection, { nullable: true, description: 'The pods on it, finished ones included.' })
  @Governed('WORKLOAD_VIEW')
  pods(@Root() node: NodeRecord, @Ctx() ctx: Context, @Args(() => PodArguments) args: PodArguments): Listed<PodRecord> {
    return listPods(ctx, args, { field: 'ClusterNode.pods', parent: node.uid, clusters: [node.clusterName], node: node.name });
  }
}

const one = (): number => 1;

const unfinishedPhases: readonly PodRecord['phase'][] = ['PENDING', 'RUNNING', 'UNKNOWN'];
const podsPerLook = 1_000;

const nodesOf = ({ name }: ClusterInfo, { reader }: Context): readonly NodeRecord[] => reader.related(nodes, name, 'cluster', name);

function placeIn({ name }: ClusterInfo, field: string): Place {
  return { field: `Cluster.${field}`, parent: name, clusters: [name] };
}
