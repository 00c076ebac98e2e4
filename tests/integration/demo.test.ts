import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTokenFile } from '../../src/auth/token-file.js';
import { startDemo, type Demo } from '../../src/demo.js';
import { watchedKinds } from '../../src/domain/kinds/index.js';
import { Clusters } from '../../src/k8s/clusters.js';
import { startGateway, type Gateway } from '../../src/server/gateway.js';
import { createLog } from '../../src/server/log.js';
import { ApiClient, codesOf } from '../support/clients.js';
import { testConfig } from '../support/gateway.js';
import { until } from '../support/until.js';

/** Simulated seconds per real second: what takes the demo minutes has to be seen in seconds. */
const speed = 60;

const output = {
  text: '',
  write(text: string): void {
    this.text += text;
  },
};
const errors: unknown[] = [];
let directory: string;
let assets: string;
let demo: Demo;
let gateway: Gateway;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'demo-'));
  assets = await mkdtemp(join(tmpdir(), 'demo-assets-'));
  demo = await startDemo({ now: Date.now, directory, output, speed, onError: (error) => errors.push(error) });
  const config = testConfig(demo.overrides);
  const log = createLog('silent');
  gateway = await startGateway({
    config,
    clusters: new Clusters(config.clusters, watchedKinds, { ...config, log, environment: {}, now: Date.now }),
    authenticator: await openTokenFile(config.tokenFile!, {
      now: Date.now,
      onReload: () => undefined,
      onProblem: (problem) => errors.push(problem),
    }),
    log,
    graphiqlAssets: assets,
    signIns: demo.signIns,
    now: Date.now,
    writeAudit: () => undefined,
  });
}, 60_000);

afterAll(async () => {
  await gateway.stop();
  await demo.close();
  await Promise.all([directory, assets].map((folder) => rm(folder, { recursive: true })));
  expect(errors).toEqual([]);
});

/** Somebody of the company, by name. */
function as(name: string): ApiClient {
  const found = demo.signIns.find(({ label }) => label.startsWith(`${name} · `));
  return new ApiClient(gateway.url, found!.token);
}

const names = (nodes: readonly { readonly name: string }[]): string[] => nodes.map(({ name }) => name).sort();

const everything = `{
  viewer { role memberships { project { name } role } }
  clusters { name displayName status }
  projects(first: 20) { totalCount nodes { name } }
  namespaces(first: 100) { nodes { name project { name } } }
  pods(first: 500) { totalCount nodes { project { name } node { name } } }
}`;

