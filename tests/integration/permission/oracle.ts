import { isInterfaceType, isObjectType, Kind, type GraphQLField, type GraphQLSchema } from 'graphql';
import { projectsOfNamespaces, rolesOfUsers } from './world.js';

/**
 * What each viewer is to be answered, worked out from what a cloud administrator is answered, and from the product's table as it is written down
 * here once more.
 */

/** Rows that are blank for all but cloud administrators, and those that are blank for users; the product document's, and the gateway's own. */
const forCloudAdministrators = new Set(
  'CLUSTER_VIEW NODE_VIEW NODE_SCHEDULE NODE_LABEL NODE_TAINT CUSTOM_RESOURCE_DEFINITION_IMPORT QUOTA_UPDATE PLATFORM_VIEW'.split(' '),
);
const forAdministrators = new Set(
  (
    'NAMESPACE_VIEW NAMESPACE_CREATE NAMESPACE_DELETE STORAGE_VIEW STORAGE_CLASS_YAML_VIEW PERSISTENT_VOLUME_YAML_VIEW ' +
    'PERSISTENT_VOLUME_DELETE NETWORK_ISOLATION_UPDATE AUDIT_VIEW'
  ).split(' '),
);
const forReaders = new Set(
  'WORKLOAD_VIEW POD_YAML_VIEW POD_LOGS PERSISTENT_VOLUME_CLAIM_VIEW CONFIG_VIEW NETWORK_VIEW CUSTOM_RESOURCE_VIEW QUOTA_VIEW GPU_VIEW'.split(
    ' ',
  ),
);

/** By type of the graph. */
const viewFunctions: Readonly<Record<string, string>> = {
  Cluster: 'CLUSTER_VIEW',
  ClusterNode: 'NODE_VIEW',
  Namespace: 'NAMESPACE_VIEW',
  Pod: 'WORKLOAD_VIEW',
  Deployment: 'WORKLOAD_VIEW',
  StatefulSet: 'WORKLOAD_VIEW',
  DaemonSet: 'WORKLOAD_VIEW',
  Job: 'WORKLOAD_VIEW',
  CronJob: 'WORKLOAD_VIEW',
};

export function viewFunctionOfType(type: string): string {
  const found = viewFunctions[type];
  if (found === undefined) throw new Error(`Say here by which function one may see a ${type}.`);
  return found;
}

const isCloudAdmin = (viewer: string): boolean => viewer === 'cloud-admin';

function holds(role: string | undefined, permission: string): boolean {
  if (role === undefined || forCloudAdministrators.has(permission)) return false;
  if (role === 'READER') return forReaders.has(permission);
  return role !== 'USER' || !forAdministrators.has(permission);
}

export function holdsIn(viewer: string, permission: string, project: string | undefined): boolean {
  return isCloudAdmin(viewer) || (project !== undefined && holds(rolesOfUsers[viewer]?.[project], permission));
}

export function holdsAnywhere(viewer: string, permission: string): boolean {
  return isCloudAdmin(viewer) || Object.values(rolesOfUsers[viewer] ?? {}).some((role) => holds(role, permission));
}

/** The function that the printed schema says governs a field; undefined where it says none. */
export function permissionOf(field: GraphQLField<unknown, unknown> | undefined): string | undefined {
  const value = field?.astNode?.directives?.find(({ name }) => name.value === 'permission')?.arguments?.[0]?.value;
  return value?.kind === Kind.ENUM ? value.value : undefined;
}

export type Value = { readonly [key: string]: unknown };

const anywhere = Symbol('anywhere');

/** The project of an object as an administrator was told of it, with what `metaOf` asks for. */
export function projectOf(type: string, value: Value): string | undefined | typeof anywhere {
  if (type === 'Project') return String(value['id']);
  if (type === 'Namespace') return projectsOfNamespaces[`${String(value['clusterName'])}/${String(value['name'])}`];
  if ('namespaceName' in value) return projectsOfNamespaces[`${String(value['clusterName'])}/${String(value['namespaceName'])}`];
  return anywhere;
}

type Sight = 'visible' | 'unknown' | 'forbidden';

/** How a single object that exists looks to a viewer. */
function sightOf(viewer: string, value: Value): Sight {
  const type = String(value['__typename']);
  if (isCloudAdmin(viewer)) return 'visible';
  const project = projectOf(type, value);
  const isJoined = typeof project === 'string' && rolesOfUsers[viewer]?.[project] !== undefined;
  if (type === 'Project') return isJoined ? 'visible' : 'unknown';
  if (typeof project !== 'string') return 'unknown';
  if (holdsIn(viewer, viewFunctionOfType(type), project)) return 'visible';
  return isJoined ? 'forbidden' : 'unknown';
}

/** One field that a generated query asks for. */
export interface Asked {
  /** Response key; the field's name where it is not renamed. */
  readonly key: string;
  readonly name: string;
  /** As in the document, without parentheses; empty where there are none. */
  readonly args: string;
  /** Only for objects of this type, or that implement it. */
  readonly on: string | undefined;
  /** Asked for inside a fragment that has a name. */
  readonly isInFragment: boolean;
  /** For a field that is not governed itself, but by the kind that it is asked for. */
  readonly viewFunction?: string;
  /** What a connection shows its items by. */
  readonly via: readonly ('nodes' | 'edges')[];
  readonly inner: readonly Asked[];
}

