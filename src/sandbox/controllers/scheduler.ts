import type { StorageEvent } from '../storage.js';
import { hostPortsOf, requestsOf, type NodeAccount, type NodeLedger } from './node-ledger.js';
import { matchesNode, matchesPod, preferenceFor, tolerates, untolerated } from './placement.js';
import { isFinished, isTerminating } from './pods.js';
import type { Amounts } from './quantities.js';
import { conditionOf, keyOf, resourceOf, splitKey, withCondition, type ClusterNode, type Pod, type PodAffinityTerm } from './shapes.js';
import type { Controller, Queue, World } from './work.js';

/** Nodes that fit are compared up to this many; in larger clusters the search stops there and goes on behind it for the next pod. */
const maxCandidates = 20;
/** After room was made, pods that wait are tried again so much later, all at once. */
const retryMs = 1_000;
/** Stands for all pods that wait. */
const waiting = '*';

const schedulerName = 'default-scheduler';

/** Why a node does not take a pod, in Kubernetes' words, and whether taking other pods away from it could change that. */
interface Refusal {
  readonly reasons: readonly string[];
  readonly isResolvable: boolean;
}

/** Puts pods onto nodes as Kubernetes' scheduler does, but for preemption, topology spread and volumes. */
export class Scheduler implements Controller {
  readonly name = 'scheduler';
  readonly #world: World;
  readonly #queue: Queue;
  readonly #ledger: NodeLedger;
  readonly #unschedulable = new Set<string>();
  #start = 0;

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
    this.#ledger = world.ledger;
  }

  observe(event: StorageEvent): void {
    const resource = resourceOf(event);
    if (resource === 'nodes') {
      if (event.type !== 'DELETED' && isRoomier(event.object as ClusterNode, event.previous as ClusterNode | undefined)) this.#retryLater();
      return;
    }
    if (resource !== 'pods') return;
    const pod = event.object as Pod;
    const key = keyOf(pod.metadata);
    const isBound = (pod.spec.nodeName ?? '') !== '';
    if (event.type === 'DELETED') this.#unschedulable.delete(key);
    if (!isBound && event.type !== 'DELETED') {
      // Its own status is no reason to try again.
      if (event.previous === undefined || event.previous.spec !== event.object.spec) this.#queue.add(key);
    } else if (event.type === 'DELETED' || (isFinished(pod) && !isFinished(event.previous as Pod))) this.#retryLater();
  }

  #retryLater(): void {
    if (this.#unschedulable.size > 0) this.#queue.addAfter(waiting, retryMs);
  }

  sync(key: string): void {
    if (key === waiting) {
      for (const each of this.#unschedulable) this.#queue.add(each);
      return;
    }
    const { storage, events } = this.#world;
    const { namespace, name } = splitKey(key);
    const pod = storage.get('pods', namespace, name) as Pod | undefined;
    if (pod === undefined || (pod.spec.nodeName ?? '') !== '' || isTerminating(pod)) {
      this.#unschedulable.delete(key);
      return;
    }
    if (pod.spec.schedulerName !== schedulerName || (pod.spec.schedulingGates ?? []).length > 0) return;
    const refusals: Refusal[] = [];
    const node = this.#choose(pod, refusals);
    if (node !== undefined) {
      this.#unschedulable.delete(key);
      const bound = storage.bind(namespace, name, node.metadata.name);
      events.record(bound, {
        type: 'Normal',
        reason: 'Scheduled',
        message: `Successfully assigned ${key} to ${node.metadata.name}`,
        component: schedulerName,
      });
      return;
    }
    this.#unschedulable.add(key);
    const message = messageFor(refusals);
    if (conditionOf(pod.status?.conditions, 'PodScheduled')?.message === message) return;
    const conditions = withCondition(pod.status?.conditions ?? [], {
      type: 'PodScheduled',
      observedGeneration: pod.metadata.generation ?? 1,
      status: 'False',
      lastProbeTime: null,
      lastTransitionTime: this.#world.clock.instant(),
      reason: 'Unschedulable',
      message,
    });
    storage.update('pods', { ...pod, status: { ...pod.status, conditions } }, 'status');
    events.record(pod, { type: 'Warning', reason: 'FailedScheduling', message, component: schedulerName });
  }

  /** @param refusals Gets one for each node that does not fit. */
  #choose(pod: Pod, refusals: Refusal[]): ClusterNode | undefined {
    const { accounts } = this.#ledger;
    const needs = requestsOf(pod);
    const ports = hostPortsOf(pod);
    const keepsApart = this.#affinityCheck(pod, accounts);
    let best: { node: ClusterNode; score: number } | undefined;
    let candidates = 0;
    for (let index = 0; index < accounts.length && candidates < maxCandidates; index++) {
      const account = accounts[(this.#start + index) % accounts.length] as NodeAccount;
      const refusal = refuse(pod, account, needs, ports) ?? keepsApart?.(account);
      if (refusal !== undefined) {
        refusals.push(refusal);
        continue;
      }
      candidates++;
      const score = scoreOf(pod, account, needs);
      if (best === undefined || score > best.score) best = { node: account.node, score };
    }
    if (accounts.length > 0) this.#start = (this.#start + refusals.length + candidates) % accounts.length;
    return best?.node;
  }

  /** The check of what pods want of other pods around them; undefined where no pod in question wants anything. */
  #affinityCheck(pod: Pod, accounts: readonly NodeAccount[]): ((account: NodeAccount) => Refusal | undefined) | undefined {
    const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
    const near = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const far = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const repelling = accounts.filter(({ bookings }) => bookings.repelling > 0);
    if (near.length + far.length + repelling.length === 0) return undefined;
    const home = pod.metadata.namespace;
    const places = (term: PodAffinityTerm): Set<string> =>
      this.#places(accounts, term.topologyKey, (other) => this.#isMeant(term, home, other));
    const nearby = near.map((term) => ({ term, values: places(term) }));
    const taken = far.map((term) => ({ term, values: places(term) }));
    const closed = repelling.flatMap(({ node }) =>
      this.#running(node).flatMap((other) =>
        (other.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
          .filter((term) => this.#isMeant(term, other.metadata.namespace, pod))
          .map(({ topologyKey }) => ({ topologyKey, value: node.metadata.labels?.[topologyKey] })),
      ),
    );
    // The first of a group that wants to be near itself has to start somewhere.
    const isFirst = nearby.every(({ term, values }) => values.size === 0 && this.#isMeant(term, home, pod));
    return ({ node }) => {
      const labels = node.metadata.labels ?? {};
      const isNear = nearby.every(({ term: { topologyKey }, values }) => {
        const value = labels[topologyKey];
        return value !== undefined && (isFirst || values.has(value));
      });
      if (!isNear) return { reasons: ["node(s) didn't match pod affinity rules"], isResolvable: false };
      if (taken.some(({ term: { topologyKey }, values }) => values.has(labels[topologyKey] ?? '')))
        return { reasons: ["node(s) didn't match pod anti-affinity rules"], isResolvable: true };
      if (closed.some(({ topologyKey, value }) => value !== undefined && labels[topologyKey] === value))
        return { reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"], isResolvable: true };
      return undefined;
    };
  }

  #places(accounts: readonly NodeAccount[], topologyKey: string, isMeant: (pod: Pod) => boolean): Set<string> {
    const values = new Set<string>();
    for (const { node } of accounts) {
      const value = node.metadata.labels?.[topologyKey];
      if (value !== undefined && !values.has(value) && this.#running(node).some(isMeant)) values.add(value);
    }
    return values;
  }

  #running({ metadata }: ClusterNode): Pod[] {
    return this.#world.index.podsOn(metadata.name).filter((pod) => !isFinished(pod));
  }

  #isMeant(term: PodAffinityTerm, home: string | undefined, pod: Pod): boolean {
    return matchesPod(term, home, pod, (namespace) => this.#world.storage.get('namespaces', undefined, namespace)?.metadata.labels);
  }
}

/** Whether the node may now take a pod that it did not take before. */
function isRoomier(node: ClusterNode, previous: ClusterNode | undefined): boolean {
  return (
    previous === undefined ||
    previous.spec !== node.spec ||
    previous.metadata.labels !== node.metadata.labels ||
    previous.status?.allocatable !== node.status?.allocatable
  );
}

function refuse(pod: Pod, { node, allocatable, bookings }: NodeAccount, needs: Amounts, ports: readonly string[]): Refusal | undefined {
  const never = (reason: string): Refusal => ({ reasons: [reason], isResolvable: false });
  const unschedulable = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  if (node.spec?.unschedulable === true && !tolerates(pod.spec.tolerations, unschedulable)) return never('node(s) were unschedulable');
  if (untolerated(pod, node, ['NoSchedule', 'NoExecute']) !== undefined) return never('node(s) had untolerated taint(s)');
  if (!matchesNode(pod, node)) return never("node(s) didn't match Pod's node affinity/selector");
  if (ports.some((port) => bookings.ports.has(port)))
    return { reasons: ["node(s) didn't have free ports for the requested pod ports"], isResolvable: true };
  const reasons: string[] = [];
  let isResolvable = true;
  if (bookings.pods + 1 > (allocatable.get('pods') ?? 0)) reasons.push('Too many pods');
  for (const [name, amount] of needs) {
    const room = allocatable.get(name) ?? 0;
    if (amount === 0 || amount <= room - (bookings.used.get(name) ?? 0)) continue;
    reasons.push(`Insufficient ${name}`);
    if (amount > room) isResolvable = false;
  }
  return reasons.length === 0 ? undefined : { reasons, isResolvable };
}

/** Higher is better: room that is left, what the pod prefers, and no taint that would rather not have it. */
function scoreOf(pod: Pod, { node, allocatable, bookings }: NodeAccount, needs: Amounts): number {
  let score = preferenceFor(pod, node);
  for (const [name, standard] of [
    ['cpu', 100],
    ['memory', 200 * 2 ** 20],
  ] as const) {
    const room = allocatable.get(name) ?? 0;
    // Pods that ask for nothing count for a little, or they would all land on one node.
    const wanted = needs.get(name) ?? standard;
    if (room > 0) score += (50 * Math.max(0, room - (bookings.used.get(name) ?? 0) - wanted)) / room;
  }
  score -= (10 * bookings.pods) / Math.max(1, allocatable.get('pods') ?? 0);
  return untolerated(pod, node, ['PreferNoSchedule']) === undefined ? score : score - 100;
}

function messageFor(refusals: readonly Refusal[]): string {
  const total = refusals.length;
  if (total === 0) return 'no nodes available to schedule pods';
  const head = `0/${total} nodes are available:`;
  const preemption = refusals.map(({ isResolvable }) =>
    isResolvable ? 'No preemption victims found for incoming pod' : 'Preemption is not helpful for scheduling',
  );
  const counted = (reasons: readonly string[]): string => {
    const counts = new Map<string, number>();
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return [...counts]
      .map(([reason, count]) => `${count} ${reason}`)
      .sort()
      .join(', ');
  };
  const own = counted(refusals.flatMap(({ reasons }) => reasons));
  return `${head} ${own}. no new claims to deallocate, preemption: ${head} ${counted(preemption)}.`;
}
