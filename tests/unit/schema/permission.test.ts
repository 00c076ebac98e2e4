import { buildSchema, execute, parse, subscribe, type ExecutionResult, type GraphQLSchema } from 'graphql';
import type { Access } from '../../../src/auth/access.js';
import { permissionFunctions } from '../../../src/auth/matrix.js';
import { Refusals } from '../../../src/auth/refusals.js';
import { ObjectRecord } from '../../../src/k8s/objects.js';
import type { Reader } from '../../../src/k8s/reader.js';
import { Turns } from '../../../src/k8s/turns.js';
import { Budget } from '../../../src/schema/budget.js';
import type { Context } from '../../../src/schema/context.js';
import { govern } from '../../../src/schema/permission.js';
import { accessWith, cloudAdminAccess, TestSession } from '../../support/viewers.js';

const sdl = `
directive @permission(function: PermissionFunction!) on FIELD_DEFINITION
directive @ungoverned(reason: String!) on FIELD_DEFINITION
enum PermissionFunction { ${permissionFunctions.join(' ')} }
interface Node { id: ID! }
interface Named { name: String! host: Machine @permission(function: NODE_VIEW) }
type Query {
  pods: [Pod!] @permission(function: WORKLOAD_VIEW)
  named: [Named!] @ungoverned(reason: "For the test.")
  project: Project @ungoverned(reason: "For the test.")
  machine: Machine @permission(function: NODE_VIEW)
}
type Mutation { one: Int @permission(function: WORKLOAD_SCALE) two: Int @permission(function: NODE_LABEL) }
type Subscription { podChanges: PodChange @permission(function: WORKLOAD_VIEW) }
type PodChange { type: String! cursor: String! podId: ID pod: Pod @permission(function: WORKLOAD_VIEW) }
type Project implements Node { id: ID! spaces: [String!] @permission(function: NAMESPACE_VIEW) }
type Pod implements Node & Named {
  id: ID!
  name: String!
  yaml: String @permission(function: POD_YAML_VIEW)
  space: String @permission(function: NAMESPACE_VIEW)
  host: Machine @permission(function: NODE_VIEW)
}
type Machine implements Node { id: ID! name: String! pods: [Pod!] @permission(function: WORKLOAD_VIEW) }
`;

class TestRecord extends ObjectRecord {
  readonly yaml = 'yaml';
  readonly space = 'space';
  readonly kind: string;
  readonly apiVersion = 'v1';
  readonly project: string | undefined;

  constructor(kind: string, name: string, namespace: string | undefined, project?: string) {
    const metadata = {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(namespace === undefined ? {} : { namespace }),
    };
    super({ clusterName: 'east', object: { apiVersion: 'v1', kind, metadata }, json: new Uint8Array() });
    this.kind = kind;
    this.project = project;
  }
  get id(): string {
    return this.name;
  }
  get host(): TestRecord {
    return machine;
  }
  get pods(): TestRecord[] {
    return [ofA, ofB, ofNobody];
  }
}

const machine = new TestRecord('Node', 'machine', undefined);
const ofA = new TestRecord('Pod', 'of-a', 'a1', 'a');
const ofB = new TestRecord('Pod', 'of-b', 'b1', 'b');
const ofNobody = new TestRecord('Pod', 'of-nobody', 'free');

let projectCalls = 0;
const reader = {
  projectOf: (record: ObjectRecord) => {
    projectCalls++;
    return (record as TestRecord).project;
  },
} as Partial<Reader> as Reader;

let schema: GraphQLSchema;
/** Which resolvers of root fields ran. */
let ran: string[] = [];
beforeEach(() => {
  ran = [];
  projectCalls = 0;
  schema = buildSchema(sdl);
  const resolve = (type: string, field: string, value: () => unknown): void => {
    schema.getType(type);
    const fields = (schema.getType(type) as unknown as { getFields(): Record<string, { resolve?: unknown }> }).getFields();
    fields[field]!.resolve = () => {
      ran.push(field);
      return value();
    };
  };
  resolve('Query', 'pods', () => [ofA, ofB, ofNobody]);
  resolve('Query', 'named', () => [ofA, ofB]);
  resolve('Query', 'project', () => ({ id: 'b', spaces: ['b1'] }));
  resolve('Query', 'machine', () => machine);
  resolve('Mutation', 'one', () => 1);
  resolve('Mutation', 'two', () => 2);
  (schema.getType('Named') as unknown as { resolveType: () => string }).resolveType = () => 'Pod';
  schema = govern(schema);
});

function contextOf(viewer: Access | TestSession): Context {
  const session = viewer instanceof TestSession ? viewer : new TestSession(viewer);
  const budget = new Budget(new Turns(60_000), { maxObjects: 20_000 });
  return { session, access: session.access, refusals: new Refusals(), reader, budget } as Partial<Context> as Context;
}