export interface Expected {
  readonly data: Value;
  /** `path CODE`, sorted. */
  readonly errors: readonly string[];
}

/** Told of each governed field that was decided on. */
export type OnDecision = (coordinate: string, isAllowed: boolean) => void;

/** Cuts what an administrator was answered down to what a viewer is to be answered. */
export class Oracle {
  readonly #schema: GraphQLSchema;
  readonly #viewer: string;
  readonly #onDecision: OnDecision;
  #errors: string[] = [];

  constructor(schema: GraphQLSchema, viewer: string, onDecision: OnDecision) {
    this.#schema = schema;
    this.#viewer = viewer;
    this.#onDecision = onDecision;
  }

  /** @param root Such as `Query`. */
  expect(root: string, asked: readonly Asked[], answered: Value): Expected {
    this.#errors = [];
    const data = this.#object({ ...answered, __typename: root }, asked, []);
    delete (data as Record<string, unknown>)['__typename'];
    return { data, errors: this.#errors.sort() };
  }

  /** Whether the viewer may see this object at all. */
  sees(value: Value): boolean {
    return sightOf(this.#viewer, value) === 'visible';
  }

  #object(value: Value, asked: readonly Asked[], path: readonly (string | number)[]): Value {
    const type = String(value['__typename']);
    const kept: Record<string, unknown> = {};
    const keys = new Set(asked.map(({ key }) => key));
    // What is there beside the fields that were asked for is what tells objects apart.
    for (const [key, one] of Object.entries(value)) if (!keys.has(key)) kept[key] = one;
    for (const one of asked) if (this.#applies(one, type)) kept[one.key] = this.#field(type, value, one, [...path, one.key]);
    return kept;
  }

  #applies({ on }: Asked, type: string): boolean {
    if (on === undefined || on === type) return true;
    const found = this.#schema.getType(type);
    return isObjectType(found) && found.getInterfaces().some(({ name }) => name === on);
  }

  #field(type: string, parent: Value, asked: Asked, path: readonly (string | number)[]): unknown {
    const owner = this.#schema.getType(type);
    if (!isObjectType(owner) && !isInterfaceType(owner)) throw new Error(`${type} has no fields.`);
    const permission = permissionOf(owner.getFields()[asked.name]) ?? asked.viewFunction;
    if (permission !== undefined) {
      const project = this.#placeOf(type, parent, asked);
      const isAllowed = project === anywhere ? holdsAnywhere(this.#viewer, permission) : holdsIn(this.#viewer, permission, project);
      if (asked.viewFunction === undefined) this.#onDecision(`${type}.${asked.name}`, isAllowed);
      if (!isAllowed) return this.#refused(path);
    }
    return this.#value(parent[asked.key], asked, path);
  }

  #placeOf(type: string, parent: Value, { key }: Asked): string | undefined | typeof anywhere {
    if (type === 'Query' || type === 'Subscription') return anywhere;
    if (!type.endsWith('Change')) return projectOf(type, parent);
    // A change is where the object is that it carries.
    const carried = parent[key] as Value | null;
    return carried === null ? anywhere : projectOf(String(carried['__typename']), carried);
  }

  #refused(path: readonly (string | number)[]): null {
    this.#errors.push(`${path.join('.')} FORBIDDEN`);
    return null;
  }

  #value(value: unknown, asked: Asked, path: readonly (string | number)[]): unknown {
    if (Array.isArray(value)) return this.#list(value, asked, path);
    if (typeof value !== 'object' || value === null) return value;
    const found = value as Value;
    if ('totalCount' in found) return this.#connection(found, asked, path);
    // A change has no id: it is seen or not by the object that it carries.
    if (!('id' in found)) return asked.inner.length === 0 ? found : this.#object(found, asked.inner, path);
    switch (sightOf(this.#viewer, found)) {
      case 'visible':
        return this.#object(found, asked.inner, path);
      case 'forbidden':
        return this.#refused(path);
      case 'unknown':
        return null;
    }
  }

  #list(values: readonly unknown[], asked: Asked, path: readonly (string | number)[]): unknown[] {
    const visible = values.filter((one) => typeof one !== 'object' || one === null || !('id' in one) || this.sees(one as Value));
    return visible.map((one, index) =>
      typeof one === 'object' && one !== null ? this.#object(one as Value, asked.inner, [...path, index]) : one,
    );
  }

  #connection(found: Value, asked: Asked, path: readonly (string | number)[]): Value {
    const kept: Record<string, unknown> = {};
    const nodes = found['nodes'] as readonly Value[] | undefined;
    const edges = found['edges'] as readonly { readonly node: Value }[] | undefined;
    const all = nodes ?? edges?.map(({ node }) => node) ?? [];
    kept['totalCount'] = all.filter((one) => this.sees(one)).length;
    if (nodes !== undefined) kept['nodes'] = this.#list(nodes, asked, [...path, 'nodes']);
    if (edges !== undefined) {
      kept['edges'] = edges
        .filter(({ node }) => this.sees(node))
        .map(({ node }, index) => ({ node: this.#object(node, asked.inner, [...path, 'edges', index, 'node']) }));
    }
    return kept;
  }
}
