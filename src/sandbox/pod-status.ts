import { itemsOf } from './defaults.js';
import { isObject, textOf, type JsonObject } from './json.js';
import type { SandboxObject } from './storage.js';

/** A pod as a table shows it. */
export interface PodStatusText {
  /** `1/2`: containers that are ready, of all that should run. */
  readonly ready: string;
  /** `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating` and the like. */
  readonly text: string;
  readonly restarts: number;
  /** When the last container that was restarted had ended. */
  readonly lastRestart: string | undefined;
}

class Restarts {
  count = 0;
  last: string | undefined;

  add(container: JsonObject): void {
    this.count += typeof container.restartCount === 'number' ? container.restartCount : 0;
    const finishedAt = stateOf(container, 'lastState', 'terminated')?.finishedAt;
    if (typeof finishedAt === 'string' && (this.last === undefined || finishedAt > this.last)) this.last = finishedAt;
  }
}

function stateOf(container: JsonObject, state: 'state' | 'lastState', kind: string): JsonObject | undefined {
  const value = container[state];
  return isObject(value) && isObject(value[kind]) ? value[kind] : undefined;
}

/** Why a container ended: its reason, else its signal or exit code. */
function endOf(terminated: JsonObject): string {
  if (textOf(terminated.reason) !== '') return textOf(terminated.reason);
  const { signal, exitCode } = terminated;
  return typeof signal === 'number' && signal !== 0 ? `Signal:${signal}` : `ExitCode:${textOf(exitCode ?? 0)}`;
}

/** Follows what kubectl shows for pods, rule by rule. */
export function podStatusOf(pod: SandboxObject): PodStatusText {
  const spec = isObject(pod.spec) ? pod.spec : {};
  const status = isObject(pod.status) ? pod.status : {};
  const conditions = itemsOf(status, 'conditions');
  const inits = itemsOf(spec, 'initContainers');
  const sidecars = new Set(inits.filter((each) => each.restartPolicy === 'Always').map((each) => each.name));
  const total = itemsOf(spec, 'containers').length + sidecars.size;
  const isGated = conditions.some((each) => each.type === 'PodScheduled' && each.reason === 'SchedulingGated');
  let text = isGated ? 'SchedulingGated' : textOf(status.reason) || textOf(status.phase);
  let ready = 0;
  let restarts = new Restarts();
  const ofSidecars = new Restarts();
  let isInitializing = false;
  for (const [index, container] of itemsOf(status, 'initContainerStatuses').entries()) {
    restarts.add(container);
    const isSidecar = sidecars.has(container.name);
    if (isSidecar) ofSidecars.add(container);
    const terminated = stateOf(container, 'state', 'terminated');
    const waiting = textOf(stateOf(container, 'state', 'waiting')?.reason);
    if (terminated !== undefined && (terminated.exitCode ?? 0) === 0) continue;
    if (isSidecar && container.started === true) {
      if (container.ready === true) ready++;
      continue;
    }
    if (terminated !== undefined) text = `Init:${endOf(terminated)}`;
    else if (waiting !== '' && waiting !== 'PodInitializing') text = `Init:${waiting}`;
    else text = `Init:${index}/${inits.length}`;
    isInitializing = true;
    break;
  }
  const isInitialized = conditions.some((each) => each.type === 'Initialized' && each.status === 'True');
  if (!isInitializing || isInitialized) {
    restarts = ofSidecars;
    let isRunning = false;
    let failure = '';
    for (const container of itemsOf(status, 'containerStatuses').reverse()) {
      restarts.add(container);
      const terminated = stateOf(container, 'state', 'terminated');
      const waiting = textOf(stateOf(container, 'state', 'waiting')?.reason);
      if (waiting !== '') text = waiting;
      else if (terminated !== undefined) {
        text = endOf(terminated);
        if ((terminated.exitCode ?? 0) !== 0) failure = text;
      } else if (container.ready === true && stateOf(container, 'state', 'running') !== undefined) {
        isRunning = true;
        ready++;
      }
    }
    if (text === 'Completed') {
      const isReady = conditions.some((each) => each.type === 'Ready' && each.status === 'True');
      if (isRunning && isReady) text = 'Running';
      else if (failure !== '') text = failure;
      else if (isRunning) text = 'NotReady';
    }
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') text = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') text = 'Terminating';
  }
  return { ready: `${ready}/${total}`, text, restarts: restarts.count, lastRestart: restarts.last };
}
