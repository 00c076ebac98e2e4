import { toInstant, type SandboxClock } from './clock.js';
import { steer, steerNumber } from './controllers/steering.js';
import type { ContainerStatus, Pod } from './controllers/shapes.js';
import type { LogLine, LogOptions, PodLogs } from './logs.js';
import { hash32 } from './random.js';
import { badRequest } from './status.js';
import type { SandboxObject, Storage } from './storage.js';

const standardLinesPerSecond = 0.2;
const maxLinesPerSecond = 1_000;
/** Lines of one run that a node keeps: older ones have been rotated away. */
const keptLines = 10_000;
/** How often a follower looks whether the container still runs, when it writes less often. */
const pollMs = 1_000;

/** One run of a container: from its start to its end, or until now. */
interface Run {
  /** What its lines depend on. */
  readonly seed: string;
  readonly startMs: number;
  /** Infinity while it runs. */
  readonly endMs: number;
  readonly exitCode: number;
  readonly intervalMs: number;
  readonly text: string | undefined;
}

/**
 * What containers wrote. Nothing of it is kept: line `n` of a run is always the same, and was written at the same time, so that any of them can be
 * made when somebody asks.
 */
export class LogBook implements PodLogs {
  readonly #storage: Storage;
  readonly #clock: SandboxClock;

  constructor(storage: Storage, clock: SandboxClock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  async *read(pod: SandboxObject, container: string, options: LogOptions): AsyncGenerator<LogLine> {
    const { metadata } = pod;
    let run = runOf(pod as Pod, container, options.previous);
    const upToMs = Math.min(this.#clock.now(), run.endMs);
    const written = countUpTo(run, upToMs);
    let next = Math.max(0, written - keptLines);
    if (options.sinceMs !== undefined) next = Math.max(next, firstSince(run, options.sinceMs, written));
    const extra = run.endMs !== Infinity && lastWordsOf(run) !== undefined ? 1 : 0;
    if (options.tailLines !== undefined) next = Math.max(next, written + extra - options.tailLines);
    for (;;) {
      const end = countUpTo(run, Math.min(this.#clock.now(), run.endMs));
      for (; next < end; next++) yield lineOf(run, next);
      if (run.endMs !== Infinity) {
        const lastWords = lastWordsOf(run);
        if (lastWords !== undefined && run.endMs >= (options.sinceMs ?? 0) && options.tailLines !== 0) yield lastWords;
        return;
      }
      if (!options.follow) return;
      await this.#wait(Math.min(pollMs, Math.max(1, timeOf(run, next) - this.#clock.now())), options.signal);
      if (options.signal.aborted) return;
      const current = this.#storage.get('pods', metadata.namespace, metadata.name);
      if (current?.metadata.uid !== metadata.uid) return;
      run = continued(run, current as Pod, container);
    }
  }

  #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#clock.after(delayMs, end);
      if (signal.aborted) end();
      else signal.addEventListener('abort', end);
    });
  }
}

/** @throws StatusError 400 where there is nothing to read yet, or no run before. */
function runOf(pod: Pod, container: string, previous: boolean): Run {
  const { name } = pod.metadata;
  const status = statusOf(pod, container);
  if (previous) {
    const ended = status?.lastState.terminated;
    if (status === undefined || ended === undefined)
      throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
    const isWaiting = status.state.running === undefined;
    return makeRun(pod, container, isWaiting ? status.restartCount : status.restartCount - 1, ended.startedAt, ended);
  }
  if (status === undefined) throw badRequest(`container "${container}" in pod "${name}" is not available`);
  const { running, terminated = status.lastState.terminated, waiting } = status.state;
  if (running !== undefined) return makeRun(pod, container, status.restartCount, running.startedAt);
  if (terminated !== undefined) return makeRun(pod, container, status.restartCount, terminated.startedAt, terminated);
  throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${waiting?.reason ?? 'no reason given'}`);
}

function statusOf({ status }: Pod, container: string): ContainerStatus | undefined {
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find(({ name }) => name === container);
}

function makeRun(
  { metadata }: Pod,
  container: string,
  restarts: number,
  startedAt: string,
  ended?: { finishedAt: string; exitCode: number },
): Run {
  const rate = Math.min(maxLinesPerSecond, steerNumber(metadata.annotations, 'log-lines-per-second', container) ?? standardLinesPerSecond);
  return {
    seed: `${metadata.uid}/${container}/${restarts}`,
    startMs: Date.parse(startedAt),
    endMs: ended === undefined ? Infinity : Date.parse(ended.finishedAt),
    exitCode: ended?.exitCode ?? 0,
    intervalMs: rate === 0 ? Infinity : 1000 / rate,
    text: steer(metadata.annotations, 'log-text', container),
  };
}

/** The same run as it stands now: it may have ended meanwhile. */
function continued(run: Run, pod: Pod, container: string): Run {
  const status = statusOf(pod, container);
  if (status === undefined) return run;
  const startedAt = toInstant(run.startMs);
  if (status.state.running?.startedAt === startedAt) return run;
  const ended = [status.state.terminated, status.lastState.terminated].find((each) => each?.startedAt === startedAt);
  return ended === undefined ? { ...run, endMs: run.startMs } : { ...run, endMs: Date.parse(ended.finishedAt), exitCode: ended.exitCode };
}

/** Lines come at even distances, each with a little delay of its own. */
function timeOf(run: Run, line: number): number {
  return Math.floor(run.startMs + (line + (hash32(`${run.seed}#${line}`) % 1000) / 1000) * run.intervalMs);
}

/** How many lines were written by that time, it included. */
function countUpTo(run: Run, atMs: number): number {
  if (run.intervalMs === Infinity || atMs < run.startMs) return 0;
  const whole = Math.floor((atMs - run.startMs) / run.intervalMs);
  return timeOf(run, whole) <= atMs ? whole + 1 : whole;
}

function firstSince(run: Run, sinceMs: number, written: number): number {
  const count = countUpTo(run, sinceMs - 1);
  return Math.min(count, written);
}

const paths = ['/', '/healthz', '/api/v1/orders', '/api/v1/items', '/api/v1/users/42', '/assets/app.js'];
const works = ['cache refreshed', 'connection pool checked', 'batch written', 'session renewed', 'queue drained', 'snapshot taken'];

function lineOf(run: Run, line: number): LogLine {
  const atMs = timeOf(run, line);
  const chance = hash32(`${run.seed}?${line}`);
  return {
    timestamp: withNanos(atMs, chance),
    text: run.text === undefined ? textOf(chance, line) : run.text.replaceAll('{n}', String(line + 1)),
  };
}

function textOf(chance: number, line: number): string {
  if (line === 0) return 'INFO starting up';
  const took = 1 + (chance % 190);
  if (chance % 10 < 6) return `INFO GET ${paths[(chance >>> 4) % paths.length]} 200 ${took}ms`;
  if (chance % 10 < 9) return `INFO ${works[(chance >>> 4) % works.length]} in ${took}ms`;
  return `WARN slow response: ${took * 10}ms`;
}

/** What a container writes when it ends badly. */
function lastWordsOf(run: Run): LogLine | undefined {
  if (run.exitCode === 0 || run.exitCode === 137) return undefined;
  return { timestamp: withNanos(run.endMs, hash32(run.seed)), text: `FATAL giving up with exit code ${run.exitCode}` };
}

function withNanos(atMs: number, chance: number): string {
  return `${new Date(atMs).toISOString().slice(0, -1)}${String(chance % 1_000_000).padStart(6, '0')}Z`;
}
