import { GatewayError } from '../errors.js';
import { decodeId } from '../domain/ids.js';
import { isolationOf, type IsolationPatterns, type RunsOn } from '../domain/isolation.js';
import type { NodeRecord } from '../domain/kinds/nodes.js';
import { nodes } from '../domain/kinds/nodes.js';
import type { PodRecord } from '../domain/kinds/pods.js';
import { pods } from '../domain/kinds/pods.js';
import { replicaSets } from '../domain/kinds/replica-sets.js';
import { jobs, workloadKinds, type WorkloadRecord } from '../domain/kinds/workloads.js';
import { controllersOf } from '../domain/owners.js';
import { sumOfPods } from '../domain/resources.js';
import type { Kind } from '../k8s/kind.js';
import { parseLabelSelector } from '../k8s/label-selector.js';
import type { NamespaceRecord } from '../k8s/namespaces.js';
import type { ObjectRecord } from '../k8s/objects.js';
import type { Order, Reader, Selection } from '../k8s/reader.js';
import type { ClusterNodeFilter, ClusterNodeOrder } from '../schema/types/cluster.js';
import type { NamespaceFilter } from '../schema/types/namespace.js';
import type { PodFilter, PodOrder } from '../schema/types/pod.js';
import type { WorkloadFilter, WorkloadOrder } from '../schema/types/workload.js';
import { canonical } from './pages.js';

/** Where a list hangs in the graph, and what that alone narrows it to. */
export interface Place {
  /** The field with its type, and its parent's id where it has one: lists of different places have different cursors. */
  readonly field: string;
  readonly parent?: string;
  readonly clusters?: readonly string[];
  readonly projects?: readonly string[];
  readonly namespaces?: readonly string[];
  /** Of pods: the node that they are on. */
  readonly node?: string;
  /** Of pods: the workload that they belong to. */
  readonly workload?: WorkloadRecord;
}

type Where = NonNullable<Selection<ObjectRecord>['where']>;
type Test<R> = (record: R, reader: Reader) => boolean;

interface CommonFilter {
  readonly clusters?: string[] | null;
  readonly projects?: string[] | null;
  readonly namespaces?: string[] | null;
  readonly labelSelector?: string | null;
  readonly search?: string | null;
}

/** The part that is alike for all kinds; `where` and `tests` are the kind's own. */
function select<R extends ObjectRecord>(
  place: Place,
  filter: CommonFilter,
  orderBy: object | null | undefined,
  where: Where,
  tests: readonly Test<R>[],
): Selection<R> {
  const { search, labelSelector } = filter;
  checkSizes(filter);
  const needle = search?.toLowerCase() ?? '';
  const all = needle === '' ? tests : [({ name }: R) => name.includes(needle), ...tests];
  const [first, ...others] = all;
  return {
    // Not by the place's own narrowing: that follows from its field and parent.
    identity: canonical({ field: place.field, parent: place.parent, filter, orderBy }),
    clusters: both(place.clusters, filter.clusters),
    projects: both(place.projects, filter.projects),
    namespaces: both(place.namespaces, filter.namespaces),
    labels: labelSelector == null ? undefined : parseLabelSelector(labelSelector),
    where,
    filter: first === undefined ? undefined : others.length === 0 ? first : (record, reader) => all.every((test) => test(record, reader)),
  };
}

const maxListed = 1_000;

const maxTextLength = 16_384;

/** @throws GatewayError `BAD_USER_INPUT` for a list that is too long to be looked through for each object, or a text that is too long to be read. */
function checkSizes(filter: object): void {
  for (const [name, value] of Object.entries(filter)) {
    if (typeof value === 'string' && value.length > maxTextLength) {
      throw new GatewayError('BAD_USER_INPUT', `A text in a filter has at most ${maxTextLength} characters.`, { field: `filter.${name}` });
    }
    if (Array.isArray(value) && value.length > maxListed) {
      throw new GatewayError('BAD_USER_INPUT', `A list in a filter has at most ${maxListed} values.`, { field: `filter.${name}` });
    }
  }
}

/** What both name; undefined names everything. */
function both(own: readonly string[] | undefined, asked: readonly string[] | null | undefined): readonly string[] | undefined {
  if (asked == null) return own;
  return own === undefined ? asked : asked.filter((name) => own.includes(name));
}

