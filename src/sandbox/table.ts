import { isObject, textOf, type JsonObject } from './json.js';
import { itemsOf } from './defaults.js';
import { podStatusOf } from './pod-status.js';
import type { ResourceType } from './resources.js';
import { selectorText } from './scale.js';
import type { SandboxObject } from './storage.js';

export interface TableOptions {
  /** Milliseconds since the epoch, for ages. */
  readonly now: number;
  /** What each row carries of its object. */
  readonly include: 'None' | 'Metadata' | 'Object';
}

interface ColumnDefinition {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean';
  readonly format: string;
  readonly description: string;
  /** 0 is always shown, 1 only in wide output. */
  readonly priority: number;
}

export interface TableRow {
  cells: unknown[];
  object?: object;
}

export interface Table {
  kind: 'Table';
  apiVersion: 'meta.k8s.io/v1';
  metadata: { resourceVersion?: string; continue?: string };
  columnDefinitions: readonly ColumnDefinition[] | null;
  rows: TableRow[];
}

/** An object without what only its own kind has. */
export function metadataOf(object: SandboxObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

/** What a cell is made from. */
interface Source {
  readonly object: SandboxObject;
  readonly spec: JsonObject;
  readonly status: JsonObject;
  /** How long ago; `<unknown>` for no time. */
  readonly since: (time: unknown) => string;
}

type Cell = (source: Source) => unknown;
interface Column {
  readonly definition: ColumnDefinition;
  readonly cell: Cell;
}

function column(name: string, cell: Cell, { type = 'string', format = '', priority = 0 }: Partial<ColumnDefinition> = {}): Column {
  return { definition: { name, type, format, description: '', priority }, cell };
}

function wide(name: string, cell: Cell): Column {
  return column(name, cell, { priority: 1 });
}

function number(name: string, cell: Cell): Column {
  return column(name, (source) => cell(source) ?? 0, { type: 'integer' });
}

const none = '<none>';
const nameColumn = column('Name', ({ object }) => object.metadata.name, { format: 'name' });
const ageColumn = column('Age', ({ object, since }) => since(object.metadata.creationTimestamp));

function orNone(value: unknown): string {
  return textOf(value) === '' ? none : textOf(value);
}

function templateSpec(spec: JsonObject): JsonObject {
  return isObject(spec.template) && isObject(spec.template.spec) ? spec.template.spec : {};
}

function listed(spec: JsonObject, field: string): string {
  return itemsOf(spec, 'containers')
    .map((container) => textOf(container[field]))
    .join(',');
}

const containerColumns = [
  wide('Containers', ({ spec }) => listed(templateSpec(spec), 'name')),
  wide('Images', ({ spec }) => listed(templateSpec(spec), 'image')),
];
const selectorColumn = wide('Selector', ({ spec }) => orNone(isObject(spec.selector) ? selectorText(spec.selector) : ''));

function labelsText(labels: unknown): string {
  if (!isObject(labels)) return none;
  return orNone(
    Object.entries(labels)
      .map(([key, value]) => `${key}=${textOf(value)}`)
      .join(','),
  );
}

function dataCount(...maps: unknown[]): number {
  return maps.reduce((count: number, map) => count + (isObject(map) ? Object.keys(map).length : 0), 0);
}

const columnsByResource: Readonly<Record<string, readonly Column[]>> = {
  pods: podColumns(),
  nodes: nodeColumns(),
  events: eventColumns(),
  namespaces: [nameColumn, column('Status', ({ status }) => textOf(status.phase)), ageColumn],
  configmaps: [nameColumn, column('Data', ({ object }) => dataCount(object.data, object.binaryData)), ageColumn],
  secrets: [
    nameColumn,
    column('Type', ({ object }) => textOf(object.type)),
    column('Data', ({ object }) => dataCount(object.data)),
    ageColumn,
  ],
  services: [
    nameColumn,
    column('Type', ({ spec }) => textOf(spec.type)),
    column('Cluster-IP', ({ spec }) => orNone(spec.clusterIP)),
    column('External-IP', ({ spec }) => (spec.type === 'LoadBalancer' ? '<pending>' : orNone(spec.externalName))),
    column('Port(s)', ({ spec }) => orNone(itemsOf(spec, 'ports').map(portText).join(','))),
    ageColumn,
    wide('Selector', ({ spec }) => labelsText(spec.selector)),
  ],
  endpoints: [nameColumn, column('Endpoints', ({ object }) => orNone(endpointsText(object))), ageColumn],
  persistentvolumeclaims: [
    nameColumn,
    column('Status', ({ object, status }) => (object.metadata.deletionTimestamp === undefined ? textOf(status.phase) : 'Terminating')),
    column('Volume', ({ spec }) => textOf(spec.volumeName)),
    column('Capacity', ({ status }) => (isObject(status.capacity) ? textOf(status.capacity.storage) : '')),
    column('Access Modes', ({ status }) => (Array.isArray(status.accessModes) ? status.accessModes.map(shortMode).join(',') : '')),
    column('StorageClass', ({ spec }) => textOf(spec.storageClassName)),
    column('VolumeAttributesClass', ({ spec }) =>
      spec.volumeAttributesClassName === undefined ? '<unset>' : textOf(spec.volumeAttributesClassName),
    ),
    ageColumn,
    wide('VolumeMode', ({ spec }) => textOf(spec.volumeMode)),
  ],
  'deployments.apps': [
    nameColumn,
    column('Ready', ({ spec, status }) => `${textOf(status.readyReplicas ?? 0)}/${textOf(spec.replicas ?? 0)}`),
    column('Up-to-date', ({ status }) => status.updatedReplicas ?? 0),
    column('Available', ({ status }) => status.availableReplicas ?? 0),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  'replicasets.apps': [
    nameColumn,
    number('Desired', ({ spec }) => spec.replicas),
    number('Current', ({ status }) => status.replicas),
    number('Ready', ({ status }) => status.readyReplicas),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  'statefulsets.apps': [
    nameColumn,
    column('Ready', ({ spec, status }) => `${textOf(status.readyReplicas ?? 0)}/${textOf(spec.replicas ?? 0)}`),
    ageColumn,
    ...containerColumns,
  ],
  'daemonsets.apps': [
    nameColumn,
    number('Desired', ({ status }) => status.desiredNumberScheduled),
    number('Current', ({ status }) => status.currentNumberScheduled),
    number('Ready', ({ status }) => status.numberReady),
    number('Up-to-date', ({ status }) => status.updatedNumberScheduled),
    number('Available', ({ status }) => status.numberAvailable),
    column('Node Selector', ({ spec }) => labelsText(templateSpec(spec).nodeSelector)),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  'controllerrevisions.apps': [
    nameColumn,
    column('Controller', ({ object }) => controllerText(object)),
    column('Revision', ({ object }) => object.revision as unknown),
    ageColumn,
  ],
  'jobs.batch': [
    nameColumn,
    column('Status', jobStatus),
    column('Completions', ({ spec, status }) => `${textOf(status.succeeded ?? 0)}/${completionsText(spec)}`),
    column('Duration', ({ status, since }) => {
      if (status.startTime === undefined) return '';
      if (status.completionTime === undefined) return since(status.startTime);
      return durationText(Date.parse(textOf(status.completionTime)) - Date.parse(textOf(status.startTime)));
    }),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  'cronjobs.batch': [
    nameColumn,
    column('Schedule', ({ spec }) => textOf(spec.schedule)),
    column('Timezone', ({ spec }) => orNone(spec.timeZone)),
    column('Suspend', ({ spec }) => (spec.suspend === true ? 'True' : 'False'), { type: 'boolean' }),
    number('Active', ({ status }) => (Array.isArray(status.active) ? status.active.length : 0)),
    column('Last Schedule', ({ status, since }) => (status.lastScheduleTime === undefined ? none : since(status.lastScheduleTime))),
    ageColumn,
    wide('Containers', ({ spec }) => listed(templateSpec(jobSpecOf(spec)), 'name')),
    wide('Images', ({ spec }) => listed(templateSpec(jobSpecOf(spec)), 'image')),
    wide('Selector', ({ spec }) => labelsText(jobSpecOf(spec).selector)),
  ],
  'horizontalpodautoscalers.autoscaling': [
    nameColumn,
    column('Reference', ({ spec: { scaleTargetRef: target } }) =>
      isObject(target) ? `${textOf(target.kind)}/${textOf(target.name)}` : '',
    ),
    column('Targets', targetsText),
    column('MinPods', ({ spec }) => textOf(spec.minReplicas ?? '<unset>')),
    column('MaxPods', ({ spec }) => spec.maxReplicas),
    column('Replicas', ({ status }) => status.currentReplicas ?? 0),
    ageColumn,
  ],
  'leases.coordination.k8s.io': [nameColumn, column('Holder', ({ spec }) => textOf(spec.holderIdentity)), ageColumn],
  'runtimeclasses.node.k8s.io': [nameColumn, column('Handler', ({ object }) => textOf(object.handler)), ageColumn],
};

const otherColumns = [nameColumn, ageColumn];

function podColumns(): Column[] {
  return [
    nameColumn,
    column('Ready', ({ object }) => podStatusOf(object).ready),
    column('Status', ({ object }) => podStatusOf(object).text),
    column('Restarts', ({ object, since }) => {
      const { restarts, lastRestart } = podStatusOf(object);
      return restarts > 0 && lastRestart !== undefined ? `${restarts} (${since(lastRestart)} ago)` : String(restarts);
    }),
    ageColumn,
    wide('IP', ({ status }) => orNone(status.podIP)),
    wide('Node', ({ spec }) => orNone(spec.nodeName)),
    wide('Nominated Node', ({ status }) => orNone(status.nominatedNodeName)),
    wide('Readiness Gates', ({ spec, status }) => {
      const gates = itemsOf(spec, 'readinessGates');
      if (gates.length === 0) return none;
      const met = gates.filter((gate) => conditionOf(status, textOf(gate.conditionType)) === 'True');
      return `${met.length}/${gates.length}`;
    }),
  ];
}

function conditionOf(status: JsonObject, type: string): unknown {
  return itemsOf(status, 'conditions').find((condition) => condition.type === type)?.status;
}

function nodeColumns(): Column[] {
  const info = (field: string) => (source: Source) =>
    textOf(isObject(source.status.nodeInfo) ? source.status.nodeInfo[field] : undefined) || '<unknown>';
  const address =
    (type: string): Cell =>
    ({ status }) =>
      orNone(itemsOf(status, 'addresses').find((each) => each.type === type)?.address);
  return [
    nameColumn,
    column('Status', ({ spec, status }) => {
      const ready = conditionOf(status, 'Ready');
      const state = ready === undefined ? 'Unknown' : ready === 'True' ? 'Ready' : 'NotReady';
      return spec.unschedulable === true ? `${state},SchedulingDisabled` : state;
    }),
    column('Roles', ({ object }) => {
      const prefix = 'node-role.kubernetes.io/';
      const labels = Object.entries(object.metadata.labels ?? {});
      const roles = labels.flatMap(([key, value]) =>
        key.startsWith(prefix) ? [key.slice(prefix.length)] : key === 'kubernetes.io/role' ? [value] : [],
      );
      return orNone([...new Set(roles.filter((role) => role !== ''))].sort().join(','));
    }),
    ageColumn,
    column('Version', ({ status }) => textOf(isObject(status.nodeInfo) ? status.nodeInfo.kubeletVersion : '')),
    wide('Internal-IP', address('InternalIP')),
    wide('External-IP', address('ExternalIP')),
    wide('OS-Image', info('osImage')),
    wide('Kernel-Version', (source) => {
      const architecture = isObject(source.status.nodeInfo) ? textOf(source.status.nodeInfo.architecture) : '';
      return architecture === '' ? info('kernelVersion')(source) : `${info('kernelVersion')(source)} (${architecture})`;
    }),
    wide('Container-Runtime', info('containerRuntimeVersion')),
  ];
}

function eventColumns(): Column[] {
  const target = ({ object }: Source): string => {
    const { kind, name } = isObject(object.involvedObject) ? object.involvedObject : {};
    return `${textOf(kind).toLowerCase()}${textOf(name) === '' ? '' : `/${textOf(name)}`}`;
  };
  const first = ({ object, since }: Source): string => since(object.firstTimestamp ?? object.eventTime);
  return [
    column('Last Seen', (source) => {
      const { object, since } = source;
      const last: unknown = isObject(object.series) ? object.series.lastObservedTime : object.lastTimestamp;
      return last === undefined || last === null ? first(source) : since(last);
    }),
    column('Type', ({ object }) => textOf(object.type)),
    column('Reason', ({ object }) => textOf(object.reason)),
    column('Object', target),
    wide('Subobject', ({ object }) => (isObject(object.involvedObject) ? textOf(object.involvedObject.fieldPath) : '')),
    wide('Source', ({ object }) => {
      const { component, host } = isObject(object.source) ? object.source : {};
      return [component ?? object.reportingComponent, host].map(textOf).filter(Boolean).join(', ');
    }),
    column('Message', ({ object }) => textOf(object.message).trim()),
    wide('First Seen', first),
    wide('Count', ({ object }) => (isObject(object.series) ? object.series.count : object.count) ?? 1),
    column('Name', ({ object }) => object.metadata.name, { format: 'name', priority: 1 }),
  ];
}

function portText({ port, nodePort, protocol }: JsonObject): string {
  return `${textOf(port)}${nodePort === undefined ? '' : `:${textOf(nodePort)}`}/${textOf(protocol)}`;
}

function endpointsText(object: SandboxObject): string {
  return itemsOf(object as JsonObject, 'subsets')
    .flatMap((subset) =>
      itemsOf(subset, 'addresses').flatMap(({ ip }) => itemsOf(subset, 'ports').map(({ port }) => `${textOf(ip)}:${textOf(port)}`)),
    )
    .join(',');
}

const modes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function shortMode(mode: unknown): string {
  return modes[textOf(mode)] ?? textOf(mode);
}

function controllerText({ metadata }: SandboxObject): string {
  const owner = metadata.ownerReferences?.find((each) => each.controller === true);
  if (owner === undefined) return none;
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/', 1)[0] ?? ''}` : '';
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}

function jobStatus({ object, status }: Source): string {
  const has = (type: string): boolean => conditionOf(status, type) === 'True';
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running';
}

function completionsText({ completions, parallelism }: JsonObject): string {
  if (completions !== undefined) return textOf(completions);
  return typeof parallelism === 'number' && parallelism > 1 ? `1 of ${parallelism}` : '1';
}

function jobSpecOf(spec: JsonObject): JsonObject {
  return isObject(spec.jobTemplate) && isObject(spec.jobTemplate.spec) ? spec.jobTemplate.spec : {};
}

/** What an autoscaler measures, and what it aims at. */
function targetsText({ spec, status }: Source): string {
  const current = itemsOf(status, 'currentMetrics');
  const texts = itemsOf(spec, 'metrics').map((metric, index) => {
    const part = textOf(metric.type).replace(/^./, (letter) => letter.toLowerCase());
    const { name, target } = isObject(metric[part]) ? metric[part] : {};
    const wanted = isObject(target) ? target : {};
    const measured = current[index]?.[part];
    const now = isObject(measured) && isObject(measured.current) ? measured.current : {};
    const label = part === 'resource' || part === 'containerResource' ? `${textOf(name)}: ` : '';
    if (wanted.averageUtilization !== undefined)
      return `${label}${now.averageUtilization === undefined ? '<unknown>' : `${textOf(now.averageUtilization)}%`}/${textOf(wanted.averageUtilization)}%`;
    const key = wanted.averageValue === undefined ? 'value' : 'averageValue';
    const isAverage = key === 'averageValue' && (part === 'external' || part === 'object');
    return `${label}${textOf(now[key] ?? '<unknown>')}/${textOf(wanted[key])}${isAverage ? ' (avg)' : ''}`;
  });
  if (texts.length === 0) return none;
  return texts.length > 2 ? `${texts.slice(0, 2).join(', ')} + ${texts.length - 2} more...` : texts.join(', ');
}

/** How long something takes, as kubectl shows it. */
export function durationText(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  if (Number.isNaN(seconds) || seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return two(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  return days < 2920 ? two(Math.floor(days / 365), 'y', days % 365, 'd') : `${Math.floor(days / 365)}y`;
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** The head of a table, without rows. */
export function emptyTable(type: ResourceType, metadata: Table['metadata']): Table {
  const columns = columnsByResource[type.resource] ?? otherColumns;
  return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: columns.map((each) => each.definition), rows: [] };
}

export function rowOf(type: ResourceType, object: SandboxObject, { now, include }: TableOptions): TableRow {
  const source: Source = {
    object,
    spec: isObject(object.spec) ? object.spec : {},
    status: isObject(object.status) ? object.status : {},
    since: (time) => (typeof time === 'string' ? durationText(now - Date.parse(time)) : '<unknown>'),
  };
  const cells = (columnsByResource[type.resource] ?? otherColumns).map((each) => each.cell(source));
  if (include === 'None') return { cells };
  return { cells, object: include === 'Object' ? object : metadataOf(object) };
}
