import { randomBytes } from 'node:crypto';
import { watchedKinds } from '../../src/domain/kinds/index.js';
import { Clusters } from '../../src/k8s/clusters.js';
import type { ClusterConfig } from '../../src/config.js';
import type { Answer, ApiClient, ApiSocket, ApiStream } from '../support/clients.js';
import { codesOf } from '../support/clients.js';
import { describeSimulated, sharedControlPlane, startControlPlane, type ControlPlane } from '../support/control-plane.js';
import { until } from '../support/until.js';
import { TestGateway } from '../support/gateway.js';
import { projectLabel } from '../support/objects.js';

const users = [
  { id: 'cloud', cloudAdmin: true },
  { id: 'web-admin', roles: { 'p-web': 'PROJECT_ADMIN' } },
  { id: 'web-user', roles: { 'p-web': 'USER' } },
  { id: 'retail-admin', departments: { 'd-retail': 'DEPARTMENT_ADMIN' } },
  /** Administers one project and merely uses another. */
  { id: 'both', roles: { 'p-web': 'PROJECT_ADMIN', 'p-db': 'USER' } },
  { id: 'stranger', roles: {} },
];
const projects = [
  { id: 'p-web', name: '网店', department: { id: 'd-retail', name: '零售' } },
  { id: 'p-db', name: '数据库' },
];

/** A gateway on a real cluster. It asks for its health once, and opens no watch again, so that every request has a reason. */
async function startOn(controlPlane: ControlPlane, { kubeconfig = controlPlane.kubeconfig } = {}): Promise<TestGateway> {
  const config: ClusterConfig = { name: 'real', displayName: '真', kubeconfig, context: undefined, projects: undefined };
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const clusters = new Clusters([config], watchedKinds, {
    watchSilenceMs: 600_000,
    historySize: 10_000,
    log: silent,
    probeIntervalMs: 600_000,
  });
  const gateway = await TestGateway.start({ clusters, users, projects });
  await until(
    'a gateway that is ready',
    async () => (await fetch(`${gateway.managementUrl}/readyz`)).ok && clusters.get('real')?.status === 'HEALTHY',
  );
  return gateway;
}

const podChanges = `subscription ($after: String, $filter: PodFilter) {
  podChanges(after: $after, filter: $filter) { type cursor podId pod { name status ready resourceVersion images: containers { image } } unavailableClusters { clusterName } }
}`;

interface PodChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'SYNCED' | 'RESET';
  readonly cursor: string;
  readonly podId: string | null;
  readonly pod: {
    readonly name: string;
    readonly status: string;
    readonly resourceVersion: string;
    readonly images: readonly { image: string }[];
  } | null;
}

/** Does what the documentation of subscriptions tells clients to do. */
class Follower {
  readonly changes: PodChange[] = [];
  readonly #socket: ApiSocket;
  readonly #stream: ApiStream;
  readonly #done: Promise<void>;
  pods: Map<string, NonNullable<PodChange['pod']>>;
  failure: Answer | undefined;

  private constructor(socket: ApiSocket, stream: ApiStream, pods: ReadonlyMap<string, NonNullable<PodChange['pod']>>) {
    this.#socket = socket;
    this.#stream = stream;
    this.pods = new Map(pods);
    this.#done = this.#read().catch(() => undefined);
  }

  /** @param before One that comes back. */
  static async start(client: ApiClient, filter: object, before?: Follower): Promise<Follower> {
    const socket = await client.socket();
    const stream = socket.subscribe(podChanges, { variables: { filter, after: before?.cursor } });
    return new Follower(socket, stream, before?.pods ?? new Map());
  }

  get cursor(): string | undefined {
    return this.changes.at(-1)?.cursor;
  }
  get types(): string[] {
    return this.changes.map(({ type }) => type);
  }
  get names(): string[] {
    return [...this.pods.values()].map(({ name }) => name).sort();
  }
  /** What is told of each pod, by name. */
  get versions(): Record<string, string> {
    return Object.fromEntries([...this.pods.values()].map(({ name, resourceVersion }) => [name, resourceVersion]));
  }

  synced(): Promise<unknown> {
    return until('SYNCED', () => this.types.includes('SYNCED'));
  }

  async stop(): Promise<void> {
    await this.#socket.close();
    await this.#done;
  }

