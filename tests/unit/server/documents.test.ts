import { cpuMs } from '../../support/loop.js';
import { createHash } from 'node:crypto';
import { buildSchema, getIntrospectionQuery } from 'graphql';
import {
  checkCost,
  Documents,
  resolveOperation,
  type DocumentLimits,
  type GoodDocument,
  type Inspection,
} from '../../../src/server/documents.js';

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

it('refuses a text that is long or of many lines beside its tokens', () => {
  expect(refusal(documents.inspect(`{ pod { name } } # ${'x'.repeat(1_000_000)}`))).toMatch(/characters/);
  for (const end of ['\n', '\r']) expect(refusal(documents.inspect(`{ ${end.repeat(5_001)} pod { name } }`))).toMatch(/characters|lines/);
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
  const startedMs = cpuMs();
  expect(refusal(documents.inspect(text))).toMatch(/60 fields/);
  expect(cpuMs() - startedMs).toBeLessThan(250);
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

describe('a cost', () => {
  it('is not made up for by a page of less than nothing', () => {
    const document = good('query ($n: Int) { one: pods(first: -1000000) { nodes { name } } other: pods(first: $n) { nodes { name } } }');
    expect(document.cost(undefined, { n: -1_000_000 })).toBe(2);
    expect(document.cost(undefined, { n: 500 })).toBe(1 + 1 + 500);
  });

  it('takes the default of a variable that is left out', () => {
    expect(good('query ($n: Int = 500) { pods(first: $n) { nodes { name } } }').cost(undefined, {})).toBe(501);
    expect(good('query ($n: Int = 500) { pods(first: $n) { nodes { name } } }').cost(undefined, { n: 2 })).toBe(3);
    expect(good('query ($n: Int = 500) { pods(first: $n) { nodes { name } } }').cost(undefined, { n: null })).toBe(51);
  });

  it('is that of the operation that is meant', () => {
    const document = good('query A { pods(first: 7) { nodes { name } } } query B { pods(first: 70) { nodes { name } } }');
    expect([document.cost('A', {}), document.cost('B', {})]).toEqual([8, 71]);
  });
});

describe('an operation', () => {
  it('is the one that is named, or the only one', () => {
    const document = good('query A { pod { name } } query B { nodes { name } }');
    expect(resolveOperation(document, 'B').name?.value).toBe('B');
    for (const name of [undefined, 'C', '', '__proto__']) {
      expect(() => resolveOperation(document, name)).toThrow(
        expect.objectContaining({ extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }) as Error,
      );
    }
    expect(resolveOperation(good('{ pod { name } }'), undefined).operation).toBe('query');
  });
});

describe('what is kept', () => {
  const small = (options: { maxKeptTokens: number }) => new Documents(schema, limits, { introspection: true, ...options });
  // Eight tokens each.
  const text = (index: number): string => `{ a${index}: pod { name } }`;

  it('is bounded by tokens, and what was used last stays', () => {
    const kept = small({ maxKeptTokens: 9 * 4 });
    const hashes = [0, 1, 2, 3].map((index) => hashOf(kept.inspect(text(index))));
    for (const hash of hashes) expect(kept.byHash(hash)).toBeDefined();
    kept.inspect(text(0));
    kept.inspect(text(4));
    expect(hashes.map((hash) => kept.byHash(hash) !== undefined)).toEqual([true, false, true, true]);
  });

  it('is nothing that may not be run', () => {
    const kept = small({ maxKeptTokens: 1_000 });
    for (const bad of ['{ nothing }', '{', `{ ${'pod { name } '.repeat(60)} }`]) {
      expect(kept.inspect(bad)).not.toHaveProperty('good');
      expect(kept.byHash(createHash('sha256').update(bad).digest('hex'))).toBeUndefined();
    }
  });

  it('does not hold what alone is more than may be kept', () => {
    const kept = small({ maxKeptTokens: 3 });
    const inspection = kept.inspect(text(0));
    expect(inspection).toHaveProperty('good');
    expect(kept.byHash(hashOf(inspection))).toBeUndefined();
  });

  function hashOf(inspection: Inspection): string {
    if (!('good' in inspection)) throw new Error('The document is not good.');
    return inspection.good.hash;
  }
});

/** Documents whose work grows faster than they do, by their size. Published as CVE-2025-32380, CVE-2025-32032, GHSA-q2f9-x4p4-7xmh and GHSA-fmj9-77q8-g6c4. */
const hostile: Readonly<Record<string, (size: number) => string>> = {
  'fragments inside one another': (size) => `{ pod { ...F0 } } ${chain(size)} fragment F${size} on Pod { name }`,
  'fragments inside one another, the innermost first': (size) => `fragment F${size} on Pod { name } ${chain(size, true)} { pod { ...F0 } }`,
  'fragments that double at each level': (size) =>
    `{ pod { ...F0 } } ${times(size, (i) => `fragment F${i} on Pod { ...F${i + 1} ...F${i + 1} }`)} fragment F${size} on Pod { name }`,
  'fragments beside one another': (size) =>
    `{ pod { ${times(size, (i) => `...F${i}`)} } } ${times(size, (i) => `fragment F${i} on Pod { node { name } }`)}`,
  'fragments that end in one another': (size) =>
    `{ pod { ...F0 } } ${times(size, (i) => `fragment F${i} on Pod { ...F${(i + 1) % size} }`)}`,
  'one field again and again': (size) => `{ pod { ${'name '.repeat(size)} } }`,
  'one object again and again': (size) => `{ ${'pod { node { name } } '.repeat(size)} }`,
  'one object again and again, each way down': (size) => `{ ${`pod { ${'node { name } '.repeat(Math.ceil(size / 20))} } `.repeat(20)} }`,
  'inline fragments inside one another': (size) => `{ pod { ${'... { '.repeat(size)} name ${'} '.repeat(size)} } }`,
  'lists inside one another': (size) => `{ pods(first: ${'['.repeat(size)}${']'.repeat(size)}) { totalCount } }`,
  'objects inside one another': (size) => `{ pods(first: ${'{ a: '.repeat(size)} 1 ${'} '.repeat(size)}) { totalCount } }`,
  'types inside one another': (size) => `query ($v: ${'['.repeat(size)}Int${']'.repeat(size)}) { pod { name } }`,
  'fields inside one another': (size) => `${'{ pod '.repeat(size)}${'} '.repeat(size)}`,
  'variables that nobody uses': (size) => `query (${times(size, (i) => `$v${i}: Int`)}) { pod { name } }`,
  'operations that share fragments': (size) =>
    `${times(size, (i) => `query Q${i} { pod { ...F0 } }`)} ${chain(Math.ceil(size / 4))} fragment F${Math.ceil(size / 4)} on Pod { name }`,
  'fields that there are not': (size) => `{ ${times(size, (i) => `podd${i}`)} }`,
  'the schema by many ways': (size) => `{ ${times(size, (i) => `a${i}: __schema { types { fields { type { fields { name } } } } }`)} }`,
  'the schema again and again': (size) => `{ ${'__schema { types { fields { type { name } } } } '.repeat(size)} }`,
  'the schema by way of itself': (size) => `{ __schema { types { ${times(size, (i) => `a${i}: fields { type { fields { name } } }`)} } } }`,
};

function times(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join(' ');
}

function chain(length: number, isReversed = false): string {
  const fragments = Array.from({ length }, (_, index) => `fragment F${index} on Pod { ...F${index + 1} }`);
  return (isReversed ? fragments.reverse() : fragments).join(' ');
}

describe('documents of the gateway’s own limits', () => {
  const usual: DocumentLimits = { maxTokens: 5_000, maxDepth: 20, maxAliases: 100, maxFields: 2_000, maxCost: 1_000_000 };

  it.each(Object.entries(hostile))('%s take no more time than their text is long', (_name, make) => {
    for (const size of [10, 100, 1_000, 20_000]) {
      const text = make(size);
      const startedMs = cpuMs();
      const inspection = new Documents(schema, usual, { introspection: true }).inspect(text);
      if ('good' in inspection) checkCost(inspection.good, undefined, {}, Infinity);
      // Some 20 ms where the machine has nothing else to do.
      expect({ size, isQuick: cpuMs() - startedMs < 300 }).toEqual({ size, isQuick: true });
      if (size >= 1_000) expect(inspection).not.toHaveProperty('good');
    }
  });

  it('let through what tools send to learn of the schema', () => {
    const kept = new Documents(schema, usual, { introspection: true });
    expect(kept.inspect(getIntrospectionQuery())).toHaveProperty('good');
    expect(
      kept.inspect(
        getIntrospectionQuery({
          descriptions: true,
          directiveIsRepeatable: true,
          specifiedByUrl: true,
          inputValueDeprecation: true,
          oneOf: true,
        }),
      ),
    ).toHaveProperty('good');
  });

  it('tell of twenty mistakes at most', () => {
    const inspection = new Documents(schema, usual, { introspection: true }).inspect(`{ ${times(500, (i) => `nothing${i}`)} }`);
    expect('invalid' in inspection ? inspection.invalid.length : 0).toBe(21);
  });

  it('are refused, and no stack runs out, where as many tokens are allowed as can be', () => {
    const maxTokens = 100_000;
    const roomy = new Documents(schema, { ...usual, maxTokens, maxDepth: 100_000, maxFields: 1_000_000 }, { introspection: true });
    for (const make of Object.values(hostile)) expect(roomy.inspect(make(20_000))).not.toHaveProperty('good');
  });
});
