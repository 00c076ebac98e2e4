import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchedKinds } from '../../../src/domain/kinds/index.js';
import { Clusters } from '../../../src/k8s/clusters.js';
import { ApiSocket, codesOf, type Answer } from '../../support/clients.js';
import { testConfig, TestGateway, tokenOf } from '../../support/gateway.js';
import { kindNamed } from '../../support/in-process.js';
import type { Draft } from '../../support/objects.js';
import { SandboxServer } from '../../support/sandbox-server.js';

const namespace = (name: string, project: string): Draft => ({
  kind: 'Namespace',
  metadata: { name, labels: { 'openstack.org/project-id': project } },
});
const pod = (name: string, namespaceName: string, restarts = 0): Draft => ({
  kind: 'Pod',
  metadata: { name, namespace: namespaceName },
  spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'nginx:1' }] },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'main', image: 'nginx:1', imageID: '', ready: true, restartCount: restarts, state: { running: {} } }],
  },
});
const objects: readonly Draft[] = [
  namespace('shop', 'p-a'),
  namespace('bank', 'p-b'),
  { kind: 'Node', metadata: { name: 'node-1' } },
  pod('web', 'shop'),
  pod('api', 'shop'),
  pod('vault', 'bank'),
];
const users = [
  { id: 'admin', cloudAdmin: true },
  { id: 'u-shop', roles: { 'p-a': 'USER' } },
];

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('a gateway over clusters that are there', () => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await TestGateway.start({ objects: { east: objects }, users, projects: [{ id: 'p-a', name: 'alpha' }] });
  });
  afterEach(() => gateway.stop());

  const metrics = async (): Promise<string> => (await fetch(`${gateway.managementUrl}/metrics`)).text();

  it('writes down what was refused, by whichever transport, and counts it', async () => {
    const query = '{ pods(first: 10) { nodes { name node { name } } } }';
    const refused = (requestId: unknown): object => ({
      audit: 'refused',
      at: expect.stringMatching(/^\d{4}-/) as string,
      requestId,
      userId: 'u-shop',
      userName: 'u-shop',
      function: 'NODE_VIEW',
      project: 'p-a',
      count: 2,
      path: 'pods.nodes.0.node',
    });
    const byPost = await gateway.as('u-shop').query(query);
    const byGet = await gateway.as('u-shop').query(query, { method: 'GET' });
    const socket = await gateway.as('u-shop').socket();
    const bySocket = await socket.query(query);
    await socket.close();
    for (const answer of [byPost, byGet, bySocket]) expect(codesOf(answer)).toEqual(['FORBIDDEN', 'FORBIDDEN']);
    expect(gateway.audited.map((line) => JSON.parse(line) as unknown)).toEqual(
      [byPost, byGet, bySocket].map(({ extensions }: Answer) => refused(extensions?.['requestId'])),
    );
    expect(await metrics()).toContain('gateway_refusals_total{function="NODE_VIEW"} 3');
  });

  it('has metrics that name clusters and kinds, and nothing of anybody', async () => {
    for (const user of ['admin', 'u-shop']) {
      await gateway.as(user).query('{ pods(first: 10) { nodes { name namespace { name } project { name } } } }');
    }
    const socket = await gateway.as('u-shop').socket();
    await socket.subscribe('subscription { podChanges { type pod { name } } }').answer();
    const text = await metrics();
    await socket.close();
    expect(text).toContain('gateway_store_objects{cluster="east",kind="Pod"} 3');
    expect(text).toContain('gateway_cluster_up{cluster="east"} 1');
    expect(text).toMatch(/gateway_subscriptions 1/);
    for (const name of ['u-shop', 'admin', 'p-a', 'alpha', 'shop', 'bank', 'web', 'vault', 'node-1']) {
      expect(text).not.toMatch(new RegExp(`[="]${name}[",]`));
    }
  });

  it('keeps tokens out of everything that it writes', async () => {
    const socket = await gateway.as('u-shop').socket();
    await socket.query('{ pods { nodes { node { name } } } }');
    await socket.close();
    await gateway.as('u-shop').query('{ nodes { name } }');
    await gateway.as(undefined).query('{ viewer { name } }', { headers: { authorization: `Basic ${tokenOf('admin')}` } });
    const written = [...gateway.logged, ...gateway.audited, await metrics()].join('\n');
    expect(gateway.logged.length).toBeGreaterThan(2);
    for (const user of users) expect(written).not.toContain(tokenOf(user.id));
  });

  it('closes the sockets of who is no user any more with 4403, and no others', async () => {
    const [gone, stays] = await Promise.all([gateway.as('u-shop').socket(), gateway.as('admin').socket()]);
    await gone.subscribe('subscription { podChanges { type } }').answer();
    gateway.setUsers([{ id: 'admin', cloudAdmin: true }]);
    expect(await gone.closed).toEqual({ code: 4403, reason: 'A valid token is needed.' });
    expect((await stays.query('{ viewer { name } }')).data).toEqual({ viewer: { name: 'admin' } });
    expect(codesOf(await gateway.as('u-shop').query('{ viewer { name } }'))).toEqual(['UNAUTHENTICATED']);
    await stays.close();
  });

  it('gives a client that reads slowly the latest state of each object, not every state there was', async () => {
    const east = gateway.memory.cluster('east');
    for (let i = 0; i < 200; i++) east.put(kindNamed('Pod'), pod(`pod-${i}`, 'shop'));
    const socket = await gateway.as('admin').socket();
    const stream = socket.subscribe('subscription { podChanges { type podId pod { name restarts containers { name image ready } } } }');
    while ((await stream.answer()).data.podChanges.type !== 'SYNCED');
    socket.socket.pause();
    const changes = 200 * 100;
    for (let round = 1; round <= 100; round++) {
      for (let i = 0; i < 200; i++) east.put(kindNamed('Pod'), pod(`pod-${i}`, 'shop', round));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.socket.resume();
    const latest = new Map<string, number>();
    let messages = 0;
    while (latest.size < 200 || [...latest.values()].some((restarts) => restarts < 100)) {
      const { podChanges } = (await stream.answer()).data as { podChanges: { type: string; pod: { name: string; restarts: number } } };
      messages += 1;
      expect(podChanges.type).toBe('MODIFIED');
      // Never an older state after a newer one.
      expect(podChanges.pod.restarts).toBeGreaterThanOrEqual(latest.get(podChanges.pod.name) ?? 0);
      latest.set(podChanges.pod.name, podChanges.pod.restarts);
    }
    expect(messages).toBeLessThan(changes / 2);
    await socket.close();
  });
});

