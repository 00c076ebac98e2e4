import type { SteeringKey } from '../controllers/steering.js';

/** One workload, or a pod that belongs to none, by what sets it apart from the usual. */
export interface WorkloadPlan {
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'CronJob' | 'Pod';
  readonly name: string;
  /** Repository and tag within the company's registry, such as `shop/cart:2.4.1`. */
  readonly image: string;
  /** How long it existed when the demo starts, in hours. */
  readonly ageHours: number;
  /** Pods of a deployment or stateful set, or pods of a job at a time. Default 1. */
  readonly replicas?: number;
  /** Requests of its container. Default 100m and 128Mi. */
  readonly cpu?: string;
  readonly memory?: string;
  /** Devices by extended resource. */
  readonly devices?: Readonly<Record<string, number>>;
  /** Default: the node's own runtime. */
  readonly runtime?: string;
  /** That it listens on, and that its service forwards. Default: it is no server. */
  readonly port?: number;
  /** Size of each replica's volume, and what it is made of. */
  readonly disk?: { readonly sizeGi: number; readonly storageClass: 'performance' | 'capacity' };
  readonly schedule?: string;
  /** Image of what runs before it, and of what runs beside it. */
  readonly init?: string;
  readonly sidecar?: string;
  readonly steering?: Steering;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Keys of taints that its pods tolerate; `*` is all. */
  readonly tolerates?: readonly string[];
  /** More of the pod's spec. */
  readonly pod?: object;
  /** More of the workload's spec. */
  readonly spec?: object;
  /** Bounds between which an autoscaler keeps its replicas. */
  readonly autoscaled?: { readonly min: number; readonly max: number };
}

/** What the containers of a pod do, by the annotations that steer an embedded kubelet. */
export type Steering = Readonly<Partial<Record<SteeringKey, number | 'never'>>>;

/** What `workloadFrom` makes. */
export type Manifest = { readonly apiVersion: string; readonly kind: string } & Record<string, unknown>;

const apiVersions = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  Pod: 'v1',
};

/** Where the company keeps its images. */
export const registry = 'registry.cloud.example';

/** The workload, and what belongs to it: its service, its autoscaler. In the order in which somebody would apply them. */
export function workloadFrom(namespace: string, plan: WorkloadPlan): Manifest[] {
  const { kind, name, port, autoscaled } = plan;
  const meta = { name, namespace, labels: { 'app.kubernetes.io/name': name } };
  const selector = { 'app.kubernetes.io/name': name };
  const apiVersion = apiVersions[kind];
  const objects: Manifest[] = [];
  if (port !== undefined) {
    const service = {
      selector,
      ports: [{ name: 'main', port, targetPort: 'main' }],
      ...(kind === 'StatefulSet' ? { clusterIP: 'None' } : {}),
    };
    objects.push({ apiVersion: 'v1', kind: 'Service', metadata: meta, spec: service });
  }
  objects.push({ apiVersion, kind, metadata: meta, spec: specFrom(plan, selector) });
  if (autoscaled !== undefined) {
    objects.push({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: meta,
      spec: {
        scaleTargetRef: { apiVersion, kind, name },
        minReplicas: autoscaled.min,
        maxReplicas: autoscaled.max,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
          { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 75 } } },
        ],
      },
    });
  }
  return objects;
}

function specFrom(plan: WorkloadPlan, matchLabels: Record<string, string>): object {
  const { kind, name, replicas = 1, schedule, disk, spec } = plan;
  const template = templateFrom(plan);
  switch (kind) {
    case 'Pod':
      return { ...template.spec, ...spec };
    case 'Deployment':
      return { replicas, selector: { matchLabels }, template, ...spec };
    case 'StatefulSet':
      return {
        replicas,
        serviceName: name,
        selector: { matchLabels },
        template,
        ...(disk === undefined
          ? {}
          : {
              volumeClaimTemplates: [
                {
                  metadata: { name: 'data' },
                  spec: {
                    accessModes: ['ReadWriteOnce'],
                    storageClassName: disk.storageClass,
                    resources: { requests: { storage: `${disk.sizeGi}Gi` } },
                  },
                },
              ],
            }),
        ...spec,
      };
    case 'DaemonSet':
      return { selector: { matchLabels }, template, ...spec };
    case 'Job':
      return { parallelism: replicas, completions: replicas, template, ...spec };
    case 'CronJob':
      return { schedule, concurrencyPolicy: 'Forbid', jobTemplate: { spec: { backoffLimit: 2, template } }, ...spec };
  }
}

function templateFrom(plan: WorkloadPlan): { metadata: object; spec: object } {
  const { kind, name, image, init, sidecar, port, runtime, disk, nodeSelector, tolerates, steering, pod } = plan;
  const isTask = kind === 'Job' || kind === 'CronJob';
  const annotations = steeringAnnotations(steering);
  const helper = { cpu: '50m', memory: '64Mi' };
  return {
    metadata: {
      labels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/version': image.slice(image.indexOf(':') + 1) },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: {
      ...(isTask ? { restartPolicy: 'Never' } : {}),
      ...(runtime === undefined ? {} : { runtimeClassName: runtime }),
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      ...(tolerates === undefined ? {} : { tolerations: tolerates.map(tolerationFor) }),
      ...(init === undefined
        ? {}
        : { initContainers: [{ name: 'prepare', image: `${registry}/${init}`, resources: resourcesOf(helper, runtime !== undefined) }] }),
      containers: [
        {
          name: 'main',
          image: `${registry}/${image}`,
          ...(port === undefined
            ? {}
            : {
                ports: [{ name: 'main', containerPort: port }],
                readinessProbe: { tcpSocket: { port: 'main' }, periodSeconds: 5 },
              }),
          resources: resourcesOf(plan, runtime !== undefined),
          ...(disk === undefined ? {} : { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
        },
        ...(sidecar === undefined
          ? []
          : [{ name: 'sidecar', image: `${registry}/${sidecar}`, resources: resourcesOf(helper, runtime !== undefined) }]),
      ],
      ...pod,
    },
  };
}

function tolerationFor(key: string): object {
  return key === '*' ? { operator: 'Exists' } : { key, operator: 'Exists', effect: 'NoSchedule' };
}

/** @param isSecure The virtual machine is sized by the limits: they have to be set, and are what is asked for. */
function resourcesOf(
  { cpu = '100m', memory = '128Mi', devices = {} }: Pick<WorkloadPlan, 'cpu' | 'memory' | 'devices'>,
  isSecure: boolean,
): object {
  const counts = Object.fromEntries(Object.entries(devices).map(([name, count]) => [name, String(count)]));
  return { requests: { cpu, memory, ...counts }, limits: { ...(isSecure ? { cpu } : {}), memory, ...counts } };
}

/** @param steering Also of a node, whose only key is `state`. */
export function steeringAnnotations(steering: Steering | { readonly state: 'unreachable' } = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(steering).map(([key, value]) => [`sandbox.openstack.org/${key}`, String(value)]));
}
