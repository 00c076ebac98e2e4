import type { ResourceName } from './storage.js';

/** Which names a kind takes, after the DNS terms that Kubernetes checks them by. */
export type NameRule = 'subdomain' | 'label' | 'service' | 'path';

/** One kind that the embedded cluster serves. */
export interface ResourceType {
  /** As kubectl writes it: `pods`, `deployments.apps`. */
  readonly resource: ResourceName;
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** Such as `all`, for `kubectl get all`. */
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly subresources: readonly Subresource[];
  readonly nameRule: NameRule;
  /** Whether `metadata.generation` counts changes of `spec`. */
  readonly counted: boolean;
}

export type Subresource = 'status' | 'scale' | 'log' | 'binding' | 'eviction' | 'exec' | 'attach' | 'portforward';

interface Spec {
  kind: string;
  plural: string;
  short?: string[];
  all?: boolean;
  cluster?: boolean;
  sub?: Subresource[];
  names?: NameRule;
  counted?: boolean;
}

function group(apiGroup: string, version: string, specs: Spec[]): ResourceType[] {
  return specs.map((spec) => ({
    resource: apiGroup === '' ? spec.plural : `${spec.plural}.${apiGroup}`,
    group: apiGroup,
    version,
    apiVersion: apiGroup === '' ? version : `${apiGroup}/${version}`,
    kind: spec.kind,
    plural: spec.plural,
    singular: spec.kind.toLowerCase(),
    shortNames: spec.short ?? [],
    categories: spec.all === true ? ['all'] : [],
    namespaced: spec.cluster !== true,
    subresources: spec.sub ?? [],
    nameRule: spec.names ?? 'subdomain',
    counted: spec.counted ?? false,
  }));
}

/** All kinds served, in the order of discovery. */
export const resourceTypes: readonly ResourceType[] = [
  ...group('', 'v1', [
    { kind: 'ConfigMap', plural: 'configmaps', short: ['cm'] },
    { kind: 'Endpoints', plural: 'endpoints', short: ['ep'] },
    { kind: 'Event', plural: 'events', short: ['ev'] },
    { kind: 'Namespace', plural: 'namespaces', short: ['ns'], cluster: true, sub: ['status'], names: 'label' },
    { kind: 'Node', plural: 'nodes', short: ['no'], cluster: true, sub: ['status'] },
    { kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', short: ['pvc'], sub: ['status'] },
    {
      kind: 'Pod',
      plural: 'pods',
      short: ['po'],
      all: true,
      sub: ['status', 'log', 'binding', 'eviction', 'exec', 'attach', 'portforward'],
      counted: true,
    },
    { kind: 'Secret', plural: 'secrets' },
    { kind: 'ServiceAccount', plural: 'serviceaccounts', short: ['sa'] },
    { kind: 'Service', plural: 'services', short: ['svc'], all: true, sub: ['status'], names: 'service' },
  ]),
  ...group('apps', 'v1', [
    { kind: 'ControllerRevision', plural: 'controllerrevisions' },
    { kind: 'DaemonSet', plural: 'daemonsets', short: ['ds'], all: true, sub: ['status'], counted: true },
    { kind: 'Deployment', plural: 'deployments', short: ['deploy'], all: true, sub: ['scale', 'status'], counted: true },
    { kind: 'ReplicaSet', plural: 'replicasets', short: ['rs'], all: true, sub: ['scale', 'status'], counted: true },
    { kind: 'StatefulSet', plural: 'statefulsets', short: ['sts'], all: true, sub: ['scale', 'status'], counted: true },
  ]),
  ...group('autoscaling', 'v2', [
    { kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', short: ['hpa'], all: true, sub: ['status'] },
  ]),
  ...group('batch', 'v1', [
    { kind: 'CronJob', plural: 'cronjobs', short: ['cj'], all: true, sub: ['status'], counted: true },
    { kind: 'Job', plural: 'jobs', all: true, sub: ['status'], counted: true },
  ]),
  ...group('coordination.k8s.io', 'v1', [{ kind: 'Lease', plural: 'leases' }]),
  ...group('node.k8s.io', 'v1', [{ kind: 'RuntimeClass', plural: 'runtimeclasses', cluster: true }]),
];

const byResource = new Map(resourceTypes.map((type) => [type.resource, type]));
const byKind = new Map(resourceTypes.map((type) => [`${type.apiVersion}/${type.kind}`, type]));

/** By `pods`, `deployments.apps`; undefined where the embedded cluster has no such kind. */
export function findResource(resource: ResourceName): ResourceType | undefined {
  return byResource.get(resource);
}

/** By apiVersion and kind, as an object or an owner reference names them. */
export function findKind(apiVersion: string, kind: string): ResourceType | undefined {
  return byKind.get(`${apiVersion}/${kind}`);
}