describe('who signs in to the demo', () => {
  it('as the cloud administrator sees two healthy clusters and everybody’s things', async () => {
    const { data, errors: refused } = await until('two healthy clusters', async () => {
      const answer = await as('林涛').query(everything);
      return answer.data?.clusters.every(({ status }: { readonly status: string }) => status === 'HEALTHY') && answer;
    });
    expect(data.clusters).toEqual([
      { name: 'east', displayName: '华东一', status: 'HEALTHY' },
      { name: 'north', displayName: '华北二', status: 'HEALTHY' },
    ]);
    expect(refused).toBeUndefined();
    expect(data.viewer.role).toBe('CLOUD_ADMIN');
    expect(names(data.projects.nodes)).toEqual(['会员中心', '图像识别', '数据湖', '物流调度', '网店', '财务结算'].sort());
    expect(data.pods.totalCount).toBeGreaterThan(300);
    expect(names(data.namespaces.nodes)).toEqual(expect.arrayContaining(['kube-system', 'monitoring', 'shop-prod']));
  });

  it('as the administrator of a department sees its projects, and no clusters', async () => {
    const answer = await as('陈静').query(everything);
    expect(names(answer.data.projects.nodes)).toEqual(['会员中心', '网店'].sort());
    expect(names(answer.data.namespaces.nodes)).toEqual(['member-prod', 'member-prod', 'shop-prod', 'shop-prod', 'shop-test']);
    expect(answer.data.clusters).toBeNull();
    expect(new Set(codesOf(answer))).toEqual(new Set(['FORBIDDEN']));
  });

  it('as the administrator of a project sees its namespaces', async () => {
    const { data } = await as('赵磊').query(everything);
    expect(data.viewer.memberships).toEqual([{ project: { name: '网店' }, role: 'PROJECT_ADMIN' }]);
    expect(names(data.namespaces.nodes)).toEqual(['shop-prod', 'shop-prod', 'shop-test']);
    expect(new Set(data.pods.nodes.map((pod: any) => pod.project.name))).toEqual(new Set(['网店']));
  });

  it('as a user sees the pods of the project, neither their nodes nor its namespaces', async () => {
    const answer = await as('王芳').query(everything);
    expect(answer.data.namespaces).toBeNull();
    expect(answer.data.pods.totalCount).toBeGreaterThan(30);
    for (const pod of answer.data.pods.nodes) expect(pod).toEqual({ project: { name: '网店' }, node: null });
    expect(new Set(codesOf(answer))).toEqual(new Set(['FORBIDDEN']));
  });

  it('as a reader sees what a user sees, and may change nothing', async () => {
    const { data } = await as('孙悦').query(
      `{ viewer { role view: can(function: WORKLOAD_VIEW) scale: can(function: WORKLOAD_SCALE) } pods(first: 500) { nodes { project { name } } } }`,
    );
    expect(data.viewer).toEqual({ role: 'READER', view: true, scale: false });
    expect(new Set(data.pods.nodes.map((pod: any) => pod.project.name))).toEqual(new Set(['会员中心', '网店']));
  });

  it('as one with two roles administers one project, and nothing in the other', async () => {
    const { data } = await as('何敏').query(`{
      viewer { vision: can(function: NAMESPACE_VIEW, project: "p-vision") lake: can(function: NAMESPACE_VIEW, project: "p-lake") }
      namespaces(first: 50) { nodes { project { name } } }
      workloads(first: 100) { nodes { project { name } } }
    }`);
    expect(data.viewer).toEqual({ vision: true, lake: false });
    expect(new Set(data.namespaces.nodes.map((each: any) => each.project.name))).toEqual(new Set(['图像识别']));
    expect(new Set(data.workloads.nodes.map((each: any) => each.project.name))).toEqual(new Set(['图像识别', '数据湖']));
  });

  it('as nobody sees nothing', async () => {
    expect(codesOf(await new ApiClient(gateway.url).query('{ viewer { name } }'))).toEqual(['UNAUTHENTICATED']);
    expect(codesOf(await new ApiClient(gateway.url, 'demo').query('{ viewer { name } }'))).toEqual(['UNAUTHENTICATED']);
  });
});

