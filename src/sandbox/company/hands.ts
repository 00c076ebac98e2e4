import type { ClusterNode, CronJob, Deployment, Pod } from '../controllers/shapes.js';
import { toInstant } from '../clock.js';
import { cloneJson } from '../json.js';
import { findKind } from '../resources.js';
import type { ResourceName, SandboxObject, Storage } from '../storage.js';
import { steeringAnnotations, workloadFrom, type Steering, type WorkloadPlan } from './workloads.js';

/** Namespace and name of a workload, such as `shop-prod/cart`. */
export type Key = string;

/**
 * What operators, tenants and their pipelines do to a cluster. What is not there any more is left alone: whoever plays with the demo may have
 * deleted it.
 */
export class Hands {
  readonly #storage: Storage;
  readonly #now: () => number;

  /** @param now Of the cluster, in milliseconds since the epoch. */
  constructor(storage: Storage, now: () => number) {
    this.#storage = storage;
    this.#now = now;
  }

  /** A workload, and what belongs to it. */
  create(namespace: string, plan: WorkloadPlan): void {
    const home = this.#storage.get('namespaces', undefined, namespace);
    if (home === undefined || home.metadata.deletionTimestamp !== undefined) return;
    for (const object of workloadFrom(namespace, plan)) {
      const resource = findKind(object.apiVersion, object.kind)?.resource;
      if (resource !== undefined) this.#storage.create(resource, object);
    }
  }

  /** Another version of a deployment: the tag of its image. @param steering What the new one does otherwise than the old. */
  release(deployment: Key, version: string, steering?: Steering): void {
    this.#edit<Deployment>('deployments.apps', deployment, ({ metadata, spec: { template } }) => {
      for (const container of template.spec.containers)
        if (container.name === 'main') container.image = (container.image ?? '').replace(/:[^:/]*$/, `:${version}`);
      template.metadata = {
        ...template.metadata,
        labels: { ...template.metadata?.labels, 'app.kubernetes.io/version': version },
        annotations: { ...template.metadata?.annotations, ...steeringAnnotations(steering) },
      };
      metadata.annotations = { ...metadata.annotations, 'kubernetes.io/change-cause': `发布 ${version}` };
    });
  }

  /** New pods of the same version, as `kubectl rollout restart` makes them. */
  redeploy(deployment: Key): void {
    const restartedAt = toInstant(this.#now());
    this.#edit<Deployment>('deployments.apps', deployment, ({ spec: { template } }) => {
      template.metadata = {
        ...template.metadata,
        annotations: { ...template.metadata?.annotations, 'kubectl.kubernetes.io/restartedAt': restartedAt },
      };
    });
  }

  /** Undefined where there is none, or it is stopped. */
  replicasOf(deployment: Key): number | undefined {
    const found = this.#get<Deployment>('deployments.apps', deployment);
    return found?.spec.replicas === 0 ? undefined : found?.spec.replicas;
  }

  scale(deployment: Key, replicas: number): void {
    this.#edit<Deployment>('deployments.apps', deployment, ({ spec }) => {
      spec.replicas = replicas;
    });
  }

  /**
   * Scales as an autoscaler does, and writes into its status what it has seen, where the deployment has one.
   *
   * @param utilization Of the CPU, in percent of what the pods ask for.
   */
  autoscale(deployment: Key, replicas: number, utilization: number): void {
    const current = this.replicasOf(deployment) ?? replicas;
    this.scale(deployment, replicas);
    const resource = 'horizontalpodautoscalers.autoscaling';
    const autoscaler = this.#get<SandboxObject & { status?: { lastScaleTime?: string } }>(resource, deployment);
    if (autoscaler === undefined) return;
    const instant = toInstant(this.#now());
    const status = {
      ...autoscaler.status,
      currentReplicas: current,
      desiredReplicas: replicas,
      ...(current === replicas ? {} : { lastScaleTime: instant }),
      currentMetrics: [
        { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: utilization, averageValue: `${5 * utilization}m` } } },
        { type: 'Resource', resource: { name: 'memory', current: { averageUtilization: 50, averageValue: '256Mi' } } },
      ],
      conditions: [
        ['AbleToScale', 'True', 'ReadyForNewScale', 'recommended size matches current size'],
        [
          'ScalingActive',
          'True',
          'ValidMetricFound',
          'the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
        ],
        ['ScalingLimited', 'False', 'DesiredWithinRange', 'the desired count is within the acceptable range'],
      ].map(([type, value, reason, message]) => ({ type, status: value, reason, message, lastTransitionTime: instant })),
    };
    this.#storage.update(resource, { ...autoscaler, status }, 'status');
  }

  /** Stops a deployment as the gateway does: an annotation remembers its size. */
  stop(deployment: Key): void {
    this.#edit<Deployment>('deployments.apps', deployment, ({ metadata, spec }) => {
      metadata.annotations = { ...metadata.annotations, 'gateway.openstack.org/stopped-replicas': String(spec.replicas) };
      spec.replicas = 0;
    });
  }

  suspend(cronJob: Key): void {
    this.#edit<CronJob>('cronjobs.batch', cronJob, ({ spec }) => {
      spec.suspend = true;
    });
  }

  reschedule(cronJob: Key, schedule: string): void {
    this.#edit<CronJob>('cronjobs.batch', cronJob, ({ spec }) => {
      spec.schedule = schedule;
    });
  }

  /** The node takes no more pods. */
  cordon(node: string): void {
    this.#edit<ClusterNode>('nodes', node, (draft) => {
      draft.spec = { ...draft.spec, unschedulable: true };
    });
  }

  /** From now on nobody hears of the node. */
  loseNode(node: string): void {
    this.#edit<ClusterNode>('nodes', node, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, ...steeringAnnotations({ state: 'unreachable' }) };
    });
  }

  /** Names of a workload's pods that run. */
  runningPodsOf(workload: Key): readonly string[] {
    const { namespace, name } = split(workload);
    return (this.#storage.list('pods', namespace) as readonly Pod[])
      .filter(({ metadata, status }) => metadata.labels?.['app.kubernetes.io/name'] === name && status?.phase === 'Running')
      .map(({ metadata }) => metadata.name);
  }

  deletePod(namespace: string | undefined, name: string): void {
    this.#storage.delete('pods', namespace, name);
  }

  #get<T extends SandboxObject>(resource: ResourceName, key: string): T | undefined {
    const { namespace, name } = split(key);
    return this.#storage.get(resource, namespace, name) as T | undefined;
  }

  #edit<T extends SandboxObject>(resource: ResourceName, key: string, change: (draft: T) => void): void {
    const current = this.#get<T>(resource, key);
    if (current === undefined || current.metadata.deletionTimestamp !== undefined) return;
    const draft = cloneJson(current);
    change(draft);
    this.#storage.update(resource, draft);
  }
}

/** @param key With a namespace, or of what has none. */
export function split(key: string): { namespace: string | undefined; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: undefined, name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
