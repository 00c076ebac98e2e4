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