describe('the company as the gateway tells of it', () => {
  it('has workloads in every state', async () => {
    const { data } = await as('林涛').query('{ workloads(first: 500) { nodes { __typename status } } }');
    const seen = (field: string): Set<string> => new Set(data.workloads.nodes.map((each: any) => each[field]));
    expect(seen('status')).toEqual(new Set(['RUNNING', 'PROGRESSING', 'DEGRADED', 'FAILED', 'STOPPED', 'SUSPENDED', 'COMPLETED']));
    expect(seen('__typename')).toEqual(new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob']));
  });

  it('has pods of every isolation, and the one that crashes most is on top', async () => {
    const { data } = await as('林涛').query(
      '{ pods(first: 500, orderBy: { field: RESTARTS, direction: DESC }) { nodes { name status restarts isolation } } }',
    );
    expect(new Set(data.pods.nodes.map((pod: any) => pod.isolation))).toEqual(new Set(['SECURE', 'STANDARD', 'UNKNOWN']));
    expect(data.pods.nodes[0].restarts).toBeGreaterThan(20);
    expect(data.pods.nodes.map((pod: any) => pod.status)).toEqual(expect.arrayContaining(['CrashLoopBackOff', 'Running', 'Pending']));
  });

  it('lives: pods come and go while somebody watches', async () => {
    const socket = await as('王芳').socket();
    const stream = socket.subscribe('subscription { podChanges { type podId pod { name project { name } } } }');
    const types = new Set<string>();
    let isSynced = false;
    while (!(types.has('ADDED') && types.has('MODIFIED') && types.has('DELETED'))) {
      const { type, pod } = (await stream.answer()).data.podChanges;
      if (pod !== null) expect(pod.project.name).toBe('网店');
      if (isSynced) types.add(type);
      isSynced ||= type === 'SYNCED';
    }
    stream.stop();
    await socket.close();
  }, 60_000);
});

describe('what the start leaves behind', () => {
  it('is one kubeconfig for each cluster and a file of digests, for nobody else to read', async () => {
    expect((await readdir(directory)).sort()).toEqual(['east.kubeconfig', 'north.kubeconfig', 'tokens.yaml']);
    for (const name of await readdir(directory)) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    const tokens = await readFile(join(directory, 'tokens.yaml'), 'utf8');
    for (const { token } of demo.signIns) expect(tokens).not.toContain(token);
  });

  it('is progress in plain lines, where there is no terminal', () => {
    expect(output.text).toMatch(/^(Starting the demo, \d+ %: the past of 华(东一|北二)\n){5}/);
    expect(output.text).toContain('100 %');
    expect(output.text).not.toMatch(/[\r\u001b]/);
  });

  it('is an announcement with the name, the role and the token of each', () => {
    output.text = '';
    demo.announce('http://127.0.0.1:4000');
    expect(output.text).toContain('GraphiQL on http://127.0.0.1:4000/');
    const lines = output.text.split('\n');
    for (const { label, token } of demo.signIns) {
      expect(lines.filter((line) => line.includes(label) && line.endsWith(token))).toHaveLength(1);
    }
    for (const role of ['云管理员', '部门管理员', '项目管理员', '普通用户', '只读用户']) expect(output.text).toContain(role);
  });
});

describe('the sign-ins in GraphiQL', () => {
  // `fetch` lets nobody choose the Host header.
  const page = (host: string): Promise<string> =>
    new Promise((resolve, reject) => {
      request(`${gateway.url}/`, { headers: { host } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve(text));
      })
        .once('error', reject)
        .end();
    });

  it('are there for a browser on this machine, and for no page that came by another name', async () => {
    const unbuilt = await page(new URL(gateway.url).host);
    expect(unbuilt).toContain('npm run graphiql');
    await writeFile(join(assets, 'graphiql.js'), '');
    const [own, foreign] = [await page(new URL(gateway.url).host), await page('rebound.example:4000')];
    for (const { token } of demo.signIns) {
      expect(own).toContain(token);
      expect(unbuilt).not.toContain(token);
      expect(foreign).not.toContain(token);
    }
  });
});

describe('another start', () => {
  it('has other tokens, draws a bar on a terminal, and ends with everything that it opened', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'demo-'));
    let drawn = '';
    const other = await startDemo({
      now: Date.now,
      directory: join(folder, 'new'),
      output: { isTTY: true, write: (text) => (drawn += text) },
      onError: (error) => errors.push(error),
    });
    try {
      const known = new Set(demo.signIns.map(({ token }) => token));
      expect(other.signIns.filter(({ token }) => known.has(token))).toEqual([]);
      const frames = drawn.split('\r\u001b[K');
      expect(frames.length).toBeGreaterThan(50);
      expect(frames.at(1)).toMatch(/^░{20,} 1 % · the past of 华东一$/);
      expect(frames.at(-2)).toMatch(/^█+░* 99 % · the past of 华北二$/);
      // The last one takes the bar away.
      expect(frames.at(-1)).toBe('');
      expect(drawn).not.toContain('\n');
    } finally {
      const kubeconfig = await readFile(join(folder, 'new', 'east.kubeconfig'), 'utf8');
      await other.close();
      const server = /server: (\S+)/.exec(kubeconfig)![1]!;
      await expect(fetch(`${server}/readyz`)).rejects.toThrow();
      await rm(folder, { recursive: true });
    }
  }, 60_000);
});
