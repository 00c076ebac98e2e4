import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLError,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  type GraphQLFieldConfigMap,
} from 'graphql';
import { GatewayError } from '../../../src/errors.js';
import type { Context } from '../../../src/schema/context.js';
import { Engines } from '../../support/engines.js';
import { QueryGenerator } from '../../support/query-generator.js';

/** A thing whose every field does one of the things that fields may do. */
class Thing {
  constructor(
    readonly kind: 'Box' | 'Ball',
    readonly name: string,
    readonly depth: number,
  ) {}
}

const colors = new GraphQLEnumType({ name: 'Color', values: { RED: {}, BLUE: { value: 'blue' } } });
const code = new GraphQLScalarType<string, string>({
  name: 'Code',
  serialize: (value) => {
    if (value === 'unfit') throw new TypeError('unfit');
    return `<${String(value)}>`;
  },
  parseValue: (value) => {
    if (typeof value !== 'string') throw new GraphQLError('Code must be text.');
    return value.toUpperCase();
  },
});
const filter = new GraphQLInputObjectType({
  name: 'Filter',
  fields: {
    color: { type: colors },
    names: { type: new GraphQLList(new GraphQLNonNull(GraphQLString)) },
    limit: { type: GraphQLInt, defaultValue: 7 },
    code: { type: code },
    not: { type: new GraphQLInputObjectType({ name: 'NotFilter', fields: { color: { type: colors, defaultValue: 'RED' } } }) },
  },
});

/** The same text for the same value: engines give fields of inputs in another order. */
const shown = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );

/**
 * @param isLate Whether some fields are promises. Then what must not be null fails as a promise only: graphql-js forgets the promises of a list when one of
 * its items fails at once, and one that fails afterwards would end the process of the test.
 */
