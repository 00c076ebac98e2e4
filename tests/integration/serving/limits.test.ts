import { createHash } from 'node:crypto';
import { codesOf, type Answer, type QueryOptions } from '../../support/clients.js';
import { TestGateway } from '../../support/gateway.js';
import type { Draft } from '../../support/objects.js';

// CVE-2026-30241 and its like: a limit that held on one transport, and was forgotten on another.

const objects: readonly Draft[] = [
  { kind: 'Namespace', metadata: { name: 'shop', labels: { 'openstack.org/project-id': 'p-a' } } },
  { kind: 'Node', metadata: { name: 'node-1' } },
  {
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'nginx:1' }] },
    status: { phase: 'Running' },
  },
];

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({ objects: { east: objects }, users: [{ id: 'admin', cloudAdmin: true }] });
});
afterAll(() => gateway.stop());

type Operation = 'query' | 'subscription';
type Ask = (query: string, options?: QueryOptions) => Promise<Answer & { readonly status?: number }>;

async function bySocket(query: string, options: QueryOptions = {}): Promise<Answer> {
  const socket = await gateway.as('admin').socket();
  try {
    return await socket.query(query, options);
  } finally {
    await socket.close();
  }
}

const byHash: Ask = async (query, options = {}) => {
  const extensions = { persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') } };
  // Whatever becomes of it: a query that is refused must not be known by its hash afterwards.
  await gateway.as('admin').query(query, { extensions });
  return gateway.as('admin').post({ ...options, extensions });
};

/** How an operation reaches the gateway, and what may become of one that is too large for the transport itself. */
const transports: readonly {
  readonly name: string;
  readonly operation: Operation;
  readonly ask: Ask;
  readonly refusals?: readonly string[];
}[] = [
  { name: 'POST', operation: 'query', ask: (query, options) => gateway.as('admin').query(query, options) },
  {
    name: 'GET',
    operation: 'query',
    ask: (query, options) => gateway.as('admin').query(query, { ...options, method: 'GET' }),
    refusals: ['431'],
  },
  { name: 'a persisted query', operation: 'query', ask: byHash, refusals: ['PERSISTED_QUERY_NOT_FOUND'] },
  { name: 'a query on the WebSocket', operation: 'query', ask: bySocket },
  { name: 'a subscription on the WebSocket', operation: 'subscription', ask: bySocket },
];

/** @param of Selection of a pod. @param fragments What it spreads. */
const asking = (operation: Operation, of: string, fragments = ''): string =>
  `${operation === 'query' ? `{ pods(first: 1) { nodes { ${of} } } }` : `subscription { podChanges { pod { ${of} } } }`} ${fragments}`;

const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');
const deep = (levels: number): string => `${'node { pods { nodes { '.repeat(levels / 3)} name ${'} } } '.repeat(levels / 3)}`;

const limits: readonly [string, (operation: Operation) => string][] = [
  ['depth', (operation) => asking(operation, deep(24))],
  [
    'depth by way of fragments',
    (operation) => asking(operation, '...A', `fragment A on Pod { node { pods { nodes { ...B } } } } fragment B on Pod { ${deep(18)} }`),
  ],
  ['depth of 20,000', (operation) => asking(operation, deep(20_000))],
  [
    'aliases',
    (operation) =>
      asking(
        operation,
        times(101, (index) => `a${index}: name`),
      ),
  ],
  [
    '1,000 aliases',
    (operation) =>
      asking(
        operation,
        times(1_000, (index) => `a${index}: name`),
      ),
  ],
  [
    'aliases by way of fragments',
    (operation) =>
      asking(
        operation,
        '...A',
        `fragment A on Pod { node { ...N } a: node { ...N } } fragment N on ClusterNode { ${times(60, (index) => `a${index}: name`)} }`,
      ),
  ],
  ['tokens', (operation) => asking(operation, 'name '.repeat(6_000))],
  ['tokens in one value', (operation) => asking(operation, `a: __typename @include(if: [${'true '.repeat(6_000)}])`)],
  [
    'fields by way of fragments that double',
    (operation) =>
      asking(
        operation,
        '...F0',
        `${times(12, (i) => `fragment F${i} on Pod { node { pods { nodes { id } } } ...F${i + 1} ...F${i + 1} }`)} fragment F12 on Pod { name }`,
      ),
  ],
  ['comparisons', (operation) => asking(operation, 'name '.repeat(1_000))],
  [
    'cost',
    (operation) =>
      asking(
        operation,
        'node { pods(first: 500) { nodes { node { pods(first: 500) { nodes { node { pods(first: 500) { nodes { name } } } } } } } } }',
      ),
  ],
  [
    'what is asked of the schema',
    (operation) =>
      asking(operation, 'name', '').replace(
        '{',
        `{ ${operation === 'query' ? times(20, (i) => `a${i}: __schema { types { fields { name } } }`) : ''}`,
      ),
  ],
];

describe.each(transports)('by $name', ({ operation, ask, refusals = [] }) => {
  it.each(limits.filter(([name]) => operation === 'query' || name !== 'what is asked of the schema'))(
    '%s has its limit',
    async (_name, make) => {
      const { status, ...answer } = await ask(make(operation));
      const [code = String(status)] = codesOf(answer);
      expect(['QUERY_TOO_COMPLEX', ...refusals]).toContain(code);
      expect(answer.data ?? undefined).toBeUndefined();
      if (code === 'QUERY_TOO_COMPLEX') expect(answer.errors).toHaveLength(1);
    },
  );

  it('what is within the limits is answered', async () => {
    const { data, errors } = await ask(asking(operation, 'name node { name }'));
    expect(errors).toBeUndefined();
    expect(JSON.stringify(data)).toContain('node-1');
  });
});

describe('a persisted query', () => {
  const query =
    'query ($n: Int) { pods(first: $n) { nodes { node { pods(first: $n) { nodes { node { pods(first: $n) { nodes { name } } } } } } } } }';

  it('costs what its variables come to each time, not what they came to when it was sent', async () => {
    const small = await byHash(query, { variables: { n: 2 } });
    expect(small.errors).toBeUndefined();
    expect(codesOf(await byHash(query, { variables: { n: 500 } }))).toEqual(['QUERY_TOO_COMPLEX']);
  });

  it('that nobody has sent is unknown, which clients know by Apollo’s word', async () => {
    const { errors, status } = await gateway
      .as('admin')
      .post({ extensions: { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } } });
    expect([status, codesOf({ errors: errors ?? [] })]).toEqual([200, ['PERSISTED_QUERY_NOT_FOUND']]);
  });

  it('under another’s hash is refused, and poisons nothing', async () => {
    const wanted = '{ viewer { name } }';
    const sha256Hash = createHash('sha256').update(wanted).digest('hex');
    const poisoned = await gateway
      .as('admin')
      .query('{ clusters { name } }', { extensions: { persistedQuery: { version: 1, sha256Hash } } });
    expect(poisoned.data).toBeUndefined();
    expect([poisoned.status, codesOf(poisoned)]).toEqual([400, ['BAD_USER_INPUT']]);
    expect((await byHash(wanted)).data).toEqual({ viewer: { name: 'admin' } });
  });

  it.each([
    { version: 1, sha256Hash: 7 },
    { version: 1, sha256Hash: '' },
    { version: 1, sha256Hash: 'A'.repeat(64) },
    { version: 1, sha256Hash: '__proto__' },
    { version: 1 },
    { version: 2, sha256Hash: '0'.repeat(64) },
    { sha256Hash: '0'.repeat(64) },
    [],
    'text',
    7,
  ])('that is named by %j is BAD_USER_INPUT', async (persistedQuery) => {
    for (const query of [undefined, '{ viewer { name } }']) {
      const reply = await gateway.as('admin').post({ query, extensions: { persistedQuery } });
      expect([reply.status, codesOf(reply), reply.data]).toEqual([400, ['BAD_USER_INPUT'], undefined]);
    }
    const search = new URLSearchParams({ extensions: JSON.stringify({ persistedQuery }) });
    expect((await gateway.as('admin').request(`/graphql?${search.toString()}`)).status).toBe(400);
  });

  it('leaves nothing in the log as a failure of the gateway', () => {
    expect(gateway.logged.filter((line) => line.includes('internal error'))).toEqual([]);
  });
});

