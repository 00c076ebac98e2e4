import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import { followPods, type FollowedPod, type PodChange } from '../../examples/follow-pods.mjs';
import { until } from '../support/until.js';
import { buildGateway } from './start/build.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');
const queries = readdirSync(`${root}/examples/queries`);

/** The demo, as `npm run demo` starts it. */
class Demo {
  printed = '';
  readonly #process: ChildProcess;
  readonly #removeBuild: () => Promise<void>;

  private constructor(process: ChildProcess, removeBuild: () => Promise<void>) {
    this.#process = process;
    this.#removeBuild = removeBuild;
  }

  static async start(): Promise<Demo> {
    const { main, remove } = await buildGateway();
    const child = spawn(process.execPath, [main, '--demo'], {
      env: { PATH: process.env['PATH'], PORT: '0', MANAGEMENT_PORT: '0', LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const demo = new Demo(child, remove);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`The demo ended:\n${demo.printed}`)));
      child.stderr?.on('data', (data: Buffer) => {
        demo.printed += data.toString('utf8');
        if (demo.printed.includes('Clusters, for kubectl')) resolve();
      });
    });
    return demo;
  }

  get url(): string {
    return /the API on (\S+)/.exec(this.printed)?.[1] ?? '';
  }

  /** The token of the person with this title. */
  token(title: string): string {
    return new RegExp(`${title}\\S*\\s+(demo-\\S+)`).exec(this.printed)?.[1] ?? '';
  }

  /** Asks the API server of a cluster itself, past the gateway. */
  async kube(displayName: string, method: string, path: string): Promise<any> {
    const file = new RegExp(`${displayName}\\s+KUBECONFIG=(\\S+)`).exec(this.printed)?.[1] ?? '';
    const { clusters, users } = parseYaml(readFileSync(file, 'utf8'));
    const response = await fetch(`${clusters[0].cluster.server}${path}`, {
      method,
      headers: { authorization: `Bearer ${users[0].user.token}` },
    });
    return response.json();
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGTERM');
      await ended;
    }
    await this.#removeBuild();
  }
}

let demo: Demo;
beforeAll(async () => {
  demo = await Demo.start();
  // It listens before it has looked at its clusters.
  await until('healthy clusters', async () => {
    const { data } = await post(cloudAdministrator, JSON.stringify({ query: '{ clusters { status } }' }));
    return data.clusters.every(({ status }: { status: string }) => status === 'HEALTHY');
  });
}, 120_000);
afterAll(() => demo?.stop());

const cloudAdministrator = '云管理员';
const user = '普通用户（网店）';

