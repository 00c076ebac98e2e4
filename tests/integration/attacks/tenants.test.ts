import { codesOf } from '../../support/clients.js';
import type { TestGateway } from '../../support/gateway.js';
import { changesUntilSynced, podChanges, startWorld, type PodChange } from './world.js';

// One tenant, with the other's ids and cursors in hand, asks for what is the other's.

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startWorld({ pods: 5 });
});
afterAll(() => gateway.stop());

const namesIn = (changesOfPods: readonly PodChange[]): readonly string[] =>
  changesOfPods.flatMap(({ podId }) => (podId === null ? [] : (Buffer.from(podId, 'base64url').toString('utf8').split('\u0000')[3] ?? [])));

describe('what is the other tenant’s', () => {
  it('cannot be told by its id, its name or its project from what does not exist', async () => {
    const pods = (await gateway.as('bob').query('{ pods(first: 1) { nodes { id workload { id } } } }')).data.pods.nodes;
    const { data, errors } = await gateway.as('alice').query(
      `query ($pod: ID!, $workload: ID!) {
        node(id: $pod) { id }
        workload(id: $workload) { id }
        pods(filter: { workload: $workload }) { totalCount pageInfo { hasNextPage hasPreviousPage } nodes { name } }
        there: resource(cluster: "east", kind: POD, namespace: "b1", name: "pod-0") { id }
        notThere: resource(cluster: "east", kind: POD, namespace: "b1", name: "none") { id }
        namespace(cluster: "east", name: "b1") { id }
        project(id: "p-b") { id }
        viewer { can(function: WORKLOAD_VIEW, project: "p-b") unknown: can(function: WORKLOAD_VIEW, project: "__proto__") }
        byProject: pods(filter: { projects: ["p-b", "", "__proto__", "constructor"] }) { totalCount }
      }`,
      { variables: { pod: pods[0].id, workload: pods[0].workload.id } },
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      node: null,
      workload: null,
      pods: { totalCount: 0, pageInfo: { hasNextPage: false, hasPreviousPage: false }, nodes: [] },
      there: null,
      notThere: null,
      namespace: null,
      project: null,
      viewer: { can: false, unknown: false },
      byProject: { totalCount: 0 },
    });
  });

  it('is not reached by the cursor of the other’s page or stream', async () => {
    const query = 'query ($after: String) { pods(first: 2, after: $after) { totalCount nodes { namespaceName } } }';
    const { endCursor } = (await gateway.as('bob').query('{ pods(first: 2) { pageInfo { endCursor } } }')).data.pods.pageInfo;
    expect((await gateway.as('alice').query(query, { variables: { after: endCursor } })).data.pods).toEqual({ totalCount: 5, nodes: [] });
    const after = (await changesUntilSynced(gateway, 'bob', {})).at(-1)?.cursor;
    const replayed = await changesUntilSynced(gateway, 'alice', { after });
    expect(replayed[0]?.type).toBe('RESET');
    expect(new Set(namesIn(replayed))).toEqual(new Set(['a1']));
  });

  it('is not streamed by a filter for the other’s workload', async () => {
    const [pod] = (await gateway.as('bob').query('{ pods(first: 1) { nodes { workload { id } } } }')).data.pods.nodes;
    expect(namesIn(await changesUntilSynced(gateway, 'alice', { filter: { workload: pod.workload.id } }))).toEqual([]);
  });

  it('is not shown through an interface, a fragment or an alias, by whichever engine and whoever asked first', async () => {
    const query = `query ($with: Boolean!) { pods(first: 1) { nodes { ...Place @include(if: $with) ... { space: namespace { name } } } } }
      fragment Place on NamespacedResource { namespace { name } ... on Pod { machine: node { name } } }`;
    for (const user of ['alice', 'reader', 'bob', 'reader', 'bob', 'alice']) {
      const { data, errors = [] } = await gateway.as(user).query(query, { variables: { with: true } });
      const isAdmin = user === 'alice';
      const namespace = isAdmin ? { name: 'a1' } : null;
      expect(data.pods.nodes).toEqual([{ namespace, machine: null, space: namespace }]);
      expect(codesOf({ errors })).toEqual(isAdmin ? ['FORBIDDEN'] : ['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']);
    }
  });
});

describe('a cursor', () => {
  it.each(['[]', 'null', '[["p"]]', '["p","x",{}]', '["p",1,2,3,4,5,6,7]', '["w","x","",[["__proto__",null,[]]],0]'])(
    'that is %s is BAD_USER_INPUT',
    async (text) => {
      const after = Buffer.from(text).toString('base64url');
      const query = 'query ($after: String) { pods(after: $after) { totalCount } }';
      expect(codesOf(await gateway.as('alice').query(query, { variables: { after } }))).toEqual(['BAD_USER_INPUT']);
      const socket = await gateway.as('alice').socket();
      expect(codesOf(await socket.query(podChanges, { variables: { after } }))).toEqual(['BAD_USER_INPUT']);
      await socket.close();
    },
  );
});