describe('a gateway that stops', () => {
  it('is not ready any more, sends sockets away with 1001, and lets a request that is under way finish', async () => {
    const gateway = await TestGateway.start({ objects: { east: objects }, users, config: { drainTimeoutMs: 5_000 } });
    expect((await fetch(`${gateway.managementUrl}/readyz`)).status).toBe(200);
    const socket = await gateway.as('admin').socket();
    const body = JSON.stringify({ query: '{ pods(first: 10) { nodes { name } } }' });
    const { port } = new URL(gateway.url);
    const connection = connect(Number(port), '127.0.0.1');
    let text = '';
    connection.on('data', (data: Buffer) => (text += data.toString('utf8')));
    const over = new Promise((resolve) => connection.once('close', resolve));
    connection.write(
      `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenOf('admin')}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    await until(() => text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
    const stopped = gateway.stop();
    expect(await socket.closed).toEqual({ code: 1001, reason: 'Going away' });
    const readiness = await fetch(`${gateway.managementUrl}/readyz`);
    expect([readiness.status, await readiness.json()]).toEqual([503, expect.objectContaining({ ready: false })]);
    connection.write(body);
    await over;
    expect(text).toContain('HTTP/1.1 200 OK\r\n');
    expect(text).toContain('"vault"');
    await stopped;
    await expect(fetch(`${gateway.managementUrl}/healthz`)).rejects.toThrow();
    await expect(ApiSocket.open(gateway.url)).rejects.toThrow();
    // Again, as a second signal would.
    await gateway.stop();
  });

  it('leaves nothing open where its port is taken', async () => {
    const first = await TestGateway.start({ users });
    const port = Number(new URL(first.url).port);
    await expect(TestGateway.start({ users, config: { port } })).rejects.toThrow('EADDRINUSE');
    expect((await first.as('admin').query('{ viewer { name } }')).status).toBe(200);
    await first.stop();
  });
});

/** An API server that is asked through a door: while it is closed, nothing is answered. */
class Door {
  readonly server: Server;
  readonly #waiting: (() => void)[] = [];
  #isOpen = false;

  constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.server = createServer((request, response) => {
      const pass = (): void => {
        const asked = httpRequest({ hostname, port, path: request.url, method: request.method, headers: request.headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
          answer.once('error', () => response.destroy());
        });
        asked.once('error', () => response.destroy());
        response.once('close', () => asked.destroy());
        request.pipe(asked);
      };
      if (this.#isOpen) pass();
      else this.#waiting.push(pass);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get isWaitedAt(): boolean {
    return this.#waiting.length > 0;
  }

  open(): void {
    this.#isOpen = true;
    for (const pass of this.#waiting.splice(0)) pass();
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

describe('a gateway that has only just begun', () => {
  const folder = mkdtempSync(join(tmpdir(), 'serving-'));
  let sandbox: SandboxServer;
  let door: Door;
  let gateway: TestGateway;

  async function begin(syncTimeoutMs: number): Promise<void> {
    sandbox = await SandboxServer.start();
    await sandbox.ask('POST', '/api/v1/namespaces', {
      body: { metadata: { name: 'shop', labels: { 'openstack.org/project-id': 'p-a' } } },
    });
    for (const name of ['web', 'api']) {
      const { code } = await sandbox.ask('POST', '/api/v1/namespaces/shop/pods', {
        body: { metadata: { name }, spec: { containers: [{ name: 'main', image: 'nginx:1' }] } },
      });
      expect(code).toBe(201);
    }
    door = new Door(sandbox.url);
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'east',
        contexts: [{ name: 'east', context: { cluster: 'east', user: 'east' } }],
        clusters: [{ name: 'east', cluster: { server: await door.listen() } }],
        users: [{ name: 'east', user: {} }],
      }),
    );
    const config = testConfig({
      syncTimeoutMs,
      clusters: [{ name: 'east', displayName: 'east', kubeconfig, context: undefined, projects: undefined }],
    });
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    gateway = await TestGateway.start({
      users,
      config,
      clusters: new Clusters(config.clusters, watchedKinds, { ...config, log, environment: {}, now: Date.now }),
    });
    await until(() => door.isWaitedAt);
  }
  afterEach(async () => {
    await gateway.stop();
    door.close();
    await sandbox.close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const ready = async (): Promise<{ status: number; body: { ready: boolean; clusters: readonly Record<string, unknown>[] } }> => {
    const response = await fetch(`${gateway.managementUrl}/readyz`);
    return { status: response.status, body: (await response.json()) as { ready: boolean; clusters: readonly Record<string, unknown>[] } };
  };

  it('lives, is not ready, tells how far it is, and answers once it has read what is asked for', async () => {
    await begin(15_000);
    expect((await fetch(`${gateway.managementUrl}/healthz`)).status).toBe(200);
    const before = await ready();
    expect([before.status, before.body.ready]).toEqual([503, false]);
    expect(before.body.clusters[0]).toMatchObject({ cluster: 'east', kinds: { Pod: expect.any(Object) as object } });
    const early = gateway.as('admin').query('{ pods(first: 10) { totalCount unavailableClusters { clusterName } } }');
    const socket = await gateway.as('admin').socket();
    const stream = socket.subscribe('subscription { podChanges { type pod { name } } }');
    const bySocket = socket.query('{ pods(first: 10) { totalCount } }');
    door.open();
    expect((await early).data).toEqual({ pods: { totalCount: 2, unavailableClusters: [] } });
    expect((await bySocket).data).toEqual({ pods: { totalCount: 2 } });
    expect((await stream.answer()).data).toMatchObject({ podChanges: { type: 'ADDED' } });
    await socket.close();
    await until(async () => (await ready()).status === 200);
    expect((await ready()).body).toMatchObject({ ready: true });
  });

  it('answers UNAVAILABLE where that takes longer than a query waits', async () => {
    await begin(50);
    const { status, data, errors } = await gateway.as('admin').query('{ pods(first: 10) { totalCount } }');
    expect([status, data, codesOf({ errors: errors ?? [] })]).toEqual([503, undefined, ['UNAVAILABLE']]);
    const socket = await gateway.as('admin').socket();
    for (const query of ['{ pods(first: 10) { totalCount } }', 'subscription { podChanges { type } }']) {
      expect(codesOf(await socket.query(query))).toEqual(['UNAVAILABLE']);
    }
    await socket.close();
    door.open();
  });
});
