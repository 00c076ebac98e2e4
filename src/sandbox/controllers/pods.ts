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

/** Queues the owner of a pod that changed: at once where it has few pods, else soon. */
export function queueOwner({ index }: Pick<World, 'index'>, queue: Queue, pod: SandboxObject, kind: string): void {
  const key = controllerKey(pod, kind);
  const owner = controllerOf(pod);
  if (key === undefined || owner === undefined) return;
  const siblings = index.countControlled('pods', owner.uid);
  if (siblings <= maxEager) queue.add(key);
  else queue.addAfter(key, Math.min(maxPaceMs, siblings * pacePerPodMs));
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

/** The pods that are missed least first: unassigned, pending, not ready, cheap to delete, crowded, young, often restarted. */
export function byDispensability(pods: readonly Pod[]): (one: Pod, other: Pod) => number {
  const crowd = new Map<string, number>();
  for (const { spec } of pods) if (spec.nodeName !== undefined) crowd.set(spec.nodeName, (crowd.get(spec.nodeName) ?? 0) + 1);
  const ranks = (pod: Pod): number[] => [
    (pod.spec.nodeName ?? '') === '' ? 0 : 1,
    phaseRank[pod.status?.phase ?? 'Pending'] ?? 0,
    isReady(pod) ? 1 : 0,
    Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0),
    -(crowd.get(pod.spec.nodeName ?? '') ?? 0),
    -Date.parse(conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime ?? pod.metadata.creationTimestamp),
    -(pod.status?.containerStatuses ?? []).reduce((most, { restartCount }) => Math.max(most, restartCount), 0),
    -Date.parse(pod.metadata.creationTimestamp),
  ];
  return (one, other) => {
    const left = ranks(one);
    const right = ranks(other);
    for (const [index, rank] of left.entries()) {
      const difference = rank - (right[index] ?? 0);
      if (difference !== 0) return difference;
    }
    return one.metadata.name < other.metadata.name ? -1 : 1;
  };
}