describe('a body', () => {
  it('has its limit by POST and on the WebSocket', async () => {
    const padding = 'x'.repeat(1_100_000);
    expect((await gateway.as('admin').post({ query: '{ viewer { name } }', padding })).status).toBe(413);
    const socket = await gateway.as('admin').socket();
    socket.send({ id: '1', type: 'subscribe', payload: { query: '{ viewer { name } }', padding } });
    expect((await socket.closed).code).toBe(1009);
  });

  it('is no batch on any transport', async () => {
    const batch = Array.from({ length: 10 }, () => ({ query: '{ viewer { name } }' }));
    expect((await gateway.as('admin').post(batch)).status).toBe(400);
    const socket = await gateway.as('admin').socket();
    socket.send(batch.map((payload, index) => ({ id: String(index), type: 'subscribe', payload })));
    expect((await socket.closed).code).toBe(4400);
  });

  it('holds variables nested as deep as it is long without harm', async () => {
    const variables = `{"filter":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    const { errors } = await gateway
      .as('admin')
      .post(`{"query":"query ($filter: PodFilter) { pods(filter: $filter) { totalCount } }","variables":${variables}}`);
    expect(codesOf({ errors: errors ?? [] })).toEqual(['BAD_USER_INPUT']);
    const socket = await gateway.as('admin').socket();
    socket.send(
      `{"id":"1","type":"subscribe","payload":{"query":"query ($filter: PodFilter) { pods(filter: $filter) { totalCount } }","variables":${variables}}}`,
    );
    const { payload } = await socket.next();
    expect(codesOf(payload as Answer)).toEqual(['BAD_USER_INPUT']);
    await socket.close();
  });
});
