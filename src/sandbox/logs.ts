import type { SandboxObject } from './storage.js';

export interface LogLine {
  /** RFC 3339 with nanoseconds, as kubelets write it. */
  readonly timestamp: string;
  /** Without its line end. */
  readonly text: string;
}

export interface LogOptions {
  /** Goes on until the container ends, or `signal` aborts. Default false. */
  readonly follow: boolean;
  /** Of the run before the last restart. Default false. */
  readonly previous: boolean;
  /** The last lines only; default all. */
  readonly tailLines: number | undefined;
  /** Milliseconds since the epoch: nothing older; default all. */
  readonly sinceMs: number | undefined;
  readonly signal: AbortSignal;
}

/** What containers wrote. The API server asks whoever plays the kubelet. */
export interface PodLogs {
  /**
   * Lines in the order they were written. `tailLines` counts after `sinceMs` has cut.
   *
   * @throws StatusError 400 where the container does not run yet or has no previous run; before the first line.
   */
  read(pod: SandboxObject, container: string, options: LogOptions): AsyncIterable<LogLine>;
}
