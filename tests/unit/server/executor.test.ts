import {
  GraphQLError,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
  type ExecutionResult,
} from 'graphql';
import { GatewayError } from '../../../src/errors.js';
import type { Context } from '../../../src/schema/context.js';
import { Executor } from '../../../src/server/executor.js';

const pod: GraphQLObjectType = new GraphQLObjectType({
  name: 'Pod',
  fields: () => ({
    name: { type: new GraphQLNonNull(GraphQLString) },
    poison: {
      type: GraphQLString,
      resolve: () => {
        throw new GatewayError('FORBIDDEN', 'no');
      },
    },
    trap: { type: GraphQLString },
    echo: { type: GraphQLString, args: { first: { type: GraphQLInt, defaultValue: 50 } }, resolve: (_pod, { first }) => String(first) },
  }),
});
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: {
      pods: {
        type: new GraphQLList(pod),
        resolve: () => [
          { name: 'a' },
          {
            name: 'b',
            get trap(): string {
              throw new Error('a getter that throws');
            },
          },
        ],
      },
    },
  }),
});
const context = {} as Context;

function runner(options: ConstructorParameters<typeof Executor>[1] = {}) {
  const engines: string[] = [];
  const executor = new Executor(schema, { ...options, onRun: (engine) => engines.push(engine) });
  const documents = new Map<string, ReturnType<typeof parse>>();
  const run = (text: string, variables?: Record<string, unknown>): Promise<ExecutionResult> => {
    let document = documents.get(text);
    if (document === undefined) documents.set(text, (document = parse(text)));
    return Promise.resolve(executor.run({ document, operationName: undefined, variables, context }));
  };
  return { executor, engines, run };
}

const plain = (result: ExecutionResult): unknown =>
  JSON.parse(JSON.stringify({ data: result.data, errors: result.errors?.map((error) => error.toJSON()) }));

it('compiles a document when it comes back for the third time, and answers the same', async () => {
  const { engines, run } = runner();
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(plain(await run('{ pods { name echo poison } }')));
  expect(engines).toEqual(['interpreted', 'interpreted', 'compiled', 'compiled']);
  expect(answers[2]).toEqual(answers[0]);
  expect(answers[3]).toEqual(answers[0]);
});

it('keeps the original error behind a compiled one, so that its code survives', async () => {
  const { run } = runner({ compileAt: 1 });
  const { errors } = await run('{ pods { poison } }');
  expect(errors).toHaveLength(2);
  expect(errors?.[0]).toBeInstanceOf(GraphQLError);
  expect(errors?.[0]?.originalError).toMatchObject({ code: 'FORBIDDEN' });
  expect(errors?.[1]?.path).toEqual(['pods', 1, 'poison']);
});

it('answers by graphql-js where compiled code would fail as a whole', async () => {
  const { run } = runner({ compileAt: 1 });
  const { data, errors } = await run('{ pods { name trap } }');
  expect(plain({ data: data ?? null })).toEqual({
    data: {
      pods: [
        { name: 'a', trap: null },
        { name: 'b', trap: null },
      ],
    },
  });
  expect(errors).toHaveLength(1);
});

it('lets graphql-js word what is wrong with variables', async () => {
  const { run } = runner({ compileAt: 1 });
  const compiled = await run('query ($n: Int) { pods { echo(first: $n) } }', { n: 'x' });
  const interpreted = await runner().run('query ($n: Int) { pods { echo(first: $n) } }', { n: 'x' });
  expect(plain(compiled)).toEqual(plain(interpreted));
  expect(compiled).not.toHaveProperty('data');
});

it.each([
  '{ __schema { types { name } } }',
  'query ($a: Boolean!) { pods { ...P @include(if: $a) ...P @skip(if: $a) } } fragment P on Pod { name }',
])('never compiles %s', async (text) => {
  const { engines, run } = runner({ compileAt: 1 });
  await run(text, { a: true });
  expect(engines).toEqual(['interpreted']);
});

it('uses the default of an argument whose variable is left out', async () => {
  const { run } = runner({ compileAt: 1 });
  expect(plain(await run('query ($n: Int) { pods { echo(first: $n) } }'))).toMatchObject({
    data: { pods: [{ echo: '50' }, { echo: '50' }] },
  });
});

it('keeps a bounded number of compiled operations, the last used', async () => {
  const { executor, engines, run } = runner({ compileAt: 1, maxCompiled: 2 });
  for (const text of ['{ a: pods { name } }', '{ b: pods { name } }', '{ a: pods { name } }', '{ c: pods { name } }']) await run(text);
  expect(executor.compiledCount).toBe(2);
  await run('{ a: pods { name } }');
  expect(executor.compiledCount).toBe(2);
  expect(engines.every((engine) => engine === 'compiled')).toBe(true);
});