const lookUp = (index: string, values: readonly string[] | null | undefined): Where => (values == null ? [] : [{ index, values }]);

const isolated =
  (wanted: string, patterns: IsolationPatterns): Test<ObjectRecord & RunsOn> =>
  (record, reader) =>
    isolationOf(record, reader, patterns) === wanted;

export function selectNamespaces(filter: NamespaceFilter | null | undefined, place: Place): Selection<NamespaceRecord> {
  const phase = filter?.phase;
  return select<NamespaceRecord>(place, filter ?? {}, undefined, [], phase == null ? [] : [(namespace) => namespace.phase === phase]);
}

export function selectNodes(
  filter: ClusterNodeFilter | null | undefined,
  orderBy: ClusterNodeOrder | null | undefined,
  place: Place,
): Selection<NodeRecord> {
  const { roles, ready, schedulable, architecture, hasGpu } = filter ?? {};
  const tests: Test<NodeRecord>[] = [];
  if (ready != null) tests.push((node) => node.ready === ready);
  if (schedulable != null) tests.push((node) => node.schedulable === schedulable);
  if (architecture != null) tests.push((node) => node.architecture === architecture);
  if (hasGpu != null) tests.push((node) => node.hasGpu === hasGpu);
  return select(place, filter ?? {}, orderBy, lookUp('role', roles), tests);
}

/** Without the filter's kinds, which {@link workloadKindsOf} tells. */
export function selectWorkloads(
  filter: WorkloadFilter | null | undefined,
  orderBy: WorkloadOrder | null | undefined,
  place: Place,
  patterns: IsolationPatterns,
): Selection<WorkloadRecord> {
  const { statuses, isolation, image } = filter ?? {};
  const tests: Test<WorkloadRecord>[] = [];
  if (statuses != null) tests.push((workload) => statuses.includes(workload.status));
  if (isolation != null) tests.push(isolated(isolation, patterns));
  if (image != null && image !== '') {
    const needle = image.toLowerCase();
    tests.push((workload) => workload.images.some((name) => name.toLowerCase().includes(needle)));
  }
  return select(place, filter ?? {}, orderBy, [], tests);
}

/** The kinds that a filter wants; without any, no list has to look further. */
export function workloadKindsOf(filter: WorkloadFilter | null | undefined): readonly Kind<WorkloadRecord>[] {
  const wanted = filter?.kinds;
  if (wanted == null) return workloadKinds;
  return workloadKinds.filter((kind) => wanted.some((name) => kindNames[name] === kind.name));
}

const kindNames = {
  DEPLOYMENT: 'Deployment',
  STATEFUL_SET: 'StatefulSet',
  DAEMON_SET: 'DaemonSet',
  JOB: 'Job',
  CRON_JOB: 'CronJob',
} as const;

/**
 * @param reader The viewer's, by which a list finds the pods of a workload in an index. Left out for a stream, which looks at each pod: the workload's
 * replica sets and jobs come and go.
 */
export function selectPods(
  filter: PodFilter | null | undefined,
  orderBy: PodOrder | null | undefined,
  place: Place,
  patterns: IsolationPatterns,
  reader?: Reader,
): Selection<PodRecord> {
  const { workload: id, nodeNames, phases, ready, isolation, hasGpu } = filter ?? {};
  const tests: Test<PodRecord>[] = [];
  if (ready != null) tests.push((pod) => pod.ready === ready);
  if (hasGpu != null) tests.push((pod) => pod.hasGpu === hasGpu);
  if (isolation != null) tests.push(isolated(isolation, patterns));
  const where = [...lookUp('node', both(place.node === undefined ? undefined : [place.node], nodeNames)), ...lookUp('phase', phases)];
  let selection = select(place, filter ?? {}, orderBy, where, tests);
  if (place.workload !== undefined && reader !== undefined) selection = controlledBy(selection, place.workload, reader);
  return id == null ? selection : ofWorkload(selection, id, reader);
}

