import { Company, adminOf, owned, userOf, workload } from './company.js';
import type { Answer } from '../../support/in-process.js';

const codes = ({ errors = [] }: Answer): string[] =>
  errors.map(({ path, extensions }) => `${path?.join('.') ?? ''} ${String(extensions?.['code'])}`);

describe('the graph', () => {
  let company: Company;
  const ask = (text: string, viewer = 'cloud', variables?: Record<string, unknown>): Promise<Answer> =>
    company.gateway.query(viewer, text, variables);

  beforeEach(() => {
    company = new Company();
    company.namespace('shop', 'p-web');
    company.namespace('data', 'p-db');
    company.namespace('data', 'p-db', 'west');
    company.namespace('kube-system');
    company.node('node-1', { labels: { zone: 'a', 'node-role.kubernetes.io/control-plane': '' } });
    company.node('node-2', { labels: { zone: 'b' }, spec: { unschedulable: true } });
  });
  afterEach(() => company.gateway.close());

  it('leads from clusters through nodes, pods and workloads to namespaces and projects, and back', async () => {
    company.deployment('shop', 'web', 2, { node: 'node-1' });
    const { data, errors } = await ask(`{
      clusters { name displayName status version nodes(first: 1) { totalCount nodes { name cluster { name } pods { nodes {
        name node { name } workload { __typename name workloadKind pods { totalCount } } namespace { name project { name department { name } } } project { id }
      } } } } }
    }`);
    expect(errors).toBeUndefined();
    const pod = (name: string): object => ({
      name,
      node: { name: 'node-1' },
      workload: { __typename: 'Deployment', name: 'web', workloadKind: 'DEPLOYMENT', pods: { totalCount: 2 } },
      namespace: { name: 'shop', project: { name: '网店', department: { name: '零售' } } },
      project: { id: 'p-web' },
    });
    expect(data?.['clusters'][0]).toEqual({
      name: 'east',
      displayName: 'east',
      status: 'HEALTHY',
      version: 'v1.36.0',
      nodes: { totalCount: 2, nodes: [{ name: 'node-1', cluster: { name: 'east' }, pods: { nodes: [pod('web-1-0'), pod('web-1-1')] } }] },
    });
  });

  it('sums what machines have and what unfinished pods ask for', async () => {
    company.deployment('shop', 'web', 2, { node: 'node-1' });
    company.pod('shop', 'waiting', { phase: 'Pending' });
    company.pod('shop', 'done', { node: 'node-1', phase: 'Succeeded' });
    const { data, errors } = await ask(`{
      cluster(name: "east") {
        architectures capacity { cpuCores memoryBytes pods } allocatable { cpuCores } requested { cpuCores memoryBytes pods }
        node(name: "node-1") { requested { cpuCores memoryBytes pods } }
      }
      workloads { nodes { requested { cpuCores pods } } }
    }`);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      cluster: {
        architectures: ['amd64'],
        capacity: { cpuCores: 16, memoryBytes: 2 * 16 * 2 ** 30, pods: 220 },
        allocatable: { cpuCores: 15 },
        requested: { cpuCores: 1.5, memoryBytes: 3 * 256 * 2 ** 20, pods: 3 },
        node: { requested: { cpuCores: 1, memoryBytes: 512 * 2 ** 20, pods: 2 } },
      },
      workloads: { nodes: [{ requested: { cpuCores: 1, pods: 2 } }] },
    });
  });

  it('tells no amounts of a cluster that was never reached', async () => {
    company.gateway.close();
    company = new Company({
      clusters: [{ name: 'east', info: { reached: false, status: 'UNREACHABLE', statusMessage: 'Away.', version: undefined } }],
    });
    const { data } = await ask(
      '{ cluster(name: "east") { version status statusMessage architectures capacity { pods } allocatable { pods } requested { pods } } }',
    );
    expect(data?.['cluster']).toEqual({
      version: null,
      status: 'UNREACHABLE',
      statusMessage: 'Away.',
      architectures: null,
      capacity: null,
      allocatable: null,
      requested: null,
    });
  });

  describe('a list of pods', () => {
    const names = async (args: string, viewer?: string): Promise<string[]> => {
      const { data, errors } = await ask(`{ pods(${args}) { totalCount nodes { name } } }`, viewer);
      expect(errors).toBeUndefined();
      const { nodes, totalCount } = data?.['pods'] as { nodes: { name: string }[]; totalCount: number };
      expect(totalCount).toBeGreaterThanOrEqual(nodes.length);
      return nodes.map(({ name }) => name);
    };

    beforeEach(() => {
      company.deployment('shop', 'web', 2, { node: 'node-1', labels: { app: 'web', tier: 'front' } });
      const job = company.put('Job', workload('shop', 'import', { template: { spec: {} } }));
      company.pod('shop', 'import-x', {
        owner: job,
        node: 'node-2',
        phase: 'Failed',
        status: { containerStatuses: [{ name: 'main', restartCount: 3, state: {} }] },
      });
      company.put('RuntimeClass', { metadata: { name: 'kata' }, handler: 'kata-qemu' });
      company.put('RuntimeClass', { metadata: { name: 'odd' }, handler: 'new-thing' });
      company.pod('data', 'secure', {
        spec: { runtimeClassName: 'kata', containers: [{ name: 'gpu', image: 'cuda', resources: { limits: { 'nvidia.com/gpu': '2' } } }] },
      });
      company.pod('data', 'odd', { spec: { runtimeClassName: 'odd' }, phase: 'Pending' });
    });

    it.each([
      ['filter: {}', ['odd', 'secure', 'import-x', 'web-1-0', 'web-1-1']],
      ['filter: { namespaces: ["shop"] }', ['import-x', 'web-1-0', 'web-1-1']],
      ['filter: { clusters: ["west"] }', []],
      ['filter: { clusters: ["nowhere"] }', []],
      ['filter: { projects: ["p-db"] }', ['odd', 'secure']],
      ['filter: { projects: ["p-db"], namespaces: ["shop"] }', []],
      ['filter: { nodeNames: ["node-2", "node-9"] }', ['import-x']],
      ['filter: { search: "WEB-1" }', ['web-1-0', 'web-1-1']],
      ['filter: { labelSelector: "app=web,tier!=back" }', ['web-1-0', 'web-1-1']],
      ['filter: { phases: [FAILED, PENDING] }', ['odd', 'import-x']],
      ['filter: { phases: [] }', []],
      ['filter: { ready: false }', ['odd', 'import-x']],
      ['filter: { isolation: SECURE }', ['secure']],
      ['filter: { isolation: UNKNOWN }', ['odd']],
      ['filter: { hasGpu: true }', ['secure']],
      ['orderBy: { field: NAME }', ['import-x', 'odd', 'secure', 'web-1-0', 'web-1-1']],
      ['orderBy: { field: RESTARTS, direction: DESC }, first: 1', ['import-x']],
      ['orderBy: { field: NODE, direction: DESC }, first: 2', ['import-x', 'web-1-1']],
      ['orderBy: { field: PHASE }, first: 2', ['import-x', 'odd']],
      ['orderBy: { field: CREATED_AT, direction: DESC }, first: 1', ['odd']],
      ['orderBy: { field: NAMESPACE, direction: ASC }, first: 3, offset: 1', ['secure', 'import-x', 'web-1-0']],
    ])('takes %s', async (args, expected) => {
      expect(await names(args)).toEqual(expected);
    });

    it('of a workload goes through its replica sets, and those of a cron job through its jobs', async () => {
      const cronJob = company.put('CronJob', {
        metadata: { namespace: 'shop', name: 'nightly' },
        spec: { schedule: '0 0 * * *', jobTemplate: { spec: { template: { spec: {} } } } },
      });
      const job = company.put('Job', owned(workload('shop', 'nightly-1'), cronJob));
      company.pod('shop', 'nightly-1-x', { owner: job });
      const { data } = await ask('{ workloads(orderBy: { field: NAME }) { nodes { id name } } }');
      const ids = new Map((data?.['workloads'].nodes as { id: string; name: string }[]).map(({ id, name }) => [name, id]));
      const of = (name: string): Promise<string[]> => names(`filter: { workload: "${ids.get(name)}" }`);
      expect(await of('web')).toEqual(['web-1-0', 'web-1-1']);
      expect(await of('import')).toEqual(['import-x']);
      expect(await of('nightly')).toEqual(['nightly-1-x']);
      expect(await of('nightly-1')).toEqual(['nightly-1-x']);
      expect(await names(`filter: { workload: "${ids.get('web')}", namespaces: ["data"] }`)).toEqual([]);
      expect(await names('filter: { workload: "nonsense" }')).toEqual([]);
      // Who may not see the workload learns nothing by it.
      expect(await names(`filter: { workload: "${ids.get('web')}" }`, userOf('p-db'))).toEqual([]);
    });

    it.each([
      ['first: 0', 'first', 'first is 1 to 500.'],
      ['first: 501', 'first', 'first is 1 to 500.'],
      ['offset: -1', 'offset', 'offset is not negative.'],
      ['offset: 1, after: "x"', 'offset', 'A page is named by after or by offset, not by both.'],
      ['after: "x"', 'after', 'The cursor is none that this API gives.'],
      ['filter: { labelSelector: "a=(" }', 'filter.labelSelector', undefined],
      [`filter: { search: "${'a'.repeat(20_000)}" }`, 'filter.search', 'A text in a filter has at most 16384 characters.'],
      [`filter: { nodeNames: [${'"a" '.repeat(1_001)}] }`, 'filter.nodeNames', 'A list in a filter has at most 1000 values.'],
    ])('refuses %s', async (args, field, message) => {
      const { data, errors } = await ask(`{ pods(${args}) { totalCount } }`);
      expect(data).toEqual({ pods: null });
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
      if (message !== undefined) expect(errors?.[0]?.message).toBe(message);
    });

    it('has pages that stay right while pods come and go', async () => {
      const page = async (after: string | null): Promise<{ names: string[]; next: string; more: boolean }> => {
        const { data } = await ask(
          'query ($after: String) { pods(first: 2, after: $after) { edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }',
          'cloud',
          { after },
        );
        const { edges, pageInfo } = data?.['pods'];
        expect(pageInfo.hasPreviousPage).toBe(after !== null);
        expect([pageInfo.startCursor, pageInfo.endCursor]).toEqual([edges[0].cursor, edges.at(-1).cursor]);
        return { names: edges.map((edge: any) => edge.node.name), next: pageInfo.endCursor, more: pageInfo.hasNextPage };
      };
      const first = await page(null);
      expect(first.names).toEqual(['odd', 'secure']);
      company.remove('Pod', 'data', 'secure');
      company.pod('data', 'a-new-one');
      company.pod('shop', 'aaa');
      const second = await page(first.next);
      expect(second.names).toEqual(['aaa', 'import-x']);
      const third = await page(second.next);
      expect(third).toMatchObject({ names: ['web-1-0', 'web-1-1'], more: false });
    });

    it('refuses the cursor of another query', async () => {
      const { data } = await ask('{ pods(first: 1) { pageInfo { endCursor } } workloads(first: 1) { pageInfo { endCursor } } }');
      const cursor = data?.['pods'].pageInfo.endCursor as string;
      const answer = await ask(`{
        same: pods(first: 3, after: "${cursor}") { totalCount }
        filtered: pods(after: "${cursor}", filter: { ready: true }) { totalCount }
        ordered: pods(after: "${cursor}", orderBy: { field: NAME }) { totalCount }
        elsewhere: cluster(name: "east") { pods(after: "${cursor}") { totalCount } }
        workloads(after: "${cursor}") { totalCount }
      }`);
      expect(answer.data?.['same']).toEqual({ totalCount: 5 });
      expect(codes(answer).sort()).toEqual(['elsewhere.pods', 'filtered', 'ordered', 'workloads'].map((path) => `${path} BAD_USER_INPUT`));
    });
  });

  it('lists nodes by filter and order', async () => {
    company.node('gpu', {
      labels: { zone: 'a' },
      status: {
        capacity: { cpu: '64', memory: '1Gi', pods: '10', 'nvidia.com/gpu': '8' },
        nodeInfo: { architecture: 'arm64' },
        conditions: [],
      },
    });
    company.pod('shop', 'one', { node: 'node-2' });
    const of = async (args: string): Promise<string[]> => {
      const { data, errors } = await ask(`{ cluster(name: "east") { nodes${args} { nodes { name } } } }`);
      expect(errors).toBeUndefined();
      return (data?.['cluster'].nodes.nodes as { name: string }[]).map(({ name }) => name);
    };
    expect(await of('')).toEqual(['gpu', 'node-1', 'node-2']);
    expect(await of('(filter: { roles: [MASTER] })')).toEqual(['node-1']);
    expect(await of('(filter: { ready: false })')).toEqual(['gpu']);
    expect(await of('(filter: { schedulable: false })')).toEqual(['node-2']);
    expect(await of('(filter: { architecture: "arm64" })')).toEqual(['gpu']);
    expect(await of('(filter: { hasGpu: true })')).toEqual(['gpu']);
    expect(await of('(filter: { labelSelector: "zone=a", search: "node" })')).toEqual(['node-1']);
    expect(await of('(orderBy: { field: POD_COUNT, direction: DESC })')).toEqual(['node-2', 'node-1', 'gpu']);
    expect(await of('(orderBy: { field: CPU_REQUESTED, direction: DESC }, first: 1)')).toEqual(['node-2']);
  });

  it('lists workloads of all kinds by filter and order', async () => {
    company.deployment('shop', 'web', 1);
    company.put(
      'StatefulSet',
      workload('data', 'db', { replicas: 3 }, { replicas: 3, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 }),
    );
    company.put('DaemonSet', workload('data', 'agent', {}, { desiredNumberScheduled: 0 }));
    company.put('Job', workload('shop', 'import', {}, { conditions: [{ type: 'Failed', status: 'True', message: 'Too often.' }] }));
    company.put('CronJob', {
      metadata: { namespace: 'shop', name: 'nightly' },
      spec: {
        suspend: true,
        schedule: '0 0 * * *',
        jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', image: 'busybox:1' }] } } } },
      },
    });
    const of = async (args: string, viewer = 'cloud'): Promise<string[]> => {
      const { data, errors } = await ask(`{ workloads${args} { totalCount nodes { name } } }`, viewer);
      expect(errors).toBeUndefined();
      return (data?.['workloads'].nodes as { name: string }[]).map(({ name }) => name);
    };
    expect(await of('')).toEqual(['agent', 'db', 'import', 'nightly', 'web']);
    expect(await of('', userOf('p-web'))).toEqual(['import', 'nightly', 'web']);
    expect(await of('(filter: { kinds: [JOB, CRON_JOB] })')).toEqual(['import', 'nightly']);
    expect(await of('(filter: { kinds: [] })')).toEqual([]);
    expect(await of('(filter: { statuses: [FAILED, DEGRADED] })')).toEqual(['db', 'import']);
    expect(await of('(filter: { image: "BUSYBOX" })')).toEqual(['nightly']);
    expect(await of('(filter: { isolation: SECURE })')).toEqual([]);
    expect(await of('(orderBy: { field: KIND }, first: 2)')).toEqual(['nightly', 'agent']);
    expect(await of('(orderBy: { field: STATUS, direction: DESC }, first: 1)')).toEqual(['nightly']);
    const { data } = await ask(
      '{ workloads { nodes { name status statusMessage ... on StatefulSet { replicas { desired ready available } } ... on CronJob { suspended nextScheduledAt } } } }',
    );
    expect(data?.['workloads'].nodes).toEqual([
      { name: 'agent', status: 'RUNNING', statusMessage: null },
      { name: 'db', status: 'DEGRADED', statusMessage: null, replicas: { desired: 3, ready: 2, available: 2 } },
      { name: 'import', status: 'FAILED', statusMessage: 'Too often.' },
      { name: 'nightly', status: 'SUSPENDED', statusMessage: null, suspended: true, nextScheduledAt: null },
      { name: 'web', status: 'RUNNING', statusMessage: null },
    ]);
  });

  it('leads from jobs to their cron job, and from it to its jobs, newest first', async () => {
    const cronJob = company.put('CronJob', {
      metadata: { namespace: 'shop', name: 'nightly' },
      spec: { schedule: '0 0 * * *', timeZone: 'Asia/Shanghai', jobTemplate: { spec: { template: { spec: {} } } } },
    });
    for (const name of ['nightly-1', 'nightly-2', 'nightly-3']) company.put('Job', owned(workload('shop', name), cronJob));
    company.put('Job', workload('shop', 'alone'));
    const { data, errors } = await ask(`{
      workloads(filter: { kinds: [JOB] }) { nodes { name ... on Job { cronJob { name } } } }
      resource(cluster: "east", kind: CRON_JOB, namespace: "shop", name: "nightly") { ... on CronJob { timeZone jobs(first: 2) { name } } }
    }`);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      workloads: {
        nodes: [
          { name: 'alone', cronJob: null },
          ...['nightly-1', 'nightly-2', 'nightly-3'].map((name) => ({ name, cronJob: { name: 'nightly' } })),
        ],
      },
      resource: { timeZone: 'Asia/Shanghai', jobs: [{ name: 'nightly-3' }, { name: 'nightly-2' }] },
    });
  });

  it('gives the same object by list, by id and by name', async () => {
    company.deployment('shop', 'web', 1, { node: 'node-1' });
    const { data } = await ask(
      '{ clusters { id } projects { nodes { id } } pods { nodes { id } } workloads { nodes { id } } namespaces { nodes { id name } } cluster(name: "east") { nodes { nodes { id } } } }',
    );
    const ids = [
      ...data?.['clusters'].map(({ id }: any) => id),
      ...['projects', 'pods', 'workloads', 'namespaces'].flatMap((field) => data?.[field].nodes.map(({ id }: any) => id)),
      ...data?.['cluster'].nodes.nodes.map(({ id }: any) => id),
    ] as string[];
    expect(new Set(ids).size).toBe(2 + 2 + 1 + 1 + 4 + 2);
    for (const id of ids) expect((await ask('query ($id: ID!) { node(id: $id) { id } }', 'cloud', { id })).data).toEqual({ node: { id } });
    const named = await ask(`{
      NODE: resource(cluster: "east", kind: NODE, name: "node-1") { __typename id }
      NAMESPACE: resource(cluster: "west", kind: NAMESPACE, name: "data") { __typename id }
      DEPLOYMENT: resource(cluster: "east", kind: DEPLOYMENT, namespace: "shop", name: "web") { __typename id }
      POD: resource(cluster: "east", kind: POD, namespace: "shop", name: "web-1-0") { __typename id }
      none: resource(cluster: "west", kind: POD, namespace: "shop", name: "web-1-0") { id }
    }`);
    expect(named.errors).toBeUndefined();
    for (const key of ['NODE', 'NAMESPACE', 'DEPLOYMENT', 'POD']) expect(ids).toContain(named.data?.[key].id);
    expect(named.data?.['none']).toBeNull();
  });

  it('finds nothing by an id whose object was made again', async () => {
    company.pod('shop', 'one');
    const { data } = await ask('{ pods { nodes { id } } }');
    const id = data?.['pods'].nodes[0].id as string;
    company.remove('Pod', 'shop', 'one');
    company.pod('shop', 'one');
    expect((await ask(`{ node(id: "${id}") { id } }`)).data).toEqual({ node: null });
  });

  it('tells nothing by an id whose object is gone of what has its name now', async () => {
    // The viewer is no administrator of the project that the name belongs to now: of an object there they would be refused.
    const id = company.gateway.query('cloud', '{ namespace(cluster: "east", name: "shop") { id } }');
    const { data } = await id;
    company.remove('Namespace', undefined, 'shop');
    company.namespace('shop', 'p-web');
    expect(await ask(`{ node(id: "${data?.['namespace'].id}") { id } }`, userOf('p-web'))).toMatchObject({
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
    expect(await ask(`{ node(id: "${data?.['namespace'].id}") { id } }`, adminOf('p-web'))).toEqual({ data: { node: null } });
  });

  it('names the clusters whose projects are missing to who may see them all', async () => {
    company.gateway.cluster('west').failure = { clusterName: 'west', message: 'Away.', staleSince: undefined };
    const text = '{ projects { unavailableClusters { clusterName } } }';
    expect((await ask(text)).data?.['projects'].unavailableClusters).toEqual([{ clusterName: 'west' }]);
    expect((await ask(text, userOf('p-web'))).data?.['projects'].unavailableClusters).toEqual([]);
  });

  describe('a forged id', () => {
    const forge = (...parts: string[]): string => Buffer.from(parts.join('\0'), 'utf8').toString('base64url');
    beforeEach(() => {
      company.put('Pod', { metadata: { namespace: 'shop', name: 'one', uid: 'uid-of-one' }, spec: {}, status: {} });
    });

    it('that is right in everything leads to the object: ids hold no secret', async () => {
      expect((await ask(`{ node(id: "${forge('1', 'east', 'Pod', 'shop', 'one', 'uid-of-one')}") { ... on Pod { name } } }`)).data).toEqual(
        { node: { name: 'one' } },
      );
    });

    it.each([
      ['another kind', ['1', 'east', 'Deployment', 'shop', 'one', 'uid-of-one']],
      ['a kind that is cluster-scoped', ['1', 'east', 'Node', '', 'one', 'uid-of-one']],
      ['another cluster', ['1', 'west', 'Pod', 'shop', 'one', 'uid-of-one']],
      ['a cluster that does not exist', ['1', 'nowhere', 'Pod', 'shop', 'one', 'uid-of-one']],
      ['another namespace', ['1', 'east', 'Pod', 'data', 'one', 'uid-of-one']],
      ['no namespace', ['1', 'east', 'Pod', '', 'one', 'uid-of-one']],
      ['another uid', ['1', 'east', 'Pod', 'shop', 'one', 'uid-of-two']],
      ['no uid', ['1', 'east', 'Pod', 'shop', 'one', '']],
      ['another version', ['2', 'east', 'Pod', 'shop', 'one', 'uid-of-one']],
      ['a kind that is not built', ['1', 'east', 'Secret', 'shop', 'one', 'uid-of-one']],
      ['a kind that stands between others', ['1', 'east', 'ReplicaSet', 'shop', 'one', 'uid-of-one']],
      ['a custom resource that names secrets', ['1', 'east', 'CustomResource', '/v1/secrets', 'shop', 'one', 'uid-of-one']],
      ['a path for a name', ['1', 'east', 'Pod', 'shop', '../secrets/one', 'uid-of-one']],
      ['an escaped path for a name', ['1', 'east', 'Pod', 'shop', '..%2fsecrets%2fone', 'uid-of-one']],
    ])('that names %s leads nowhere', async (_, parts) => {
      const answer = await ask(
        'query ($id: ID!) { node(id: $id) { id } workload(id: $id) { id } pods(filter: { workload: $id }) { totalCount } }',
        'cloud',
        { id: forge(...parts) },
      );
      expect(answer).toEqual({ data: { node: null, workload: null, pods: { totalCount: 0 } } });
    });

    it.each(['', ' ', 'x'.repeat(10_000), 'user:cloud', '%00', '../..', 'MQ'])('that is no id leads nowhere (%#)', async (id) => {
      expect(await ask('query ($id: ID!) { node(id: $id) { id } workload(id: $id) { id } }', 'cloud', { id })).toEqual({
        data: { node: null, workload: null },
      });
    });
  });

  describe('a name that no object can have', () => {
    it.each(['a/b', '..', 'a%2fb', 'a\0b', 'x'.repeat(10_000), 'Upper', '', '-a'])('is refused by its field (%#)', async (name) => {
      const answer = await ask(
        `query ($name: String!) {
          pod(cluster: "east", namespace: "shop", name: $name) { id }
          inNamespace: pod(cluster: "east", namespace: $name, name: "one") { id }
          namespace(cluster: "east", name: $name) { id }
          resource(cluster: "east", kind: NODE, name: $name) { id }
          cluster(name: "east") { node(name: $name) { id } namespace(name: $name) { id } }
        }`,
        'cloud',
        { name },
      );
      expect(answer.errors?.map(({ path, extensions }) => [path?.join('.'), extensions?.['code'], extensions?.['field']])).toEqual([
        ['pod', 'BAD_USER_INPUT', 'name'],
        ['inNamespace', 'BAD_USER_INPUT', 'namespace'],
        ['namespace', 'BAD_USER_INPUT', 'name'],
        ['resource', 'BAD_USER_INPUT', 'name'],
        ['cluster.node', 'BAD_USER_INPUT', 'name'],
        ['cluster.namespace', 'BAD_USER_INPUT', 'name'],
      ]);
      expect(answer.errors?.every(({ message }) => message.length < 200)).toBe(true);
    });

    it('of a cluster is merely unknown', async () => {
      for (const name of ['..', 'x'.repeat(10_000), '']) {
        expect(
          await ask(
            'query ($name: String!) { cluster(name: $name) { id } pod(cluster: $name, namespace: "shop", name: "one") { id } }',
            'cloud',
            { name },
          ),
        ).toEqual({
          data: { cluster: null, pod: null },
        });
      }
    });
  });

  it('wants a namespace for what is in one, and none for what is not', async () => {
    const answer = await ask(
      '{ a: resource(cluster: "east", kind: POD, name: "one") { id } b: resource(cluster: "east", kind: NODE, namespace: "shop", name: "node-1") { id } }',
    );
    expect(answer.data).toEqual({ a: null, b: null });
    expect(answer.errors?.map(({ extensions }) => extensions)).toEqual([
      expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'namespace' }),
      expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'namespace' }),
    ]);
  });

  it('shows YAML without managed fields and without what kubectl applied last', async () => {
    company.put('Pod', {
      metadata: {
        namespace: 'shop',
        name: 'one',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"secret":"canary"}', note: 'x' },
        ...{ managedFields: [{ manager: 'canary' }] },
      },
      spec: {},
      status: {},
    });
    const { data } = await ask(
      '{ pods { nodes { yaml annotations { key value } } } namespace(cluster: "east", name: "shop") { yaml labels { key value } finalizers phase } }',
      adminOf('p-web'),
    );
    const [pod] = data?.['pods'].nodes as { yaml: string; annotations: object[] }[];
    expect(pod?.yaml).toMatch(/^apiVersion: v1\nkind: Pod\nmetadata:\n {2}annotations:\n {4}note: x\n/);
    expect(JSON.stringify(data)).not.toContain('canary');
    expect(pod?.annotations).toEqual([{ key: 'note', value: 'x' }]);
    expect(data?.['namespace']).toMatchObject({
      labels: [{ key: 'openstack.org/project-id', value: 'p-web' }],
      finalizers: [],
      phase: 'Active',
    });
  });

  it('tells each viewer who they are, what they may do, and which projects they have joined', async () => {
    const { data } = await ask(
      `{ viewer { id name role expiresAt memberships { role project { id name clusterNames namespaceNames { clusterName name } } }
          scale: can(function: WORKLOAD_SCALE, project: "p-web") elsewhere: can(function: WORKLOAD_SCALE, project: "p-db") nodes: can(function: NODE_VIEW)
          permissions(project: "p-web") { function scope } } permissionMatrix { function role scope title group } projects { totalCount nodes { id } } other: project(id: "p-db") { id } }`,
      userOf('p-web'),
    );
    expect(data?.['viewer']).toMatchObject({
      id: 'user:user-of-p-web',
      role: 'USER',
      expiresAt: null,
      memberships: [
        {
          role: 'USER',
          project: { id: 'p-web', name: '网店', clusterNames: ['east'], namespaceNames: [{ clusterName: 'east', name: 'shop' }] },
        },
      ],
      scale: true,
      elsewhere: false,
      nodes: false,
    });
    expect(data?.['viewer'].permissions).toHaveLength(67);
    expect(data?.['permissionMatrix']).toHaveLength(67 * 5);
    expect(data?.['projects']).toEqual({ totalCount: 1, nodes: [{ id: 'p-web' }] });
    expect(data?.['other']).toBeNull();
  });

  it('knows a project that only a label names', async () => {
    company.namespace('odd', 'p-unheard-of');
    const { data } = await ask(
      '{ projects { totalCount nodes { id name department { id } } } project(id: "p-unheard-of") { name namespaces { nodes { name } } } none: project(id: "p-none") { id } }',
    );
    expect(data?.['projects'].totalCount).toBe(3);
    expect(data?.['project']).toEqual({ name: 'p-unheard-of', namespaces: { nodes: [{ name: 'odd' }] } });
    expect(data?.['none']).toBeNull();
  });
});

