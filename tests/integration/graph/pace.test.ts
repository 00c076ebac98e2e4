import { parse } from 'graphql';
import { buildGatewaySchema } from '../../../src/resolvers/schema.js';
import { kindsOf } from '../../../src/schema/kinds-of.js';
import { watchLoop } from '../../support/loop.js';
import { Company } from './company.js';

describe('others have their turn', () => {
  const podCount = 400;
  let company: Company;
  beforeAll(() => {
    company = new Company({ maxObjects: 1_000_000 });
    company.namespace('shop', 'p-web');
    for (let index = 0; index < podCount; index += 1) company.pod('shop', `pod-${index}`, { node: `node-${index % 20}` });
    for (let index = 0; index < 20; index += 1) company.node(`node-${index}`);
  });
  afterAll(() => company.gateway.close());

  const aliases = (count: number, field: string): string => Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ');

  it.each([
    ['YAML is made of many pods', `{ pods(first: ${podCount}) { nodes { ${aliases(5, 'yaml')} } } }`],
    ['containers are read of many pods', `{ pods(first: ${podCount}) { nodes { ${aliases(20, 'containers { name }')} } } }`],
    ['one answer has many lists', `{ ${aliases(300, `pods(first: 10, filter: { search: "pod-${podCount - 1}" }) { totalCount }`)} }`],
    ['each node has its pods', `{ cluster(name: "east") { nodes { nodes { ${aliases(60, 'pods(first: 20) { totalCount }')} } } } }`],
  ])('while %s', async (_, query) => {
    const { result: answer, wholeMs, turns } = await watchLoop(() => company.gateway.query('cloud', query));
    expect(answer.errors).toBeUndefined();
    // Without giving way there is one. By their number and not the longest: a collection of garbage is nobody's work.
    expect({ wholeMs, turns, isShared: turns > 2 && wholeMs / turns < 60 }).toMatchObject({ isShared: true });
  });

  it('and who asks for too much YAML is told so', async () => {
    company.gateway.close();
    company = new Company({ maxObjects: 1_000 });
    company.namespace('shop', 'p-web');
    for (let index = 0; index < 100; index += 1) company.pod('shop', `pod-${index}`);
    const { errors } = await company.gateway.query('cloud', '{ pods(first: 100) { nodes { yaml } } }');
    expect(errors?.some(({ extensions }) => extensions?.['code'] === 'QUERY_TOO_COMPLEX')).toBe(true);
    expect((await company.gateway.query('cloud', '{ pods(first: 50) { nodes { yaml } } }')).errors).toBeUndefined();
  });
});

describe('what an operation reads', () => {
  const schema = buildGatewaySchema();
  const standing = ['Namespace', 'ReplicaSet', 'RuntimeClass'];
  const workloads = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'];
  it.each([
    ['{ viewer { memberships { project { namespaceNames { name } } } } }', []],
    ['{ projects { totalCount } }', []],
    ['{ pods { totalCount } }', ['Pod', ...workloads]],
    ['{ workloads { pageInfo { hasNextPage } } }', ['Pod', ...workloads]],
    ['{ namespaces { totalCount } }', []],
    ['{ namespaces { nodes { pods { unavailableClusters { message } } } } }', ['Pod', ...workloads]],
    ['{ cluster(name: "a") { nodes { totalCount } } }', ['Node', 'Pod']],
    ['subscription { podChanges { type podId } }', ['Pod', ...workloads]],
    ['subscription { nodeChanges(cluster: "a") { nodeId } }', ['Node', 'Pod']],
    ['{ node(id: "a") { id } }', ['Node', 'Pod', ...workloads]],
  ])('is awaited for %s', (text, expected) => {
    const found = kindsOf(parse(text), schema, undefined).map(({ name }) => name);
    expect(found.sort()).toEqual([...standing, ...expected].sort());
  });
  it.each(['{ viewer { name permissions { scope } } }', '{ permissionMatrix { title } }', '{ __schema { types { name } } }'])(
    'is nothing for %s',
    (text) => {
      expect(kindsOf(parse(text), schema, undefined)).toEqual([]);
    },
  );
  it('is only what the named operation reads', () => {
    const document = parse('query A { viewer { name } } query B { pods { totalCount } }');
    expect(kindsOf(document, schema, 'A')).toEqual([]);
  });
});
