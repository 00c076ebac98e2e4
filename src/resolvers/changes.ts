import { Arg, FieldResolver, Resolver, Root, Subscription } from 'type-graphql';
import { encodeId } from '../domain/ids.js';
import type { NodeRecord } from '../domain/kinds/nodes.js';
import type { PodRecord } from '../domain/kinds/pods.js';
import { GatewayError } from '../errors.js';
import type { Kind } from '../k8s/kind.js';
import type { ObjectRecord } from '../k8s/objects.js';
import type { Change, Selection, UnavailableCluster } from '../k8s/reader.js';
import type { Context } from '../schema/context.js';
import type { ChangeType, ValueOf } from '../schema/enums.js';
import { Governed } from '../schema/governance.js';
import { ClusterNodeChange, PodChange } from '../schema/types/change.js';
import { ClusterNode, ClusterNodeFilter } from '../schema/types/cluster.js';
import { Pod, PodFilter } from '../schema/types/pod.js';
import { visibleTo } from './pages.js';
import { nodeKinds, podKinds, selectNodes, selectPods } from './selections.js';

/** A change as its type in the schema reads it. `record` is set for ADDED and MODIFIED; the permission layer looks there for the project. */
interface ChangeEvent<R extends ObjectRecord> {
  readonly type: ValueOf<typeof ChangeType>;
  readonly cursor: string;
  readonly id: string | undefined;
  readonly record: R | undefined;
  readonly unavailableClusters: readonly UnavailableCluster[] | undefined;
}

interface Asked<Filter> {
  readonly filter?: Filter | null;
  readonly after?: string | null;
}

const afterOption = {
  nullable: true,
  description: 'A cursor of the same subscription: what happened since then, instead of a snapshot.',
} as const;

@Resolver(() => PodChange)
export class PodChangeResolver {
  @Subscription(() => PodChange, {
    description: 'Pods as they come, change and go: a snapshot, SYNCED, then changes.',
    subscribe: ({ args, context }: { args: Asked<PodFilter>; context: Context }) =>
      follow(context, podKinds, selectPods(args.filter, undefined, { field: 'podChanges' }, context.isolationPatterns), args.after),
  })
  @Governed('WORKLOAD_VIEW')
  podChanges(
    @Root() event: ChangeEvent<PodRecord>,
    @Arg('filter', () => PodFilter, { nullable: true, description: 'All where it is left out.' }) _filter?: PodFilter | null,
    @Arg('after', () => String, afterOption) _after?: string | null,
  ): object {
    return { ...event, podId: event.id };
  }

  @FieldResolver(() => Pod, { nullable: true, description: 'As it is after the change; null unless it was added or modified.' })
  @Governed('WORKLOAD_VIEW')
  pod(@Root() { record }: ChangeEvent<PodRecord>): object | undefined {
    return record;
  }
}

@Resolver(() => ClusterNodeChange)
export class ClusterNodeChangeResolver {
  @Subscription(() => ClusterNodeChange, {
    description: 'Nodes of one cluster as they come, change and go: a snapshot, SYNCED, then changes.',
    subscribe: ({ args, context }: { args: Asked<ClusterNodeFilter> & { cluster: string }; context: Context }) => {
      const { cluster, filter, after } = args;
      if (context.clusters.get(cluster) === undefined)
        throw new GatewayError('NOT_FOUND', 'There is no such cluster.', { field: 'cluster' });
      return follow(
        context,
        nodeKinds,
        selectNodes(filter, undefined, { field: 'nodeChanges', parent: cluster, clusters: [cluster] }),
        after,
      );
    },
  })
  @Governed('NODE_VIEW')
  nodeChanges(
    @Root() event: ChangeEvent<NodeRecord>,
    @Arg('cluster', () => String, { description: 'As configured.' }) _cluster: string,
    @Arg('filter', () => ClusterNodeFilter, { nullable: true, description: 'All where it is left out.' })
    _filter?: ClusterNodeFilter | null,
    @Arg('after', () => String, afterOption) _after?: string | null,
  ): object {
    return { ...event, nodeId: event.id };
  }

  @FieldResolver(() => ClusterNode, { nullable: true, description: 'As it is after the change; null unless it was added or modified.' })
  @Governed('NODE_VIEW')
  node(@Root() { record }: ChangeEvent<NodeRecord>): object | undefined {
    return record;
  }
}

async function* follow<R extends ObjectRecord>(
  { reader, session, clusters, signal }: Context,
  kinds: readonly Kind<R>[],
  { projects, ...selection }: Selection<R>,
  after: string | null | undefined,
): AsyncGenerator<ChangeEvent<R>, void, undefined> {
  const query = {
    ...selection,
    after: after ?? undefined,
    projects: projects && { current: () => projects, onChange: () => () => undefined },
  };
  for await (const change of reader.watch(kinds, query, signal))
    yield eventOf(change, (names) => visibleTo(session.access, clusters, names));
}

function eventOf<R extends ObjectRecord>(
  change: Change<R>,
  visible: (unavailable: readonly UnavailableCluster[]) => readonly UnavailableCluster[],
): ChangeEvent<R> {
  const { type, cursor } = change;
  switch (change.type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type, cursor, id: encodeId(change.record), record: change.record, unavailableClusters: undefined };
    case 'DELETED': {
      const { cluster, namespace, name, uid } = change.key;
      const id = encodeId({ clusterName: cluster, kind: change.kind.name, namespaceName: namespace, name, uid });
      return { type, cursor, id, record: undefined, unavailableClusters: undefined };
    }
    case 'SYNCED':
      return { type, cursor, id: undefined, record: undefined, unavailableClusters: visible(change.unavailableClusters) };
    case 'RESET':
      return { type, cursor, id: undefined, record: undefined, unavailableClusters: undefined };
  }
}
