import { defaultFieldResolver, GraphQLSchema, isAbstractType, isObjectType, type GraphQLField } from 'graphql';
import { buildSchemaSync, type NonEmptyArray, type PubSub } from 'type-graphql';
import { ObjectRecord } from '../k8s/objects.js';
import type { Context } from './context.js';
import { errorCodeEnum } from './enums.js';
import { govern } from './permission.js';

/**
 * The schema of these resolver classes, with the permission layer in it.
 * @throws Error where a field that must say how it is governed does not.
 */
export function buildSchema(resolvers: NonEmptyArray<new () => object>): GraphQLSchema {
  const built = buildSchemaSync({ resolvers, validate: false, pubSub: noTopics });
  const config = built.toConfig();
  const whole = new GraphQLSchema({ ...config, types: [...config.types, errorCodeEnum] });
  pace(whole);
  const schema = govern(whole);
  for (const type of Object.values(schema.getTypeMap())) {
    // type-graphql's own are promises, which compiled queries cannot wait for.
    if (isAbstractType(type)) type.resolveType = typeNameOf;
  }
  return schema;
}

/** What is not merely read off a record, most of it from the object's JSON, with the number of objects that it counts as: making YAML takes that much longer. */
const readFromJson: Readonly<Record<string, number>> = {
  annotations: 1,
  labels: 1,
  nextScheduledAt: 1,
  finalizers: 1,
  conditions: 1,
  containers: 1,
  template: 1,
  selector: 1,
  updateStrategy: 1,
  serviceName: 1,
  concurrencyPolicy: 1,
  yaml: 10,
};

/** What of a page is worked out only where it is asked for, and may look at much. */
const workedOut: Readonly<Record<string, readonly string[]>> = { Connection: ['totalCount', 'edges'], PageInfo: ['hasPreviousPage'] };

/**
 * Lets others in between such fields: an answer has thousands of them, and graphql asks for all at once. All other fields that take longer than reading
 * a property have resolvers that see to it themselves.
 */
function pace(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const isObject = type.getInterfaces().some(({ name }) => name === 'Resource');
    const names = type.name.endsWith('Connection') ? workedOut['Connection'] : workedOut[type.name];
    for (const field of Object.values<GraphQLField<unknown, Context>>(type.getFields())) {
      const count = isObject ? readFromJson[field.name] : names?.includes(field.name) === true ? 1 : undefined;
      if (count === undefined) continue;
      const { resolve = defaultFieldResolver } = field;
      field.resolve = (source, args, context, info) =>
        context.budget.run(
          () => resolve(source, args, context, info),
          () => count * weightOf(source),
        );
    }
  }
}

/** What the JSON of an object seldom exceeds. What is larger counts as more: tenants write annotations of 256 KB. */
const commonBytes = 32_768;

const weightOf = (source: unknown): number => (source instanceof ObjectRecord ? 1 + Math.floor(source.jsonBytes / commonBytes) : 1);

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
