import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { ProjectInfo } from '../auth/access.js';
import { namespaces, type NamespaceRecord } from '../k8s/namespaces.js';
import type { ObjectRecord } from '../k8s/objects.js';
import type { UnavailableCluster } from '../k8s/reader.js';
import type { PodRecord } from '../domain/kinds/pods.js';
import type { WorkloadRecord } from '../domain/kinds/workloads.js';
import type { Context } from '../schema/context.js';
import { Governed, Ungoverned } from '../schema/governance.js';
import { NamespaceArguments, PodArguments, ProjectArguments, WorkloadArguments } from '../schema/types/arguments.js';
import { NamespaceConnection } from '../schema/types/namespace.js';
import { PodConnection } from '../schema/types/pod.js';
import { NamespaceName, Project, ProjectConnection } from '../schema/types/project.js';
import { WorkloadConnection } from '../schema/types/workload.js';
import { listNamespaces, listPods, listWorkloads, type Listed } from './lists.js';
import type { Place } from './selections.js';
import { canonical, clusterNamesOf, Connection, pageOf, toPageRequest } from './pages.js';

const membersReason = 'A member may know the projects that it is a member of.';

@Resolver(() => Project)
export class ProjectResolver {
  @Query(() => ProjectConnection, { nullable: true, description: 'The joined projects; every project for a cloud administrator.' })
  @Ungoverned(membersReason)
  async projects(@Ctx() ctx: Context, @Args(() => ProjectArguments) args: ProjectArguments): Promise<Connection<ProjectInfo>> {
    const request = toPageRequest(args);
    const needle = (args.search ?? '').toLowerCase();
    const { projects, unavailableClusters } = await knownProjects(ctx);
    const known = projects.filter(({ name }) => name.toLowerCase().includes(needle));
    const page = pageOf(known, ({ name, id }) => `${name}\u0000${id}`, canonical({ field: 'projects', search: needle }), request);
    return ctx.budget.take(page.items.length, new Connection(page, unavailableClusters));
  }

  @Query(() => Project, { nullable: true, description: 'One of the projects that the viewer may know of.' })
  @Ungoverned(membersReason)
  project(@Ctx() ctx: Context, @Arg('id', () => ID, { description: "The parent platform's own id." }) id: string): ProjectInfo | undefined {
    return findProject(ctx, id);
  }

  @FieldResolver(() => [String], {
    description: 'The clusters that its members may create things in; all of them, unless the configuration says otherwise.',
  })
  clusterNames(@Root() project: ProjectInfo, @Ctx() { clusters }: Context): readonly string[] {
    return clusterNamesOf(project.id, clusters);
  }

  @FieldResolver(() => [NamespaceName], {
    nullable: true,
    description: "Where the project's members may create things; every member may read it, the namespaces themselves only administrators.",
  })
  namespaceNames(@Root() project: ProjectInfo, @Ctx() ctx: Context): object {
    const names = ctx.reader
      .namespacesOf(project.id)
      .map(({ clusterName, name }) => ({ clusterName, name }))
      .sort((a, b) => (a.clusterName === b.clusterName ? (a.name < b.name ? -1 : 1) : a.clusterName < b.clusterName ? -1 : 1));
    return ctx.budget.take(names.length, names);
  }

  @FieldResolver(() => NamespaceConnection, { nullable: true, description: "The project's namespaces in all clusters." })
  @Governed('NAMESPACE_VIEW')
  namespaces(
    @Root() project: ProjectInfo,
    @Ctx() ctx: Context,
    @Args(() => NamespaceArguments) args: NamespaceArguments,
  ): Listed<NamespaceRecord> {
    return listNamespaces(ctx, args, placeOf('namespaces', project));
  }

  @FieldResolver(() => WorkloadConnection, { nullable: true, description: "Workloads in the project's namespaces." })
  @Governed('WORKLOAD_VIEW')
  workloads(
    @Root() project: ProjectInfo,
    @Ctx() ctx: Context,
    @Args(() => WorkloadArguments) args: WorkloadArguments,
  ): Listed<WorkloadRecord> {
    return listWorkloads(ctx, args, placeOf('workloads', project));
  }

  @FieldResolver(() => PodConnection, { nullable: true, description: "Pods in the project's namespaces." })
  @Governed('WORKLOAD_VIEW')
  pods(@Root() project: ProjectInfo, @Ctx() ctx: Context, @Args(() => PodArguments) args: PodArguments): Listed<PodRecord> {
    return listPods(ctx, args, placeOf('pods', project));
  }
}

function placeOf(field: string, { id }: ProjectInfo): Place {
  return { field: `Project.${field}`, parent: id, projects: [id] };
}

/** A project by its id, for who may know of it. A label or a role that names one which the identity source does not know makes it one. */
export function findProject(ctx: Context, id: string): ProjectInfo | undefined {
  if (!ctx.access.knows(id)) return undefined;
  const known = ctx.projects.get(id);
  if (known !== undefined) return known;
  const exists = ctx.access.identity.roles.has(id) || ctx.reader.namespacesOf(id).length > 0;
  return exists ? projectInfo(ctx, id) : undefined;
}

/** The project that an object belongs to; undefined where it belongs to none. */
export function projectOf(record: ObjectRecord, ctx: Context): ProjectInfo | undefined | Promise<ProjectInfo | undefined> {
  const id = ctx.reader.projectOf(record);
  return ctx.budget.take(1, id === undefined ? undefined : projectInfo(ctx, id));
}

/** A project whose id was found on an object or a role. */
export function projectInfo({ projects }: Context, id: string): ProjectInfo {
  return projects.get(id) ?? { id, name: id, department: undefined };
}

const pageSize = 500;

interface KnownProjects {
  readonly projects: readonly ProjectInfo[];
  /** Clusters whose labels could not be read: projects that only they name are missing. */
  readonly unavailableClusters: readonly UnavailableCluster[];
}

/** The joined projects; for a cloud administrator those of the identity source, and those that only labels name. */
async function knownProjects(ctx: Context): Promise<KnownProjects> {
  const { access, projects, reader, budget } = ctx;
  const joined = access.identity.roles.keys();
  if (!access.identity.cloudAdmin) return { projects: [...joined].map((id) => projectInfo(ctx, id)), unavailableClusters: [] };
  const ids = new Set([...projects.all().map(({ id }) => id), ...joined]);
  for (let after: string | undefined; ;) {
    const page = reader.list([namespaces], { identity: 'projects', first: pageSize, after });
    for (const namespace of page.items) {
      const id = reader.projectOf(namespace);
      if (id !== undefined) ids.add(id);
    }
    const last = page.items.at(-1);
    if (!page.hasNextPage || last === undefined) {
      return { projects: [...ids].map((id) => projectInfo(ctx, id)), unavailableClusters: page.unavailableClusters };
    }
    after = page.cursorOf(last);
    await budget.take(0, undefined);
  }
}
