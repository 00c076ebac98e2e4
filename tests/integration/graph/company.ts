import type { KubernetesObject, OwnerReference } from '../../../src/k8s/objects.js';
import { projectLabel, type Draft } from '../../support/objects.js';
import { InProcessGateway, kindNamed, type InProcessOptions } from '../../support/in-process.js';

/** A small company for tests of the graph: two clusters, two projects, one workload of each kind with its pods. */

export const adminOf = (project: string): string => `admin-of-${project}`;
export const userOf = (project: string): string => `user-of-${project}`;

const users = [
  { id: 'cloud', cloudAdmin: true },
  ...['p-web', 'p-db'].flatMap((project) => [
    { id: adminOf(project), roles: { [project]: 'PROJECT_ADMIN' } },
    { id: userOf(project), roles: { [project]: 'USER' } },
  ]),
];

const projects = [
  { id: 'p-web', name: '网店', department: { id: 'd-retail', name: '零售' } },
  { id: 'p-db', name: '数据库' },
];

export class Company {
  readonly gateway: InProcessGateway;

  constructor(options: Partial<InProcessOptions> = {}) {
    this.gateway = new InProcessGateway({
      clusters: [{ name: 'east' }, { name: 'west', projects: ['p-db'] }],
      users,
      projects,
      ...options,
    });
  }

  put(kind: string, draft: Draft, cluster = 'east'): KubernetesObject {
    return this.gateway.cluster(cluster).put(kindNamed(kind), draft);
  }

  remove(kind: string, namespace: string | undefined, name: string, cluster = 'east'): void {
    this.gateway.cluster(cluster).remove(kindNamed(kind), namespace, name);
  }

  namespace(name: string, project?: string, cluster = 'east'): KubernetesObject {
    const labels: Record<string, string> = project === undefined ? {} : { [projectLabel]: project };
    return this.put(
      'Namespace',
      { metadata: { name, labels, creationTimestamp: '2025-12-01T00:00:00Z' }, status: { phase: 'Active' } },
      cluster,
    );
  }

  node(
    name: string,
    { labels = {}, spec = {}, status = {} }: { labels?: Record<string, string>; spec?: object; status?: object } = {},
    cluster = 'east',
  ): void {
    this.put(
      'Node',
      {
        metadata: { name, labels },
        spec,
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          capacity: { cpu: '8', memory: '16Gi', pods: '110' },
          allocatable: { cpu: '7500m', memory: '15Gi', pods: '110' },
          nodeInfo: {
            architecture: 'amd64',
            osImage: 'Ubuntu',
            kernelVersion: '6.8',
            containerRuntimeVersion: 'containerd://2',
            kubeletVersion: 'v1.36.3',
          },
          ...status,
        },
      },
      cluster,
    );
  }

  pod(
    namespace: string,
    name: string,
    { owner, node, phase = 'Running', labels = {}, spec = {}, status = {} }: PodDraft = {},
    cluster = 'east',
  ): KubernetesObject {
    return this.put(
      'Pod',
      {
        metadata: { namespace, name, labels, ...(owner === undefined ? {} : { ownerReferences: [ownedBy(owner)] }) },
        spec: {
          ...(node === undefined ? {} : { nodeName: node }),
          containers: [{ name: 'main', image: 'nginx:1', resources: { requests: { cpu: '500m', memory: '256Mi' } } }],
          ...spec,
        },
        status: { phase, conditions: [{ type: 'Ready', status: phase === 'Running' ? 'True' : 'False' }], ...status },
      },
      cluster,
    );
  }

  /** A deployment with its replica set, and so many pods. */
  deployment(
    namespace: string,
    name: string,
    replicas: number,
    { node, labels }: { node?: string; labels?: Record<string, string> } = {},
  ): void {
    const counts = { replicas, readyReplicas: replicas, updatedReplicas: replicas, availableReplicas: replicas };
    const deployment = this.put('Deployment', workload(namespace, name, { replicas }, counts));
    const replicaSet = this.put('ReplicaSet', owned(workload(namespace, `${name}-1`, { replicas }, counts), deployment));
    for (let index = 0; index < replicas; index += 1) {
      this.pod(namespace, `${name}-1-${index}`, {
        owner: replicaSet,
        ...(node === undefined ? {} : { node }),
        ...(labels === undefined ? {} : { labels }),
      });
    }
  }
}

export interface PodDraft {
  readonly owner?: KubernetesObject;
  readonly node?: string;
  readonly phase?: string;
  readonly labels?: Record<string, string>;
  readonly spec?: object;
  readonly status?: object;
}

export function workload(namespace: string, name: string, spec: object = {}, status: object = {}): Draft {
  return {
    metadata: { namespace, name, labels: { app: name } },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'nginx:1' }] } },
      ...spec,
    },
    status,
  };
}

export function owned(draft: Draft, owner: KubernetesObject): Draft {
  return { ...draft, metadata: { ...draft.metadata, ownerReferences: [ownedBy(owner)] } };
}

export function ownedBy({ apiVersion, kind, metadata: { name, uid } }: KubernetesObject): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true };
}