  async #read(): Promise<void> {
    for (;;) {
      const answer = await this.#stream.answer();
      if (answer.errors !== undefined) return void (this.failure = answer);
      const change = answer.data.podChanges as PodChange;
      this.changes.push(change);
      if (change.type === 'RESET') this.pods.clear();
      else if (change.type === 'DELETED') this.pods.delete(change.podId!);
      else if (change.type !== 'SYNCED') this.pods.set(change.podId!, change.pod!);
    }
  }
}

describeSimulated('A gateway on a real cluster', () => {
  let controlPlane: ControlPlane;
  let gateway: TestGateway;
  let shop: string;
  let db: string;
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    controlPlane = await sharedControlPlane();
    shop = await controlPlane.createNamespace('shop', { [projectLabel]: 'p-web' });
    db = await controlPlane.createNamespace('db', { [projectLabel]: 'p-db' });
    await createAll(shop, [
      apps('Deployment', 'web', { replicas: 3, template: template('web') }),
      apps('DaemonSet', 'agent', { template: template('agent') }),
      batch('CronJob', 'nightly', {
        schedule: '0 3 * * *',
        jobTemplate: { spec: { template: template('nightly', { restartPolicy: 'Never' }) } },
      }),
      pod('crash', {}, { 'simulator.test/crash': 'true', 'simulator.test/back-off': '600s' }),
      pod('secure', { runtimeClassName: 'kata-qemu' }),
      pod('trainer', {
        tolerations: [{ operator: 'Exists' }],
        containers: [{ name: 'app', image: 'registry.example/train:1', resources: { limits: { 'nvidia.com/gpu': '2' } } }],
      }),
    ]);
    await createAll(db, [apps('StatefulSet', 'db', { replicas: 2, serviceName: 'db', template: template('db') })]);
    await kubectl(shop, 'create', 'job', 'nightly-1', '--from=cronjob/nightly');
    await kubectl(shop, 'rollout', 'status', 'deployment/web');
    await kubectl(shop, 'rollout', 'status', 'daemonset/agent');
    await kubectl(db, 'rollout', 'status', 'statefulset/db');
    await kubectl(shop, 'wait', '--for=condition=Complete', 'job/nightly-1');
    await kubectl(shop, 'wait', '--for=condition=Ready', 'pod/secure', 'pod/trainer');
    gateway = await startOn(controlPlane, { kubeconfig: controlPlane.kubeconfigOf('gateway') });
    await until('the crash loop', async () => (await podNames('web-user')).includes('crash'));
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  afterAll(async () => {
    await gateway.stop();
    for (const name of [shop, db]) await controlPlane.request('DELETE', `/api/v1/namespaces/${name}`);
    await controlPlane.stop();
  });

  const template = (app: string, spec: object = {}): object => ({
    metadata: { labels: { app } },
    spec: {
      containers: [{ name: 'app', image: `registry.example/${app}:1`, resources: { requests: { cpu: '100m', memory: '64Mi' } } }],
      ...spec,
    },
  });
  const apps = (kind: string, name: string, spec: object): object => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, ...spec },
  });
  const batch = (kind: string, name: string, spec: object): object => ({ apiVersion: 'batch/v1', kind, metadata: { name }, spec });
  const pod = (name: string, spec: object, annotations: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: { containers: [{ name: 'app', image: 'registry.example/app:1' }], ...spec },
  });
  const kubectl = (namespace: string, ...args: string[]): Promise<string> => controlPlane.kubectl(['-n', namespace, ...args]);
  const createAll = (namespace: string, manifests: readonly object[]): Promise<string> =>
    controlPlane.kubectl(['-n', namespace, 'create', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }),
    });
  const follow = async (on: TestGateway, user: string, filter: object, before?: Follower): Promise<Follower> => {
    const follower = await Follower.start(on.as(user), filter, before);
    stops.push(() => follower.stop());
    await follower.synced();
    return follower;
  };
  /** What the API server has, by name, with versions. */
  const truth = async (namespace: string): Promise<Record<string, string>> => {
    const { items } = await controlPlane.request('GET', `/api/v1/namespaces/${namespace}/pods`);
    return Object.fromEntries(items.map(({ metadata }: any) => [metadata.name, metadata.resourceVersion]));
  };
  const podNames = async (user: string): Promise<string[]> => {
    const { data } = await gateway.as(user).query('{ pods(first: 200) { nodes { name status } } }');
    return data.pods.nodes.filter(({ status }: any) => status !== 'Running').map(({ name }: any) => name);
  };

  /** Cluster, nodes, pods, their workloads, namespaces and projects. */
  const nested = `{ cluster(name: "real") { name version status architectures capacity { cpuCores gpus } nodes { totalCount nodes { name architecture requested { cpuCores gpus } cluster { name }
    pods { nodes { name status isolation requested { gpus } workload { __typename name status pods { totalCount } ... on Job { cronJob { name } } } namespace { name project { name department { name } } } project { id } } } } } } }`;

  test('shows the cloud administrator the whole graph, as the cluster has it', async () => {
    const { data, errors } = await gateway.as('cloud').query(nested);
    expect(errors).toBeUndefined();
    const { gitVersion } = await controlPlane.request('GET', '/version');
    expect(data.cluster).toMatchObject({
      name: 'real',
      version: gitVersion,
      status: 'HEALTHY',
      architectures: ['amd64', 'arm64'],
      capacity: { gpus: 16 },
    });
    expect(data.cluster.nodes.nodes.map(({ name, architecture }: any) => `${name} ${architecture}`)).toEqual([
      'arm-1 arm64',
      'gpu-1 amd64',
      'gpu-2 amd64',
      'node-1 amd64',
      'node-2 amd64',
    ]);
    const seen = data.cluster.nodes.nodes.flatMap(({ name, pods }: any) =>
      pods.nodes.filter((each: any) => [shop, db].includes(each.namespace.name)).map((each: any) => ({ node: name, ...each })),
    );
    const { items } = await controlPlane.request('GET', '/api/v1/pods');
    const real = items.filter(({ metadata }: any) => [shop, db].includes(metadata.namespace as string));
    expect(seen.map(({ node, name }: any) => `${node} ${name}`).sort()).toEqual(
      real.map(({ metadata, spec }: any) => `${spec.nodeName} ${metadata.name}`).sort(),
    );
    const tell = (prefix: string): object => {
      const found = seen.find(({ name }: any) => name.startsWith(prefix));
      return {
        workload: found.workload && `${found.workload.__typename} ${found.workload.name}`,
        status: found.status,
        isolation: found.isolation,
        project: found.namespace.project.name,
      };
    };
    expect(tell('web-')).toEqual({ workload: 'Deployment web', status: 'Running', isolation: 'STANDARD', project: '网店' });
    expect(tell('agent-')).toEqual({ workload: 'DaemonSet agent', status: 'Running', isolation: 'STANDARD', project: '网店' });
    expect(tell('nightly-1-')).toEqual({ workload: 'Job nightly-1', status: 'Completed', isolation: 'STANDARD', project: '网店' });
    expect(tell('db-')).toEqual({ workload: 'StatefulSet db', status: 'Running', isolation: 'STANDARD', project: '数据库' });
    expect(tell('crash')).toEqual({ workload: null, status: 'CrashLoopBackOff', isolation: 'STANDARD', project: '网店' });
    expect(tell('secure')).toEqual({ workload: null, status: 'Running', isolation: 'SECURE', project: '网店' });
    expect(seen.find(({ name }: any) => name.startsWith('nightly-1-')).workload.cronJob).toEqual({ name: 'nightly' });
    const gpuNode = data.cluster.nodes.nodes.find(({ pods }: any) =>
      pods.nodes.some(({ name, namespace }: any) => name === 'trainer' && namespace.name === shop),
    );
    expect(gpuNode.requested.gpus).toBeGreaterThanOrEqual(2);
  });

  test('shows everybody else what is theirs, and refuses the rest where it stands, on every transport', async () => {
    const query = `query Core($namespaces: [String!]) { clusters { name } pods(first: 200, filter: { namespaces: $namespaces }) { totalCount nodes { name namespaceName node { name } namespace { name } workload { name } project { id } } } namespaces(first: 200) { nodes { name } } }`;
    const told = async (user: string): Promise<object> => {
      const client = gateway.as(user);
      const socket = await client.socket();
      const variables = { namespaces: [shop, db] };
      const answers = [
        await client.query(query, { variables }),
        await client.query(query, { method: 'GET', variables }),
        await socket.query(query, { variables }),
      ];
      await socket.close();
      const [first, ...others] = answers.map(({ data, errors }) => ({
        data,
        errors: errors?.map(({ path, extensions }) => ({ path, code: extensions.code })),
      }));
      for (const other of others) expect(other).toEqual(first);
      const { data } = first!;
      const nodes: any[] = data.pods?.nodes ?? [];
      const count = (of: (each: any) => unknown): number => nodes.filter(of).length;
      return {
        clusters: data.clusters !== null,
        namespaces: data.namespaces?.nodes.map(({ name }: any) => name).filter((name: string) => [shop, db].includes(name)) ?? null,
        projects: [...new Set(nodes.map(({ project }) => project?.id ?? 'none'))].sort(),
        isCounted: data.pods === null || data.pods.totalCount === nodes.length,
        withNode: count(({ node }) => node !== null) > 0,
        withNamespace: [...new Set(nodes.filter(({ namespace }) => namespace !== null).map(({ namespaceName }) => namespaceName))].filter(
          (name) => [shop, db].includes(name as string),
        ),
        codes: [...new Set(first!.errors?.map(({ code }) => code))],
      };
    };
    const refused = { clusters: false, isCounted: true, codes: ['FORBIDDEN'] };
    expect(await told('cloud')).toMatchObject({ clusters: true, namespaces: [db, shop], isCounted: true, withNode: true, codes: [] });
    for (const user of ['web-admin', 'retail-admin']) {
      expect(await told(user)).toEqual({ ...refused, namespaces: [shop], projects: ['p-web'], withNode: false, withNamespace: [shop] });
    }
    expect(await told('web-user')).toEqual({ ...refused, namespaces: null, projects: ['p-web'], withNode: false, withNamespace: [] });
    expect(await told('both')).toEqual({
      ...refused,
      namespaces: [shop],
      projects: ['p-db', 'p-web'],
      withNode: false,
      withNamespace: [shop],
    });
    expect(await told('stranger')).toEqual({ ...refused, namespaces: null, projects: [], withNode: false, withNamespace: [] });
  });

  test('asks the API server for nothing while it answers nested queries', async () => {
    const socket = await gateway.as('cloud').socket();
    await gateway.as('cloud').query(nested);
    const before = await controlPlane.audit();
    // It is listened to: the gateway has listed and watches each of its kinds.
    const watches = before
      .filter(({ verb, stage }) => verb === 'watch' && stage === 'ResponseStarted')
      .map(({ uri }) => uri.replace(/\?.*/, ''));
    expect(watches.sort()).toEqual(
      expect.arrayContaining([
        '/api/v1/namespaces',
        '/api/v1/nodes',
        '/api/v1/pods',
        '/apis/apps/v1/deployments',
        '/apis/batch/v1/cronjobs',
      ]),
    );
    for (let round = 0; round < 10; round += 1) {
      for (const user of ['cloud', 'web-admin', 'web-user']) expect((await gateway.as(user).query(nested)).status).toBe(200);
      expect((await socket.query(nested)).data.cluster.nodes.totalCount).toBe(5);
    }
    await socket.close();
    expect(await controlPlane.audit()).toEqual(before);
  });

  test('leads from an id to its object, and from a name that is used again to another', async () => {
    const create = (): Promise<any> => controlPlane.create(`/api/v1/namespaces/${shop}/pods`, pod('reborn', {}));
    const find = (user: string, id: string): Promise<Answer> =>
      gateway.as(user).query('query ($id: ID!) { node(id: $id) { __typename id ... on Pod { name uid } } }', { variables: { id } });
    const idOf = (uid: string): Promise<string> =>
      until('the pod', async () => {
        const { data } = await gateway.as('web-user').query(`{ pod(cluster: "real", namespace: "${shop}", name: "reborn") { id uid } }`);
        return data.pod?.uid === uid && data.pod.id;
      });
    const { metadata: first } = await create();
    const id = await idOf(first.uid as string);
    expect((await find('web-user', id)).data.node).toEqual({ __typename: 'Pod', id, name: 'reborn', uid: first.uid });
    expect((await find('stranger', id)).data.node).toBeNull();
    await kubectl(shop, 'delete', 'pod', 'reborn');
    const { metadata: second } = await create();
    const other = await idOf(second.uid as string);
    expect(other).not.toBe(id);
    expect((await find('web-user', id)).data.node).toBeNull();
    expect((await find('web-user', other)).data.node.uid).toBe(second.uid);
    await kubectl(shop, 'delete', 'pod', 'reborn');
  });

  test('pages through pods without a gap or a repetition while they come and go', async () => {
    const stay = await truth(shop);
    const end = new AbortController();
    const churn = (async () => {
      const come: string[] = [];
      while (!end.signal.aborted) {
        // Anywhere in the order, so that no page runs after them for ever.
        const { metadata } = await controlPlane.create(
          `/api/v1/namespaces/${shop}/pods`,
          pod(`${randomBytes(4).toString('hex')}-churn`, {}),
        );
        come.push(metadata.name as string);
        if (come.length > 5) await controlPlane.request('DELETE', `/api/v1/namespaces/${shop}/pods/${come.shift()}`);
      }
      for (const name of come) await controlPlane.request('DELETE', `/api/v1/namespaces/${shop}/pods/${name}`);
    })();
    try {
      for (let pass = 0; pass < 10; pass += 1) {
        const names: string[] = [];
        for (let after: string | null = null, isMore = true; isMore;) {
          const { data }: Answer = await gateway
            .as('web-user')
            .query('query ($after: String) { pods(first: 2, after: $after) { nodes { name } pageInfo { endCursor hasNextPage } } }', {
              variables: { after },
            });
          names.push(...data.pods.nodes.map(({ name }: any) => name));
          after = data.pods.pageInfo.endCursor;
          isMore = data.pods.pageInfo.hasNextPage;
        }
        expect(new Set(names).size).toBe(names.length);
        expect(names.filter((name) => name in stay).sort()).toEqual(Object.keys(stay).sort());
      }
    } finally {
      end.abort();
      await churn;
    }
  });

  test('follows a rollout to the last pod, and a replica that started later tells what was missed', async () => {
    const filter = { namespaces: [shop], labelSelector: 'app=web' };
    const isLevel = async (follower: Follower): Promise<boolean> => {
      const real = Object.entries(await truth(shop)).filter(([name]) => name.startsWith('web-'));
      return JSON.stringify(Object.entries(follower.versions).sort()) === JSON.stringify(real.sort());
    };
    const first = await follow(gateway, 'web-user', filter);
    expect(first.types).toEqual(['ADDED', 'ADDED', 'ADDED', 'SYNCED']);
    const old = first.names;
    await kubectl(shop, 'set', 'image', 'deployment/web', 'app=registry.example/web:2');
    await kubectl(shop, 'rollout', 'status', 'deployment/web');
    await until('the end of the rollout', async () => first.names.length === 3 && (await isLevel(first)));
    expect(first.names.filter((name) => old.includes(name))).toEqual([]);
    expect([...first.pods.values()].map(({ images }) => images[0]!.image)).toEqual(Array(3).fill('registry.example/web:2'));
    expect(first.types.filter((type) => type === 'DELETED')).toHaveLength(3);
    await first.stop();

    // While nobody listens: all pods are replaced, and one more comes.
    await kubectl(shop, 'rollout', 'restart', 'deployment/web');
    await kubectl(shop, 'rollout', 'status', 'deployment/web');
    await kubectl(shop, 'scale', 'deployment/web', '--replicas=4');
    await kubectl(shop, 'rollout', 'status', 'deployment/web');
    await until('four pods', async () => Object.keys(await truth(shop)).filter((name) => name.startsWith('web-')).length === 4);
    const replica = await startOn(controlPlane, { kubeconfig: controlPlane.kubeconfigOf('gateway') });
    stops.push(() => replica.stop());
    const second = await follow(replica, 'web-user', filter, first);
    expect(second.types).not.toContain('RESET');
    const told = second.types.slice(0, second.types.indexOf('SYNCED'));
    expect(told.sort()).toEqual([...Array(4).fill('ADDED'), ...Array(3).fill('DELETED')]);
    await until('the same pods', () => isLevel(second));
    await second.stop();

    // Nothing happened since: nothing but SYNCED is told.
    const third = await follow(replica, 'web-user', filter, second);
    expect(third.types).toEqual(['SYNCED']);
    expect(await isLevel(third)).toBe(true);
  });

  test('tells who loses a namespace and who gains it', async () => {
    const moving = await controlPlane.createNamespace('moving', { [projectLabel]: 'p-web' });
    await createAll(moving, [pod('one', {}), pod('two', {})]);
    await kubectl(moving, 'wait', '--for=condition=Ready', 'pod/one', 'pod/two');
    const filter = { namespaces: [moving] };
    const [loser, keeper] = [await follow(gateway, 'web-user', filter), await follow(gateway, 'both', filter)];
    await until('its pods', () => loser.names.length === 2 && keeper.names.length === 2);
    const before = keeper.changes.length;
    await controlPlane.request('PATCH', `/api/v1/namespaces/${moving}`, { body: { metadata: { labels: { [projectLabel]: 'p-db' } } } });
    await until('the loss', () => loser.names.length === 0);
    expect(loser.types.slice(-2)).toEqual(['DELETED', 'DELETED']);
    expect(
      (await gateway.as('web-user').query(`{ pods(filter: { namespaces: ["${moving}"] }) { totalCount } }`)).data.pods.totalCount,
    ).toBe(0);
    const { data } = await gateway.as('both').query(`{ pods(filter: { namespaces: ["${moving}"] }) { nodes { name project { id } } } }`);
    expect(data.pods.nodes).toEqual([
      { name: 'one', project: { id: 'p-db' } },
      { name: 'two', project: { id: 'p-db' } },
    ]);
    expect(keeper.names).toEqual(['one', 'two']);
    expect(keeper.changes.slice(before).map(({ type }) => type)).not.toContain('DELETED');
    await controlPlane.request('DELETE', `/api/v1/namespaces/${moving}`);
    await until('the end of the pods', () => keeper.names.length === 0);
  });

  test('ends the streams of who loses every role, and leaves the socket', async () => {
    const follower = await follow(gateway, 'web-user', { namespaces: [shop] });
    gateway.setUsers(users.map((user) => (user.id === 'web-user' ? { ...user, roles: {} } : user)));
    await until('the end', () => follower.failure);
    expect(codesOf(follower.failure!)).toEqual(['FORBIDDEN']);
    gateway.setUsers(users);
    expect((await gateway.as('web-user').query('{ pods { totalCount } }')).data.pods.totalCount).toBeGreaterThan(0);
  });
});