/** Runs an example as the person with this title would, from the folder of the project. */
function run(title: string, script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [script, ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], TOKEN: demo.token(title), GATEWAY_URL: demo.url, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

interface Outcome {
  readonly code: number | null;
  readonly data: any;
  readonly errorCodes: readonly string[];
}

async function query(title: string, name: string, ...variables: readonly string[]): Promise<Outcome> {
  const child = run(title, 'examples/query.mjs', [`examples/queries/${name}.graphql`, ...variables]);
  let text = '';
  child.stdout?.on('data', (data: Buffer) => (text += data.toString('utf8')));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const { data, errors = [] } = JSON.parse(text);
  return { code, data, errorCodes: errors.map((error: { extensions: { code: string } }) => error.extensions.code) };
}

async function post(title: string, body: string): Promise<any> {
  const response = await fetch(demo.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${demo.token(title)}`, 'content-type': 'application/json' },
    body,
  });
  return response.json();
}

describe('the queries', () => {
  it('are told of in the README, each', () => {
    const told = [...read('examples/README.md').matchAll(/^\| \[queries\/([\w-]+\.graphql)\]/gm)].map((match) => match[1]);
    expect(told.sort()).toEqual(queries.sort());
  });

  it('show a cloud administrator how the clusters are', async () => {
    const { code, data, errorCodes } = await query(cloudAdministrator, 'overview');
    expect({ code, errorCodes }).toEqual({ code: 0, errorCodes: [] });
    expect(data.clusters).toHaveLength(2);
    for (const cluster of data.clusters) {
      expect(cluster).toMatchObject({ status: 'HEALTHY', statusMessage: null });
      expect(cluster.nodes.totalCount).toBeGreaterThan(0);
      expect(cluster.requested.cpuCores).toBeGreaterThan(0);
      expect(cluster.allocatable.cpuCores).toBeGreaterThan(cluster.requested.cpuCores);
      expect(cluster.workloads.totalCount).toBeGreaterThan(cluster.broken.totalCount);
    }
  });

  it('tell a user that the clusters are not for users', async () => {
    const { code, data, errorCodes } = await query(user, 'overview');
    expect({ code, errorCodes, data }).toEqual({ code: 1, errorCodes: ['FORBIDDEN'], data: { clusters: null } });
  });

  it('show a user the pods of the own project, page by page', async () => {
    const first = await query(user, 'my-pods', 'first=3');
    expect(first).toMatchObject({ code: 0, errorCodes: [] });
    const { nodes, pageInfo, totalCount } = first.data.pods;
    expect(nodes).toHaveLength(3);
    expect(totalCount).toBeGreaterThan(3);
    const second = await query(user, 'my-pods', 'first=3', `after=${pageInfo.endCursor}`);
    const shown = [...nodes, ...second.data.pods.nodes];
    expect(new Set(shown.map(({ clusterName, namespaceName, name }) => `${clusterName}/${namespaceName}/${name}`)).size).toBe(shown.length);
    for (const pod of shown) expect(pod.project.name).toBe('网店');
    const everybodys = await query(cloudAdministrator, 'my-pods', 'first=1');
    expect(everybodys.data.pods.totalCount).toBeGreaterThan(totalCount);
  });

  it('show what is broken, and why', async () => {
    const { code, data, errorCodes } = await query(cloudAdministrator, 'failing-workloads');
    expect({ code, errorCodes }).toEqual({ code: 0, errorCodes: [] });
    expect(new Set(data.workloads.nodes.map(({ status }: { status: string }) => status))).toEqual(new Set(['FAILED', 'DEGRADED']));
    const pods = data.workloads.nodes.flatMap((workload: any) => workload.pods.nodes);
    const crashing = pods.find(({ status }: { status: string }) => status === 'CrashLoopBackOff');
    expect(crashing.restarts).toBeGreaterThan(0);
    expect(crashing.containers.some((container: any) => container.lastTermination?.exitCode > 0)).toBe(true);
  });

  it('show a cluster with its nodes, their pods, and whose they are', async () => {
    const { code, data, errorCodes } = await query(cloudAdministrator, 'cluster-page', 'cluster=east');
    expect({ code, errorCodes }).toEqual({ code: 0, errorCodes: [] });
    const pods = data.cluster.nodes.nodes.flatMap((node: any) => node.pods.nodes);
    expect(pods.length).toBeGreaterThan(50);
    const departments = new Set(pods.map((pod: any) => pod.namespace.project?.department.name));
    expect(departments.size).toBeGreaterThan(2);
    expect(pods.filter((pod: any) => pod.workload === null).length).toBeLessThan(pods.length / 4);
    expect((await query(cloudAdministrator, 'cluster-page', 'cluster=nowhere')).data).toEqual({ cluster: null });
  });

  it('tell a portal which buttons to draw', async () => {
    const here = await query(user, 'may-i', 'project=p-shop');
    expect(here.data.viewer).toMatchObject({ role: 'USER', mayScale: true, mayReadLogs: true, maySeeNodes: false });
    expect(here.data.viewer.memberships).toEqual([
      { role: 'USER', project: { id: 'p-shop', name: '网店', department: { name: '零售事业部' } } },
    ]);
    const there = await query(user, 'may-i', 'project=p-lake');
    expect(there.data.viewer).toMatchObject({ mayScale: false, mayReadLogs: false });
  });
});

describe('what the READMEs say', () => {
  it.each(['README.md', 'examples/README.md'])('is what the requests of %s get', async (page) => {
    const bodies = [...read(page).matchAll(/-d '(\{.*\})'/g)].map((match) => match[1] ?? '');
    expect(bodies.length).toBeGreaterThan(0);
    for (const body of bodies) {
      const answer = await post(cloudAdministrator, body);
      expect(answer).not.toHaveProperty('errors');
    }
  });

  it('is what two people get of the query to try', async () => {
    const text = /```graphql\n([^]*?)```/.exec(read('README.md'))?.[1] ?? '';
    const all = await post(cloudAdministrator, JSON.stringify({ query: text }));
    expect(all).not.toHaveProperty('errors');
    expect(all.data.pods.nodes).toHaveLength(5);

    const own = await post(user, JSON.stringify({ query: text }));
    expect(own.data.pods.nodes).toHaveLength(5);
    expect(own.data.pods.totalCount).toBeLessThan(all.data.pods.totalCount);
    const refused = own.errors.map(({ path, extensions }: any) => ({ path, code: extensions.code }));
    expect(refused).toEqual([0, 1, 2, 3, 4].map((index) => ({ path: ['pods', 'nodes', index, 'node'], code: 'FORBIDDEN' })));
  });
});

/** A wire to the gateway that can be cut. */
class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  connections = 0;

  constructor(port: number) {
    this.#server = createServer((socket) => {
      if (this.#isCut) return void socket.destroy();
      this.connections += 1;
      const other = connect(port, '127.0.0.1');
      for (const end of [socket, other]) {
        this.#sockets.add(end);
        end.on('error', () => end.destroy());
        end.on('close', () => {
          this.#sockets.delete(end);
          socket.destroy();
          other.destroy();
        });
      }
      socket.pipe(other).pipe(socket);
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/graphql`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('the client that follows pods', () => {
  /** What a test has opened. */
  const closers: (() => unknown)[] = [];
  afterEach(() => Promise.all(closers.splice(0).map((close) => close())));

  it('misses nothing while its connection is lost, deletions neither', async () => {
    const wire = new Wire(Number(new URL(demo.url).port));
    const url = await wire.open();
    const stop = new AbortController();
    closers.push(
      () => stop.abort(),
      () => wire.close(),
    );
    const changes: PodChange[] = [];
    let pods: ReadonlyMap<string, FollowedPod> = new Map();
    const following = followPods({
      url,
      token: demo.token(cloudAdministrator),
      signal: stop.signal,
      retryMs: 20,
      onChange: (change, all) => {
        changes.push(change);
        pods = all;
      },
    });
    const syncs = (): number => changes.filter(({ type }) => type === 'SYNCED').length;
    await until('it has all pods', () => syncs() === 1);
    const before = changes.length;
    const gone = [...pods.entries()].find(([, { clusterName, name }]) => clusterName === 'east' && name.startsWith('coupon-'));
    if (gone === undefined) throw new Error('The demo has no pod of that name.');
    const [goneId, { namespaceName, name }] = gone;

    wire.cut();
    await demo.kube('华东一', 'DELETE', `/api/v1/namespaces/${namespaceName}/pods/${name}?gracePeriodSeconds=0`);
    await until(
      'the pod is gone',
      async () => (await demo.kube('华东一', 'GET', `/api/v1/namespaces/${namespaceName}/pods/${name}`)).code === 404,
    );
    expect(pods.has(goneId)).toBe(true);
    wire.mend();

    await until('it has come back', () => syncs() === 2);
    await until('it knows that the pod is gone', () => !pods.has(goneId));
    expect(wire.connections).toBe(2);
    expect(changes.some(({ type }) => type === 'RESET')).toBe(false);
    // Only what happened: the rest was not told again.
    expect(changes.length - before).toBeLessThan(pods.size / 2);
    await until('it has what the list has', async () => {
      const { data } = await post(cloudAdministrator, JSON.stringify({ query: '{ pods(first: 500) { nodes { id status } } }' }));
      const listed = data.pods.nodes.map(({ id, status }: { id: string; status: string }) => `${id} ${status}`);
      const followed = [...pods].map(([id, { status }]) => `${id} ${status}`);
      return JSON.stringify(listed.sort()) === JSON.stringify(followed.sort());
    });
    stop.abort();
    await following;
  }, 60_000);

  it('ends where the token is good for nothing', async () => {
    const stop = new AbortController();
    const following = followPods({
      url: demo.url.replace('http', 'ws'),
      token: 'no-token',
      signal: stop.signal,
      onChange: () => undefined,
    });
    await expect(following).rejects.toMatchObject({ code: 4403 });
  });

  it('prints what happens in the projects that are named, until it is interrupted', async () => {
    const child = run(user, 'examples/follow-pods.mjs', ['p-shop'], { GATEWAY_URL: demo.url.replace('http', 'ws') });
    let printed = '';
    child.stdout?.on('data', (data: Buffer) => (printed += data.toString('utf8')));
    await until('it has all pods', () => /^[1-9]\d* pods$/m.test(printed));
    const { data } = await query(user, 'my-pods', 'first=1');
    const { clusterName, namespaceName, name } = data.pods.nodes[0];
    expect(printed).toContain(`ADDED ${clusterName}/${namespaceName}/${name} `);
    child.kill('SIGINT');
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  });
});
