import type { KubernetesObject, ObjectMeta } from '../../../src/k8s/objects.js';

/** What the permission tests ask about, and who asks. Every transport serves the same world. */

export const projectLabel = 'openstack.org/project-id';

/** Clusters by name; `projects`: those whose members may create things in it, all where it is left out. */
export const worldClusters: readonly { readonly name: string; readonly projects?: readonly string[] }[] = [
  { name: 'east' },
  { name: 'west', projects: ['p-b'] },
];

/** The projects as a token file has them. `p-c` has no namespaces at first. */
export const worldProjects = [
  { id: 'p-a', name: 'alpha', department: { id: 'd-one', name: 'One' } },
  { id: 'p-b', name: 'beta', department: { id: 'd-two', name: 'Two' } },
  { id: 'p-c', name: 'gamma' },
];

/** A user as a token file has it, but for the token, which is the id. */
export interface User {
  readonly id: string;
  readonly cloudAdmin?: boolean;
  readonly roles?: Readonly<Record<string, string>>;
  readonly departments?: Readonly<Record<string, string>>;
}

/** Everybody who asks. */
export const worldUsers: readonly User[] = [
  { id: 'cloud-admin', cloudAdmin: true },
  { id: 'department-admin', departments: { 'd-one': 'DEPARTMENT_ADMIN' } },
  { id: 'project-admin', roles: { 'p-a': 'PROJECT_ADMIN' } },
  { id: 'user', roles: { 'p-a': 'USER' } },
  { id: 'reader', roles: { 'p-a': 'READER' } },
  { id: 'outsider' },
  { id: 'member-of-nothing-yet', roles: { 'p-c': 'PROJECT_ADMIN' } },
  { id: 'admin-of-other', roles: { 'p-b': 'PROJECT_ADMIN' } },
  { id: 'admin-here-user-there', roles: { 'p-a': 'PROJECT_ADMIN', 'p-b': 'USER' } },
  { id: 'user-here-admin-there', roles: { 'p-a': 'USER', 'p-b': 'PROJECT_ADMIN' } },
];

/** The role that a user holds in each project, written down a second time: what is expected is not worked out by what is tested. */
export const rolesOfUsers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'cloud-admin': {},
  'department-admin': { 'p-a': 'DEPARTMENT_ADMIN' },
  'project-admin': { 'p-a': 'PROJECT_ADMIN' },
  user: { 'p-a': 'USER' },
  reader: { 'p-a': 'READER' },
  outsider: {},
  'member-of-nothing-yet': { 'p-c': 'PROJECT_ADMIN' },
  'admin-of-other': { 'p-b': 'PROJECT_ADMIN' },
  'admin-here-user-there': { 'p-a': 'PROJECT_ADMIN', 'p-b': 'USER' },
  'user-here-admin-there': { 'p-a': 'USER', 'p-b': 'PROJECT_ADMIN' },
};

/** By cluster and namespace. */
export const projectsOfNamespaces: Readonly<Record<string, string | undefined>> = {
  'east/a1': 'p-a',
  'east/a2': 'p-a',
  'east/b1': 'p-b',
  'east/free': undefined,
  'west/b2': 'p-b',
};

const namespacesMadeAt = '2026-01-01T00:00:00Z';
const objectsMadeAt = '2026-01-02T00:00:00Z';

/** An object of the world; `meta` goes into its metadata. */
export function object(
  apiVersion: string,
  kind: string,
  name: string,
  namespace: string | undefined,
  rest: object = {},
  meta: Partial<ObjectMeta> = {},
): KubernetesObject {
  return {
    apiVersion,
    kind,
    ...rest,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: `${kind.toLowerCase()}-${namespace ?? ''}-${name}`,
      resourceVersion: '1',
      creationTimestamp: objectsMadeAt,
      labels: { app: name },
      ...meta,
    },
  };
}

export function namespaceObject(name: string, project: string | undefined, meta: Partial<ObjectMeta> = {}): KubernetesObject {
  const labels: Record<string, string> = project === undefined ? {} : { [projectLabel]: project };
  return object(
    'v1',
    'Namespace',
    name,
    undefined,
    { status: { phase: 'Active' } },
    { labels, creationTimestamp: namespacesMadeAt, ...meta },
  );
}

