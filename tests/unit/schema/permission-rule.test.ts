import { buildSchema } from 'graphql';
import { checkGovernance, govern, permissionOfField } from '../../../src/schema/permission.js';

const base = `
directive @permission(function: PermissionFunction!) on FIELD_DEFINITION
directive @ungoverned(reason: String!) on FIELD_DEFINITION
enum PermissionFunction { WORKLOAD_VIEW NODE_VIEW NAMESPACE_VIEW FLY }
enum ChangeType { ADDED SYNCED }
interface Node { id: ID! }
type Pod implements Node { id: ID! name: String! host: Machine @permission(function: NODE_VIEW) }
type Machine implements Node { id: ID! }
union Thing = Pod | Label
type Label { text: String! }
type PageInfo { hasNextPage: Boolean! }
type PodConnection { nodes: [Pod!]! edges: [PodEdge!]! pageInfo: PageInfo! totalCount: Int! }
type PodEdge { cursor: String! node: Pod! }
type PodPayload { pod: Pod warnings: [String!]! }
`;

const problemsOf = (text: string): readonly string[] => checkGovernance(buildSchema(base + text, { assumeValidSDL: false }));

describe('the rule of governance', () => {
  it('is kept where root fields and fields that lead to nodes say how they are governed, and connections, edges and payloads need not', () => {
    expect(
      problemsOf(`
      type Query { pods: PodConnection @permission(function: WORKLOAD_VIEW) version: String @ungoverned(reason: "Public.") }
      type Mutation { delete: PodPayload @permission(function: WORKLOAD_VIEW) }
      type Subscription { pods: PodChange @permission(function: WORKLOAD_VIEW) }
      type PodChange { type: ChangeType! cursor: String! podId: ID pod: Pod @permission(function: WORKLOAD_VIEW) }`),
    ).toEqual([]);
  });

  it.each<[string, string, string]>([
    [
      'a root field of Query',
      'type Query { version: String }',
      'Query.version: carries neither @permission nor @ungoverned, and is a root field.',
    ],
    [
      'a root field of Mutation',
      'type Query { a: Int @ungoverned(reason: "x") } type Mutation { restart: Boolean }',
      'Mutation.restart: carries neither @permission nor @ungoverned, and is a root field.',
    ],
    [
      'a root field of Subscription',
      'type Query { a: Int @ungoverned(reason: "x") } type Subscription { ticks: Int }',
      'Subscription.ticks: carries neither @permission nor @ungoverned, and is a root field.',
    ],
    ['a field of a node', 'type Label2 { pod: Pod }', 'Label2.pod: carries neither @permission nor @ungoverned, and leads to a Node.'],
    ['a list of nodes', 'type L { pods: [Pod!]! }', 'L.pods: carries neither @permission nor @ungoverned, and leads to a Node.'],
    ['a field of an interface', 'interface L { pod: Pod }', 'L.pod: carries neither @permission nor @ungoverned, and leads to a Node.'],
    ['a field of the Node interface', 'type L { any: Node }', 'L.any: carries neither @permission nor @ungoverned, and leads to a Node.'],
    [
      'a field of a union with a node in it',
      'type L { thing: Thing }',
      'L.thing: carries neither @permission nor @ungoverned, and leads to a Node.',
    ],
    ['a connection', 'type L { pods: PodConnection }', 'L.pods: carries neither @permission nor @ungoverned, and leads to a Node.'],
    ['an edge', 'type L { pod: PodEdge! }', 'L.pod: carries neither @permission nor @ungoverned, and leads to a Node.'],
    ['a payload', 'type L { done: PodPayload }', 'L.done: carries neither @permission nor @ungoverned, and leads to a Node.'],
    [
      'the object of a change',
      'type PodChange { type: ChangeType! cursor: String! pod: Pod }',
      'PodChange.pod: carries neither @permission nor @ungoverned, and leads to a Node.',
    ],
    [
      'another field of a connection',
      'type OddConnection { nodes: [Label!]! pageInfo: PageInfo! newest: Pod }',
      'OddConnection.newest: carries neither @permission nor @ungoverned, and leads to a Node.',
    ],
    [
      'what only calls itself a connection',
      'type FakeConnection { nodes: [Pod!]! }',
      'FakeConnection.nodes: carries neither @permission nor @ungoverned, and leads to a Node.',
    ],
    [
      'a function that does not exist',
      'type L { pod: Pod @permission(function: FLY) }',
      'L.pod: @permission names FLY, which is no function of the matrix.',
    ],
    ['a reason that is none', 'type L { pod: Pod @ungoverned(reason: " ") }', 'L.pod: @ungoverned gives no reason.'],
    [
      'both directives',
      'type L { pod: Pod @permission(function: WORKLOAD_VIEW) @ungoverned(reason: "x") }',
      'L.pod: carries more than one of @permission and @ungoverned.',
    ],
    [
      'a type that leaves out what its interface has',
      'interface I { yaml: String @permission(function: NODE_VIEW) } type L implements I { yaml: String }',
      'L.yaml: I governs this field by NODE_VIEW, and this type does not.',
    ],
    [
      'a type that has another function than its interface',
      'interface I { yaml: String @permission(function: NODE_VIEW) } type L implements I { yaml: String @permission(function: WORKLOAD_VIEW) }',
      'L.yaml: I governs this field by NODE_VIEW, and this type does not.',
    ],
  ])('is broken by %s', (_, text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it('lets a type govern a field that its interface does not', () => {
    expect(problemsOf('interface I { yaml: String } type L implements I { yaml: String @permission(function: NODE_VIEW) }')).toEqual([]);
  });

  it('makes the build fail, with every problem at once', () => {
    const schema = buildSchema(`${base} type Query { version: String pods: [Pod!] } type L { host: Machine }`);
    expect(() => govern(schema)).toThrow(/Query\.version[^]*Query\.pods[^]*L\.host/);
  });

  it('is told of a field by its directive alone', () => {
    const schema = buildSchema(
      `${base} type Query { pods: PodConnection @permission(function: WORKLOAD_VIEW) v: Int @ungoverned(reason: "x") }`,
    );
    const fields = schema.getQueryType()!.getFields();
    expect(permissionOfField(fields['pods']!)).toBe('WORKLOAD_VIEW');
    expect(permissionOfField(fields['v']!)).toBeUndefined();
  });

  it('leaves the two directives in the schema, the function of its own enum', () => {
    const governed = govern(buildSchema(`${base} type Query { v: Int @ungoverned(reason: "x") }`));
    const argument = governed.getDirective('permission')?.args[0];
    expect(String(argument?.type)).toBe('PermissionFunction!');
    expect(governed.getDirective('ungoverned')?.args.map(({ name }) => name)).toEqual(['reason']);
  });
});
