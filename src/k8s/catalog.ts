import type { ClusterProgress } from './cluster.js';
import type { Kind } from './kind.js';
import type { ClusterSource } from './source.js';

/** How a cluster is, as the contract's `ClusterStatus`. */
export type ClusterStatus = 'HEALTHY' | 'DEGRADED' | 'UNREACHABLE';

/** One configured cluster and its health. */
export interface ClusterInfo {
  readonly name: string;
  readonly displayName: string;
  /** Kubernetes' version, such as `v1.36.3`; undefined while it has never been reached. */
  readonly version: string | undefined;
  readonly status: ClusterStatus;
  /** Why it is not healthy: a fixed sentence without addresses; undefined when it is. */
  readonly statusMessage: string | undefined;
  /** Whether it has ever answered. */
  readonly reached: boolean;
  /** Ids of the projects whose members may create things in it; undefined is all. */
  readonly projects: readonly string[] | undefined;
}

export interface ClusterCatalog {
  /** In the order of the configuration. */
  all(): readonly ClusterInfo[];
  get(name: string): ClusterInfo | undefined;
}

/** The clusters as one process follows them. */
export interface ClusterRegistry extends ClusterCatalog {
  readonly sources: readonly ClusterSource[];
  start(): void;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
  /** Whether each cluster has synced, or failed once. */
  readonly ready: boolean;
  /** For `/readyz`, in the order of the configuration. */
  progress(): readonly ClusterProgress[];
  /** Whether each cluster has these kinds synced, or has failed to once. */
  isSettled(kinds: readonly Kind[]): boolean;
  /** Resolves when `isSettled`, after `timeoutMs`, or when `signal` is aborted: ask `isSettled` which. */
  settle(kinds: readonly Kind[], timeoutMs: number, signal: AbortSignal): Promise<void>;
}
