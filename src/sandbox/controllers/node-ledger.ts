import type { Storage, StorageEvent } from '../storage.js';
import { isFinished } from './pods.js';
import { addAmounts, podRequests, toAmounts, type Amounts } from './quantities.js';
import { resourceOf, type ClusterNode, type Pod } from './shapes.js';

/** What the pods of one node take of it: those that are bound to it and not finished. */
export interface Bookings {
  readonly used: Amounts;
  pods: number;
  /** `TCP/80` of each host port that is taken. */
  readonly ports: Set<string>;
  /** How many of the pods keep other pods away by anti-affinity. */
  repelling: number;
}

export interface NodeAccount {
  readonly node: ClusterNode;
  readonly allocatable: Amounts;
  readonly bookings: Readonly<Bookings>;
}

const requests = new WeakMap<Pod['spec'], Amounts>();

/** What a pod takes of its node; computed once for each spec. */
export function requestsOf({ spec }: Pod): Amounts {
  let amounts = requests.get(spec);
  if (amounts === undefined) requests.set(spec, (amounts = podRequests(spec)));
  return amounts;
}

export function hostPortsOf({ spec }: Pod): string[] {
  return spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = 'TCP' }) => (hostPort === undefined || hostPort === 0 ? [] : [`${protocol}/${hostPort}`])),
  );
}

/** Keeps account of every node's room, write by write. */
export class NodeLedger {
  readonly #accounts = new Map<string, NodeAccount>();
  /** Also of nodes that do not exist, as a pod may be bound to one. */
  readonly #bookings = new Map<string, Bookings>();
  #sorted: readonly NodeAccount[] | undefined;
  readonly #unsubscribe: () => void;

  constructor(storage: Storage) {
    for (const node of storage.list('nodes')) this.#enter(node as ClusterNode);
    for (const pod of storage.list('pods')) this.#book(pod as Pod, 1);
    this.#unsubscribe = storage.subscribe((event) => this.#follow(event));
  }

  /** Of all nodes, in the order of their names. */
  get accounts(): readonly NodeAccount[] {
    return (this.#sorted ??= [...this.#accounts.values()].sort((one, other) =>
      one.node.metadata.name < other.node.metadata.name ? -1 : 1,
    ));
  }

  stop(): void {
    this.#unsubscribe();
  }

  #follow(event: StorageEvent): void {
    const resource = resourceOf(event);
    if (resource === 'nodes') {
      if (event.type === 'DELETED') this.#accounts.delete(event.object.metadata.name);
      else this.#enter(event.object as ClusterNode);
      this.#sorted = undefined;
    } else if (resource === 'pods') {
      if (event.previous !== undefined) this.#book(event.previous as Pod, -1);
      if (event.type !== 'DELETED') this.#book(event.object as Pod, 1);
    }
  }

  #enter(node: ClusterNode): void {
    const { name } = node.metadata;
    const { allocatable, capacity } = node.status ?? {};
    this.#accounts.set(name, { node, allocatable: toAmounts(allocatable ?? capacity), bookings: this.#of(name) });
  }

  #book(pod: Pod, times: 1 | -1): void {
    const { nodeName = '', affinity } = pod.spec;
    if (nodeName === '' || isFinished(pod)) return;
    const bookings = this.#of(nodeName);
    addAmounts(bookings.used, requestsOf(pod), times);
    bookings.pods += times;
    if (affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined) bookings.repelling += times;
    for (const port of hostPortsOf(pod)) {
      if (times === 1) bookings.ports.add(port);
      else bookings.ports.delete(port);
    }
    if (bookings.pods === 0 && !this.#accounts.has(nodeName)) this.#bookings.delete(nodeName);
  }

  #of(name: string): Bookings {
    let bookings = this.#bookings.get(name);
    if (bookings === undefined) this.#bookings.set(name, (bookings = { used: new Map(), pods: 0, ports: new Set(), repelling: 0 }));
    return bookings;
  }
}
