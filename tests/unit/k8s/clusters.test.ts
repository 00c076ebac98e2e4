import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterConfig } from '../../../src/config.js';
import { ConfigError } from '../../../src/config.js';
import { Clusters } from '../../../src/k8s/clusters.js';
import type { Kind } from '../../../src/k8s/kind.js';
import { namespaces } from '../../../src/k8s/namespaces.js';
import { ObjectRecord } from '../../../src/k8s/objects.js';
import { bookmark, FakeKube, json, lineOf, listOf, pod, statusOf, until, type Answer, type Asked } from '../../support/fake-kube.js';

class PodRecord extends ObjectRecord {
  get kind(): string {
    return 'Pod';
  }
  get apiVersion(): string {
    return 'v1';
  }
}
const pods: Kind<PodRecord> = {
  name: 'Pod',
  apiVersion: 'v1',
  plural: 'pods',
  namespaced: true,
  record: (source) => new PodRecord(source),
};
const kinds: readonly Kind[] = [namespaces, pods];

let directory: string;
const stops: (() => Promise<unknown>)[] = [];
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'clusters-'))));
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  rmSync(directory, { recursive: true });
});

/** A server that is well, and whose answers a test may replace one by one. */
class Server {
  readonly answers: Record<string, Answer> = {
    '/version': json({ gitVersion: 'v1.36.3' }),
    '/readyz': (_, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok'),
    '/api/v1/namespaces/kube-system': json({ metadata: { uid: 'uid-of-cluster' } }),
    '/api/v1/namespaces': json(listOf([], { version: 10 })),
    '/api/v1/pods': json(listOf([pod('a', 1)], { version: 10 })),
    'watch /api/v1/namespaces': open,
    'watch /api/v1/pods': open,
  };
  kube: FakeKube | undefined;
  url = '';

  async listen(): Promise<void> {
    const answer: Answer = (asked, response, request) =>
      (this.answers[nameOf(asked)] ?? json(statusOf(404, 'NotFound'), 404))(asked, response, request);
    this.kube = await FakeKube.start(answer, this.url === '' ? {} : { port: Number(new URL(this.url).port) });
    this.url = this.kube.url;
  }

  async stop(): Promise<void> {
    await this.kube?.close();
    this.kube = undefined;
  }

  count(name: string): number {
    return (this.kube?.asked ?? []).filter((asked) => nameOf(asked) === name).length;
  }
}

const nameOf = ({ path, query }: Asked): string => (query.get('watch') === 'true' ? `watch ${path}` : path);
const open: Answer = (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
const nothing: Answer = () => undefined;

async function serve(prepare: (server: Server) => void = () => undefined): Promise<Server> {
  const server = new Server();
  prepare(server);
  await server.listen();
  stops.push(() => server.stop());
  return server;
}

function configOf(name: string, { url }: { url: string }): ClusterConfig {
  const kubeconfig = join(directory, name);
  const parts = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x' } }],
    clusters: [{ name: 'x', cluster: { server: url } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(parts));
  return { name, displayName: name.toUpperCase(), kubeconfig, context: undefined, projects: name === 'east' ? ['p-web'] : undefined };
}

function start(
  servers: Readonly<Record<string, { url: string }>>,
  options: { probeIntervalMs?: number; started?: boolean } = {},
): Clusters {
  const configs = Object.entries(servers).map(([name, server]) => configOf(name, server));
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const clusters = new Clusters(configs, kinds, {
    watchSilenceMs: 30_000,
    historySize: 100,
    log: silent,
    probeIntervalMs: options.probeIntervalMs ?? 100,
  });
  stops.push(() => clusters.close());
  if (options.started !== false) clusters.start();
  return clusters;
}

const forever = (): AbortSignal => new AbortController().signal;

describe('A cluster', () => {
  test('is healthy once it has answered, and tells its version and uid', async () => {
    const server = await serve();
    const clusters = start({ east: server }, { started: false });
    expect(clusters.get('east')).toEqual({
      name: 'east',
      displayName: 'EAST',
      version: undefined,
      status: 'UNREACHABLE',
      statusMessage: 'The cluster has not been reached yet.',
      reached: false,
      projects: ['p-web'],
    });
    expect(clusters.sources[0]!.unavailable([pods])).toEqual({
      clusterName: 'east',
      message: 'The cluster is still being read.',
      staleSince: undefined,
    });
    clusters.start();
    await until(() => clusters.ready && clusters.get('east')?.status === 'HEALTHY');
    expect(clusters.get('east')).toMatchObject({ version: 'v1.36.3', statusMessage: undefined, reached: true });
    expect(clusters.sources[0]!.uid).toBe('uid-of-cluster');
    expect(clusters.sources[0]!.unavailable([pods, namespaces])).toBeUndefined();
    expect(clusters.sources[0]!.store(pods).size).toBe(1);
    expect(clusters.progress()).toEqual([
      { cluster: 'east', status: 'HEALTHY', kinds: { Namespace: { state: 'SYNCED', objects: 0 }, Pod: { state: 'SYNCED', objects: 1 } } },
    ]);
    expect(clusters.get('west')).toBeUndefined();
    expect(() => clusters.sources[0]!.store({ ...pods, name: 'Secret' })).toThrow('does not watch Secret');
  });

  test('is degraded where a kind cannot be read, and only that kind is unavailable', async () => {
    const server = await serve(({ answers }) => (answers['/api/v1/pods'] = json(statusOf(403, 'Forbidden'), 403)));
    const clusters = start({ east: server });
    await until(() => clusters.ready && clusters.get('east')?.status === 'DEGRADED');
    expect(clusters.get('east')?.statusMessage).toBe('Some kinds of objects of the cluster cannot be read.');
    const [source] = clusters.sources;
    expect(source!.unavailable([namespaces])).toBeUndefined();
    expect(source!.unavailable([namespaces, pods])).toEqual({
      clusterName: 'east',
      message: 'The cluster does not allow this.',
      staleSince: undefined,
    });
    expect(clusters.progress()[0]!.kinds['Pod']).toEqual({ state: 'FAILED', objects: 0 });
  });

  test('is degraded where its own health checks fail, and not where it does not let them be asked', async () => {
    const sick = await serve(({ answers }) => (answers['/readyz'] = json('[-]etcd failed', 500)));
    const shy = await serve(({ answers }) => (answers['/readyz'] = json(statusOf(403, 'Forbidden'), 403)));
    const clusters = start({ sick, shy });
    await until(() => clusters.get('sick')?.status === 'DEGRADED' && clusters.get('shy')?.status === 'HEALTHY');
    expect(clusters.get('sick')?.statusMessage).toBe('Health checks of the cluster fail.');
  });

  test('is degraded where it does not tell who it is', async () => {
    const server = await serve(({ answers }) => (answers['/api/v1/namespaces/kube-system'] = json(statusOf(403, 'Forbidden'), 403)));
    const clusters = start({ east: server });
    await until(() => clusters.get('east')?.status === 'DEGRADED');
    expect(clusters.get('east')).toMatchObject({ version: 'v1.36.3', statusMessage: 'The gateway cannot tell which cluster it is.' });
  });

  test('that refuses the credentials of the gateway says so', async () => {
    const refuse = json(statusOf(401, 'Unauthorized'), 401);
    const server = await serve(({ answers }) => Object.keys(answers).forEach((name) => (answers[name] = refuse)));
    const clusters = start({ east: server });
    await until(() => clusters.ready && clusters.get('east')?.statusMessage === 'The cluster refuses the credentials of the gateway.');
    expect(clusters.get('east')).toMatchObject({ status: 'UNREACHABLE', reached: false });
  });

  test('that is lost is served as it was, named with the time since when, and read again as soon as it is back', async () => {
    const server = await serve();
    const clusters = start({ east: server });
    const source = clusters.sources[0]!;
    await until(() => clusters.get('east')?.status === 'HEALTHY' && source.unavailable(kinds) === undefined);
    let told = 0;
    const stopTelling = source.onAvailability(() => (told += 1));
    const before = Date.now();
    await server.stop();
    await until(() => clusters.get('east')?.status === 'UNREACHABLE' && source.unavailable([pods]) !== undefined);
    expect(clusters.get('east')).toMatchObject({ statusMessage: 'The cluster cannot be reached.', reached: true, version: 'v1.36.3' });
    const lost = source.unavailable([pods])!;
    expect(lost).toMatchObject({ clusterName: 'east', message: 'The cluster cannot be reached.' });
    expect(Math.abs(Date.parse(lost.staleSince!) - before)).toBeLessThan(1_000);
    expect(source.store(pods).size).toBe(1);
    expect(clusters.progress()[0]!.kinds['Pod']).toEqual({ state: 'STALE', objects: 1, staleSince: expect.any(String) });
    expect(clusters.isSettled(kinds)).toBe(true);
    expect(told).toBeGreaterThan(0);

    await server.listen();
    await until(() => clusters.get('east')?.status === 'HEALTHY' && source.unavailable(kinds) === undefined);
    stopTelling();
    const heard = told;
    await server.stop();
    await until(() => source.unavailable([pods]) !== undefined);
    expect(told).toBe(heard);
  });

  test('that is another one when it comes back has another uid', async () => {
    const server = await serve();
    const clusters = start({ east: server });
    await until(() => clusters.get('east')?.status === 'HEALTHY' && clusters.sources[0]!.uid === 'uid-of-cluster');
    await server.stop();
    await until(() => clusters.get('east')?.status === 'UNREACHABLE');
    server.answers['/api/v1/namespaces/kube-system'] = json({ metadata: { uid: 'another' } });
    await server.listen();
    await until(() => clusters.sources[0]!.uid === 'another');
  });

  test('asks for nothing once it is closed', async () => {
    const server = await serve();
    const clusters = start({ east: server });
    await until(() => clusters.ready);
    await clusters.close();
    const asked = server.kube!.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(server.kube!.asked).toHaveLength(asked);
  });
});

describe('The past of a kind', () => {
  const past = async (lines: readonly string[] | Answer, from = '5', to = '10', signal = forever()): Promise<unknown> => {
    const server = await serve(({ answers }) => {
      answers['watch /api/v1/pods'] = (asked, response, request) => {
        if (asked.query.get('resourceVersion') !== '5') return open(asked, response, request);
        if (typeof lines === 'function') return lines(asked, response, request);
        open(asked, response, request);
        for (const line of lines) response.write(line);
      };
    });
    const clusters = start({ east: server }, { probeIntervalMs: 60_000 });
    await until(() => clusters.ready);
    const events = await clusters.sources[0]!.past(pods, from, to, signal);
    return events?.map(({ type, item }) => `${type} ${item.object.metadata.name} ${item.object.metadata.resourceVersion}`);
  };

  test('is what happened until an event proves that it is all', async () => {
    const lines = [lineOf('ADDED', pod('a', 6)), lineOf('DELETED', pod('b', 10)), lineOf('ADDED', pod('c', 11))];
    expect(await past(lines)).toEqual(['ADDED a 6', 'DELETED b 10']);
  });

  test('leaves out what happened later', async () => {
    expect(await past([lineOf('ADDED', pod('a', 6)), lineOf('MODIFIED', pod('a', 12))])).toEqual(['ADDED a 6']);
  });

  test('is proven by a bookmark, and not by an earlier one', async () => {
    expect(await past([bookmark(7), lineOf('ADDED', pod('a', 8)), bookmark(10), lineOf('ADDED', pod('c', 11))])).toEqual(['ADDED a 8']);
  });

  test('is empty where there is nothing between', async () => {
    expect(await past([], '10', '10')).toEqual([]);
  });

  test.each<[string, readonly string[] | Answer]>([
    ['has expired', json(statusOf(410, 'Expired'), 410)],
    ['expires under way', [lineOf('ADDED', pod('a', 6)), lineOf('ERROR', statusOf(410, 'Expired'))]],
    ['cannot be read', [lineOf('ADDED', pod('a', 6)), 'garbage\n']],
    [
      'ends before it is proven',
      (asked, response, request) => (open(asked, response, request), void response.end(lineOf('ADDED', pod('a', 6)))),
    ],
    ['cannot be asked for', (_, response) => response.destroy()],
  ])('cannot be told where it %s', async (_, lines) => {
    expect(await past(lines)).toBeUndefined();
  });

  test('cannot be told where no proof comes within 3 s', async () => {
    const startedAt = performance.now();
    expect(await past([lineOf('ADDED', pod('a', 6))])).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  test('is told no more once its signal is aborted', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('the client left')), 300);
    const startedAt = performance.now();
    expect(await past([], '5', '10', controller.signal)).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(await past([], '5', '10', AbortSignal.abort())).toBeUndefined();
  });
});

describe('Several clusters', () => {
  test('work each by itself: one that is down makes nobody wait', async () => {
    const [good, down] = [await serve(), await serve()];
    await down.stop();
    const clusters = start({ good, down });
    await clusters.settle(kinds, 5_000, forever());
    expect(clusters.isSettled(kinds)).toBe(true);
    await until(() => clusters.ready, 'that both were looked at');
    expect(clusters.sources.map((source) => source.unavailable(kinds))).toEqual([
      undefined,
      { clusterName: 'down', message: 'The cluster cannot be reached.', staleSince: undefined },
    ]);
    expect(clusters.all().map(({ name }) => name)).toEqual(['good', 'down']);
  });

  test('do not wait for one that takes connections and answers nothing', async () => {
    const [good, mute] = [await serve(), await serve(({ answers }) => Object.keys(answers).forEach((name) => (answers[name] = nothing)))];
    const clusters = start({ good, mute }, { probeIntervalMs: 300 });
    await clusters.settle(kinds, 5_000, forever());
    expect(clusters.isSettled(kinds)).toBe(true);
    expect(clusters.sources[1]!.unavailable(kinds)?.message).toBe('The cluster did not answer in time.');
  });

  test('are waited for no longer than the limit, and only for the kinds in question', async () => {
    const server = await serve(({ answers }) => (answers['/api/v1/pods'] = nothing));
    const clusters = start({ east: server });
    await clusters.settle([namespaces], 5_000, forever());
    expect(clusters.isSettled([namespaces])).toBe(true);
    const startedAt = performance.now();
    await clusters.settle(kinds, 150, forever());
    expect(performance.now() - startedAt).toBeGreaterThan(140);
    expect([clusters.isSettled(kinds), clusters.ready]).toEqual([false, false]);
  });

  test('are waited for no longer than the signal', async () => {
    const server = await serve(({ answers }) => (answers['/api/v1/pods'] = nothing));
    const clusters = start({ east: server });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const startedAt = performance.now();
    await clusters.settle(kinds, 5_000, controller.signal);
    await clusters.settle(kinds, 5_000, controller.signal);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  test('are refused together where their kubeconfigs are wrong', () => {
    const config = (name: string): ClusterConfig => ({
      name,
      displayName: name,
      kubeconfig: join(directory, name),
      context: undefined,
      projects: undefined,
    });
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const make = (): Clusters =>
      new Clusters([config('east'), config('west')], kinds, { watchSilenceMs: 1_000, historySize: 0, log: silent });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(/cluster east: .*is not there\n.*cluster west: /);
  });
});