function schemaOf(isLate: boolean): GraphQLSchema {
  const later = <T>(value: T): T | Promise<T> => (isLate ? Promise.resolve(value) : value);
  const forbidden = (): string => {
    throw new GatewayError('FORBIDDEN', 'no');
  };
  const many = (depth: number): Thing[] =>
    depth === 0 ? [] : [new Thing('Box', 'a', depth - 1), new Thing('Ball', 'b', depth - 1), new Thing('Box', 'unfit', 0)];
  const fields = (): GraphQLFieldConfigMap<Thing, Context> => ({
    name: { type: new GraphQLNonNull(GraphQLString) },
    depth: { type: GraphQLInt },
    isRound: { type: GraphQLBoolean, resolve: ({ kind }) => kind === 'Ball' },
    color: { type: colors, resolve: ({ depth }) => (depth % 2 === 0 ? 'blue' : 'RED') },
    wrongColor: { type: colors, resolve: () => 'green' },
    wrongNumber: { type: GraphQLInt, resolve: ({ name }) => name },
    code: { type: code, resolve: ({ name }) => name },
    unfit: { type: code, resolve: () => 'unfit' },
    refused: { type: GraphQLString, resolve: forbidden },
    refusedLater: { type: GraphQLString, resolve: () => later('x') && (isLate ? Promise.resolve().then(forbidden) : forbidden()) },
    refusedAndNeeded: {
      type: new GraphQLNonNull(GraphQLString),
      resolve: () => (isLate ? Promise.resolve().then(forbidden) : forbidden()),
    },
    failed: { type: GraphQLString, resolve: () => new Error('returned, not thrown') },
    missingAndNeeded: { type: new GraphQLNonNull(GraphQLString), resolve: () => later(null) },
    later: { type: GraphQLString, resolve: ({ name }) => later(name) },
    neededLater: { type: new GraphQLNonNull(GraphQLString), resolve: ({ name }) => later(name === 'b' ? null : name) },
    echo: {
      type: GraphQLString,
      args: {
        first: { type: GraphQLInt, defaultValue: 50 },
        color: { type: colors },
        code: { type: code },
        filter: { type: filter },
        names: { type: new GraphQLList(GraphQLString) },
      },
      resolve: (_thing, args) => shown(args),
    },
    neededArgument: {
      type: GraphQLString,
      args: { by: { type: new GraphQLNonNull(GraphQLInt) } },
      resolve: (_thing, args) => shown(args),
    },
    next: { type: thing, resolve: ({ depth }) => (depth === 0 ? null : new Thing(depth % 2 === 0 ? 'Ball' : 'Box', 'c', depth - 1)) },
    nextLater: { type: thing, resolve: ({ depth }) => later(depth === 0 ? null : new Thing('Box', 'd', depth - 1)) },
    nextNeeded: { type: new GraphQLNonNull(box), resolve: ({ depth }) => later(depth === 0 ? null : new Thing('Box', 'e', depth - 1)) },
    all: { type: new GraphQLList(thing), resolve: ({ depth }) => many(depth) },
    allNeeded: { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(either))), resolve: ({ depth }) => many(depth) },
    allLater: { type: new GraphQLList(new GraphQLNonNull(thing)), resolve: ({ depth }) => many(depth).map(later) },
    withHoles: { type: new GraphQLList(new GraphQLNonNull(thing)), resolve: ({ depth }) => [...many(depth), null].map(later) },
    noList: { type: new GraphQLList(thing), resolve: () => 7 },
  });
  const resolveType = ({ kind }: Thing): string => kind;
  const thing: GraphQLInterfaceType = new GraphQLInterfaceType({
    name: 'Thing',
    resolveType,
    // An interface resolves nothing itself.
    fields: () =>
      Object.fromEntries(
        Object.entries(fields()).map(([name, { type, args }]) => [name, { type, ...(args === undefined ? {} : { args }) }]),
      ),
  });
  const box: GraphQLObjectType<Thing, Context> = new GraphQLObjectType<Thing, Context>({
    name: 'Box',
    interfaces: () => [thing],
    fields: () => ({ ...fields(), size: { type: GraphQLInt, resolve: ({ depth }) => depth } }),
  });
  const ball: GraphQLObjectType<Thing, Context> = new GraphQLObjectType<Thing, Context>({
    name: 'Ball',
    interfaces: () => [thing],
    fields: () => ({ ...fields(), radius: { type: GraphQLInt, resolve: ({ depth }) => depth } }),
  });
  const either: GraphQLUnionType = new GraphQLUnionType({ name: 'Either', types: () => [box, ball], resolveType });
  return new GraphQLSchema({
    query: new GraphQLObjectType({
      name: 'Query',
      fields: {
        thing: { type: thing, resolve: () => new Thing('Box', 'a', 3) },
        either: { type: either, resolve: () => new Thing('Ball', 'b', 3) },
        things: { type: new GraphQLList(thing), resolve: () => many(3) },
        needed: { type: new GraphQLNonNull(thing), resolve: () => new Thing('Ball', 'b', 2) },
        text: { type: GraphQLString, resolve: () => 'text' },
      },
    }),
    types: [box, ball],
  });
}

const context = {} as Context;
const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

it.each([false, true])(
  `answers generated queries alike by both engines, fields that are promises: %s (TEST_SEED=${seed})`,
  async (isLate) => {
    const schema = schemaOf(isLate);
    const engines = new Engines(schema, () => context);
    const generator = new QueryGenerator(schema, seed, { maxDepth: 4, maxFields: 25 });
    let valid = 0;
    for (let i = 0; i < 200; i++) {
      const { query, variables } = generator.next();
      const document = engines.documentOf(query);
      if (document === undefined) continue;
      valid += 1;
      const { interpreted, compiled } = await engines.both(document, variables);
      expect({ query, variables, ...compiled }).toEqual({ query, variables, ...interpreted });
    }
    // The generator is worth nothing where most of what it makes is refused, or is never compiled.
    expect(valid).toBeGreaterThan(120);
    expect(engines.compiled).toBeGreaterThan(60);
  },
);
