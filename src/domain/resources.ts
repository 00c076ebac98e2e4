import { gpuVendorOf, type GpuAmount } from './gpus.js';
import { findBy, isObject, noObject, objectAt, objectsAt, type JsonObject } from './json.js';
import { parseQuantity, toCores, toWhole } from './quantities.js';

/** As the contract's `ResourceAmounts`: CPU in cores, memory and storage in bytes, GPUs of every vendor in devices. */
export interface ResourceAmounts {
  readonly cpuCores: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
  readonly pods: number;
  readonly gpus: number;
}

/** As the contract's `ContainerResources`: undefined is not set, and not zero. */
export interface ContainerResources {
  readonly cpuCores: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly ephemeralStorageBytes: number | undefined;
  readonly gpus: readonly GpuAmount[];
}

/** Quantities in billionths by Kubernetes' resource name. */
export type ResourceList = Map<string, bigint>;

export const noAmounts: ResourceAmounts = Object.freeze({ cpuCores: 0, memoryBytes: 0, ephemeralStorageBytes: 0, pods: 0, gpus: 0 });

/** A `requests`, `limits`, `capacity` or `overhead` of Kubernetes. What is no quantity, or below zero, is left out. */
export function readResourceList(list: unknown): ResourceList {
  const result: ResourceList = new Map();
  if (isObject(list)) {
    for (const [name, quantity] of Object.entries(list)) {
      const nanos = parseQuantity(quantity);
      if (nanos !== undefined && nanos >= 0n) result.set(name, nanos);
    }
  }
  return result;
}

const maxShared = 5_000;
let shared = new Map<string, ResourceAmounts>();

/** The amounts of a resource list. Equal ones are one frozen object: thousands of pods come from one template. */
export function toAmounts(list: ResourceList, pods: number): ResourceAmounts {
  let gpus = 0n;
  for (const [name, nanos] of list) if (gpuVendorOf(name) !== undefined) gpus += nanos;
  const cpu = list.get('cpu') ?? 0n;
  const memory = list.get('memory') ?? 0n;
  const storage = list.get('ephemeral-storage') ?? 0n;
  const key = `${cpu}|${memory}|${storage}|${gpus}|${pods}`;
  let amounts = shared.get(key);
  if (amounts === undefined) {
    amounts = Object.freeze({
      cpuCores: toCores(cpu),
      memoryBytes: toWhole(memory),
      ephemeralStorageBytes: toWhole(storage),
      pods,
      gpus: toWhole(gpus),
    });
    if (shared.size >= maxShared) shared = new Map();
    shared.set(key, amounts);
  }
  return amounts;
}

/** A node's `capacity` or `allocatable`. */
export function readNodeAmounts(list: unknown): ResourceAmounts {
  const resources = readResourceList(list);
  return toAmounts(resources, toWhole(resources.get('pods') ?? 0n));
}

/** Sums amounts without the drift of floating point: 0.1 and 0.2 cores are 0.3. */
export class AmountSum {
  #cpuNanos = 0;
  #memoryBytes = 0;
  #ephemeralStorageBytes = 0;
  #pods = 0;
  #gpus = 0;

  add(amounts: ResourceAmounts): void {
    this.#cpuNanos += Math.round(amounts.cpuCores * 1e9);
    this.#memoryBytes += amounts.memoryBytes;
    this.#ephemeralStorageBytes += amounts.ephemeralStorageBytes;
    this.#pods += amounts.pods;
    this.#gpus += amounts.gpus;
  }