describe('a stream of changes', () => {
  let company: Company;
  beforeEach(() => {
    company = new Company();
    company.namespace('shop', 'p-web');
    company.namespace('data', 'p-db');
    company.pod('shop', 'one');
    company.pod('data', 'two');
  });
  afterEach(() => company.gateway.close());

  async function take(stream: AsyncGenerator<Answer>, count: number): Promise<any[]> {
    const found = [];
    while (found.length < count) {
      const { value } = await stream.next();
      const answer = value as Answer;
      expect(answer.errors).toBeUndefined();
      found.push(Object.values(answer.data ?? {})[0]);
    }
    return found;
  }
  const podChanges =
    'subscription ($after: String, $filter: PodFilter) { podChanges(after: $after, filter: $filter) { type cursor podId pod { name id } unavailableClusters { clusterName } } }';

  it('begins with what there is, says so, and goes on with what happens', async () => {
    const stream = company.gateway.subscribe(userOf('p-web'), podChanges);
    const [added, synced] = await take(stream, 2);
    expect(added).toMatchObject({ type: 'ADDED', pod: { name: 'one' }, unavailableClusters: null });
    expect(added.podId).toBe(added.pod.id);
    expect(synced).toMatchObject({ type: 'SYNCED', podId: null, pod: null, unavailableClusters: [] });
    company.pod('data', 'three');
    company.pod('shop', 'four');
    company.remove('Pod', 'shop', 'one');
    const [more, deleted] = await take(stream, 2);
    expect(more).toMatchObject({ type: 'ADDED', pod: { name: 'four' } });
    expect(deleted).toMatchObject({ type: 'DELETED', podId: added.podId, pod: null });
    await stream.return();

    company.pod('shop', 'five');
    company.remove('Pod', 'shop', 'four');
    const resumed = company.gateway.subscribe(userOf('p-web'), podChanges, { after: synced.cursor });
    const changes = await take(resumed, 4);
    expect(changes.map(({ type, pod }) => `${type} ${pod?.name ?? ''}`).sort()).toEqual(['ADDED five', 'DELETED ', 'DELETED ', 'SYNCED ']);
    expect(changes.at(-1).type).toBe('SYNCED');
    await resumed.return();
  });

  it('follows the pods of one workload while its replica sets come and go', async () => {
    company.deployment('shop', 'web', 1);
    const { data } = await company.gateway.query('cloud', '{ workloads { nodes { id } } }');
    const stream = company.gateway.subscribe('cloud', podChanges, { filter: { workload: data?.['workloads'].nodes[0].id } });
    expect((await take(stream, 2)).map(({ type, pod }) => [type, pod?.name])).toEqual([
      ['ADDED', 'web-1-0'],
      ['SYNCED', undefined],
    ]);
    const deployment = company.put('Deployment', workload('shop', 'web'));
    const replicaSet = company.put('ReplicaSet', owned(workload('shop', 'web-2'), deployment));
    company.pod('shop', 'web-2-0', { owner: replicaSet });
    company.pod('shop', 'stranger');
    company.remove('Pod', 'shop', 'web-1-0');
    expect((await take(stream, 2)).map(({ type, pod }) => [type, pod?.name])).toEqual([
      ['ADDED', 'web-2-0'],
      ['DELETED', undefined],
    ]);
    await stream.return();
  });

  it('of a workload begins before the workload itself is known', async () => {
    company.deployment('shop', 'web', 1);
    const { data } = await company.gateway.query('cloud', '{ workloads { nodes { id } } }');
    company.remove('Deployment', 'shop', 'web');
    const stream = company.gateway.subscribe('cloud', podChanges, { filter: { workload: data?.['workloads'].nodes[0].id } });
    expect((await take(stream, 2)).map(({ type, pod }) => [type, pod?.name])).toEqual([
      ['ADDED', 'web-1-0'],
      ['SYNCED', undefined],
    ]);
    await stream.return();
  });

  it('of nodes is for those who may see nodes, and of clusters that exist', async () => {
    company.node('node-1');
    const nodeChanges = (cluster: string): string => `subscription { nodeChanges(cluster: "${cluster}") { type nodeId node { name id } } }`;
    const stream = company.gateway.subscribe('cloud', nodeChanges('east'));
    const [added, synced] = await take(stream, 2);
    expect(added).toMatchObject({ type: 'ADDED', node: { name: 'node-1' }, nodeId: added.node.id });
    expect(synced.type).toBe('SYNCED');
    await stream.return();
    for (const [viewer, cluster, code] of [
      [adminOf('p-web'), 'east', 'FORBIDDEN'],
      [adminOf('p-web'), 'nowhere', 'FORBIDDEN'],
      ['cloud', 'nowhere', 'NOT_FOUND'],
    ] as const) {
      const refused = company.gateway.subscribe(viewer, nodeChanges(cluster));
      const { value } = await refused.next();
      expect(codes(value as Answer)).toEqual([`nodeChanges ${code}`]);
      expect((await refused.next()).done).toBe(true);
    }
  });
});
