import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'undici';
import { stringify } from 'yaml';
import type { ClusterConfig } from '../../src/config.js';
import { Clusters } from '../../src/k8s/clusters.js';
import { ClusterConnection } from '../../src/k8s/connection.js';
import type { Kind } from '../../src/k8s/kind.js';
import { loadEndpoints, type Endpoint } from '../../src/k8s/kubeconfig.js';
import { namespaces } from '../../src/k8s/namespaces.js';
import { ObjectRecord } from '../../src/k8s/objects.js';
import { Reflector, type SyncState } from '../../src/k8s/reflector.js';
import type { Item, Sink } from '../../src/k8s/sink.js';
import type { ClusterSource } from '../../src/k8s/source.js';
import { sharedControlPlane } from '../support/control-plane.js';
import { until } from '../support/until.js';

class ConfigMapRecord extends ObjectRecord {
  get kind(): string {
    return 'ConfigMap';
  }
  get apiVersion(): string {
    return 'v1';
  }
}
const configMaps: Kind<ConfigMapRecord> = {
  name: 'ConfigMap',
  apiVersion: 'v1',
  plural: 'configmaps',
  namespaced: true,
  record: (source) => new ConfigMapRecord(source),
};

const namespace = `reflector-${process.pid}`;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
let kubeconfig: string;
let endpoint: Endpoint;
let directory: string;
let admin: Agent;
const stops: (() => Promise<unknown>)[] = [];

