/**
 * Ids of the graph: opaque text that is the same on every replica and after a restart. To the gateway an id is untrusted input: it says where to
 * look, and what is found there decides everything else.
 */

const version = '1';

/** Kinds that an id may name: those of the contract. One that is not built yet leads nowhere, as one that does not exist. */
const kindsOfIds = [
  'Cluster',
  'Node',
  'Namespace',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Pod',
  'PersistentVolumeClaim',
  'PersistentVolume',
  'StorageClass',
  'Service',
  'Ingress',
  'ConfigMap',
  'Secret',
  'CustomResourceDefinition',
] as const;

export type KindOfId = (typeof kindsOfIds)[number];

const clusterScoped: ReadonlySet<KindOfId> = new Set([
  'Cluster',
  'Node',
  'Namespace',
  'PersistentVolume',
  'StorageClass',
  'CustomResourceDefinition',
]);

/** What an id says. Nothing of it is proven but its form. */
export interface DecodedId {
  readonly cluster: string;
  readonly kind: KindOfId;
  /** Undefined for a cluster-scoped kind. */
  readonly namespace: string | undefined;
  /** Empty for a cluster. */
  readonly name: string;
  /** Empty for a cluster. */
  readonly uid: string;
}

/** What an id is made from. */
export interface Identifiable {
  readonly clusterName: string;
  readonly kind: string;
  readonly namespaceName: string | undefined;
  readonly name: string;
  readonly uid: string;
}

const separator = '\u0000';

export function encodeId(record: Identifiable): string {
  return encode([version, record.clusterName, record.kind, record.namespaceName ?? '', record.name, record.uid]);
}

/** A cluster is no object of Kubernetes: its id is its name. */
export function encodeClusterId(clusterName: string): string {
  return encode([version, clusterName, 'Cluster', '', '', '']);
}

/** A viewer is no object either, and no id leads to one. */
export function encodeViewerId(userId: string): string {
  return `user:${userId}`;
}

function encode(parts: readonly string[]): string {
  return Buffer.from(parts.join(separator), 'utf8').toString('base64url');
}

/** Version, cluster, kind, namespace, name, uid at their longest, in base64. */
const maxIdLength = 2_048;
const idPattern = /^[A-Za-z0-9_-]+$/;
/** A cluster's name is the operator's own; only what could never be one is refused. */
const clusterPattern = /^[^\u0000-\u001f\u007f]{1,253}$/u;
const namespacePattern = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const namePattern = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const uidPattern = /^[A-Za-z0-9][A-Za-z0-9-]{0,127}$/;
const kinds: ReadonlyMap<string, KindOfId> = new Map(kindsOfIds.map((kind) => [kind, kind]));
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns undefined for anything that {@link encodeId} could not have made of one of the contract's kinds. */
export function decodeId(id: string): DecodedId | undefined {
  if (id.length > maxIdLength || !idPattern.test(id)) return undefined;
  const bytes = Buffer.from(id, 'base64url');
  // Several texts decode to the same bytes; only one of them is the id.
  if (bytes.toString('base64url') !== id) return undefined;
  let parts: string[];
  try {
    parts = utf8.decode(bytes).split(separator);
  } catch {
    return undefined;
  }
  const [foundVersion, cluster = '', kindName = '', namespace = '', name = '', uid = ''] = parts;
  const kind = kinds.get(kindName);
  if (parts.length !== 6 || foundVersion !== version || kind === undefined || !clusterPattern.test(cluster)) return undefined;
  if (kind === 'Cluster') return namespace + name + uid === '' ? { cluster, kind, namespace: undefined, name, uid } : undefined;
  if (!namePattern.test(name) || !uidPattern.test(uid)) return undefined;
  if (clusterScoped.has(kind)) return namespace === '' ? { cluster, kind, namespace: undefined, name, uid } : undefined;
  return namespacePattern.test(namespace) ? { cluster, kind, namespace, name, uid } : undefined;
}
