import { buildSchema } from 'graphql';
import { checkCost, Documents, type DocumentLimits, type GoodDocument, type Inspection } from '../../../src/server/documents.js';

const schema = buildSchema(`
  type Query { pods(first: Int = 50): PodConnection pod: Pod nodes: [Node!] }
  type PodConnection { nodes: [Pod!]! totalCount: Int! }
  type Pod { name: String pods(first: Int = 10): PodConnection node: Node }
  type Node { name: String pods(first: Int = 10): PodConnection }
`);
const limits: DocumentLimits = { maxTokens: 1_000, maxDepth: 6, maxAliases: 5, maxFields: 60, maxCost: 100_000 };
const documents = new Documents(schema, limits, { introspection: true });

const refusal = (inspection: Inspection): string | undefined =>
  'refused' in inspection ? `${inspection.refused.code}: ${inspection.refused.message}` : undefined;

function good(text: string): GoodDocument {
  const inspection = documents.inspect(text);
  if (!('good' in inspection)) throw new Error(JSON.stringify(inspection));
  return inspection.good;
}

it('lets a good document through, and knows it again by its text and its hash', () => {
  const first = good('{ pod { name } }');
  expect(good('{ pod { name } }')).toBe(first);
  expect(documents.byHash(first.hash)).toBe(first);
  expect(first.hash).toMatch(/^[0-9a-f]{64}$/);
});

it('leaves syntax and validation errors to graphql-js', () => {
  expect(documents.inspect('{ pod {')).toHaveProperty('invalid');
  expect(documents.inspect('{ nothing }')).toHaveProperty('invalid');
});

it('refuses what is too deep', () => {
  expect(refusal(documents.inspect('{ pod { node { pods { nodes { name } } } } }'))).toBeUndefined();
  expect(refusal(documents.inspect('{ pod { node { pods { nodes { node { pods { nodes { name } } } } } } } }'))).toMatch(
    /^QUERY_TOO_COMPLEX: .*6 levels/,
  );
});

it('refuses depth that hides in fragments', () => {
  const text =
    '{ pod { ...A } } fragment A on Pod { node { ...B } } fragment B on Node { pods { nodes { node { pods { nodes { name } } } } } }';
  expect(refusal(documents.inspect(text))).toMatch(/6 levels/);
});

it('refuses twenty thousand levels before anything recurses', () => {
  expect(refusal(documents.inspect('{ pod '.repeat(20_000) + '}'.repeat(20_000)))).toMatch(/200 levels/);
});

it('refuses too many aliases, also in fragments that are spread often', () => {
  expect(refusal(documents.inspect(`{ ${'a:pod { name } '.repeat(1)} }`))).toBeUndefined();
  expect(refusal(documents.inspect(`{ ${Array.from({ length: 6 }, (_, i) => `a${i}: pod { name }`).join(' ')} }`))).toMatch(/5 aliases/);
  expect(
    refusal(documents.inspect('{ pod { ...A ...B } } fragment A on Pod { a: name b: name c: name } fragment B on Pod { ...A }')),
  ).toMatch(/5 aliases/);
});

it('measures fragments that double at every level in time that grows with the text alone', () => {
  const levels = 20;
  const fragments = Array.from({ length: levels }, (_, i) => `fragment F${i} on Pod { ...F${i + 1} ...F${i + 1} }`).join(' ');
  const text = `{ pod { ...F0 } } ${fragments} fragment F${levels} on Pod { name }`;
  const startedMs = performance.now();
  expect(refusal(documents.inspect(text))).toMatch(/60 fields/);
  expect(performance.now() - startedMs).toBeLessThan(250);
});

it('leaves fragments that spread themselves to validation', () => {
  expect(documents.inspect('{ pod { ...A } } fragment A on Pod { name ...A }')).toHaveProperty('invalid');
});

it('does not count the depth of introspection', () => {
  expect(documents.inspect('{ __schema { types { fields { type { ofType { ofType { ofType { name } } } } } } } }')).toHaveProperty('good');
});

it('refuses introspection where it is off', () => {
  const closed = new Documents(schema, limits, { introspection: false });
  expect(closed.inspect('{ __schema { types { name } } }')).toHaveProperty('invalid');
});

it.each([
  ['{ pod { name } }', {}, 1],
  ['{ nodes { name } }', {}, 5],
  ['{ pods { totalCount } }', {}, 51],
  ['{ pods(first: 7) { nodes { name } } }', {}, 8],
  ['query ($n: Int) { pods(first: $n) { nodes { name node { name } } } }', { n: 3 }, 1 + 3 * 2],
  ['query ($n: Int) { pods(first: $n) { nodes { name } } }', {}, 51],
  ['{ pods(first: 10) { nodes { pods(first: 10) { nodes { name } } } } }', {}, 1 + 10 * (1 + 1 + 10)],
  ['{ pod { ...P } } fragment P on Pod { node { pods(first: 4) { nodes { name } } } }', {}, 1 + 1 + 1 + 4],
])('reckons the cost of %s with %j', (text, variables, cost) => {
  expect(good(text).cost(undefined, variables)).toBe(cost);
});

it('refuses an operation that may ask for too much', () => {
  const document = good('query ($n: Int) { pods(first: $n) { nodes { pods(first: $n) { nodes { name } } } } }');
  expect(checkCost(document, undefined, { n: 100 }, limits.maxCost)).toBe(1 + 100 * 102);
  expect(() => checkCost(document, undefined, { n: 500 }, limits.maxCost)).toThrow(expect.objectContaining({ code: 'QUERY_TOO_COMPLEX' }));
});