describe('A gateway on an API server that comes and goes', () => {
  let controlPlane: ControlPlane;
  let gateway: TestGateway;
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const { programs } = await sharedControlPlane();
    controlPlane = await startControlPlane({ programs });
    await controlPlane.request('PATCH', '/api/v1/namespaces/default', { body: { metadata: { labels: { [projectLabel]: 'p-web' } } } });
    gateway = await startOn(controlPlane);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  afterAll(async () => {
    await gateway.stop();
    await controlPlane.stop();
  });

  const createPod = (name: string): Promise<any> =>
    controlPlane.create('/api/v1/namespaces/default/pods', {
      metadata: { name },
      spec: { containers: [{ name: 'app', image: 'registry.example/app:1' }] },
    });
  const follow = async (on: TestGateway, before?: Follower): Promise<Follower> => {
    const follower = await Follower.start(on.as('web-user'), { namespaces: ['default'] }, before);
    stops.push(() => follower.stop());
    await follower.synced();
    return follower;
  };

  test('tells a client to forget everything where the cluster no longer knows what was missed', async () => {
    await createPod('a');
    await createPod('b');
    const first = await follow(gateway);
    await until('both pods', () => first.names.length === 2);
    await first.stop();
    await controlPlane.request('DELETE', '/api/v1/namespaces/default/pods/a?gracePeriodSeconds=0');
    await createPod('c');
    await controlPlane.forget();
    const replica = await startOn(controlPlane);
    stops.push(() => replica.stop());
    const second = await follow(replica, first);
    expect(second.types).toEqual(['RESET', 'ADDED', 'ADDED', 'SYNCED']);
    expect(second.names).toEqual(['b', 'c']);
    // The replica that was there all the while has not forgotten.
    const third = await follow(gateway, first);
    await until('what was missed', () => third.names.join() === 'b,c');
    expect(third.types).not.toContain('RESET');
  });

  test('goes on to answer from what it knows, says since when, and catches up', async () => {
    const follower = await follow(gateway);
    const names = follower.names;
    const query = '{ pods { nodes { name } unavailableClusters { clusterName message staleSince } } }';
    await controlPlane.stopProgram('kube-apiserver');
    const lost = await until('a cluster that is stale', async () => {
      const { data } = await gateway.as('web-user').query(query);
      return data.pods.unavailableClusters.length === 1 && data.pods;
    });
    expect(lost.nodes.map(({ name }: any) => name)).toEqual(names);
    expect(lost.unavailableClusters).toEqual([
      { clusterName: 'real', message: 'The cluster cannot be reached.', staleSince: expect.stringMatching(/^\d{4}-.*Z$/) },
    ]);
    await controlPlane.startProgram('kube-apiserver');
    await createPod('after');
    await until('what came after', () => follower.names.includes('after'));
    expect(follower.types).not.toContain('RESET');
    await until(
      'an answer that is whole',
      async () => (await gateway.as('web-user').query(query)).data.pods.unavailableClusters.length === 0,
    );
  });
});
