import {
  defaultFieldResolver,
  DirectiveLocation,
  getNamedType,
  GraphQLDirective,
  GraphQLEnumType,
  GraphQLError,
  GraphQLNonNull,
  GraphQLSchema,
  GraphQLString,
  isEnumType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  Kind,
  responsePathAsArray,
  type DirectiveNode,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
} from 'graphql';
import { isPermissionFunction, permissionFunctions, type PermissionFunction } from '../auth/matrix.js';
import type { GatewayError } from '../errors.js';
import { ObjectRecord } from '../k8s/objects.js';
import type { Reader } from '../k8s/reader.js';
import type { Context } from './context.js';

const functionEnumName = 'PermissionFunction';

/** `@ungoverned(reason:)`: the permission matrix does not govern the field, and why. */
export const ungovernedDirective = new GraphQLDirective({
  name: 'ungoverned',
  description: 'A root field, or a field that leads to another governed type, that the permission matrix does not govern, and why.',
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: { reason: { type: new GraphQLNonNull(GraphQLString) } },
});

/** `@permission(function:)`, its argument of the schema's own enum: two enums of one name cannot be in one schema. */
export function permissionDirectiveOf(schema: GraphQLSchema): GraphQLDirective {
  const known = schema.getType(functionEnumName);
  const functions = isEnumType(known)
    ? known
    : new GraphQLEnumType({ name: functionEnumName, values: Object.fromEntries(permissionFunctions.map((name) => [name, {}])) });
  return new GraphQLDirective({
    name: 'permission',
    description: "The row of the permission matrix that governs the field, in the project of the field's parent.",
    locations: [DirectiveLocation.FIELD_DEFINITION],
    args: { function: { type: new GraphQLNonNull(functions) } },
  });
}

/**
 * Turns a schema whose fields carry the two directives into one that obeys them: defines the directives, checks that none is missing, and puts
 * the check before each governed field. The types are the given schema's own, changed in place; it must not be used, or governed again, afterwards.
 * @throws Error that lists every field at which the rule is broken.
 */
export function govern(schema: GraphQLSchema): GraphQLSchema {
  const governed = new GraphQLSchema({
    ...schema.toConfig(),
    directives: [
      ...schema.getDirectives().filter(({ name }) => name !== 'permission' && name !== ungovernedDirective.name),
      permissionDirectiveOf(schema),
      ungovernedDirective,
    ],
  });
  const problems = checkGovernance(governed);
  if (problems.length > 0)
    throw new Error(`The permission matrix does not cover the schema:\n${problems.map((text) => `- ${text}`).join('\n')}`);
  enforcePermissions(governed);
  return governed;
}

// ── the rule

interface Governance {
  readonly permissions: readonly string[];
  readonly reasons: readonly string[];
}

type Composite = GraphQLObjectType | GraphQLInterfaceType;
type Field = GraphQLField<unknown, Context>;

/**
 * Where the rule of governance is broken, one sentence a field; empty where it holds. A root field, and any other field that leads to a type that
 * implements `Node`, carries one `@permission` of a known function, or one `@ungoverned` with a reason. What only carries nodes along is
 * transparent: the field that leads to a connection, an edge, a payload, a change or a batch leads to what is in it. In connections, edges and payloads the
 * fields themselves are then exempt; those of changes and batches are not, because they are decided again for each object while a stream lives.
 * A field that an interface governs is governed alike in every type that implements it.
 */
