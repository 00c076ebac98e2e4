import { codesOf, type Answer } from '../../support/clients.js';
import { TestGateway } from '../../support/gateway.js';
import { cpuMs, longestTurn } from '../../support/loop.js';
import type { Draft } from '../../support/objects.js';

const nodeCount = 20;
const podsPerNode = 40;

/** Nodes, and pods on each: enough that a few levels of going to and fro come to more objects than anybody wants. */
function objects(): readonly Draft[] {
  const nodes = Array.from({ length: nodeCount }, (_, node): Draft => ({ kind: 'Node', metadata: { name: `node-${node}` } }));
  const pods = nodes.flatMap((_, node) =>
    Array.from({ length: podsPerNode }, (_pod, pod): Draft => ({
      kind: 'Pod',
      metadata: { name: `pod-${node}-${pod}`, namespace: 'shop' },
      spec: { nodeName: `node-${node}`, containers: [{ name: 'main', image: 'nginx:1' }] },
      status: { phase: 'Running' },
    })),
  );
  const namespace: Draft = { kind: 'Namespace', metadata: { name: 'shop', labels: { 'openstack.org/project-id': 'p-a' } } };
  return [namespace, ...nodes, ...pods];
}

const pageOfPods = (below: string): string => `pods(first: ${podsPerNode}) { nodes { name ${below} } }`;
const cycle = (below: string): string => pageOfPods(`node { name ${below} }`);
const fourDeep = `{ cluster(name: "east") { nodes(first: ${nodeCount}) { nodes { ${cycle(cycle(''))} } } } }`;
/** The same again, so that each run asks by another document, which is not compiled yet. */
const distinct = (query: string, index: number): string => `${query} # ${index}`;

let gateway: TestGateway;
const start = (maxObjects: number): Promise<TestGateway> =>
  TestGateway.start({
    objects: { east: objects() },
    users: [{ id: 'admin', cloudAdmin: true }, { id: 'other' }],
    config: { maxObjects, maxCost: 100_000_000 },
  });

describe('a cycle four deep', () => {
  beforeAll(async () => {
    gateway = await start(20_000);
  });
  afterAll(() => gateway.stop());

  const asks: readonly [string, (query: string) => Promise<Answer>][] = [
    ['POST', (query) => gateway.as('admin').query(query)],
    ['GET', (query) => gateway.as('admin').query(query, { method: 'GET' })],
    [
      'WebSocket',
      async (query) => {
        const socket = await gateway.as('admin').socket();
        const answer = await socket.query(query);
        await socket.close();
        return answer;
      },
    ],
  ];

  it.each(asks)('ends with one error and no data, by %s, interpreted and compiled', async (transport, ask) => {
    for (let run = 0; run < 5; run++) {
      const answer = await ask(distinct(fourDeep, transport.length));
      expect(codesOf(answer)).toEqual(['QUERY_TOO_COMPLEX']);
      expect(answer.data ?? undefined).toBeUndefined();
      expect(answer.errors?.[0]).not.toHaveProperty('path');
      expect(answer.errors?.[0]?.message).toContain('20000 objects');
      expect(JSON.stringify(answer).length).toBeLessThan(1_000);
    }
    const metrics = await (await fetch(`${gateway.managementUrl}/metrics`)).text();
    expect(Number(/gateway_operations_total\{engine="compiled"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThanOrEqual(2);
  });

  it('of which the budget lasts is answered', async () => {
    const { data, errors } = await gateway
      .as('admin')
      .query(`{ cluster(name: "east") { nodes(first: 5) { nodes { ${cycle(pageOfPods(''))} } } } }`);
    expect(errors).toBeUndefined();
    expect(data.cluster.nodes.nodes[0].pods.nodes[0].node.pods.nodes).toHaveLength(podsPerNode);
  });
});

describe('a query that resolves much', () => {
  it.each(['interpreted', 'compiled'])(
    'gives way to others, %s',
    async (engine) => {
      const roomy = await start(10_000_000);
      try {
        const others = roomy.as('other');
        await others.query('{ viewer { name } }');
        // Asked often enough, it is compiled.
        if (engine === 'compiled') for (let run = 0; run < 3; run++) await roomy.as('admin').query(fourDeep);
        let asked = 0;
        const longestMs = await longestTurn(async () => {
          let isOver = false;
          let answered = 0;
          const startedMs = cpuMs();
          const large = roomy
            .as('admin')
            .query(engine === 'compiled' ? fourDeep : distinct(fourDeep, (asked += 1)))
            .finally(() => (isOver = true));
          while (!isOver) {
            await others.query('{ viewer { name } }');
            if (!isOver) answered += 1;
          }
          const { errors, status } = await large;
          expect([status, errors]).toEqual([200, undefined]);
          // One that kept the loop would let in those alone that came before it.
          expect(answered).toBeGreaterThan((cpuMs() - startedMs) / 200);
        }, 100);
        // Far above the 10 ms that it takes for itself: the answer is one piece of text in the end.
        expect(longestMs).toBeLessThan(100);
      } finally {
        await roomy.stop();
      }
    },
    60_000,
  );
});
