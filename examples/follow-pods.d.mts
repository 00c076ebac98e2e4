export interface FollowedPod {
  readonly name: string;
  readonly namespaceName: string;
  readonly clusterName: string;
  readonly status: string;
  readonly restarts: number;
}

export interface PodChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'RESET' | 'SYNCED';
  readonly cursor: string;
  readonly podId: string | null;
  readonly pod: FollowedPod | null;
  readonly unavailableClusters:
    readonly { readonly clusterName: string; readonly message: string; readonly staleSince: string | null }[] | null;
}

export interface FollowPodsOptions {
  readonly url: string;
  readonly token: string;
  /** A `PodFilter`; default: all that the viewer may see. */
  readonly filter?: object;
  readonly signal: AbortSignal;
  /** Between two attempts to come back. Default 1,000. */
  readonly retryMs?: number;
  /** Called after each change, with all pods as they are now. */
  onChange(change: PodChange, pods: ReadonlyMap<string, FollowedPod>): void;
}

/**
 * Resolves once `signal` is aborted.
 * @throws what ended it for good: errors of the operation (such as FORBIDDEN), or the close of a socket whose sign-in has ended
 */
export function followPods(options: FollowPodsOptions): Promise<void>;
