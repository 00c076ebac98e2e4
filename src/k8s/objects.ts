export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** `metadata` as the API server writes it; instants are RFC 3339 text. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/**
 * One Kubernetes object as plain JSON, without `managedFields` and without the `last-applied-configuration` annotation.
 * Only `metadata` can be relied on: everything below it may be missing or of another shape than Kubernetes documents.
 */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** What a record is made from. */
export interface RecordSource {
  readonly clusterName: string;
  /** The parsed object, 15 times the size of the record: of it a record keeps strings, and its labels as they are, but nothing else. */
  readonly object: KubernetesObject;
  /** The object's stripped JSON, outside the heap. */
  readonly json: Uint8Array;
}

/** RFC 3339 to milliseconds since the epoch; 0 where it is no instant. */
export function toEpochMs(instant: string | undefined): number {
  const ms = instant === undefined ? Number.NaN : Date.parse(instant);
  return Number.isNaN(ms) ? 0 : ms;
}

const noLabels: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The slim, immutable part of one object that lists, filters, relations and counts need. Kinds extend it with their own fields,
 * named as the contract names them, so that an answer is read straight off the record. What a record lacks is read from `object`.
 */
export abstract class ObjectRecord {
  readonly clusterName: string;
  /** Undefined for a cluster-scoped object. */
  readonly namespaceName: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; undefined while nobody asked for the deletion. */
  readonly deletionRequestedAt: string | undefined;
  readonly labelMap: Readonly<Record<string, string>>;
  /** Uid of the owner that is the controller; undefined where there is none. */
  readonly controllerUid: string | undefined;
  readonly #json: Uint8Array;

  constructor({ clusterName, object, json }: RecordSource) {
    const meta = object.metadata;
    this.clusterName = clusterName;
    this.namespaceName = meta.namespace;
    this.name = meta.name;
    this.uid = meta.uid;
    this.resourceVersion = meta.resourceVersion;
    this.createdAt = meta.creationTimestamp;
    this.deletionRequestedAt = meta.deletionTimestamp;
    this.labelMap = meta.labels ?? noLabels;
    this.controllerUid = meta.ownerReferences?.find((owner) => owner.controller === true)?.uid;
    this.#json = json;
  }

  /** Such as `Pod`. */
  abstract get kind(): string;
  /** Such as `apps/v1`. */
  abstract get apiVersion(): string;

  /** The whole object, parsed from its bytes; the last few hundred parses are kept. Frozen by convention: never change it. */
  get object(): KubernetesObject {
    let parsed = parses.get(this);
    if (parsed === undefined) {
      parsed = JSON.parse(
        Buffer.from(this.#json.buffer, this.#json.byteOffset, this.#json.byteLength).toString('utf8'),
      ) as KubernetesObject;
      parses.set(this, parsed);
    }
    return parsed;
  }

  /** Bytes that the record holds outside the heap. */
  get jsonBytes(): number {
    return this.#json.byteLength;
  }
}

/** Two generations of parses: what was not asked for during a whole generation is dropped with it, without bookkeeping per read. */
class RecentParses {
  readonly #maxPerGeneration = 512;
  #young = new Map<ObjectRecord, KubernetesObject>();
  #old = new Map<ObjectRecord, KubernetesObject>();

  get(record: ObjectRecord): KubernetesObject | undefined {
    const young = this.#young.get(record);
    if (young !== undefined) return young;
    const old = this.#old.get(record);
    if (old !== undefined) this.set(record, old);
    return old;
  }

  set(record: ObjectRecord, parsed: KubernetesObject): void {
    if (this.#young.size >= this.#maxPerGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(record, parsed);
  }
}

const parses = new RecentParses();