/** The pods of the workload that an untrusted id names; none where it names no workload. */
function ofWorkload(selection: Selection<PodRecord>, id: string, reader: Reader | undefined): Selection<PodRecord> {
  const nothing = { ...selection, clusters: [] };
  const decoded = decodeId(id);
  const kind = decoded && workloadKinds.find(({ name }) => name === decoded.kind);
  if (decoded?.namespace === undefined || kind === undefined) return nothing;
  const { cluster, namespace, uid } = decoded;
  if (reader !== undefined) {
    const workload = reader.byUid(kind, cluster, uid);
    return workload?.namespaceName === namespace ? controlledBy(selection, workload, reader) : nothing;
  }
  const { filter } = selection;
  return {
    ...inNamespace(selection, cluster, namespace),
    filter: (pod, inside) => isOf(pod, uid, inside) && (filter === undefined || filter(pod, inside)),
  };
}

function controlledBy(selection: Selection<PodRecord>, workload: WorkloadRecord, reader: Reader): Selection<PodRecord> {
  return {
    ...inNamespace(selection, workload.clusterName, workload.namespaceName ?? ''),
    where: [...(selection.where ?? []), { index: 'controller', values: controllersOf(workload, reader) }],
  };
}

const inNamespace = (selection: Selection<PodRecord>, cluster: string, namespace: string): Selection<PodRecord> => ({
  ...selection,
  clusters: both([cluster], selection.clusters),
  namespaces: both([namespace], selection.namespaces),
});

/** By uids alone: a stream may hear of a pod before it hears of the workload itself. */
function isOf({ clusterName, namespaceName, controllerUid }: PodRecord, uid: string, reader: Reader): boolean {
  if (controllerUid === undefined || controllerUid === uid) return controllerUid === uid;
  const between = reader.byUid(replicaSets, clusterName, controllerUid) ?? reader.byUid(jobs, clusterName, controllerUid);
  return between?.controllerUid === uid && between.namespaceName === namespaceName;
}

// ── orders

type Orders<Field extends string, R extends ObjectRecord> = Readonly<Record<Field, Omit<Order<R>, 'direction' | 'name'>>>;

function order<Field extends string, R extends ObjectRecord>(
  orders: Orders<Field, R>,
  by: { readonly field: Field; readonly direction: 'ASC' | 'DESC' } | null | undefined,
): Order<R> | undefined {
  return by == null ? undefined : { ...orders[by.field], name: by.field, direction: by.direction };
}

const podOrders: Orders<PodOrder['field'], PodRecord> = {
  NAME: { value: ({ name }) => name },
  NAMESPACE: { value: ({ namespaceName }) => namespaceName ?? '' },
  NODE: { value: ({ nodeName }) => nodeName ?? '' },
  PHASE: { value: ({ phase }) => phase },
  RESTARTS: { value: ({ restarts }) => restarts },
  CREATED_AT: { value: ({ createdAt }) => createdAt },
};

const workloadOrders: Orders<WorkloadOrder['field'], WorkloadRecord> = {
  NAME: { value: ({ name }) => name },
  NAMESPACE: { value: ({ namespaceName }) => namespaceName ?? '' },
  KIND: { value: ({ workloadKind }) => workloadKind },
  STATUS: { value: ({ status }) => status },
  CREATED_AT: { value: ({ createdAt }) => createdAt },
};

const podsOn = (node: NodeRecord, reader: Reader): readonly PodRecord[] => reader.related(pods, node.clusterName, 'node', node.name);

const nodeOrders: Orders<ClusterNodeOrder['field'], NodeRecord> = {
  NAME: { value: ({ name }) => name },
  CREATED_AT: { value: ({ createdAt }) => createdAt },
  CPU_REQUESTED: { value: (node, reader) => sumOfPods(podsOn(node, reader)).cpuCores, derived: true },
  MEMORY_REQUESTED: { value: (node, reader) => sumOfPods(podsOn(node, reader)).memoryBytes, derived: true },
  POD_COUNT: { value: (node, reader) => sumOfPods(podsOn(node, reader)).pods, derived: true },
};

export const podOrder = (by: PodOrder | null | undefined): Order<PodRecord> | undefined => order(podOrders, by);

export const workloadOrder = (by: WorkloadOrder | null | undefined): Order<WorkloadRecord> | undefined => order(workloadOrders, by);

export const nodeOrder = (by: ClusterNodeOrder | null | undefined): Order<NodeRecord> | undefined => order(nodeOrders, by);

export const nodeKinds: readonly Kind<NodeRecord>[] = [nodes];
export const podKinds: readonly Kind<PodRecord>[] = [pods];
