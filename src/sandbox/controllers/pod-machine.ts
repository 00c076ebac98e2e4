import { createHash } from 'node:crypto';
import { toInstant } from '../clock.js';
import type { Random } from '../random.js';
import type { EventText } from './events.js';
import {
  conditionOf,
  type Condition,
  type ContainerSpec,
  type ContainerState,
  type ContainerStatus,
  type Pod,
  type PodStatus,
  type Probe,
} from './shapes.js';
import { steerNumber, type SteeringKey } from './steering.js';

const firstBackOffMs = 10_000;
const maxBackOffMs = 300_000;
/** A container that ran for so long starts anew with its back-off. */
const calmMs = 600_000;
/** How long a kubelet takes to notice that a container ended. */
const noticeMs = 500;
/** Until sidecars are told to end after the last container. */
const sidecarStopMs = 500;
/** What a virtual machine of its own takes longer to start. */
const machineBootMs = 1_500;
const killedCode = 137;

type Role = 'init' | 'sidecar' | 'main';

/** What a pod's node does for it. */
export interface Host {
  readonly name: string;
  readonly address: string;
  readonly random: Random;
  hasImage(image: string): boolean;
  keepImage(image: string): void;
  /** An address for a pod of its own. */
  assignAddress(): string;
  tell(text: Omit<EventText, 'component' | 'host'>): void;
}

class Container {
  state: ContainerState = { waiting: { reason: 'ContainerCreating' } };
  lastState: ContainerState = {};
  restarts = 0;
  isStarted = false;
  isReady = false;
  /** Whether its node has begun to make it run. */
  isBegun = false;
  /** Ended, and never to run again. */
  isOver = false;
  id: string | undefined;
  backOffMs = 0;
  pullFailures = 0;
  startedAtMs = 0;
  /** When it counts as started and as ready, and when it ends by itself. */
  plan = { startedAtMs: Infinity, readyAtMs: Infinity, endsAtMs: Infinity, exitCode: 0, reason: 'Completed' };
  /** What happens next by itself. */
  due: { atMs: number; work: (atMs: number) => void } | undefined;

  constructor(
    readonly spec: ContainerSpec,
    readonly role: Role,
  ) {}

  get name(): string {
    return this.spec.name;
  }

  get image(): string {
    return this.spec.image ?? '';
  }

  get isRunning(): boolean {
    return this.state.running !== undefined;
  }

  wait(reason: string, message: string): void {
    if (this.state.terminated !== undefined) this.lastState = this.state;
    this.state = { waiting: { reason, message } };
  }

  run(atMs: number): void {
    if (this.state.terminated !== undefined) this.lastState = this.state;
    this.startedAtMs = atMs;
    this.state = { running: { startedAt: toInstant(atMs) } };
  }

  get fieldPath(): string {
    return `spec.${this.role === 'main' ? 'containers' : 'initContainers'}{${this.name}}`;
  }
}

/** The life of one pod on its node, from the first container to the last; it moves when it is told the time. */
export class PodMachine {
  readonly #pod: Pod;
  readonly #host: Host;
  readonly #inits: Container[];
  readonly #mains: Container[];
  readonly #all: Container[];
  readonly #startMs: number;
  #sandboxAtMs: number;
  #address: string | undefined;
  #deadlineMs: number;
  #failure: { reason: string; message: string } | undefined;
  #isStopping = false;
  #stopAtMs = Infinity;