function run(viewer: Access | TestSession, text: string, context = contextOf(viewer)): ExecutionResult {
  const result = execute({ schema, document: parse(text), contextValue: context });
  if (result instanceof Promise) throw new Error('The permission layer made a promise.');
  return result;
}

const codesOf = ({ errors = [] }: ExecutionResult): string[] =>
  errors.map(({ path, originalError }) => `${path?.join('.')} ${(originalError as { code?: string } | undefined)?.code}`);

const administratorOfB = accessWith({ a: 'USER', b: 'PROJECT_ADMIN' });

describe('the permission layer', () => {
  it('makes a refused field null, with FORBIDDEN at its path, and answers the rest', () => {
    const result = run(accessWith({ a: 'USER' }), '{ pods { name } machine { name } }');
    expect(result.data).toEqual({ pods: [{ name: 'of-a' }, { name: 'of-b' }, { name: 'of-nobody' }], machine: null });
    expect(codesOf(result)).toEqual(['machine FORBIDDEN']);
  });

  it('runs no resolver of a field that it refuses', () => {
    run(accessWith({ a: 'USER' }), '{ machine { name } }');
    run(accessWith(), '{ pods { name } }');
    run(accessWith({ a: 'READER' }), 'mutation { one }');
    expect(ran).toEqual([]);
  });

  it('decides by the role in the project of the field’s parent', () => {
    const result = run(administratorOfB, '{ pods { name space yaml } }');
    expect(result.data?.['pods']).toEqual([
      { name: 'of-a', space: null, yaml: 'yaml' },
      { name: 'of-b', space: 'space', yaml: 'yaml' },
      { name: 'of-nobody', space: null, yaml: null },
    ]);
    expect(codesOf(result)).toEqual(['pods.0.space FORBIDDEN', 'pods.2.space FORBIDDEN', 'pods.2.yaml FORBIDDEN']);
  });

  it('takes a project for its own place', () => {
    expect(run(administratorOfB, '{ project { spaces } }').data).toEqual({ project: { spaces: ['b1'] } });
    expect(codesOf(run(accessWith({ a: 'PROJECT_ADMIN', b: 'USER' }), '{ project { spaces } }'))).toEqual(['project.spaces FORBIDDEN']);
  });

  it('asks for the function anywhere where the parent belongs to no project by its nature', () => {
    const text = '{ machine { pods { name } } }';
    expect(run(cloudAdminAccess(), text).errors).toBeUndefined();
    const context = contextOf(accessWith({ a: 'USER' }));
    const onNode = schema.getType('Machine') as unknown as { getFields(): Record<string, { resolve(...args: unknown[]): unknown }> };
    const info = { path: { key: 'pods', prev: undefined, typename: 'Machine' } };
    expect(onNode.getFields()['pods']!.resolve(machine, {}, context, { ...info, fieldName: 'pods' })).toHaveLength(3);
    expect(() => onNode.getFields()['pods']!.resolve(machine, {}, contextOf(accessWith()), info)).toThrow('WORKLOAD_VIEW');
  });

  it('holds on every way to a field: alias, fragment, inline fragment and interface', () => {
    const result = run(
      administratorOfB,
      `{
        alias: pods { other: space }
        pods { ...InFragment }
        named { host { name } ... on Pod { space } ... on Named { again: host { id } } }
      }
      fragment InFragment on Pod { space }`,
    );
    expect(codesOf(result).sort()).toEqual(
      [
        'alias.0.other',
        'alias.2.other',
        'pods.0.space',
        'pods.2.space',
        ...['host', 'again', 'space'].map((field) => `named.0.${field}`),
        ...['host', 'again'].map((field) => `named.1.${field}`),
      ]
        .map((path) => `${path} FORBIDDEN`)
        .sort(),
    );
  });

  it('lets each mutation fail on its own', () => {
    const result = run(accessWith({ a: 'USER' }), 'mutation { two one again: two }');
    expect(result.data).toEqual({ two: null, one: 1, again: null });
    expect(codesOf(result)).toEqual(['two FORBIDDEN', 'again FORBIDDEN']);
  });

  it('makes one refusal, without a stack, for each function and project, however many fields it meets', () => {
    const many = Array.from({ length: 1_500 }, () => ofA);
    (schema.getQueryType()!.getFields()['pods'] as unknown as { resolve: unknown }).resolve = () => many;
    const context = contextOf(accessWith({ a: 'USER' }));
    const text = '{ pods { name space host { name } } }';
    run(accessWith({ a: 'USER' }), text);
    const startedMs = performance.now();
    const result = run(accessWith({ a: 'USER' }), text, context);
    const tookMs = performance.now() - startedMs;
    expect(result.errors).toHaveLength(3_000);
    expect(new Set(result.errors?.map(({ originalError }) => originalError)).size).toBe(2);
    expect(context.refusals.all()).toEqual([
      { function: 'NAMESPACE_VIEW', project: 'a', count: 1_500, path: 'pods.0.space' },
      { function: 'NODE_VIEW', project: 'a', count: 1_500, path: 'pods.0.host' },
    ]);
    for (const { originalError } of result.errors ?? []) expect(originalError?.stack).not.toContain(' at ');
    for (const error of result.errors ?? []) expect(error.stack).not.toContain(' at ');
    expect(result.errors?.[0]?.locations).toEqual([{ line: 1, column: 15 }]);
    expect(tookMs).toBeLessThan(2_500);
  });

  it('gives way, and counts, when it refuses much', async () => {
    const context: Context = {
      ...contextOf(accessWith({ a: 'USER' })),
      budget: new Budget(new Turns(0), { maxObjects: 5 }),
    };
    (schema.getQueryType()!.getFields()['pods'] as unknown as { resolve: unknown }).resolve = () => Array.from({ length: 8 }, () => ofA);
    const result = execute({ schema, document: parse('{ pods { space } }'), contextValue: context });
    expect(result).toBeInstanceOf(Promise);
    const codes = codesOf(await result).map((text) => text.split(' ')[1]);
    expect(codes.filter((code) => code === 'FORBIDDEN')).toHaveLength(5);
    expect(codes.filter((code) => code === 'QUERY_TOO_COMPLEX')).toHaveLength(3);
    expect(context.budget.objects).toBeGreaterThanOrEqual(5);
  });

  it('asks nothing of the reader for who holds the function everywhere', () => {
    run(cloudAdminAccess(), '{ pods { space yaml host { name } } }');
    expect(projectCalls).toBe(0);
  });

  it('says nothing of the object or the project in its message', () => {
    const [error] = run(accessWith({ a: 'USER' }), '{ pods { space } }').errors ?? [];
    expect(error?.message).toBe('The role held here does not have the function NAMESPACE_VIEW.');
  });

  it('refuses a subscription before it begins, and each event by the access as of then', async () => {
    let begun = 0;
    const session = new TestSession(accessWith());
    const field = schema.getSubscriptionType()!.getFields()['podChanges']!;
    const events = async function* (): AsyncGenerator<unknown> {
      begun++;
      await Promise.resolve();
      yield { type: 'ADDED', cursor: '1', podId: 'x', record: ofA };
      session.become(accessWith({ b: 'USER' }));
      yield { type: 'MODIFIED', cursor: '2', podId: 'x', record: ofA };
      yield { type: 'ADDED', cursor: '3', podId: 'x', record: ofB };
      yield { type: 'SYNCED', cursor: '4' };
      session.become(accessWith());
      yield { type: 'ADDED', cursor: '5', podId: 'x', record: ofB };
    };
    // As a source of the application's own would be: governed with the rest of the schema.
    const raw = buildSchema(sdl);
    const own = raw.getSubscriptionType()!.getFields()['podChanges']!;
    own.subscribe = events;
    own.resolve = (event: unknown) => event;
    (raw.getType('PodChange') as unknown as { getFields(): Record<string, { resolve: unknown }> }).getFields()['pod']!.resolve = (change: {
      record?: unknown;
    }) => change.record;
    expect(field).not.toBe(own);
    const governed = govern(raw);
    const document = parse('subscription { podChanges { type pod { name } } }');
    const start = (): ReturnType<typeof subscribe> => subscribe({ schema: governed, document, contextValue: contextOf(session) });

    const refused = await start();
    expect('errors' in refused ? codesOf(refused) : 'begun').toEqual(['podChanges FORBIDDEN']);
    expect(begun).toBe(0);

    session.become(accessWith({ a: 'USER' }));
    const stream = await start();
    if (!(Symbol.asyncIterator in stream)) throw new Error('It was refused.');
    const results: ExecutionResult[] = [];
    for await (const result of stream) results.push(result);
    expect(results.map(({ data }) => data?.['podChanges'])).toEqual([
      { type: 'ADDED', pod: { name: 'of-a' } },
      { type: 'MODIFIED', pod: null },
      { type: 'ADDED', pod: { name: 'of-b' } },
      { type: 'SYNCED', pod: null },
      null,
    ]);
    expect(results.map(codesOf)).toEqual([[], ['podChanges.pod FORBIDDEN'], [], [], ['podChanges FORBIDDEN']]);
  });
});
