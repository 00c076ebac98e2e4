import { findBy, flagAt, instantAt, intAt, objectAt, objectsAt, optionalObjectAt, textAt, type JsonObject } from './json.js';
import { isSidecar, readContainerResources, type ContainerResources } from './resources.js';

export type ContainerStateKind = 'WAITING' | 'RUNNING' | 'TERMINATED';

/** As the contract's `ContainerTermination`. */
export interface ContainerTermination {
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly exitCode: number;
  readonly signal: number | undefined;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
}

/** As the contract's `Container`: one container of a pod, as it should be and as it is. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly init: boolean;
  readonly sidecar: boolean;
  readonly ready: boolean;
  readonly state: ContainerStateKind;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly exitCode: number | undefined;
  readonly restarts: number;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  readonly lastTermination: ContainerTermination | undefined;
  readonly requests: ContainerResources;
  readonly limits: ContainerResources;
}

const known = new WeakMap<JsonObject, Container[]>();

/**
 * Of a pod, in the order in which they start: init containers first. One that the kubelet has not told of yet is waiting. What was read is kept for
 * as long as the pod's object is: a page that is asked for again reads nothing.
 */
export function readContainers(pod: JsonObject): Container[] {
  let containers = known.get(pod);
  if (containers === undefined) {
    const spec = objectAt(pod, 'spec');
    const status = objectAt(pod, 'status');
    const initStatuses = objectsAt(status, 'initContainerStatuses');
    const statuses = objectsAt(status, 'containerStatuses');
    containers = [
      ...objectsAt(spec, 'initContainers').map((container) => readContainer(container, initStatuses, true)),
      ...objectsAt(spec, 'containers').map((container) => readContainer(container, statuses, false)),
    ];
    known.set(pod, containers);
  }
  return containers;
}

function readContainer(container: JsonObject, statuses: readonly JsonObject[], init: boolean): Container {
  const name = textAt(container, 'name') ?? '';
  const status = findBy(statuses, 'name', name) ?? {};
  const state = objectAt(status, 'state');
  const terminated = optionalObjectAt(state, 'terminated');
  const running = optionalObjectAt(state, 'running');
  const present = terminated ?? running ?? objectAt(state, 'waiting');
  const last = optionalObjectAt(objectAt(status, 'lastState'), 'terminated');
  const resources = objectAt(container, 'resources');
  return {
    name,
    image: textAt(container, 'image') ?? '',
    init,
    sidecar: init && isSidecar(container),
    ready: flagAt(status, 'ready') ?? false,
    state: terminated !== undefined ? 'TERMINATED' : running !== undefined ? 'RUNNING' : 'WAITING',
    reason: textAt(present, 'reason'),
    message: textAt(present, 'message'),
    exitCode: terminated === undefined ? undefined : (intAt(terminated, 'exitCode') ?? 0),
    restarts: intAt(status, 'restartCount') ?? 0,
    startedAt: instantAt(present, 'startedAt'),
    finishedAt: instantAt(present, 'finishedAt'),
    lastTermination: last === undefined ? undefined : readTermination(last),
    requests: readContainerResources(resources['requests']),
    limits: readContainerResources(resources['limits']),
  };
}

function readTermination(terminated: JsonObject): ContainerTermination {
  return {
    reason: textAt(terminated, 'reason'),
    message: textAt(terminated, 'message'),
    exitCode: intAt(terminated, 'exitCode') ?? 0,
    signal: intAt(terminated, 'signal'),
    startedAt: instantAt(terminated, 'startedAt'),
    finishedAt: instantAt(terminated, 'finishedAt'),
  };
}

/** The images of a list of containers, each once, in order. */
export function imagesOf(spec: JsonObject): string[] {
  const images = new Set<string>();
  for (const container of objectsAt(spec, 'containers')) {
    const image = textAt(container, 'image');
    if (image !== undefined) images.add(image);
  }
  return [...images];
}
