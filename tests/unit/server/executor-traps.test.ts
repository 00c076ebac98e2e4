import { buildSchema, GraphQLError, GraphQLObjectType, parse, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { GatewayError } from '../../../src/errors.js';
import type { Context } from '../../../src/schema/context.js';
import { Executor } from '../../../src/server/executor.js';

// Where graphql-jit is known to answer otherwise than graphql-js. Each is asked of an executor that compiles whatever it thinks fit.

const sdl = `
  type Query { thing: Thing! things: [Thing] echo(filter: Filter, deep: Deep, first: Int = 50, list: [Int]): String a: A refused: String refusedAndNeeded: String! }
  type Mutation { count: Int fail: Int! }
  interface Thing { name: String next: Thing }
  type Box implements Thing { name: String next: Thing size: Int }
  type A { trap: String name: String promise: String call: String }
  input Filter { name: String limit: Int = 7 }
  input Deep { name: String not: Deep }
`;

type Resolve = (source: never, args: Readonly<Record<string, unknown>>, context: never) => unknown;

function schemaOf(resolvers: Readonly<Record<string, Readonly<Record<string, Resolve>>>>): GraphQLSchema {
  const schema = buildSchema(sdl);
  for (const [typeName, fields] of Object.entries(resolvers)) {
    const type = schema.getType(typeName);
    if (!(type instanceof GraphQLObjectType)) throw new Error(`There is no type ${typeName}.`);
    for (const [name, resolve] of Object.entries(fields)) {
      const field = type.getFields()[name];
      if (field === undefined) throw new Error(`There is no field ${name}.`);
      field.resolve = resolve as never;
    }
  }
  return schema;
}

const box = { __typename: 'Box', name: 'box', size: 3, next: { __typename: 'Box', name: 'inner', size: 1 } };
const schema = schemaOf({
  Query: {
    thing: () => box,
    things: () => [box, null, box],
    echo: (_source, args) => JSON.stringify(args),
    a: () => ({
      name: 'a',
      get trap(): string {
        throw new Error('a getter that throws');
      },
      promise: Promise.resolve('kept'),
      call: () => 'called',
    }),
    refused: () => {
      throw new GatewayError('FORBIDDEN', 'no');
    },
    refusedAndNeeded: () => {
      throw new GatewayError('FORBIDDEN', 'no');
    },
  },
});

interface Ran {
  readonly engine: string;
  readonly result: { readonly data?: unknown; readonly errors?: readonly unknown[] };
}

async function run(
  served: GraphQLSchema,
  compileAt: number,
  text: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Ran> {
  let engine = '';
  const executor = new Executor(served, { compileAt, onRun: (name) => (engine = name) });
  const result: ExecutionResult = await executor.run({
    document: parse(text),
    operationName: undefined,
    variables,
    context: {} as Context,
  });
  return { engine, result: JSON.parse(JSON.stringify(result)) as Ran['result'] };
}

/** Both answers, which must be the same. @returns the compiling executor's. */
async function alike(text: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Ran> {
  const compiled = await run(schema, 1, text, variables);
  const interpreted = await run(schema, Infinity, text, variables);
  expect(compiled.result).toEqual(interpreted.result);
  return compiled;
}

it('loses no field of a fragment that is spread twice under different conditions', async () => {
  const text = 'query ($a: Boolean!) { thing { ...F @include(if: $a) ...F @skip(if: $a) } } fragment F on Thing { name }';
  for (const a of [true, false]) expect((await alike(text, { a })).result).toEqual({ data: { thing: { name: 'box' } } });
});

it('loses no field that is spread twice under different conditions in fragments of two names', async () => {
  const text =
    'query ($a: Boolean!) { thing { ...F @include(if: $a) ...G @skip(if: $a) } } fragment F on Thing { next { name } } fragment G on Thing { next { next { name } } }';
  expect((await alike(text, { a: true })).result).toEqual({ data: { thing: { next: { name: 'inner' } } } });
  expect((await alike(text, { a: false })).result).toEqual({ data: { thing: { next: { next: null } } } });
});

it('loses no field of a fragment that is spread at another place, too, under a condition', async () => {
  const text = 'query ($a: Boolean!) { thing { name next { ...F @include(if: $a) } } other: thing { ...F } } fragment F on Thing { name }';
  expect((await alike(text, { a: true })).result).toEqual({
    data: { thing: { name: 'box', next: { name: 'inner' } }, other: { name: 'box' } },
  });
  expect((await alike(text, { a: false })).result).toEqual({ data: { thing: { name: 'box', next: {} }, other: { name: 'box' } } });
});

it('shows nothing of a field that is skipped where the same field is asked for beside it', async () => {
  const { result } = await alike('{ thing @skip(if: true) { next { name } } thing { name } }');
  expect(result).toEqual({ data: { thing: { name: 'box' } } });
});

it('compiles single conditions', async () => {
  const { engine, result } = await alike('query ($a: Boolean!) { thing { name @include(if: $a) next @skip(if: $a) { name } } }', {
    a: true,
  });
  expect(engine).toBe('compiled');
  expect(result).toEqual({ data: { thing: { name: 'box' } } });
});

it('runs no mutation after one that failed where it must not', async () => {
  let counted = 0;
  const changing = schemaOf({
    Mutation: {
      count: () => (counted += 1),
      fail: () => {
        throw new GatewayError('CONFLICT', 'no');
      },
    },
  });
  const { engine, result } = await run(changing, 1, 'mutation { a: count fail b: count }');
  expect(engine).toBe('interpreted');
  expect(result.data).toBeNull();
  expect(counted).toBe(1);
});

it.each([
  ['that is left out', {}, '{"filter":{"limit":7},"first":50}'],
  ['that is null', { name: null }, '{"filter":{"name":null,"limit":7},"first":50}'],
  ['that is given', { name: 'x' }, '{"filter":{"name":"x","limit":7},"first":50}'],
])('tells a variable inside an input object %s from one that is not', async (_what, variables, echo) => {
  const text = 'query ($name: String) { echo(filter: { name: $name }) }';
  const interpreted = await run(schema, Infinity, text, variables);
  const { result } = await run(schema, 1, text, variables);
  const parsed = ({ data }: Ran['result']): unknown => JSON.parse((data as { echo: string }).echo);
  expect(parsed(result)).toEqual(JSON.parse(echo));
  expect(parsed(result)).toEqual(parsed(interpreted.result));
});

it('compiles an input object inside which every variable is given', async () => {
  const { engine } = await run(schema, 1, 'query ($name: String) { echo(filter: { name: $name }) }', { name: 'x' });
  expect(engine).toBe('compiled');
});

it('does not try to compile a variable whose type holds itself, which would never end', async () => {
  const { engine, result } = await alike('query ($deep: Deep) { echo(deep: $deep) }', { deep: { not: { not: { name: 'x' } } } });
  expect(engine).toBe('interpreted');
  expect(result.data).toEqual({ echo: '{"deep":{"not":{"not":{"name":"x"}}},"first":50}' });
});

it('answers the other fields where a getter throws', async () => {
  const { result } = await alike('{ a { name trap } thing { name } }');
  expect(result.data).toEqual({ a: { name: 'a', trap: null }, thing: { name: 'box' } });
  expect(result.errors).toHaveLength(1);
});

it.each(['promise', 'call'])('answers the other fields where a plain property is a %s', async (field) => {
  const { result } = await run(schema, 1, `{ a { name ${field} } }`);
  expect(result.data).toMatchObject({ a: { name: 'a' } });
});

it('answers what is behind an interface by compiled code', async () => {
  const { engine, result } = await alike('{ things { __typename name ... on Box { size } } }');
  expect(engine).toBe('compiled');
  expect(result.data).toMatchObject({ things: [{ __typename: 'Box', size: 3 }, null, { __typename: 'Box', size: 3 }] });
});

it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__context', '__parent', 'then'])(
  'answers under the name %s as under any other',
  async (name) => {
    const { result } = await alike(`{ ${name}: thing { ${name}: name } second: thing { ${name}: name } }`);
    expect(Object.entries(result.data as object)).toEqual([
      [name, JSON.parse(`{ ${JSON.stringify(name)}: "box" }`)],
      ['second', JSON.parse(`{ ${JSON.stringify(name)}: "box" }`)],
    ]);
  },
);

it.each(['__proto__', 'constructor', 'v'])('takes a variable of the name %s', async (name) => {
  const variables = JSON.parse(`{ ${JSON.stringify(name)}: 3 }`) as Record<string, unknown>;
  await alike(`query ($${name}: Int) { echo(first: $${name}) }`, variables);
});

it.each(['`${1}`', "'", '"', '\\', '\u2028', '</script>', '*/', '\n//', '}'])(
  'takes the text %j as a text and nothing else',
  async (text) => {
    const { engine, result } = await alike(`{ echo(filter: { name: ${JSON.stringify(text)} }) }`);
    expect(engine).toBe('compiled');
    expect(JSON.parse((result.data as { echo: string }).echo)).toMatchObject({ filter: { name: text } });
  },
);

it('keeps the code of an error that bubbles to the root', async () => {
  const executor = new Executor(schema, { compileAt: 1 });
  const { data, errors } = await executor.run({
    document: parse('{ refused refusedAndNeeded }'),
    operationName: undefined,
    variables: {},
    context: {} as Context,
  });
  expect(data).toBeNull();
  for (const error of errors ?? []) {
    expect(error).toBeInstanceOf(GraphQLError);
    expect(error.originalError).toBeInstanceOf(GatewayError);
  }
  expect(errors?.length).toBeGreaterThan(0);
});

it('compiles nothing that selects more fields than can be compiled in a moment', async () => {
  const fields = Array.from({ length: 150 }, (_, index) => `a${index}: name b${index}: name`).join(' ');
  expect((await run(schema, 1, `{ thing { ${fields} } }`)).engine).toBe('interpreted');
  expect(
    (await run(schema, 1, `{ thing { ...F } } fragment F on Thing { next { ...G ...G } } fragment G on Thing { ${fields} }`)).engine,
  ).toBe('interpreted');
});

it('compiles no introspection', async () => {
  expect((await run(schema, 1, '{ __type(name: "Box") { fields { name } } }')).engine).toBe('interpreted');
});

it('answers what is asked of the schema alone once for all, and keeps a few such answers', async () => {
  const engines: string[] = [];
  const executor = new Executor(schema, { onRun: (engine) => engines.push(engine) });
  const documents = Array.from({ length: 5 }, (_, index) => parse(`{ __type(name: "Box") { a${index}: name } }`));
  const ask = async (index: number, context = {} as Context): Promise<ExecutionResult> =>
    executor.run({ document: documents[index] ?? parse(''), operationName: undefined, variables: {}, context });
  const first = await ask(0);
  expect(first).toEqual({ data: { __type: { a0: 'Box' } } });
  expect(await ask(0)).toBe(first);
  expect(engines).toEqual(['interpreted']);
  for (let index = 1; index < 5; index++) await ask(index);
  expect(await ask(0)).toEqual(first);
  expect(engines).toHaveLength(6);
});

it.each([
  ['beside a field', '{ __typename thing { name } __schema { queryType { name } } }', {}],
  ['by a variable', 'query ($name: String!) { __type(name: $name) { name } }', { name: 'Box' }],
  ['with an error', '{ __type(name: "Box") { name } refused }', {}],
])('keeps no answer about the schema that was asked for %s', async (_how, text, variables) => {
  const engines: string[] = [];
  const executor = new Executor(schema, { onRun: (engine) => engines.push(engine) });
  const document = parse(text);
  for (let i = 0; i < 2; i++) await executor.run({ document, operationName: undefined, variables, context: {} as Context });
  expect(engines).toEqual(['interpreted', 'interpreted']);
});