/** As a person does; the gateway itself only reads here. */
async function write(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<{ metadata: { resourceVersion: string } }> {
  const { headers } = await endpoint.dial();
  const response = await admin.request({
    origin: new URL(endpoint.server).origin,
    path,
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = (await response.body.json()) as { metadata: { resourceVersion: string } };
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${JSON.stringify(answer)}`);
  return answer;
}

const mapsPath = `/api/v1/namespaces/${namespace}/configmaps`;
const mapOf = (name: string, data = 'x'): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { data },
});

async function createMany(count: number, prefix: string): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  const worker = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) await write('POST', mapsPath, mapOf(name));
  };
  await Promise.all(Array.from({ length: 20 }, worker));
}

/** What the server has, read in one piece by something else than the reflector. */
async function truth(connection: ClusterConnection): Promise<Map<string, string>> {
  const list = (await connection.read(mapsPath, { signal: new AbortController().signal })) as {
    items: { metadata: { name: string; resourceVersion: string } }[];
  };
  return new Map(list.items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
}

/** The namespace's objects, by name, with their versions. */
class Mirror implements Sink {
  known = new Map<string, string>();
  #listing = new Map<string, string>();
  readonly events: string[] = [];
  lists = 0;
  bookmarks = 0;

  startList(): void {
    this.#listing = new Map();
  }
  listed({ object: { metadata } }: Item): void {
    if (metadata.namespace === namespace) this.#listing.set(metadata.name, metadata.resourceVersion);
  }
  endList(): void {
    this.lists += 1;
    this.known = this.#listing;
  }
  event(type: string, { object: { metadata } }: Item): void {
    if (metadata.namespace !== namespace) return;
    this.events.push(`${type} ${metadata.name}`);
    if (type === 'DELETED') this.known.delete(metadata.name);
    else this.known.set(metadata.name, metadata.resourceVersion);
  }
  bookmark(): void {
    this.bookmarks += 1;
  }
}

function reflect(
  connection: ClusterConnection,
  options: { watchSilenceMs?: number } = {},
): { mirror: Mirror; reflector: Reflector; states: SyncState[] } {
  const mirror = new Mirror();
  const states: SyncState[] = [];
  const reflector: Reflector = new Reflector({
    connection,
    kind: configMaps,
    sink: mirror,
    watchSilenceMs: options.watchSilenceMs ?? 30_000,
    log: { fields: {}, to: silent },
    now: Date.now,
    onChange: () => states.push(reflector.state),
  });
  reflector.start();
  stops.push(() => reflector.close());
  return { mirror, reflector, states };
}

function connectTo(to: Endpoint): ClusterConnection {
  const connection = new ClusterConnection(to);
  stops.push(() => connection.close());
  return connection;
}

const configOf = (path: string, name = 'real'): ClusterConfig => ({
  name,
  displayName: name,
  kubeconfig: path,
  context: undefined,
  projects: undefined,
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The same cluster, signed in to as the tests are, but for what `user` says. */
async function kubeconfigAs(name: string, user: object, { isOwn = false } = {}): Promise<string> {
  const { ca, certificate, key, headers } = await endpoint.dial();
  const token = /^Bearer (.*)$/.exec(String(headers['authorization']))?.[1];
  const own = {
    ...(certificate && key && { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) }),
    ...(token && { token }),
  };
  const path = join(directory, name);
  const cluster = {
    server: endpoint.server,
    'insecure-skip-tls-verify': endpoint.unsafeSkipTlsVerify,
    ...(ca && { 'certificate-authority-data': base64(ca) }),
  };
  const file = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster }],
    users: [{ name: 'x', user: { ...(isOwn && own), ...user } }],
  };
  writeFileSync(path, stringify(file));
  return path;
}

function follow(path: string, kinds: readonly Kind[]): { clusters: Clusters; source: ClusterSource } {
  const clusters = new Clusters([configOf(path)], kinds, {
    watchSilenceMs: 30_000,
    historySize: 1_000,
    log: silent,
    probeIntervalMs: 1_000,
  });
  stops.push(() => clusters.close());
  clusters.start();
  return { clusters, source: clusters.sources[0]! };
}

beforeAll(async () => {
  ({ kubeconfig } = await sharedControlPlane());
  directory = mkdtempSync(join(tmpdir(), 'reflector-'));
  endpoint = loadEndpoints([configOf(kubeconfig)])[0]!;
  const { ca, certificate, key } = await endpoint.dial();
  admin = new Agent({
    connect: {
      ...(ca && { ca }),
      ...(certificate && { cert: certificate }),
      ...(key && { key }),
      rejectUnauthorized: !endpoint.unsafeSkipTlsVerify,
    },
  });
  await write('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  await createMany(1_203, 'many');
});

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

afterAll(async () => {
  await write('DELETE', `/api/v1/namespaces/${namespace}`);
  await admin.close();
  rmSync(directory, { recursive: true });
});

describe('A reflector on a real API server', () => {
  test('lists page by page, then follows what is created, changed and deleted', async () => {
    const connection = connectTo(endpoint);
    const { mirror, reflector, states } = reflect(connection);
    await until('the first sync', () => reflector.state.synced);
    expect(mirror.known).toEqual(await truth(connection));
    expect(mirror.known.size).toBeGreaterThanOrEqual(1_203);
    expect(states[0]!.total).toBe(states[0]!.listed);

    await write('POST', mapsPath, mapOf('one'));
    await write('PUT', `${mapsPath}/one`, mapOf('one', 'y'));
    await write('DELETE', `${mapsPath}/one`);
    await until('the last of it', () => mirror.events.includes('DELETED one'));
    expect(mirror.events.filter((event) => event.endsWith(' one'))).toEqual(['ADDED one', 'MODIFIED one', 'DELETED one']);
    expect(mirror.known).toEqual(await truth(connection));
    expect([mirror.lists, states.length]).toEqual([1, 1]);
  });

  test('loses nothing while its watches end again and again', async () => {
    const connection = connectTo(endpoint);
    const { mirror, reflector, states } = reflect(connection, { watchSilenceMs: 1_000 });
    await until('the first sync', () => reflector.state.synced);
    for (let round = 0; round < 25; round += 1) {
      await write('POST', mapsPath, mapOf(`end-${round}`));
      await write('DELETE', `${mapsPath}/end-${round}`);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    await until('the last of it', () => mirror.events.includes('DELETED end-24'));
    const expected = Array.from({ length: 25 }, (_, round) => [`ADDED end-${round}`, `DELETED end-${round}`]).flat();
    expect(mirror.events.filter((event) => event.includes(' end-'))).toEqual(expected);
    expect([mirror.lists, states.length]).toEqual([1, 1]);
  });

  test('loses nothing while its connections are cut', async () => {
    const target = new URL(endpoint.server);
    const sockets = new Set<Socket>();
    const proxy = createServer((near) => {
      const far = connect(Number(target.port), target.hostname);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => (sockets.delete(socket), near.destroy(), far.destroy()));
      }
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    stops.push(() => new Promise((resolve) => proxy.close(resolve)));
    const { port } = proxy.address() as AddressInfo;
    const direct = connectTo(endpoint);
    const near: Endpoint = { ...endpoint, server: `https://127.0.0.1:${port}`, dial: (refused) => endpoint.dial(refused) };
    const { mirror, reflector } = reflect(connectTo(near));
    await until('the first sync', () => reflector.state.synced);
    for (let round = 0; round < 20; round += 1) {
      await write('POST', mapsPath, mapOf(`cut-${round}`));
      if (round % 4 === 0) for (const socket of [...sockets]) socket.destroy();
    }
    await until('the last of it', () => mirror.known.has('cut-19'));
    expect(mirror.known).toEqual(await truth(direct));
    expect(mirror.events.filter((event) => event.includes(' cut-'))).toEqual(
      Array.from({ length: 20 }, (_, round) => `ADDED cut-${round}`),
    );
    expect(mirror.lists).toBe(1);
  });
});

