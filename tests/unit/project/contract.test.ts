import { readFileSync } from 'node:fs';
import { checkContract, pendingOf } from '../../../scripts/contract.mjs';
import { buildGatewaySchema } from '../../../src/resolvers/schema.js';
import { printSchema } from '../../../src/schema/print.js';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('the schema that is built', () => {
  const built = printSchema(buildGatewaySchema());

  it('has everything of the contract that is not pending, as it stands there', async () => {
    expect(await checkContract({ contract: read('contract/schema.graphql'), built, pending: read('contract/pending.txt') })).toEqual([]);
  });

  it('is the one that is committed', () => {
    expect(read('schema.graphql')).toBe(built);
  });
});

const contract = `
  directive @permission(function: PermissionFunction!) on FIELD_DEFINITION
  directive @ungoverned(reason: String!) on FIELD_DEFINITION
  enum PermissionFunction { WORKLOAD_VIEW NODE_VIEW }
  enum Phase { RUNNING FAILED DONE }
  scalar Quantity
  interface Node { id: ID! }
  interface Resource implements Node { id: ID! name: String! }
  input PodFilter { search: String phases: [Phase!] = [RUNNING] }
  input PodOrder { field: Phase! direction: Phase! = FAILED }
  type Pod implements Resource & Node { id: ID! name: String! size: Quantity host: Host @permission(function: NODE_VIEW) }
  type Host { name: String! labels(prefix: String, limit: Int): [String!]! }
  type Query {
    pods(filter: PodFilter, first: Int = 50): [Pod!] @permission(function: WORKLOAD_VIEW)
    node(id: ID!): Node @ungoverned(reason: "The kind decides.")
  }
  type Mutation { rename(pod: ID!, name: String!): Pod @permission(function: WORKLOAD_VIEW) }
`;

/** What is said about the contract with one part of it written otherwise. */
function checkWith(part: string, otherwise: string, pending = ''): Promise<readonly string[]> {
  const built = contract.replaceAll(part, otherwise);
  if (built === contract && part !== otherwise) throw new Error('The part is not in the contract of the test.');
  return checkContract({ contract, built, pending });
}

