import { toInstant, type SandboxClock } from '../clock.js';
import type { Random } from '../random.js';
import type { SandboxObject } from '../storage.js';
import { conditionOf, controlledBy, controllerKey, controllerOf, type Pod, type PodTemplate } from './shapes.js';
import type { Queue, World } from './work.js';

/** Owners of up to so many pods are looked at after every change of one. */
const maxEager = 50;
/** Owners of more wait so long for each of their pods, so that many changes are counted together. */
const pacePerPodMs = 0.5;
const maxPaceMs = 1_000;

/** Queues the owner of a pod that changed. */
export function queueOwner({ index }: Pick<World, 'index'>, queue: Queue, pod: SandboxObject, kind: string): void {
  const key = controllerKey(pod, kind);
  const owner = controllerOf(pod);
  if (key === undefined || owner === undefined) return;
  addPaced(queue, key, index.countControlled('pods', owner.uid));
}

/** Queues what has so many dependents: at once where they are few, else soon. */
export function addPaced(queue: Queue, key: string, dependents: number): void {
  if (dependents <= maxEager) queue.add(key);
  else queue.addAfter(key, Math.min(maxPaceMs, dependents * pacePerPodMs));
}

/** A pod as a controller creates it. */
export function podFrom(
  template: PodTemplate,
  owner: SandboxObject,
  name: { name: string; generateName?: string },
): Record<string, unknown> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: {
      ...name,
      namespace: owner.metadata.namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controlledBy(owner)],
    },
    spec: template.spec,
  };
}

/** A name such as Kubernetes generates: cut so that the whole fits. */
export function generatedName(base: string, random: Random): { name: string; generateName: string } {
  return { name: base.slice(0, 58) + random.suffix(), generateName: base };
}

export function isTerminating({ metadata }: SandboxObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Neither finished nor about to go. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isTerminating(pod);
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, 'Ready')?.status === 'True';
}

/** Milliseconds until a ready pod counts as available: 0 where it does, Infinity where it is not ready. */
export function untilAvailableMs(pod: Pod, minReadySeconds: number, clock: SandboxClock): number {
  const ready = conditionOf(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True') return Infinity;
  if (minReadySeconds === 0) return 0;
  return Math.max(0, Date.parse(ready.lastTransitionTime ?? toInstant(0)) + minReadySeconds * 1000 - clock.now());
}

const phaseRank: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };

/** So many of the pods that are missed least: unassigned, pending, not ready, cheap to delete, crowded, young, often restarted. */
export function mostDispensable(pods: readonly Pod[], count: number): Pod[] {
  const crowd = new Map<string, number>();
  for (const { spec } of pods) if (spec.nodeName !== undefined) crowd.set(spec.nodeName, (crowd.get(spec.nodeName) ?? 0) + 1);
  const ranked = pods.map((pod) => ({ pod, ranks: ranksOf(pod, crowd.get(pod.spec.nodeName ?? '') ?? 0) }));
  ranked.sort((one, other) => {
    for (const [index, rank] of one.ranks.entries()) {
      const difference = rank - (other.ranks[index] ?? 0);
      if (difference !== 0) return difference;
    }
    return one.pod.metadata.name < other.pod.metadata.name ? -1 : 1;
  });
  return ranked.slice(0, count).map(({ pod }) => pod);
}

/** The smaller, the sooner a pod goes; the first that differ decide. */
function ranksOf({ metadata, spec, status = {} }: Pod, neighbours: number): number[] {
  const ready = conditionOf(status.conditions, 'Ready');
  return [
    (spec.nodeName ?? '') === '' ? 0 : 1,
    phaseRank[status.phase ?? 'Pending'] ?? 0,
    ready?.status === 'True' ? 1 : 0,
    Number(metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0),
    -neighbours,
    -Date.parse(ready?.lastTransitionTime ?? metadata.creationTimestamp),
    -(status.containerStatuses ?? []).reduce((most, { restartCount }) => Math.max(most, restartCount), 0),
    -Date.parse(metadata.creationTimestamp),
  ];
}
