/** Plain JSON of an object in the embedded cluster. Objects are never changed in place: every write stores a new one. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type SandboxObject = { apiVersion: string; kind: string; metadata: SandboxMeta } & Record<string, any>;

export interface SandboxMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean; blockOwnerDeletion?: boolean }[];
}

export interface StorageEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** Such as `pods`; unique with `group`. */
  readonly resource: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly object: SandboxObject;
  /** What it replaced; undefined for ADDED. */
  readonly previous: SandboxObject | undefined;
}

/** Which resource: `pods`, or `deployments.apps` (resource and group as kubectl writes them). */
export type ResourceName = string;

export interface DeleteOptions {
  /** Default: the kind's own (30 for pods, 0 else). 0 removes at once. */
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  preconditions?: { uid?: string; resourceVersion?: string };
}

/**
 * The embedded cluster's objects, with one resourceVersion for all of them, as etcd has it. Both the HTTP API and the controllers go through it;
 * defaults, validation, generation, uid and timestamps are its work. Failures are `StatusError`s (Kubernetes `Status`).
 */
export interface Storage {
  readonly resourceVersion: number;
  get(resource: ResourceName, namespace: string | undefined, name: string): SandboxObject | undefined;
  list(resource: ResourceName, namespace?: string): readonly SandboxObject[];
  /** Defaulted, validated, then stored. */
  create(resource: ResourceName, object: Record<string, unknown>): SandboxObject;
  /** Replaces; a `metadata.resourceVersion` that is set and stale is a Conflict. Without `subresource` the status stays; with `status` only it and annotations change. */
  update(resource: ResourceName, object: SandboxObject, subresource?: 'status'): SandboxObject;
  /** Puts a pod onto a node, as a scheduler's `binding` does. @throws StatusError where it is not there, bound already, or about to go. */
  bind(namespace: string | undefined, name: string, node: string): SandboxObject;
  /** Undefined where it was not there. An object with finalizers or a grace period is only marked. */
  delete(resource: ResourceName, namespace: string | undefined, name: string, options?: DeleteOptions): SandboxObject | undefined;
  /** Called after each write, in the order of resourceVersions. @returns what ends the notice. */
  subscribe(listener: (event: StorageEvent) => void): () => void;
}
