import { setTimeout as wait } from 'node:timers/promises';
import { buildSchema, GraphQLObjectType, parse, type ExecutionResult } from 'graphql';
import { GatewayError } from '../../../src/errors.js';
import { Turns } from '../../../src/k8s/turns.js';
import { Budget } from '../../../src/schema/budget.js';
import type { Context } from '../../../src/schema/context.js';
import { Executor } from '../../../src/server/executor.js';
import { Operations, type OperationsOptions } from '../../../src/server/operations.js';

const schema = buildSchema(
  'type Query { things(count: Int!): [Thing!] never: String now: String } type Thing { things(count: Int!): [Thing!] name: String }',
);
const take = (_source: unknown, { count }: { count: number }, { budget }: Context): unknown =>
  budget.take(
    count,
    Array.from({ length: count }, () => ({ name: 'thing' })),
  );
for (const name of ['Query', 'Thing']) {
  const type = schema.getType(name);
  if (type instanceof GraphQLObjectType) Object.assign(type.getFields()['things'] ?? {}, { resolve: take });
}
const query = schema.getQueryType()?.getFields();
Object.assign(query?.['never'] ?? {}, { resolve: () => new Promise(() => undefined) });
Object.assign(query?.['now'] ?? {}, { resolve: () => 'now' });

const settled: Pick<OperationsOptions, 'kindsOf' | 'isSettled' | 'settle' | 'syncTimeoutMs'> = {
  kindsOf: () => [],
  isSettled: () => true,
  settle: () => Promise.resolve(),
  syncTimeoutMs: 1_000,
};

function operations(compileAt: number, options: Partial<OperationsOptions> = {}): Operations {
  return new Operations({ ...settled, executor: new Executor(schema, { compileAt }), ...options });
}

const contextWith = (maxObjects: number, signal = new AbortController().signal, sliceMs = 10): Context =>
  ({ budget: new Budget(new Turns(sliceMs), { maxObjects }, signal), signal }) as unknown as Context;

const run = async (on: Operations, text: string, context: Context): Promise<ExecutionResult> =>
  on.run({ document: parse(text), operationName: undefined, variables: {}, context });

const codes = ({ errors = [] }: ExecutionResult): unknown[] =>
  errors.map(({ originalError }) => (originalError instanceof GatewayError ? originalError.code : originalError));

describe.each([
  ['compiled', 1],
  ['interpreted', Infinity],
])('an operation that is %s', (_engine, compileAt) => {
  it('is answered at once where nothing in it waits', () => {
    const on = operations(compileAt);
    const result = on.run({ document: parse('{ now }'), operationName: undefined, variables: {}, context: contextWith(10) });
    expect(result).toEqual({ data: { now: 'now' } });
  });

  it.each([0, 60_000])('ends with one error and no data when its budget is spent, giving way every %i ms', async (sliceMs) => {
    const text = '{ things(count: 30) { things(count: 30) { things(count: 30) { name } } } }';
    const result = await run(operations(compileAt), text, contextWith(5_000, undefined, sliceMs));
    expect(result).not.toHaveProperty('data');
    expect(codes(result)).toEqual(['QUERY_TOO_COMPLEX']);
    expect(result.errors?.[0]?.path).toBeUndefined();
  });

  it('is answered whole where its budget just lasts', async () => {
    const result = await run(operations(compileAt), '{ things(count: 10) { things(count: 9) { name } } }', contextWith(100));
    expect(result.errors).toBeUndefined();
  });

  it('ends with TIMEOUT when its time is over, though nothing in it comes to an end', async () => {
    const end = new AbortController();
    const result = run(operations(compileAt), '{ never }', contextWith(10, end.signal));
    end.abort(new GatewayError('TIMEOUT', 'The request took too long.'));
    expect(codes(await result)).toEqual(['TIMEOUT']);
  });

  it('ends with TIMEOUT where its time was over before', async () => {
    expect(codes(await run(operations(compileAt), '{ never }', contextWith(10, AbortSignal.abort())))).toEqual(['TIMEOUT']);
  });
});

it('leaves no listener behind on a signal that outlives it', async () => {
  const end = new AbortController();
  let listeners = 0;
  const { signal } = end;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  const on = operations(Infinity);
  for (let i = 0; i < 10; i++) await run(on, '{ things(count: 3) { things(count: 3) { name } } }', contextWith(100, signal, 0));
  expect(listeners).toBe(0);
});

describe('an operation whose kinds have not been read yet', () => {
  it('waits until they are, and then runs', async () => {
    let isSettled = false;
    const on = operations(Infinity, {
      isSettled: () => isSettled,
      settle: async () => {
        await wait(20);
        isSettled = true;
      },
    });
    expect(await run(on, '{ now }', contextWith(10))).toEqual({ data: { now: 'now' } });
  });

  it('ends with UNAVAILABLE where they are not in time', async () => {
    const on = operations(Infinity, { isSettled: () => false, settle: (_kinds, timeoutMs) => wait(timeoutMs), syncTimeoutMs: 20 });
    const result = await run(on, '{ now }', contextWith(10));
    expect(codes(result)).toEqual(['UNAVAILABLE']);
    expect(result).not.toHaveProperty('data');
  });

  it('ends with TIMEOUT where its own time is over first', async () => {
    const on = operations(Infinity, {
      isSettled: () => false,
      settle: (_kinds, _timeoutMs, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    });
    const end = new AbortController();
    const result = run(on, '{ now }', contextWith(10, end.signal));
    end.abort(new GatewayError('TIMEOUT', 'The request took too long.'));
    expect(codes(await result)).toEqual(['TIMEOUT']);
  });

  it('has them worked out once for each document and operation', async () => {
    let asked = 0;
    const on = operations(Infinity, {
      kindsOf: () => {
        asked += 1;
        return [];
      },
    });
    const document = parse('query A { now } query B { now }');
    for (const operationName of ['A', 'B', 'A', 'B']) await on.run({ document, operationName, variables: {}, context: contextWith(10) });
    expect(asked).toBe(2);
  });
});