const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'main', image: 'nginx:1' }] } };

const ownedBy = (owner: KubernetesObject): Partial<ObjectMeta> => ({
  ownerReferences: [
    { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid, controller: true },
  ],
});

export function podObject(name: string, namespace: string, owner?: KubernetesObject, meta: Partial<ObjectMeta> = {}): KubernetesObject {
  return object(
    'v1',
    'Pod',
    name,
    namespace,
    {
      spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'nginx:1' }] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    },
    { ...(owner === undefined ? {} : ownedBy(owner)), ...meta },
  );
}

/** One workload of each kind, with a pod of the deployment and one of the stateful set. */
function tenantObjects(namespace: string): KubernetesObject[] {
  const spec = { selector: { matchLabels: { app: 'x' } }, template };
  const replicated = {
    spec: { ...spec, replicas: 1 },
    status: { replicas: 1, readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  };
  const deployment = object('apps/v1', 'Deployment', 'web', namespace, replicated);
  const replicaSet = object('apps/v1', 'ReplicaSet', 'web-1', namespace, replicated, ownedBy(deployment));
  const statefulSet = object('apps/v1', 'StatefulSet', 'db', namespace, replicated);
  return [
    deployment,
    replicaSet,
    statefulSet,
    object('apps/v1', 'DaemonSet', 'agent', namespace, { spec, status: {} }),
    object('batch/v1', 'Job', 'import', namespace, { spec: { template, completions: 1 }, status: { active: 1 } }),
    object('batch/v1', 'CronJob', 'nightly', namespace, {
      spec: { schedule: '0 0 * * *', jobTemplate: { spec: { template } } },
      status: {},
    }),
    podObject('web-1-x', namespace, replicaSet),
    podObject('db-0', namespace, statefulSet),
  ];
}

/** Every object, by cluster. To be served as they are, uids and times included. */
export function worldObjects(): Readonly<Record<string, readonly KubernetesObject[]>> {
  const node = object(
    'v1',
    'Node',
    'node-1',
    undefined,
    {
      spec: {},
      status: { conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: {}, capacity: { cpu: '8', memory: '16Gi', pods: '110' } },
    },
    { creationTimestamp: namespacesMadeAt },
  );
  return {
    east: [
      namespaceObject('a1', 'p-a'),
      namespaceObject('a2', 'p-a'),
      namespaceObject('b1', 'p-b'),
      namespaceObject('free', undefined),
      node,
      ...tenantObjects('a1'),
      podObject('lone', 'a2'),
      ...tenantObjects('b1'),
      ...tenantObjects('free'),
    ],
    west: [namespaceObject('b2', 'p-b'), { ...node, metadata: { ...node.metadata, uid: 'node-west' } }, podObject('far', 'b2')],
  };
}

/** What an answer looks like on every transport: as the client gets it. */
export interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** A gateway that serves the world, as one transport reaches it. */
export interface Ask {
  /** @param viewer Id of a user, who signs in. @throws where the transport itself refuses (a sign-in that is over). */
  query(viewer: string, document: string, variables?: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** Ends when the server ends the operation. One that is refused gives one answer with its errors, and ends. */
  subscribe(viewer: string, document: string, variables?: Readonly<Record<string, unknown>>): AsyncGenerator<Answer, void, undefined>;
  /** Creates or changes an object, as a watch would tell. Resolves once the gateway knows. */
  put(cluster: string, object: KubernetesObject): Promise<void>;
  remove(cluster: string, kind: string, namespace: string | undefined, name: string): Promise<void>;
  /** Puts other users in the place of all that were. */
  setUsers(users: readonly User[]): Promise<void>;
  /** Makes a cluster unreachable since an instant (RFC 3339), or reachable again. */
  setUnavailable(cluster: string, staleSince: string | undefined): Promise<void>;
  close(): Promise<void>;
}

/** What opens a gateway for a test; each is closed by who opened it. */
export type OpenAsk = () => Promise<Ask>;