describe('A real cluster', () => {
  test('is healthy, and tells its version and uid', async () => {
    const { clusters, source } = follow(kubeconfig, [namespaces, configMaps]);
    await until('the status', () => clusters.ready && clusters.get('real')?.status === 'HEALTHY');
    expect(clusters.get('real')?.version).toMatch(/^v1\.\d+/);
    expect(source.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(source.unavailable([namespaces, configMaps])).toBeUndefined();
    expect(source.store(configMaps).size).toBeGreaterThanOrEqual(1_203);
  });

  test('tells what happened between two versions, proven by an event or by a bookmark', async () => {
    const { clusters, source } = follow(kubeconfig, [namespaces, configMaps]);
    await until('readiness', () => clusters.ready);
    const { signal } = new AbortController();
    const before = (await write('POST', mapsPath, mapOf('past-0'))).metadata.resourceVersion;
    const created = (await write('POST', mapsPath, mapOf('past-1'))).metadata.resourceVersion;
    await write('PUT', `${mapsPath}/past-1`, mapOf('past-1', 'y'));
    await write('DELETE', `${mapsPath}/past-1`);
    const last = (await write('POST', mapsPath, mapOf('past-2'))).metadata.resourceVersion;
    const past = async (from: string, to: string): Promise<readonly string[] | undefined> =>
      (await source.past(configMaps, from, to, signal))?.map(({ type, item }) => `${type} ${item.object.metadata.name}`);
    const whole = ['ADDED past-1', 'MODIFIED past-1', 'DELETED past-1', 'ADDED past-2'];
    expect(await past(before, last)).toEqual(whole);
    expect(await past(before, created)).toEqual(['ADDED past-1']);

    // A version that no config map has: only a bookmark can prove that there is nothing more up to it.
    const other = (await write('POST', '/api/v1/namespaces', { metadata: { name: `${namespace}-other` } })).metadata.resourceVersion;
    await write('DELETE', `/api/v1/namespaces/${namespace}-other`);
    const later = follow(kubeconfig, [configMaps]);
    await until('readiness', () => later.clusters.ready);
    expect(BigInt(later.source.store(configMaps).resourceVersion!)).toBeGreaterThanOrEqual(BigInt(other));
    const proven = await past(before, other);
    expect(proven?.slice(0, 4)).toEqual(whole);
  });

  test('that does not know the gateway says so', async () => {
    const { clusters, source } = follow(await kubeconfigAs('unknown', { token: 'nothing' }), [namespaces]);
    await until('readiness', () => clusters.ready);
    await until('the status', () => clusters.get('real')?.statusMessage === 'The cluster refuses the credentials of the gateway.');
    expect(clusters.get('real')).toMatchObject({ status: 'UNREACHABLE', reached: false });
    expect(source.unavailable([namespaces])).toMatchObject({ message: 'The cluster refuses the credentials of the gateway.' });
  });

  test('that does not let the gateway read a kind is degraded', async () => {
    const powerless = await kubeconfigAs('powerless', { as: 'nobody', 'as-groups': ['system:authenticated'] }, { isOwn: true });
    const { clusters, source } = follow(powerless, [namespaces]);
    await until('readiness', () => clusters.ready);
    expect(source.unavailable([namespaces])).toMatchObject({ message: 'The cluster does not allow this.', staleSince: undefined });
    await until('the status', () => clusters.get('real')?.status === 'DEGRADED');
    expect(clusters.get('real')).toMatchObject({ reached: true, statusMessage: 'The gateway cannot tell which cluster it is.' });
  });
});
