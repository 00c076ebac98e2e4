import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { ProjectInfo } from '../auth/access.js';
import { decodeId, type DecodedId } from '../domain/ids.js';
import { nodes } from '../domain/kinds/nodes.js';
import { pods } from '../domain/kinds/pods.js';
import { cronJobs, daemonSets, deployments, jobs, statefulSets } from '../domain/kinds/workloads.js';
import { GatewayError } from '../errors.js';
import type { Kind } from '../k8s/kind.js';
import { namespaces } from '../k8s/namespaces.js';
import type { ObjectRecord } from '../k8s/objects.js';
import type { Context } from '../schema/context.js';
import { ResourceKind, type ValueOf } from '../schema/enums.js';
import { Governed, Ungoverned } from '../schema/governance.js';
import { Namespace } from '../schema/types/namespace.js';
import { Project } from '../schema/types/project.js';
import { NamespacedResource, Node, Resource } from '../schema/types/resource.js';
import { checkName, checkNamespace } from './names.js';
import { findProject, projectOf } from './projects.js';

/** Every kind that has a type in the graph, by the contract's name of it. */
const kindsByName: Readonly<Record<ValueOf<typeof ResourceKind>, Kind>> = {
  NODE: nodes,
  NAMESPACE: namespaces,
  DEPLOYMENT: deployments,
  STATEFUL_SET: statefulSets,
  DAEMON_SET: daemonSets,
  JOB: jobs,
  CRON_JOB: cronJobs,
  POD: pods,
};

const kinds: readonly Kind[] = Object.values(kindsByName);

@Resolver()
export class ResourceQueries {
  @Query(() => Node, { nullable: true, description: 'Any object of this graph by its id; governed by the function of its kind.' })
  @Ungoverned('The check is made by the kind that the id names.')
  node(@Ctx() ctx: Context, @Arg('id', () => ID, { description: 'As an object of the graph has it.' }) id: string): object | undefined {
    const decoded = decodeId(id);
    const found =
      decoded === undefined
        ? findProject(ctx, id)
        : decoded.kind === 'Cluster'
          ? clusterNamed(decoded.cluster, ctx)
          : readById(decoded, kinds, ctx);
    return ctx.budget.take(1, found);
  }

  @Query(() => Resource, { nullable: true, description: 'The object by its Kubernetes name; governed by the function of its kind.' })
  @Ungoverned('The check is made by the kind asked for.')
  resource(
    @Ctx() { reader, budget }: Context,
    @Arg('cluster', () => String, { description: 'The cluster that holds it.' }) cluster: string,
    @Arg('kind', () => ResourceKind, { description: 'What it is.' }) kindName: ValueOf<typeof ResourceKind>,
    @Arg('name', () => String, { description: 'Its Kubernetes name.' }) name: string,
    @Arg('namespace', () => String, { nullable: true, description: 'The namespace that it is in; left out for what is in none.' })
    namespace?: string | null,
  ): object | undefined {
    const kind = kindsByName[kindName];
    if (kind.namespaced !== (namespace != null)) {
      throw new GatewayError(
        'BAD_USER_INPUT',
        `An object of kind ${kindName} is ${kind.namespaced ? 'named by its namespace, too' : 'in no namespace'}.`,
        { field: 'namespace' },
      );
    }
    if (namespace != null) checkNamespace(namespace);
    checkName(name);
    return budget.take(1, reader.get(kind, { cluster, namespace: namespace ?? undefined, name }));
  }
}

/** What everything in a namespace has; the types that implement the interface take it over. */
@Resolver(() => NamespacedResource)
export class NamespacedResourceResolver {
  @FieldResolver(() => Namespace, { nullable: true, description: 'The namespace that it is in.' })
  @Governed('NAMESPACE_VIEW')
  namespace(@Root() record: ObjectRecord, @Ctx() { reader, budget }: Context): object | undefined {
    return budget.take(1, reader.namespaceOf(record));
  }

  @FieldResolver(() => Project, { nullable: true, description: 'The project of its namespace; null where that has none.' })
  @Ungoverned('Whoever may see the object may know whose it is.')
  project(@Root() record: ObjectRecord, @Ctx() ctx: Context): ProjectInfo | undefined | Promise<ProjectInfo | undefined> {
    return projectOf(record, ctx);
  }
}

/**
 * The object that an id names, where it is one of these kinds, and still the same object: everything else leads nowhere.
 * @throws GatewayError `FORBIDDEN` as the reader does.
 */
export function readById(
  { cluster, kind: name, namespace, name: objectName, uid }: DecodedId,
  among: readonly Kind[],
  { reader }: Context,
): ObjectRecord | undefined {
  const kind = among.find((one) => one.name === name);
  // By the uid: what has the name now may be another object, of which nothing is to be told.
  const found = kind && reader.byUid(kind, cluster, uid);
  return found?.name === objectName && found.namespaceName === namespace ? found : undefined;
}

/** @throws GatewayError `FORBIDDEN` for who may not see clusters. */
function clusterNamed(name: string, { access, refusals, clusters }: Context): object | undefined {
  if (!access.allowsAnywhere('CLUSTER_VIEW')) throw refusals.refuse('CLUSTER_VIEW', undefined);
  return clusters.get(name);
}
