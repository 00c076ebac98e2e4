import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { ProjectInfo } from '../auth/access.js';
import { encodeId } from '../domain/ids.js';
import type { KeyValue as Pair } from '../domain/json.js';
import { annotationsOf, finalizersOf, labelsOf, yamlOf } from '../domain/kinds/resource-record.js';
import type { PodRecord } from '../domain/kinds/pods.js';
import type { WorkloadRecord } from '../domain/kinds/workloads.js';
import { namespaces, type NamespaceRecord } from '../k8s/namespaces.js';
import type { Context } from '../schema/context.js';
import { Governed, Ungoverned } from '../schema/governance.js';
import { NamespaceArguments, PodArguments, WorkloadArguments } from '../schema/types/arguments.js';
import { Cluster } from '../schema/types/cluster.js';
import { Namespace, NamespaceConnection } from '../schema/types/namespace.js';
import { PodConnection } from '../schema/types/pod.js';
import { Project } from '../schema/types/project.js';
import { KeyValue } from '../schema/types/resource.js';
import { WorkloadConnection } from '../schema/types/workload.js';
import { listNamespaces, listPods, listWorkloads, type Listed } from './lists.js';
import { checkNamespace } from './names.js';
import { projectOf } from './projects.js';
import type { Place } from './selections.js';

@Resolver(() => Namespace)
export class NamespaceResolver {
  @Query(() => NamespaceConnection, { nullable: true, description: 'Namespaces of all clusters that the viewer may see.' })
  @Governed('NAMESPACE_VIEW')
  namespaces(@Ctx() ctx: Context, @Args(() => NamespaceArguments) args: NamespaceArguments): Listed<NamespaceRecord> {
    return listNamespaces(ctx, args, { field: 'namespaces' });
  }

  @Query(() => Namespace, { nullable: true, description: 'One namespace.' })
  @Governed('NAMESPACE_VIEW')
  namespace(
    @Ctx() { reader, budget }: Context,
    @Arg('cluster', () => String, { description: 'The cluster that holds it.' }) cluster: string,
    @Arg('name', () => String, { description: 'Its Kubernetes name.' }) name: string,
  ): object | undefined {
    checkNamespace(name, 'name');
    return budget.take(1, reader.get(namespaces, { cluster, name }));
  }

  // Namespaces are known below the layer that knows ids and YAML.

  @FieldResolver(() => ID, { description: 'Opaque; the same on every replica and after a restart.' })
  id(@Root() namespace: NamespaceRecord): string {
    return encodeId(namespace);
  }

  @FieldResolver(() => [KeyValue], { description: 'What selectors choose by; in the order of their keys.' })
  labels(@Root() namespace: NamespaceRecord): readonly Pair[] {
    return labelsOf(namespace);
  }

  @FieldResolver(() => [KeyValue], {
    description: 'Notes of people and tools, in the order of their keys; without `last-applied-configuration`.',
  })
  annotations(@Root() namespace: NamespaceRecord): readonly Pair[] {
    return annotationsOf(namespace);
  }

  @FieldResolver(() => [String], { description: 'What must happen before a deletion is done.' })
  finalizers(@Root() namespace: NamespaceRecord): readonly string[] {
    return finalizersOf(namespace);
  }

  @FieldResolver(() => String, { nullable: true, description: 'The whole object as YAML, without managed fields.' })
  yaml(@Root() namespace: NamespaceRecord): string {
    return yamlOf(namespace);
  }

  @FieldResolver(() => Cluster, { nullable: true, description: 'The cluster that holds it.' })
  @Governed('CLUSTER_VIEW')
  cluster(@Root() { clusterName }: NamespaceRecord, @Ctx() { clusters, budget }: Context): object | undefined {
    return budget.take(1, clusters.get(clusterName));
  }

  @FieldResolver(() => Project, { nullable: true, description: 'The project that its label names; null where it names none.' })
  @Ungoverned('Whoever may see the namespace may know whose it is.')
  project(@Root() namespace: NamespaceRecord, @Ctx() ctx: Context): ProjectInfo | undefined | Promise<ProjectInfo | undefined> {
    return projectOf(namespace, ctx);
  }

  @FieldResolver(() => WorkloadConnection, { nullable: true, description: 'The workloads in it, of all kinds.' })
  @Governed('WORKLOAD_VIEW')
  workloads(
    @Root() namespace: NamespaceRecord,
    @Ctx() ctx: Context,
    @Args(() => WorkloadArguments) args: WorkloadArguments,
  ): Listed<WorkloadRecord> {
    return listWorkloads(ctx, args, placeIn(namespace, 'workloads'));
  }

  @FieldResolver(() => PodConnection, { nullable: true, description: 'The pods in it.' })
  @Governed('WORKLOAD_VIEW')
  pods(@Root() namespace: NamespaceRecord, @Ctx() ctx: Context, @Args(() => PodArguments) args: PodArguments): Listed<PodRecord> {
    return listPods(ctx, args, placeIn(namespace, 'pods'));
  }
}

function placeIn({ uid, clusterName, name }: NamespaceRecord, field: string): Place {
  return { field: `Namespace.${field}`, parent: uid, clusters: [clusterName], namespaces: [name] };
}