  total(): ResourceAmounts {
    return {
      cpuCores: this.#cpuNanos / 1e9,
      memoryBytes: Math.min(this.#memoryBytes, Number.MAX_SAFE_INTEGER),
      ephemeralStorageBytes: Math.min(this.#ephemeralStorageBytes, Number.MAX_SAFE_INTEGER),
      pods: this.#pods,
      gpus: this.#gpus,
    };
  }
}

export function sumAmounts(all: Iterable<ResourceAmounts>): ResourceAmounts {
  const sum = new AmountSum();
  for (const amounts of all) sum.add(amounts);
  return sum.total();
}

/** What pods hold of their nodes together, and how many they are: those that have ended hold nothing. */
export function sumOfPods(pods: Iterable<{ readonly finished: boolean; readonly requested: ResourceAmounts }>): ResourceAmounts {
  const sum = new AmountSum();
  for (const pod of pods) if (!pod.finished) sum.add(pod.requested);
  return sum.total();
}

/** One container's `requests` or `limits` as they are written. */
export function readContainerResources(list: unknown): ContainerResources {
  const resources = readResourceList(list);
  const cpu = resources.get('cpu');
  const memory = resources.get('memory');
  const storage = resources.get('ephemeral-storage');
  const gpus: GpuAmount[] = [];
  for (const [resourceName, nanos] of resources) {
    const vendor = gpuVendorOf(resourceName);
    if (vendor !== undefined) gpus.push({ vendor, resourceName, count: toWhole(nanos) });
  }
  return {
    cpuCores: cpu === undefined ? undefined : toCores(cpu),
    memoryBytes: memory === undefined ? undefined : toWhole(memory),
    ephemeralStorageBytes: storage === undefined ? undefined : toWhole(storage),
    gpus: gpus.sort((a, b) => (a.resourceName < b.resourceName ? -1 : 1)),
  };
}

/**
 * What a pod asks of its node, by the arithmetic that Kubernetes declares part of its API: containers and sidecars together, or the largest
 * moment of initialization where that is more; pod-level requests instead of the containers' for the resources that may have them; the overhead
 * of the runtime class on top. While a container or the pod is resized, the largest of what it asks for, was promised and has counts. A request that is not set is the limit,
 * which the API server writes down itself, and templates lack.
 *
 * @param status The pod's; left out for a template.
 */
export function podRequests(spec: JsonObject, status: JsonObject = noObject): ResourceList {
  const infeasible = findBy(objectsAt(status, 'conditions'), 'type', 'PodResizePending')?.['reason'] === 'Infeasible';
  const containerStatuses = objectsAt(status, 'containerStatuses');
  const initStatuses = objectsAt(status, 'initContainerStatuses');

  const total: ResourceList = new Map();
  for (const container of objectsAt(spec, 'containers')) {
    addTo(total, containerRequests(container, statusOf(container, containerStatuses), infeasible));
  }
  const sidecars: ResourceList = new Map();
  const largestInit: ResourceList = new Map();
  for (const container of objectsAt(spec, 'initContainers')) {
    if (isSidecar(container)) {
      const requests = containerRequests(container, statusOf(container, initStatuses), infeasible);
      addTo(total, requests);
      addTo(sidecars, requests);
      raiseTo(largestInit, sidecars);
    } else {
      const requests = containerRequests(container, undefined, false);
      addTo(requests, sidecars);
      raiseTo(largestInit, requests);
    }
  }
  raiseTo(total, largestInit);

  const podLevel = objectAt(spec, 'resources');
  const podRequested = readResourceList(podLevel['requests']);
  for (const [name, nanos] of readResourceList(podLevel['limits'])) {
    if (!podRequested.has(name) && !total.has(name)) podRequested.set(name, nanos);
  }
  if (podRequested.size > 0 && isObject(status['resources'])) {
    // While the pod as a whole is resized.
    const effective = duringResize(podRequested, objectAt(status, 'resources'), status['allocatedResources'], infeasible);
    for (const name of podRequested.keys()) podRequested.set(name, effective.get(name) ?? 0n);
  }
  for (const [name, nanos] of podRequested) if (mayBePodLevel(name)) total.set(name, nanos);

  addTo(total, readResourceList(spec['overhead']));
  return total;
}

/** An init container that keeps running beside the others. */
export function isSidecar(container: JsonObject): boolean {
  return container['restartPolicy'] === 'Always';
}

function containerRequests(container: JsonObject, status: JsonObject | undefined, infeasible: boolean): ResourceList {
  const resources = objectAt(container, 'resources');
  const requests = readResourceList(resources['requests']);
  for (const [name, nanos] of readResourceList(resources['limits'])) if (!requests.has(name)) requests.set(name, nanos);
  if (status === undefined || !isObject(status['resources'])) return requests;
  return duringResize(requests, status['resources'], status['allocatedResources'], infeasible);
}

/** The largest of what is asked for (unless the node cannot give it), is in effect, and was promised. */
function duringResize(asked: ResourceList, actual: JsonObject, allocated: unknown, infeasible: boolean): ResourceList {
  const result: ResourceList = infeasible ? new Map<string, bigint>() : new Map(asked);
  raiseTo(result, readResourceList(actual['requests']));
  raiseTo(result, readResourceList(allocated));
  return result;
}

function statusOf(container: JsonObject, statuses: readonly JsonObject[]): JsonObject | undefined {
  const name = container['name'];
  return typeof name === 'string' ? findBy(statuses, 'name', name) : undefined;
}

function mayBePodLevel(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');
}

function addTo(target: ResourceList, more: ResourceList): void {
  for (const [name, nanos] of more) target.set(name, (target.get(name) ?? 0n) + nanos);
}

function raiseTo(target: ResourceList, other: ResourceList): void {
  for (const [name, nanos] of other) {
    const present = target.get(name);
    if (present === undefined || present < nanos) target.set(name, nanos);
  }
}