describe('the check of the contract', () => {
  it('finds nothing where the two are the same', async () => {
    expect(await checkWith('', '')).toEqual([]);
  });

  it.each([
    ['a type', 'Host', 'Machine', 'Host'],
    ['a field', 'size: Quantity', '', 'Pod.size'],
    ['a field that has another name', 'size: Quantity', 'volume: Quantity', 'Pod.size'],
    ['another type of a field', 'size: Quantity', 'size: String', 'Pod.size'],
    ['a field that may no longer be null', 'size: Quantity', 'size: Quantity!', 'Pod.size'],
    ['a field that may now be null', 'Pod implements Resource & Node { id: ID! name: String!', 'Pod { id: ID! name: String', 'Pod.name'],
    ['an argument', 'prefix: String, limit: Int', 'limit: Int', 'Host.labels(prefix:)'],
    ['another type of an argument', 'limit: Int', 'limit: Float', 'Host.labels(limit:)'],
    ['an argument that must be given', 'prefix: String,', 'prefix: String, host: ID!,', 'Host.labels(host:)'],
    ['a default value', 'first: Int = 50', 'first: Int', 'Query.pods(first:)'],
    ['another default value', 'first: Int = 50', 'first: Int = 100', 'Query.pods(first:)'],
    ['another default value of an input', '= FAILED', '= RUNNING', 'PodOrder.direction'],
    ['a default value of an input', ' = [RUNNING]', '', 'PodFilter.phases'],
    ['an input field', 'search: String', '', 'PodFilter.search'],
    ['an input field that must be given', 'search: String', 'search: String host: ID!', 'PodFilter.host'],
    ['a value of an enum', 'RUNNING FAILED DONE', 'RUNNING FAILED', 'Phase.DONE'],
    ['an interface of a type', 'Pod implements Resource & Node', 'Pod implements Node', 'Pod'],
    ['an interface of an interface', 'Resource implements Node', 'Resource', 'Resource'],
    ['another kind of type', 'scalar Quantity', 'enum Quantity { MUCH }', 'Quantity'],
    [
      'a field that is governed by another function',
      'host: Host @permission(function: NODE_VIEW)',
      'host: Host @permission(function: WORKLOAD_VIEW)',
      'Pod.host',
    ],
    ['a field that is governed no more', ' @permission(function: NODE_VIEW)', '', 'Pod.host'],
    ['a field that is governed now', 'size: Quantity', 'size: Quantity @permission(function: NODE_VIEW)', 'Pod.size'],
    [
      'a field that is ungoverned now',
      'host: Host @permission(function: NODE_VIEW)',
      'host: Host @ungoverned(reason: "No reason.")',
      'Pod.host',
    ],
    ['the definition of a directive', '@ungoverned(reason: String!) on', '@ungoverned(reason: String) on', '@ungoverned.reason'],
    ['a whole operation', 'type Mutation', 'type Change', 'Mutation'],
  ])('finds %s', async (_, part, otherwise, coordinate) => {
    const problems = await checkWith(part, otherwise);
    expect(problems.length).toBeGreaterThan(0);
    expect([...new Set(problems.map((problem) => problem.split(': ')[0]))]).toContain(coordinate);
  });

  it.each([
    [
      'a type',
      'scalar Quantity',
      'scalar Quantity scalar Other type Another { required(name: String!): ID @permission(function: NODE_VIEW) }',
    ],
    ['a field', 'size: Quantity', 'size: Quantity owner(id: ID!): ID @permission(function: NODE_VIEW)'],
    ['an argument that need not be given', 'prefix: String,', 'prefix: String, suffix: String, most: Int! = 5,'],
    ['an input field that need not be given', 'search: String', 'search: String name: String'],
    ['a value of an enum', 'RUNNING FAILED DONE', 'RUNNING FAILED DONE UNKNOWN'],
    ['a description', 'scalar Quantity', '"How much." scalar Quantity'],
    ['other words of a reason', 'The kind decides.', 'The kind that is named decides.'],
  ])('lets %s be added', async (_, part, otherwise) => {
    expect(await checkWith(part, otherwise)).toEqual([]);
  });

  it.each([
    ['a type and what leads to it', 'size: Quantity host: Host @permission(function: NODE_VIEW)', 'size: Quantity', 'Pod.host\n'],
    ['an argument', 'prefix: String, limit: Int', 'limit: Int', 'Host.labels(prefix:)\n'],
    ['a value of an enum', 'FAILED DONE', 'FAILED', 'Phase.DONE\n'],
    ['an input field', 'search: String', '', 'PodFilter.search\n'],
    ['a whole operation', /type Mutation .*\n/.exec(contract)?.[0] ?? '', '', 'Mutation\n'],
  ])('lets %s be pending', async (_, part, otherwise, pending) => {
    expect(await checkWith(part, otherwise, pending)).toEqual([]);
  });

  it('wants what is built out of the list', async () => {
    expect(await checkWith('size: Quantity', '', 'Host\nPod.size\n')).toEqual([
      'Host: is pending, and built; the list only shrinks, take it out.',
    ]);
  });

  it('wants nothing in the list that the contract does not have', async () => {
    expect(await checkWith('size: Quantity', '', 'Pod.size\nPod.sizes\n')).toEqual(['Pod.sizes: is pending, and not in the contract.']);
  });

  it('wants the list sorted, each line once', async () => {
    const told = ['contract/pending.txt: its lines must be sorted, each once.'];
    expect(await checkWith('size: Quantity host: Host @permission(function: NODE_VIEW)', '', 'Pod.size\nPod.host\n')).toEqual(told);
    expect(await checkWith('size: Quantity', '', 'Pod.size\nPod.size\n')).toEqual(told);
  });

  it('wants a part of what is pending not listed again', async () => {
    const mutation = /type Mutation .*\n/.exec(contract)?.[0] ?? '';
    expect(await checkWith(mutation, '', 'Mutation\nMutation.rename\n')).toEqual([
      'Mutation.rename: is pending, as part of Mutation already.',
    ]);
  });
});

describe('the list of what is pending', () => {
  const withoutSize = contract.replace('size: Quantity', '').replace('FAILED DONE', 'FAILED');

  it('is first everything that is missing', () => {
    expect(pendingOf({ contract, built: withoutSize, pending: undefined })).toBe('Phase.DONE\nPod.size\n');
  });

  it('loses what is built, and gains nothing', () => {
    expect(pendingOf({ contract, built: withoutSize, pending: 'Host\nPod.size\n' })).toBe('Pod.size\n');
  });

  it('names of a type that is built in part what is not', () => {
    const built = contract.replace('prefix: String, limit: Int', 'limit: Int').replace('size: Quantity', '');
    expect(pendingOf({ contract, built, pending: 'Host\n' })).toBe('Host.labels(prefix:)\n');
  });
});
