import type { NodeRecord } from '../domain/kinds/nodes.js';
import type { PodRecord } from '../domain/kinds/pods.js';
import type { WorkloadRecord } from '../domain/kinds/workloads.js';
import type { Kind } from '../k8s/kind.js';
import { namespaces, type NamespaceRecord } from '../k8s/namespaces.js';
import type { ObjectRecord } from '../k8s/objects.js';
import type { Order, Selection } from '../k8s/reader.js';
import type { Context } from '../schema/context.js';
import type {
  ClusterNodeArguments,
  NamespaceArguments,
  PageArguments,
  PodArguments,
  WorkloadArguments,
} from '../schema/types/arguments.js';
import { Connection, toPageRequest, visibleTo } from './pages.js';
import {
  nodeKinds,
  nodeOrder,
  podKinds,
  podOrder,
  selectNamespaces,
  selectNodes,
  selectPods,
  selectWorkloads,
  workloadKindsOf,
  workloadOrder,
  type Place,
} from './selections.js';

/** A page, once the request's turn has come. */
export type Listed<R> = Connection<R> | Promise<Connection<R>>;

export function listNamespaces(ctx: Context, args: NamespaceArguments, place: Place): Listed<NamespaceRecord> {
  return list(ctx, [namespaces], args, selectNamespaces(args.filter, place), undefined);
}

export function listNodes(ctx: Context, args: ClusterNodeArguments, place: Place): Listed<NodeRecord> {
  return list(ctx, nodeKinds, args, selectNodes(args.filter, args.orderBy, place), nodeOrder(args.orderBy));
}

export function listWorkloads(ctx: Context, args: WorkloadArguments, place: Place): Listed<WorkloadRecord> {
  const selection = selectWorkloads(args.filter, args.orderBy, place, ctx.isolationPatterns);
  return list(ctx, workloadKindsOf(args.filter), args, selection, workloadOrder(args.orderBy));
}

export function listPods(ctx: Context, args: PodArguments, place: Place): Listed<PodRecord> {
  const selection = selectPods(args.filter, args.orderBy, place, ctx.isolationPatterns, ctx.reader);
  return list(ctx, podKinds, args, selection, podOrder(args.orderBy));
}

function list<R extends ObjectRecord>(
  { reader, budget, access, clusters }: Context,
  kinds: readonly Kind<R>[],
  args: PageArguments,
  selection: Selection<R>,
  orderBy: Order<R> | undefined,
): Listed<R> {
  const request = toPageRequest(args);
  return budget.run(
    () => {
      const page = reader.list(kinds, { ...selection, ...request, orderBy });
      return new Connection(page, visibleTo(access, clusters, page.unavailableClusters));
    },
    // An empty page was looked for, too.
    ({ nodes }) => 1 + nodes.length,
  );
}