export function checkGovernance(schema: GraphQLSchema): readonly string[] {
  const roots = new Set<GraphQLNamedType | null | undefined>([
    schema.getQueryType(),
    schema.getMutationType(),
    schema.getSubscriptionType(),
  ]);
  const problems: string[] = [];
  for (const type of compositesOf(schema)) {
    for (const field of Object.values<Field>(type.getFields())) {
      const at = `${type.name}.${field.name}`;
      const { permissions, reasons } = governanceOf(field);
      const count = permissions.length + reasons.length;
      for (const name of permissions) {
        if (!isPermissionFunction(name)) problems.push(`${at}: @permission names ${name}, which is no function of the matrix.`);
      }
      if (reasons.some((reason) => reason.trim() === '')) problems.push(`${at}: @ungoverned gives no reason.`);
      if (count > 1) problems.push(`${at}: carries more than one of @permission and @ungoverned.`);
      if (count === 0 && (roots.has(type) || (leadsToNode(field) && !isExempt(type, field)))) {
        problems.push(
          `${at}: carries neither @permission nor @ungoverned, and ${roots.has(type) ? 'is a root field' : 'leads to a Node'}.`,
        );
      }
      for (const parent of type.getInterfaces()) {
        const [declared] = governanceOf(parent.getFields()[field.name]).permissions;
        if (declared !== undefined && permissions[0] !== declared) {
          problems.push(`${at}: ${parent.name} governs this field by ${declared}, and this type does not.`);
        }
      }
    }
  }
  return problems;
}

function compositesOf(schema: GraphQLSchema): readonly Composite[] {
  return Object.values(schema.getTypeMap()).filter(
    (type): type is Composite => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'),
  );
}

/** What only carries nodes along, told by its name and its shape. */
function wrapperKindOf(type: GraphQLNamedType): 'Connection' | 'Edge' | 'Payload' | 'Change' | 'Batch' | undefined {
  if (!isObjectType(type) || isNode(type)) return undefined;
  const fields = type.getFields();
  const has = (name: string): boolean => fields[name] !== undefined;
  if (type.name.endsWith('Connection') && has('pageInfo') && (has('nodes') || has('edges'))) return 'Connection';
  if (type.name.endsWith('Edge') && has('cursor') && has('node')) return 'Edge';
  if (type.name.endsWith('Payload') && has('warnings')) return 'Payload';
  if (type.name.endsWith('Change') && has('type') && has('cursor')) return 'Change';
  if (type.name.endsWith('Batch') && has('cursor')) return 'Batch';
  return undefined;
}

function isExempt(parent: Composite, field: Field): boolean {
  switch (wrapperKindOf(parent)) {
    case 'Connection':
      return field.name === 'nodes' || field.name === 'edges';
    case 'Edge':
      return field.name === 'node';
    case 'Payload':
      return true;
    default:
      return false;
  }
}

function isNode(type: Composite): boolean {
  return type.name === 'Node' || type.getInterfaces().some(({ name }) => name === 'Node');
}

function leadsToNode(field: Field, seen = new Set<GraphQLNamedType>()): boolean {
  const type = getNamedType(field.type);
  if (isUnionType(type)) return type.getTypes().some(isNode);
  if (!isObjectType(type) && !isInterfaceType(type)) return false;
  if (isNode(type)) return true;
  if (wrapperKindOf(type) === undefined || seen.has(type)) return false;
  seen.add(type);
  return Object.values<Field>(type.getFields()).some((inner) => leadsToNode(inner, seen));
}

function governanceOf(field: Pick<Field, 'astNode'> | undefined): Governance {
  const directives = field?.astNode?.directives ?? [];
  return {
    permissions: argumentsOf(directives, 'permission', 'function'),
    reasons: argumentsOf(directives, ungovernedDirective.name, 'reason'),
  };
}

function argumentsOf(directives: readonly DirectiveNode[], directive: string, argument: string): readonly string[] {
  return directives
    .filter(({ name }) => name.value === directive)
    .map((applied) => {
      const value = applied.arguments?.find(({ name }) => name.value === argument)?.value;
      return value?.kind === Kind.ENUM || value?.kind === Kind.STRING ? value.value : '';
    });
}

/** The function that governs a field; undefined where none does. */
export function permissionOfField(field: Pick<Field, 'astNode'>): PermissionFunction | undefined {
  const [name] = governanceOf(field).permissions;
  return name !== undefined && isPermissionFunction(name) ? name : undefined;
}

// ── the check

/** A field whose parent belongs to no one project is decided by what is held anywhere. */
const anywhere = Symbol('anywhere');

