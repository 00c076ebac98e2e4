import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { isolationOf, type Isolation } from '../domain/isolation.js';
import { nodes } from '../domain/kinds/nodes.js';
import { pods, type PodRecord } from '../domain/kinds/pods.js';
import { workloadOf } from '../domain/owners.js';
import type { Context } from '../schema/context.js';
import { Isolation as IsolationEnum } from '../schema/enums.js';
import { Governed } from '../schema/governance.js';
import { PodArguments } from '../schema/types/arguments.js';
import { ClusterNode } from '../schema/types/cluster.js';
import { Pod, PodConnection } from '../schema/types/pod.js';
import { Workload } from '../schema/types/workload.js';
import { listPods, type Listed } from './lists.js';
import { checkName, checkNamespace } from './names.js';

@Resolver(() => Pod)
export class PodResolver {
  @Query(() => PodConnection, { nullable: true, description: 'Pods of all clusters that the viewer may see.' })
  @Governed('WORKLOAD_VIEW')
  pods(@Ctx() ctx: Context, @Args(() => PodArguments) args: PodArguments): Listed<PodRecord> {
    return listPods(ctx, args, { field: 'pods' });
  }

  @Query(() => Pod, { nullable: true, description: 'One pod.' })
  @Governed('WORKLOAD_VIEW')
  pod(
    @Ctx() { reader, budget }: Context,
    @Arg('cluster', () => String, { description: 'The cluster that holds it.' }) cluster: string,
    @Arg('namespace', () => String, { description: 'The namespace that it is in.' }) namespace: string,
    @Arg('name', () => String, { description: 'Its Kubernetes name.' }) name: string,
  ): object | undefined {
    checkNamespace(namespace);
    checkName(name);
    return budget.take(1, reader.get(pods, { cluster, namespace, name }));
  }

  @FieldResolver(() => IsolationEnum, { description: 'How it is kept apart from its neighbours.' })
  isolation(@Root() pod: PodRecord, @Ctx() { reader, isolationPatterns }: Context): Isolation {
    return isolationOf(pod, reader, isolationPatterns);
  }

  @FieldResolver(() => ClusterNode, { nullable: true, description: 'Null until it is scheduled.' })
  @Governed('NODE_VIEW')
  node(@Root() { clusterName, nodeName }: PodRecord, @Ctx() { reader, budget }: Context): object | undefined {
    return nodeName === undefined ? undefined : budget.take(1, reader.get(nodes, { cluster: clusterName, name: nodeName }));
  }

  @FieldResolver(() => Workload, {
    nullable: true,
    description: 'The workload that owns the pod, through its replica set where there is one; a job leads on to its cron job.',
  })
  @Governed('WORKLOAD_VIEW')
  workload(@Root() pod: PodRecord, @Ctx() { reader, budget }: Context): object | undefined {
    return budget.take(1, workloadOf(pod, reader));
  }
}
