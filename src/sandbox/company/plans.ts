import type { Hands } from './hands.js';
import type { NodePlan } from './nodes.js';
import type { WorkloadPlan } from './workloads.js';

/** One of the company's clusters as it should stand when the demo starts. */
export interface ClusterPlan {
  readonly name: string;
  readonly displayName: string;
  readonly region: string;
  /** Such as `v1.36.3`. */
  readonly kubernetesVersion: string;
  readonly ageHours: number;
  readonly nodes: readonly NodePlan[];
  readonly runtimeClasses: readonly object[];
  readonly namespaces: readonly NamespacePlan[];
  /** What befell it, beside the making of its objects; in any order. */
  readonly past: readonly Happening[];
  /** What goes on there while the demo runs. */
  readonly life: LifePlan;
}

export interface NamespacePlan {
  readonly name: string;
  /** Default: it belongs to no project. */
  readonly project?: string;
  /** Default: it comes with every cluster. */
  readonly ageHours?: number;
  readonly workloads: readonly WorkloadPlan[];
}

export interface Happening {
  readonly hoursAgo: number;
  readonly act: (hands: Hands) => void;
}

/** Workloads by namespace and name, such as `shop-prod/cart`. */
export interface LifePlan {
  /** A deployment with slow pods that is released again and again: one version behind the other. */
  readonly releases: { readonly deployment: string; readonly versions: readonly string[]; readonly everySeconds: number };
  /** Deployments that are redeployed now and then. */
  readonly redeployed: readonly string[];
  /** Deployments and stateful sets whose pods are deleted now and then. */
  readonly shaken: readonly string[];
  /** Deployments that are scaled within those bounds, as the load comes and goes. */
  readonly scaled: readonly { readonly deployment: string; readonly min: number; readonly max: number }[];
  /** Jobs that somebody starts by hand now and then. */
  readonly jobs: readonly { readonly namespace: string; readonly workload: WorkloadPlan }[];
}

/** Hours of a day, for ages. */
export const day = 24;

type Rest = Omit<WorkloadPlan, 'kind' | 'name' | 'image' | 'ageHours'>;
type Shorthand = (name: string, image: string, ageHours: number, rest?: Rest) => WorkloadPlan;

function shorthand(kind: WorkloadPlan['kind']): Shorthand {
  return (name, image, ageHours, rest = {}) => ({ kind, name, image, ageHours, ...rest });
}

export const deployment = shorthand('Deployment');
export const statefulSet = shorthand('StatefulSet');
export const daemonSet = shorthand('DaemonSet');
export const job = shorthand('Job');
export const cronJob = shorthand('CronJob');
export const pod = shorthand('Pod');

const critical = { priorityClassName: 'system-node-critical' };
const masters = { nodeSelector: { 'node-role.kubernetes.io/control-plane': '' }, tolerates: ['node-role.kubernetes.io/control-plane'] };

/** What a cluster runs for itself. */
export function kubeSystem(
  { ageHours, kubernetesVersion }: Pick<ClusterPlan, 'ageHours' | 'kubernetesVersion'>,
  more: readonly WorkloadPlan[],
): NamespacePlan {
  return {
    name: 'kube-system',
    workloads: [
      daemonSet('kube-proxy', `system/kube-proxy:${kubernetesVersion}`, ageHours, {
        cpu: '50m',
        tolerates: ['*'],
        pod: { hostNetwork: true, ...critical },
      }),
      daemonSet('kube-ovn-cni', 'system/kube-ovn:v1.14.8', ageHours, {
        memory: '200Mi',
        tolerates: ['*'],
        init: 'system/kube-ovn:v1.14.8',
        pod: { hostNetwork: true, ...critical },
      }),
      deployment('kube-ovn-controller', 'system/kube-ovn:v1.14.8', ageHours, {
        replicas: 3,
        cpu: '200m',
        memory: '300Mi',
        ...masters,
        pod: { hostNetwork: true, ...critical },
      }),
      deployment('coredns', 'system/coredns:v1.12.4', ageHours, {
        replicas: 3,
        memory: '170Mi',
        port: 9153,
        tolerates: ['node-role.kubernetes.io/control-plane'],
        pod: { priorityClassName: 'system-cluster-critical' },
      }),
      deployment('metrics-server', 'system/metrics-server:v0.8.1', ageHours, { replicas: 2, memory: '200Mi', port: 10_250 }),
      daemonSet('openstack-cloud-controller-manager', 'system/openstack-cloud-controller-manager:v1.35.0', ageHours, {
        ...masters,
        pod: { hostNetwork: true },
      }),
      daemonSet('csi-cinder-nodeplugin', 'system/cinder-csi-plugin:v1.35.0', ageHours, {
        cpu: '50m',
        sidecar: 'system/csi-node-driver-registrar:v2.15.0',
        tolerates: ['*'],
      }),
      deployment('csi-cinder-controllerplugin', 'system/cinder-csi-plugin:v1.35.0', ageHours, {
        replicas: 2,
        sidecar: 'system/csi-provisioner:v6.1.0',
      }),
      daemonSet('kata-deploy', 'system/kata-deploy:4.1.0', ageHours - 2, {
        nodeSelector: { 'katacontainers.io/kata-runtime': 'true' },
        tolerates: ['*'],
      }),
      cronJob('etcd-backup', 'system/etcd-backup:3.6.6', ageHours, { schedule: '20 2 * * *', ...masters, steering: { 'run-seconds': 40 } }),
      ...more,
    ],
  };
}

/** The operators' own namespace: it belongs to no project. */
export function monitoring(ageHours: number): NamespacePlan {
  return {
    name: 'monitoring',
    ageHours,
    workloads: [
      daemonSet('node-exporter', 'monitoring/node-exporter:v1.10.2', ageHours, {
        cpu: '50m',
        memory: '64Mi',
        tolerates: ['*'],
        pod: { hostNetwork: true, hostPID: true },
      }),
      statefulSet('prometheus', 'monitoring/prometheus:v3.7.3', ageHours, {
        replicas: 2,
        cpu: '1',
        memory: '4Gi',
        port: 9090,
        sidecar: 'monitoring/config-reloader:v0.86.1',
        disk: { sizeGi: 200, storageClass: 'capacity' },
      }),
      deployment('kube-state-metrics', 'monitoring/kube-state-metrics:v2.17.0', ageHours, { port: 8080 }),
      deployment('grafana', 'monitoring/grafana:12.2.1', ageHours - 3, { memory: '512Mi', port: 3000 }),
    ],
  };
}
