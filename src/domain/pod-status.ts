import { findBy, intAt, isObject, objectAt, objectsAt, textAt, type JsonObject } from './json.js';
import { isSidecar } from './resources.js';

/** The columns of `kubectl get pods`. */
export interface PodColumns {
  /** STATUS, such as `CrashLoopBackOff` or `Init:0/1`. */
  readonly status: string;
  /** Numerator of READY. */
  readonly readyContainers: number;
  /** Denominator of READY. */
  readonly totalContainers: number;
  readonly restarts: number;
}

/**
 * What `kubectl get pods` shows of a pod; the API server makes these columns, and no field of the pod carries them. Init containers hold the
 * status until the first that has not done its work; after them it is the first container's that has something to say.
 */
export function podColumns(pod: JsonObject): PodColumns {
  const spec = objectAt(pod, 'spec');
  const status = objectAt(pod, 'status');
  const conditions = objectsAt(status, 'conditions');
  const statusReason = textAt(status, 'reason');
  const phase = textAt(status, 'phase') ?? '';

  let text = statusReason ?? phase;
  if (conditions.some((condition) => condition['type'] === 'PodScheduled' && condition['reason'] === 'SchedulingGated'))
    text = 'SchedulingGated';

  const initContainers = objectsAt(spec, 'initContainers');
  const sidecars = new Set(initContainers.filter(isSidecar).map((container) => container['name']));
  const init = initialization(objectsAt(status, 'initContainerStatuses'), sidecars, initContainers.length);
  let readyContainers = init.readySidecars;
  let restarts = init.restarts;
  if (init.text !== undefined) text = init.text;

  if (init.text === undefined || findBy(conditions, 'type', 'Initialized')?.['status'] === 'True') {
    restarts = init.sidecarRestarts;
    let running = false;
    let failure: string | undefined;
    for (const container of [...objectsAt(status, 'containerStatuses')].reverse()) {
      restarts += intAt(container, 'restartCount') ?? 0;
      const waitingReason = textAt(objectAt(container, 'state', 'waiting'), 'reason');
      const terminated = stateOf(container, 'terminated');
      if (waitingReason !== undefined) text = waitingReason;
      else if (terminated !== undefined) {
        text = endText(terminated);
        if ((intAt(terminated, 'exitCode') ?? 0) !== 0) failure = text;
      } else if (container['ready'] === true && stateOf(container, 'running') !== undefined) {
        running = true;
        readyContainers++;
      }
    }
    // The first container has done its work: what the others do says more.
    if (text === 'Completed') {
      if (running && isReady(conditions)) text = 'Running';
      else if (failure !== undefined) text = failure;
      else if (running) text = 'NotReady';
    }
  }

  if (textAt(objectAt(pod, 'metadata'), 'deletionTimestamp') !== undefined) {
    if (statusReason === 'NodeLost') text = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') text = 'Terminating';
  }
  return {
    status: text === '' ? 'Unknown' : text,
    readyContainers,
    totalContainers: objectsAt(spec, 'containers').length + sidecars.size,
    restarts,
  };
}

/** The `Ready` condition holds: the pod's services send to it. */
export function isReady(conditions: readonly JsonObject[]): boolean {
  return conditions.some((condition) => condition['type'] === 'Ready' && condition['status'] === 'True');
}

interface Initialization {
  /** Undefined where nothing holds the pod up. */
  readonly text: string | undefined;
  readonly restarts: number;
  readonly sidecarRestarts: number;
  readonly readySidecars: number;
}

function initialization(statuses: readonly JsonObject[], sidecars: ReadonlySet<unknown>, initContainerCount: number): Initialization {
  let restarts = 0;
  let sidecarRestarts = 0;
  let readySidecars = 0;
  let text: string | undefined;
  for (const [index, container] of statuses.entries()) {
    const sidecar = sidecars.has(container['name']);
    const count = intAt(container, 'restartCount') ?? 0;
    restarts += count;
    if (sidecar) sidecarRestarts += count;
    const terminated = stateOf(container, 'terminated');
    if (terminated !== undefined && (intAt(terminated, 'exitCode') ?? 0) === 0) continue;
    if (sidecar && container['started'] === true) {
      if (container['ready'] === true) readySidecars++;
      continue;
    }
    const waitingReason = textAt(objectAt(container, 'state', 'waiting'), 'reason');
    if (terminated !== undefined) text = `Init:${endText(terminated)}`;
    else if (waitingReason !== undefined && waitingReason !== 'PodInitializing') text = `Init:${waitingReason}`;
    else text = `Init:${index}/${initContainerCount}`;
    break;
  }
  return { text, restarts, sidecarRestarts, readySidecars };
}

function stateOf(container: JsonObject, state: 'running' | 'terminated'): JsonObject | undefined {
  const found = objectAt(container, 'state')[state];
  return isObject(found) ? found : undefined;
}

function endText(terminated: JsonObject): string {
  const signal = intAt(terminated, 'signal') ?? 0;
  return textAt(terminated, 'reason') ?? (signal === 0 ? `ExitCode:${intAt(terminated, 'exitCode') ?? 0}` : `Signal:${signal}`);
}
