import { GraphQLSchema, isAbstractType } from 'graphql';
import { buildSchemaSync, type NonEmptyArray, type PubSub } from 'type-graphql';
import { ObjectRecord } from '../k8s/objects.js';
import { errorCodeEnum } from './enums.js';
import { govern } from './permission.js';

/**
 * The schema of these resolver classes, with the permission layer in it.
 * @throws Error where a field that must say how it is governed does not.
 */
export function buildSchema(resolvers: NonEmptyArray<new () => object>): GraphQLSchema {
  const built = buildSchemaSync({ resolvers, validate: false, pubSub: noTopics });
  const config = built.toConfig();
  const schema = govern(new GraphQLSchema({ ...config, types: [...config.types, errorCodeEnum] }));
  for (const type of Object.values(schema.getTypeMap())) {
    // type-graphql's own are promises, which compiled queries cannot wait for.
    if (isAbstractType(type)) type.resolveType = typeNameOf;
  }
  return schema;
}

/** Every subscription of the graph has a source of its own; type-graphql wants this all the same. */
const noTopics: PubSub = {
  publish: () => undefined,
  subscribe: () => {
    throw new Error('No subscription of this schema has topics.');
  },
};

/** What stands behind an interface: a record of Kubernetes, which knows its kind, or else a cluster or a project. */
function typeNameOf(source: unknown): string {
  if (source instanceof ObjectRecord) return source.kind === 'Node' ? 'ClusterNode' : source.kind;
  return typeof source === 'object' && source !== null && 'displayName' in source ? 'Cluster' : 'Project';
}