type Place = (source: unknown, reader: Reader) => string | undefined | typeof anywhere;

/**
 * Puts the check before the resolver of each field that carries `@permission`, and of no other: one or two look-ups, without a promise. A refusal is
 * thrown, so that the field is null with a `FORBIDDEN` error at its path. A root field of a subscription is checked when it begins and for each event;
 * both use the session's access as of then.
 */
export function enforcePermissions(schema: GraphQLSchema): void {
  const roots = new Set<GraphQLNamedType | null | undefined>([
    schema.getQueryType(),
    schema.getMutationType(),
    schema.getSubscriptionType(),
  ]);
  for (const type of compositesOf(schema)) {
    // Nothing ever runs the resolvers of an interface; those of the types that implement it were made from them.
    if (!isObjectType(type)) continue;
    for (const field of Object.values<Field>(type.getFields())) {
      const permission = permissionOfField(field);
      if (permission === undefined) continue;
      const place = roots.has(type) ? (): typeof anywhere => anywhere : placeOf(type, field);
      field.resolve = guarded(permission, place, field.resolve ?? defaultFieldResolver);
      if (field.subscribe !== undefined) field.subscribe = guarded(permission, place, field.subscribe);
    }
  }
}

function guarded(
  permission: PermissionFunction,
  place: Place,
  resolve: GraphQLFieldResolver<unknown, Context>,
): GraphQLFieldResolver<unknown, Context> {
  return (source, args, context, info) => {
    const refusal = refusalOf(permission, place, source, context, info);
    if (refusal === undefined) return resolve(source, args, context, info);
    // What is refused counts as what it would have led to, and gives way before its place in the document is looked up: thousands of refusals must not
    // keep the loop either.
    const pace = context.budget.take<void>(1, undefined);
    if (pace instanceof Promise) {
      return pace.then(() => {
        throw located(refusal, info);
      });
    }
    throw located(refusal, info);
  };
}

/**
 * The refusal at a field's path. graphql-js takes an error that has a path as it is; else it makes one itself, with a stack,
 * which takes four times as long.
 */
function located(refusal: GatewayError, info: GraphQLResolveInfo): GraphQLError {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return new GraphQLError(refusal.message, { nodes: info.fieldNodes, path: responsePathAsArray(info.path), originalError: refusal });
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function refusalOf(
  permission: PermissionFunction,
  place: Place,
  source: unknown,
  context: Context,
  info: GraphQLResolveInfo,
): GatewayError | undefined {
  const { access } = context.session;
  if (access.projectsWith(permission) === undefined) return undefined;
  const project = place(source, context.reader);
  const isAllowed = project === anywhere ? access.allowsAnywhere(permission) : access.allowsIn(permission, project);
  if (isAllowed) return undefined;
  return context.refusals.refuse(permission, project === anywhere ? undefined : project, () => responsePathAsArray(info.path).join('.'));
}

/** How to tell the project that a field's parent belongs to. */
function placeOf(type: GraphQLObjectType, field: Field): Place {
  if (type.name === 'Project') return (source) => textOf(source, 'id');
  if (wrapperKindOf(type) === 'Change') {
    // A change belongs where the object does that it carries; one that carries none shows nothing.
    return (source, reader) => placeOfSource(propertyOf(source, field.name) ?? propertyOf(source, 'record'), reader);
  }
  return placeOfSource;
}

const placeOfSource: Place = (source, reader) => {
  if (!(source instanceof ObjectRecord)) return anywhere;
  const project = reader.projectOf(source);
  // What is in a namespace without a project belongs to nobody; a node belongs to no project by its nature.
  return project !== undefined || source.namespaceName !== undefined || source.kind === 'Namespace' ? project : anywhere;
};

function propertyOf(source: unknown, name: string): unknown {
  return typeof source === 'object' && source !== null ? (source as Readonly<Record<string, unknown>>)[name] : undefined;
}

function textOf(source: unknown, name: string): string | undefined {
  const value = propertyOf(source, name);
  return typeof value === 'string' ? value : undefined;
}