  constructor(pod: Pod, host: Host, nowMs: number) {
    this.#pod = pod;
    this.#host = host;
    this.#startMs = nowMs;
    this.#inits = (pod.spec.initContainers ?? []).map((spec) => new Container(spec, spec.restartPolicy === 'Always' ? 'sidecar' : 'init'));
    this.#mains = pod.spec.containers.map((spec) => new Container(spec, 'main'));
    this.#all = [...this.#inits, ...this.#mains];
    for (const container of this.#all) if (this.#inits.length > 0) container.state = { waiting: { reason: 'PodInitializing' } };
    const isMachine = pod.spec.runtimeClassName !== undefined;
    this.#sandboxAtMs = nowMs + host.random.between(300, 1_200) + (isMachine ? machineBootMs : 0);
    const { activeDeadlineSeconds } = pod.spec;
    this.#deadlineMs = activeDeadlineSeconds === undefined ? Infinity : nowMs + activeDeadlineSeconds * 1000;
  }

  /** When something happens by itself next; Infinity for never. */
  get nextMs(): number {
    const own = Math.min(this.#address === undefined ? this.#sandboxAtMs : Infinity, this.#isOver ? Infinity : this.#deadlineMs);
    return this.#all.reduce((least, { due }) => Math.min(least, due?.atMs ?? Infinity), own);
  }

  /** Whether it was told to stop, and no container runs any more. */
  get isStopped(): boolean {
    return this.#isStopping && !this.#all.some((container) => container.isRunning);
  }

  get #isOver(): boolean {
    return this.#failure !== undefined || this.#isStopping || this.#mains.every((container) => container.isOver);
  }

  /** Lets happen what is due. */
  advance(nowMs: number): void {
    for (let atMs = this.nextMs; atMs <= nowMs; atMs = this.nextMs) {
      if (this.#address === undefined && this.#sandboxAtMs === atMs) this.#address = this.#assign();
      else if (!this.#isOver && this.#deadlineMs === atMs) {
        this.#failure = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
        this.#endAll(atMs, 0);
      } else {
        const container = this.#all.find(({ due }) => due?.atMs === atMs);
        const work = container?.due?.work;
        if (container !== undefined) container.due = undefined;
        work?.(atMs);
      }
      this.#proceed(atMs);
    }
  }

  /** Tells the containers to end: within the grace period by themselves, else by force. A second call may only hasten it. */
  stop(nowMs: number, graceSeconds: number): void {
    const untilMs = nowMs + graceSeconds * 1000;
    if (this.#isStopping && untilMs >= this.#stopAtMs) return;
    if (!this.#isStopping)
      for (const container of this.#all)
        if (container.isRunning)
          this.#host.tell({
            type: 'Normal',
            reason: 'Killing',
            message: `Stopping container ${container.name}`,
            fieldPath: container.fieldPath,
          });
    this.#isStopping = true;
    this.#stopAtMs = untilMs;
    this.#endAll(nowMs, graceSeconds);
  }

  #assign(): string {
    return this.#pod.spec.hostNetwork === true ? this.#host.address : this.#host.assignAddress();
  }

  #endAll(nowMs: number, graceSeconds: number): void {
    for (const container of this.#all) {
      container.due = undefined;
      if (!container.isRunning) continue;
      const wanted = this.#steer(container, 'stop-seconds') ?? this.#host.random.between(0.2, 1.5);
      const isKilled = wanted > graceSeconds;
      container.due = {
        atMs: nowMs + Math.min(wanted, graceSeconds) * 1000,
        work: (atMs) => this.#end(container, atMs, isKilled ? killedCode : 0, isKilled ? 'Error' : 'Completed'),
      };
    }
  }

  /** Begins what has nothing left to wait for. */
  #proceed(atMs: number): void {
    if (this.#address === undefined || this.#isStopping || this.#failure !== undefined) return;
    for (const container of this.#inits) {
      if (container.role === 'init' && container.isOver) continue;
      if (!container.isBegun) this.#begin(container, atMs);
      if (container.role === 'init' || !container.isStarted) {
        // Sidecars keep up what has begun, and hold back what has not.
        if (this.#mains.some(({ isBegun }) => isBegun)) continue;
        return;
      }
    }
    for (const container of this.#mains) if (!container.isBegun) this.#begin(container, atMs);
    if (!this.#mains.every(({ isOver }) => isOver)) return;
    for (const container of this.#inits) {
      if (container.role !== 'sidecar' || container.isOver) continue;
      container.isOver = true;
      if (!container.isRunning) container.due = undefined;
      else container.due = { atMs: atMs + sidecarStopMs, work: (endMs) => this.#end(container, endMs, 0, 'Completed') };
    }
  }

  #begin(container: Container, atMs: number): void {
    const { random } = this.#host;
    container.isBegun = true;
    const { image, fieldPath } = container;
    const { imagePullPolicy } = container.spec;
    const isPresent = this.#host.hasImage(image);
    if (imagePullPolicy === 'Never' && !isPresent) {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      container.wait('ErrImageNeverPull', message);
      this.#host.tell({ type: 'Warning', reason: 'ErrImageNeverPull', message, fieldPath });
      return;
    }
    if (isPresent && imagePullPolicy !== 'Always') {
      const message = `Container image "${image}" already present on machine`;
      container.due = { atMs: atMs + random.between(100, 400), work: (startMs) => this.#start(container, startMs, message) };
      return;
    }
    this.#host.tell({ type: 'Normal', reason: 'Pulling', message: `Pulling image "${image}"`, fieldPath });
    const seconds = this.#steer(container, 'pull-seconds') ?? (isPresent ? random.between(0.2, 0.6) : random.between(1, 6));
    if (seconds === Infinity || isUnreachable(image)) {
      container.due = { atMs: atMs + random.between(300, 900), work: (failMs) => this.#failPull(container, failMs) };
      return;
    }
    const took = `${seconds.toFixed(3)}s`;
    const message = `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${sizeOf(image)} bytes.`;
    container.due = { atMs: atMs + seconds * 1000 + random.between(100, 400), work: (startMs) => this.#start(container, startMs, message) };
  }

  #failPull(container: Container, atMs: number): void {
    const { image, fieldPath } = container;
    const why = pullError(image);
    container.wait('ErrImagePull', why);
    this.#host.tell({ type: 'Warning', reason: 'Failed', message: `Failed to pull image "${image}": ${why}`, fieldPath });
    this.#host.tell({ type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull', fieldPath });
    const backOffMs = Math.min(maxBackOffMs, firstBackOffMs * 2 ** Math.min(container.pullFailures++, 10));
    container.due = {
      atMs: atMs + backOffMs / 2,
      work: (waitMs) => {
        const message = `Back-off pulling image "${image}"`;
        container.wait('ImagePullBackOff', `${message}: ErrImagePull: ${why}`);
        this.#host.tell({ type: 'Normal', reason: 'BackOff', message, fieldPath });
        this.#host.tell({ type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff', fieldPath });
        container.due = { atMs: waitMs + backOffMs / 2, work: (againMs) => this.#begin(container, againMs) };
      },
    };
  }

  #start(container: Container, atMs: number, pulled: string): void {
    const { fieldPath } = container;
    this.#host.keepImage(container.image);
    this.#host.tell({ type: 'Normal', reason: 'Pulled', message: pulled, fieldPath });
    this.#host.tell({ type: 'Normal', reason: 'Created', message: 'Container created', fieldPath });
    this.#host.tell({ type: 'Normal', reason: 'Started', message: 'Container started', fieldPath });
    if (container.id !== undefined) container.restarts++;
    container.id = `containerd://${digestOf(`${this.#pod.metadata.uid}/${container.name}/${container.restarts}`)}`;
    container.run(atMs);
    container.plan = this.#plan(container, atMs);
    this.#tick(container, atMs);
  }

  #plan({ name, spec, role, restarts }: Container, atMs: number): Container['plan'] {
    const { random } = this.#host;
    // What is said of the whole pod is meant for its main containers.
    const number = (key: SteeringKey): number | undefined => steerNumber(this.#pod.metadata.annotations, key, name, role !== 'main');
    const delayMs = (probe: Probe | undefined): number =>
      probe === undefined ? 0 : ((probe.initialDelaySeconds ?? 0) + random.next() * Math.min(probe.periodSeconds ?? 10, 3)) * 1000;
    const startedAtMs = atMs + delayMs(spec.startupProbe);
    const ready = number('ready-seconds');
    const readyAtMs = role === 'init' ? Infinity : ready === undefined ? startedAtMs + delayMs(spec.readinessProbe) : atMs + ready * 1000;
    const isCrashing = restarts < (number('crash-times') ?? Infinity);
    const oomAfter = isCrashing ? number('oom-after-seconds') : undefined;
    const crashAfter = isCrashing ? number('crash-after-seconds') : undefined;
    if (oomAfter !== undefined)
      return { startedAtMs, readyAtMs, endsAtMs: atMs + oomAfter * 1000, exitCode: killedCode, reason: 'OOMKilled' };
    const exitCode = number('exit-code') ?? (crashAfter === undefined ? 0 : 1);
    const isEndless = role === 'sidecar' || (role === 'main' && this.#pod.spec.restartPolicy === 'Always');
    const standard = isEndless ? Infinity : role === 'init' ? random.between(1, 4) : random.between(5, 30);
    const seconds = crashAfter ?? number('run-seconds') ?? standard;
    return { startedAtMs, readyAtMs, endsAtMs: atMs + seconds * 1000, exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' };
  }

  #tick(container: Container, atMs: number): void {
    const { startedAtMs, readyAtMs, endsAtMs, exitCode, reason } = container.plan;
    if (atMs >= endsAtMs) return this.#end(container, atMs, exitCode, reason);
    container.isStarted = startedAtMs <= atMs;
    container.isReady = container.isStarted && readyAtMs <= atMs;
    const nextMs = Math.min(...[startedAtMs, readyAtMs, endsAtMs].filter((each) => each > atMs));
    if (nextMs !== Infinity) container.due = { atMs: nextMs, work: (dueMs) => this.#tick(container, dueMs) };
  }

  #end(container: Container, atMs: number, exitCode: number, reason: string): void {
    const startedAt = container.state.running?.startedAt ?? toInstant(container.startedAtMs);
    const terminated = { exitCode, reason, startedAt, finishedAt: toInstant(atMs), containerID: container.id ?? '' };
    container.state = { terminated };
    container.isStarted = false;
    container.isReady = container.role === 'init' && exitCode === 0;
    if (this.#isStopping || this.#failure !== undefined || container.isOver) {
      container.isOver = true;
      return;
    }
    if (!this.#mayRestart(container, exitCode)) {
      container.isOver = true;
      if (container.role === 'init' && exitCode !== 0) {
        this.#failure = { reason: '', message: '' };
        this.#endAll(atMs, 0);
      }
      return;
    }
    if (atMs - container.startedAtMs >= calmMs) container.backOffMs = 0;
    const delayMs = container.backOffMs;
    container.backOffMs = Math.min(maxBackOffMs, Math.max(firstBackOffMs, 2 * delayMs));
    container.due = { atMs: atMs + noticeMs, work: (noticedMs) => this.#restart(container, noticedMs, atMs + delayMs, delayMs) };
  }

  #mayRestart({ role }: Container, exitCode: number): boolean {
    const { restartPolicy = 'Always' } = this.#pod.spec;
    if (role === 'sidecar') return true;
    if (role === 'init') return exitCode !== 0 && restartPolicy !== 'Never';
    return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0);
  }

  #restart(container: Container, nowMs: number, againMs: number, backOffMs: number): void {
    const { name, namespace, uid } = this.#pod.metadata;
    if (againMs <= nowMs) return this.#begin(container, nowMs);
    const pod = `${name}_${namespace}(${uid})`;
    const message = `back-off ${durationText(backOffMs)} restarting failed container=${container.name} pod=${pod}`;
    container.wait('CrashLoopBackOff', message);
    this.#host.tell({
      type: 'Warning',
      reason: 'BackOff',
      message: `Back-off restarting failed container ${container.name} in pod ${pod}`,
      fieldPath: container.fieldPath,
    });
    container.due = { atMs: againMs, work: (dueMs) => this.#begin(container, dueMs) };
  }

  #steer({ name }: Container, key: SteeringKey): number | undefined {
    return steerNumber(this.#pod.metadata.annotations, key, name);
  }

  /** The status as the kubelet reports it. @param current Conditions in it keep their times while they say the same; those of others stay. */
  status({ spec, metadata, status: current = {} }: Pod, nowMs: number): PodStatus {
    const phase = this.#phase();
    const address = this.#address;
    const statuses = (containers: readonly Container[]): ContainerStatus[] => containers.map((container) => this.#statusOf(container));
    const reason = this.#failure?.reason ?? '';
    const status: PodStatus = {
      ...current,
      observedGeneration: metadata.generation ?? 1,
      phase,
      conditions: this.#conditions(spec, metadata.generation ?? 1, current.conditions ?? [], phase, nowMs),
      hostIP: this.#host.address,
      hostIPs: [{ ip: this.#host.address }],
      startTime: toInstant(this.#startMs),
      containerStatuses: statuses(this.#mains.toSorted((one, other) => (one.name < other.name ? -1 : 1))),
    };
    if (this.#inits.length > 0) status.initContainerStatuses = statuses(this.#inits);
    if (reason !== '') Object.assign(status, this.#failure);
    if (address !== undefined) Object.assign(status, { podIP: address, podIPs: [{ ip: address }] });
    return status;
  }

  #phase(): NonNullable<PodStatus['phase']> {
    if (this.#failure !== undefined && !this.#all.some(({ isRunning }) => isRunning)) return 'Failed';
    const mains = this.#mains;
    const isDone = this.#isStopping || this.#mains.every(({ isOver }) => isOver);
    if (isDone && !this.#all.some(({ isRunning }) => isRunning)) {
      // A pod that is taken away before all of it ran has failed.
      return mains.every(({ state }) => state.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed';
    }
    return mains.some(({ id }) => id === undefined) ? 'Pending' : 'Running';
  }

  #statusOf(container: Container): ContainerStatus {
    const { state, lastState, isReady, isStarted, restarts, image, id } = container;
    return {
      name: container.name,
      state,
      lastState,
      ready: isReady,
      restartCount: restarts,
      image: id === undefined ? image : fullImage(image),
      imageID: id === undefined ? '' : imageIdOf(image),
      ...(id === undefined ? {} : { containerID: id }),
      started: isStarted,
    };
  }

  #conditions(spec: Pod['spec'], generation: number, current: readonly Condition[], phase: string, nowMs: number): Condition[] {
    const ended = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : undefined;
    const make = (type: string, isTrue: boolean, reason?: string, message?: string): Condition => {
      const status = isTrue ? 'True' : 'False';
      const before = conditionOf(current, type);
      return {
        type,
        observedGeneration: generation,
        status,
        lastProbeTime: null,
        lastTransitionTime: (before?.status === status ? before.lastTransitionTime : undefined) ?? toInstant(nowMs),
        ...(isTrue && phase !== 'Succeeded' ? {} : reason === undefined ? {} : { reason }),
        ...(isTrue || message === undefined ? {} : { message }),
      };
    };
    const listed = (containers: readonly Container[]): string => `[${containers.map(({ name }) => name).join(' ')}]`;
    const pending = this.#inits.filter(({ role, isReady, isStarted }) => (role === 'sidecar' ? !isStarted : !isReady));
    const hasRun = this.#mains.some(({ id }) => id !== undefined);
    const unready = this.#all.filter(({ role, isReady }) => role !== 'init' && !isReady);
    const unreadyText = ended === undefined && unready.length > 0 ? `containers with unready status: ${listed(unready)}` : undefined;
    const areReady = ended === undefined && unready.length === 0;
    const unmet = (spec.readinessGates ?? []).filter(({ conditionType }) => conditionOf(current, conditionType)?.status !== 'True');
    const gatesText = areReady
      ? unmet.map(({ conditionType }) => gateText(conditionType, conditionOf(current, conditionType))).join(', ')
      : undefined;
    const own = [
      make(
        'PodReadyToStartContainers',
        this.#address !== undefined && (ended === undefined || this.#all.some(({ isRunning }) => isRunning)),
      ),
      make(
        'Initialized',
        hasRun || pending.length === 0 || phase === 'Succeeded',
        ended === 'PodCompleted' ? ended : 'ContainersNotInitialized',
        `containers with incomplete status: ${listed(pending)}`,
      ),
      make(
        'Ready',
        areReady && unmet.length === 0,
        ended ?? (areReady ? 'ReadinessGatesNotReady' : 'ContainersNotReady'),
        areReady ? gatesText : unreadyText,
      ),
      make('ContainersReady', areReady, ended ?? 'ContainersNotReady', unreadyText),
      make('PodScheduled', true),
    ];
    const types = new Set(own.map(({ type }) => type));
    return [...own, ...current.filter(({ type }) => !types.has(type))];
  }
}

function gateText(type: string, condition: Condition | undefined): string {
  if (condition === undefined) return `corresponding condition of pod readiness gate "${type}" does not exist.`;
  return `the status of pod readiness gate "${type}" is not "True", but ${condition.status}`;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Names under `.invalid` lead nowhere, by definition. */
function isUnreachable(image: string): boolean {
  return /^[^/:]+\.invalid(?::\d+)?\//.test(image);
}

function pullError(image: string): string {
  const [, host = '', path = '', tag = 'latest'] = /^([^/]+)\/(.+?)(?::([^:/]+))?$/.exec(fullImage(image)) ?? [];
  const head = `failed to pull and unpack image "${fullImage(image)}": failed to resolve reference "${fullImage(image)}"`;
  if (!isUnreachable(image)) return `rpc error: code = NotFound desc = ${head}: ${fullImage(image)}: not found`;
  return `${head}: failed to do request: Head "https://${host}/v2/${path}/manifests/${tag}": dial tcp: lookup ${host.replace(/:\d+$/, '')}: no such host`;
}

/** An image with its registry and tag, as a container runtime names it. */
function fullImage(image: string): string {
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost';
  const path = hasHost ? image : slash < 0 ? `docker.io/library/${image}` : `docker.io/${image}`;
  return path.includes('@') || /:[^/]+$/.test(path.slice(path.indexOf('/'))) ? path : `${path}:latest`;
}

const imageIds = new Map<string, string>();

function imageIdOf(image: string): string {
  let id = imageIds.get(image);
  if (id === undefined) imageIds.set(image, (id = `${fullImage(image).replace(/[:@][^/]*$/, '')}@sha256:${digestOf(image)}`));
  return id;
}

function sizeOf(image: string): number {
  return 2_000_000 + (Number.parseInt(digestOf(image).slice(0, 8), 16) % 400_000_000);
}

/** As Go writes it: `10s`, `2m40s`, `5m0s`. */
function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
