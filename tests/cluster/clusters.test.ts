import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ClusterConfig } from '../../src/config.js';
import { watchedKinds } from '../../src/domain/kinds/index.js';
import { Clusters, type ClustersOptions } from '../../src/k8s/clusters.js';
import { ClusterConnection, type StreamOptions } from '../../src/k8s/connection.js';
import type { Kind } from '../../src/k8s/kind.js';
import { loadEndpoints } from '../../src/k8s/kubeconfig.js';
import { namespaces } from '../../src/k8s/namespaces.js';
import { ObjectRecord } from '../../src/k8s/objects.js';
import { Reflector } from '../../src/k8s/reflector.js';
import type { ClusterSource } from '../../src/k8s/source.js';
import { Store } from '../../src/k8s/store.js';
import { CertificateAuthority } from '../support/certificates.js';
import { sharedControlPlane, startControlPlane, type ControlPlane } from '../support/control-plane.js';
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
const kinds: readonly Kind[] = [namespaces, configMaps];

/** The one of the run: is only asked. */
let shared: ControlPlane;
/** One that may be stopped and made to forget. */
let own: ControlPlane;
let directory: string;
const stops: (() => Promise<unknown> | void)[] = [];

beforeAll(async () => {
  shared = await sharedControlPlane();
  own = await startControlPlane({ programs: shared.programs });
  directory = mkdtempSync(join(tmpdir(), 'clusters-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
afterAll(async () => {
  await own.stop();
  await shared.stop();
  rmSync(directory, { recursive: true });
});

let files = 0;
function write(text: string, mode = 0o600): string {
  const path = join(directory, `file-${(files += 1)}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** A kubeconfig; `cluster` and `user` are as its format has them. */
function kubeconfigOf({ server, ca }: { server: string; ca: string }, user: object, cluster: object = {}): string {
  return write(
    stringify({
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      clusters: [{ name: 'x', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64'), ...cluster } }],
      users: [{ name: 'x', user }],
    }),
  );
}

const configOf = (kubeconfig: string, name = 'real'): ClusterConfig => ({
  name,
  displayName: name,
  kubeconfig,
  context: undefined,
  projects: undefined,
});

interface Followed {
  readonly clusters: Clusters;
  readonly source: ClusterSource;
  /** Messages, with their reason. */
  readonly logged: readonly string[];
}

function follow(kubeconfig: string, followed: readonly Kind[] = kinds, options: Partial<ClustersOptions> = {}): Followed {
  const logged: string[] = [];
  const note = (fields: object, message: string): void => {
    const { reason } = fields as { reason?: string };
    logged.push(reason === undefined ? message : `${message}: ${reason}`);
  };
  const clusters = new Clusters([configOf(kubeconfig)], followed, {
    watchSilenceMs: 30_000,
    historySize: 1_000,
    log: { info: note, warn: note, error: note },
    probeIntervalMs: 500,
    environment: process.env,
    ...options,
  });
  stops.push(() => clusters.close());
  clusters.start();
  return { clusters, source: clusters.sources[0]!, logged };
}

const isHealthy = ({ clusters, source }: Followed): boolean =>
  clusters.get('real')?.status === 'HEALTHY' && source.unavailable(source.kinds) === undefined;
const messageOf = ({ clusters }: Followed): string | undefined => clusters.get('real')?.statusMessage;

const put = (to: ControlPlane, name: string): Promise<{ metadata: { resourceVersion: string } }> =>
  to.create('/api/v1/namespaces/default/configmaps', { metadata: { name }, data: { a: 'b' } });
const drop = (to: ControlPlane, name: string): Promise<unknown> => to.request('DELETE', `/api/v1/namespaces/default/configmaps/${name}`);

const mapsOf = ({ source }: Followed): string[] => [...source.store(configMaps).all()].map(pathOf).sort();
const pathOf = ({ namespaceName, name }: ObjectRecord): string => `${namespaceName}/${name}`;
const truthOf = async (of: ControlPlane): Promise<string[]> => {
  const { items } = await of.request('GET', '/api/v1/configmaps');
  return items.map(({ metadata: { namespace, name } }: any) => `${namespace}/${name}`).sort();
};

/** What a cluster's clients go through: it can be cut for a while. */
class Cable {
  readonly #sockets = new Set<Socket>();
  readonly #proxy = createServer((near) => this.#join(near));
  readonly #target: URL;
  isCut = false;

  constructor(target: string) {
    this.#target = new URL(target);
  }

  async plug(): Promise<string> {
    await new Promise<void>((resolve) => this.#proxy.listen(0, '127.0.0.1', resolve));
    stops.push(() => {
      this.cut();
      this.#proxy.close();
    });
    return `https://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(near: Socket): void {
    near.on('error', () => undefined);
    if (this.isCut) return void near.destroy();
    const far = connect(Number(this.#target.port), this.#target.hostname);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => (this.#sockets.delete(socket), near.destroy(), far.destroy()));
    }
  }
}

describe('A real cluster that is read', () => {
  test('tells how far it is, and is ready when all is there', async () => {
    await Promise.all(Array.from({ length: 600 }, (_, index) => put(own, `many-${index}`)));
    const followed = follow(own.kubeconfig);
    const seen: object[] = [];
    while (!followed.clusters.ready) {
      seen.push(followed.clusters.progress()[0]!.kinds['ConfigMap']!);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const expected = await truthOf(own);
    expect(seen).toContainEqual({ state: 'SYNCING', objects: 0 });
    expect(seen).toContainEqual({ state: 'SYNCING', objects: 500, of: expected.length });
    expect(followed.clusters.progress()[0]!.kinds).toMatchObject({
      ConfigMap: { state: 'SYNCED', objects: expected.length },
      Namespace: { state: 'SYNCED' },
    });
    expect(mapsOf(followed)).toEqual(expected);
  });

  test('needs no more rights than the documented ones', async () => {
    if (!shared.simulated) return;
    const followed = follow(shared.kubeconfigOf('gateway'), watchedKinds);
    await until('a healthy cluster', () => isHealthy(followed));
    expect(followed.source.uid).toBe((await shared.request('GET', '/api/v1/namespaces/kube-system')).metadata.uid);
    expect(followed.clusters.get('real')!.version).toBe((await shared.request('GET', '/version')).gitVersion);
    expect(followed.clusters.progress()[0]!.kinds['Node']).toEqual({ state: 'SYNCED', objects: 5 });
  });

  test('is served as it was while its API server hangs or is gone, and followed again when it is back', async () => {
    const followed = follow(own.kubeconfig, kinds, { watchSilenceMs: 1_000 });
    await until('a healthy cluster', () => isHealthy(followed));
    const before = mapsOf(followed);

    await own.stopProgram('kube-apiserver', 'SIGSTOP');
    await until('a cluster that hangs', () => messageOf(followed) === 'The cluster did not answer in time.');
    await own.stopProgram('kube-apiserver', 'SIGCONT');
    await until('a healthy cluster', () => isHealthy(followed));

    await own.stopProgram('kube-apiserver');
    await until('a cluster that is gone', () => messageOf(followed) === 'The cluster cannot be reached.');
    const stale = await until('kinds that are stale', () => followed.source.unavailable([configMaps]));
    expect(Date.now() - Date.parse(stale.staleSince!)).toBeLessThan(30_000);
    expect(mapsOf(followed)).toEqual(before);
    expect(followed.clusters.ready).toBe(true);

    await own.startProgram('kube-apiserver');
    await put(own, 'after');
    await until('what came after', () => mapsOf(followed).includes('default/after') && isHealthy(followed));
    expect(mapsOf(followed)).toEqual(await truthOf(own));
  });

  test('is degraded while its etcd is gone', async () => {
    const followed = follow(own.kubeconfig);
    await until('a healthy cluster', () => isHealthy(followed));
    await own.stopProgram('etcd');
    await until('failing health checks', () => messageOf(followed) === 'Health checks of the cluster fail.', { timeoutMs: 60_000 });
    await own.startProgram('etcd');
    await until('a healthy cluster', () => isHealthy(followed), { timeoutMs: 60_000 });
  });
});

describe('A real cluster that forgot', () => {
  test('is listed again: what was deleted meanwhile is gone, and watchers are told', async () => {
    await put(own, 'doomed');
    await put(own, 'spared');
    const cable = new Cable(own.server);
    const followed = follow(kubeconfigOf({ server: await cable.plug(), ca: own.ca }, { token: own.tokens.admin }));
    await until('a healthy cluster', () => isHealthy(followed));
    const told: string[] = [];
    followed.source.store(configMaps).onChange(({ record, previous }) => {
      if (record ?? previous)
        told.push(`${record === undefined ? 'DELETED' : previous === undefined ? 'ADDED' : 'MODIFIED'} ${(record ?? previous)!.name}`);
    });
    cable.cut();
    await drop(own, 'doomed');
    await put(own, 'newcomer');
    await own.forget();
    cable.isCut = false;
    await until('a cluster that is followed again', () => isHealthy(followed) && mapsOf(followed).includes('default/newcomer'));
    expect(followed.logged).toContain('listing again: the position of the watch expired');
    expect(told).toEqual(['ADDED newcomer', 'DELETED doomed']);
    expect(mapsOf(followed)).toEqual(await truthOf(own));
  });

  test('between the pages of a list is listed in one piece', async () => {
    const [endpoint] = loadEndpoints([configOf(own.kubeconfig)]);
    let forgot = 0;
    const queries: string[] = [];
    class Forgetful extends ClusterConnection {
      override async stream(path: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>> {
        const { limit, continue: token, watch } = options.query ?? {};
        if (watch !== true) queries.push(`${limit ?? 'all'} ${token === undefined ? 'first' : 'next'}`);
        if (token !== undefined && (forgot += 1) === 1) {
          await put(own, 'while-listing');
          await own.forget();
        }
        return super.stream(path, options);
      }
    }
    const connection = new Forgetful(endpoint!);
    const store = new Store<ConfigMapRecord>(configMaps, 'real', { historySize: 10 });
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const reflector = new Reflector({
      connection,
      kind: configMaps,
      sink: store,
      watchSilenceMs: 30_000,
      log: { fields: {}, to: silent },
      now: Date.now,
      onChange: () => undefined,
    });
    reflector.start();
    stops.push(async () => (await reflector.close(), await connection.close()));
    await until('a whole list', () => reflector.state.synced);
    expect(queries).toEqual(['500 first', '500 next', 'all first']);
    expect([...store.all()].map(pathOf).sort()).toEqual(await truthOf(own));
  });

  test('cannot tell the past, but still what came later', async () => {
    const { metadata: old } = await put(own, 'past-0');
    await put(own, 'past-lost');
    await own.forget();
    const followed = follow(own.kubeconfig);
    await until('a healthy cluster', () => isHealthy(followed));
    const { metadata: first } = await put(own, 'past-1');
    await drop(own, 'past-1');
    const { metadata: last } = await put(own, 'past-2');
    const { signal } = new AbortController();
    expect(await followed.source.past(configMaps, old.resourceVersion, last.resourceVersion, signal)).toBeUndefined();
    const past = await followed.source.past(configMaps, first.resourceVersion, last.resourceVersion, signal);
    expect(past?.map(({ type, item }) => `${type} ${item.object.metadata.name}`)).toEqual(['DELETED past-1', 'ADDED past-2']);
  });
});

describe('Signing in to a real cluster', () => {
  let account: string;
  beforeAll(async () => {
    account = 'robot';
    await own.create('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: account } });
    await own.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: account },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'default' }],
    });
  });

  /** A token that is good for as long as the secret of that name is there. */
  async function issue(secret: string): Promise<string> {
    const { metadata } = await own.create('/api/v1/namespaces/default/secrets', { metadata: { name: secret } });
    const { status } = await own.create(`/api/v1/namespaces/default/serviceaccounts/${account}/token`, {
      spec: { expirationSeconds: 600, boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: secret, uid: metadata.uid } },
    });
    return status.token as string;
  }

  /** The API server remembers for 10 s that a token was good. */
  async function revoke(secret: string, token: string): Promise<void> {
    await own.request('DELETE', `/api/v1/namespaces/default/secrets/${secret}`);
    await until('a token that is refused', async () => {
      const connection = new ClusterConnection(loadEndpoints([configOf(kubeconfigOf(own, { token }))])[0]!);
      const answer = await connection.read('/api/v1/namespaces/default', { signal: new AbortController().signal }).catch(() => 'refused');
      await connection.close();
      return answer === 'refused';
    });
  }

  test('by a token in a file goes on when the token is replaced and the old one ends', async () => {
    const first = await issue('first');
    const tokenFile = write(first);
    const followed = follow(kubeconfigOf(own, { tokenFile }), kinds, { watchSilenceMs: 1_000 });
    await until('a healthy cluster', () => isHealthy(followed));
    writeFileSync(tokenFile, await issue('second'));
    await revoke('first', first);
    await put(own, 'rotated');
    await until('what came after', () => mapsOf(followed).includes('default/rotated'));
    expect(isHealthy(followed)).toBe(true);
    expect(followed.logged.filter((message) => message.includes('not healthy'))).toEqual([]);
  });

  test('by a token that ended fails with a fixed sentence, and goes on with the next', async () => {
    const third = await issue('third');
    const tokenFile = write(third);
    const followed = follow(kubeconfigOf(own, { tokenFile }), kinds, { watchSilenceMs: 1_000 });
    await until('a healthy cluster', () => isHealthy(followed));
    await revoke('third', third);
    await until('a refusal', () => messageOf(followed) === 'The cluster refuses the credentials of the gateway.');
    await put(own, 'behind');
    writeFileSync(tokenFile, await issue('fourth'));
    await until('what came meanwhile', () => isHealthy(followed) && mapsOf(followed).includes('default/behind'));
  });

  test('by an exec plugin runs it once for as long as its credential is good, and again when it is refused', async () => {
    const runs = write('');
    const current = write(await issue('fifth'));
    const plugin = write(
      `#!/bin/sh
echo "$1 $REGION $(printf %s "$KUBERNETES_EXEC_INFO" | grep -c '"server":"${own.server}"')" >> ${runs}
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$(cat ${current})"
`,
      0o700,
    );
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: plugin,
      args: ['login'],
      env: [{ name: 'REGION', value: 'east' }],
      interactiveMode: 'Never',
      provideClusterInfo: true,
    };
    const followed = follow(kubeconfigOf(own, { exec }), kinds, { watchSilenceMs: 1_000 });
    await until('a healthy cluster', () => isHealthy(followed));
    expect(readFileSync(runs, 'utf8')).toBe('login east 1\n');
    const old = readFileSync(current, 'utf8');
    writeFileSync(current, await issue('sixth'));
    await revoke('fifth', old);
    await until('another run', () => readFileSync(runs, 'utf8').split('\n').length > 2);
    await put(own, 'plugged');
    await until('what came after', () => mapsOf(followed).includes('default/plugged') && isHealthy(followed));
    expect(readFileSync(runs, 'utf8')).toBe('login east 1\nlogin east 1\n');
  });

  test('by a plugin that fails is told without its words', async () => {
    const plugin = write('#!/bin/sh\necho secret-of-the-plugin >&2\nexit 3\n', 0o700);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' };
    const followed = follow(kubeconfigOf(own, { exec }));
    await until('a failure', () => messageOf(followed) === 'The gateway cannot obtain its credentials for the cluster.');
    expect(JSON.stringify(followed.clusters.all())).not.toContain('secret-of-the-plugin');
  });

  test('checks the certificate of the server, as the kubeconfig says', async () => {
    const user = { token: own.tokens.admin };
    const stranger = new CertificateAuthority('stranger').certificate;
    const message = 'The certificate of the cluster is not trusted.';
    const untrusted = [
      follow(kubeconfigOf({ server: own.server, ca: stranger }, user)),
      follow(kubeconfigOf(own, user, { 'tls-server-name': 'elsewhere.example' })),
    ];
    const trusted = [
      follow(kubeconfigOf(own, user, { 'tls-server-name': 'kubernetes.default.svc' })),
      follow(kubeconfigOf(own, user, { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true })),
    ];
    for (const followed of untrusted) await until('distrust', () => messageOf(followed) === message);
    for (const followed of trusted) await until('a healthy cluster', () => isHealthy(followed));
    expect(trusted.map(({ logged }) => logged.includes('the certificate of a cluster is not checked'))).toEqual([false, true]);
  });

  test('by a certificate works when the cluster issued it, and else is refused', async () => {
    const { certificate, key } = new CertificateAuthority('stranger').issue({ commonName: 'admin', organizations: ['system:masters'] });
    const data = (text: string): string => Buffer.from(text).toString('base64');
    const strange = follow(kubeconfigOf(own, { 'client-certificate-data': data(certificate), 'client-key-data': data(key) }));
    await until('a refusal', () => messageOf(strange) === 'The cluster refuses the credentials of the gateway.');
    const good = follow(own.kubeconfig);
    await until('a healthy cluster', () => isHealthy(good));
  });
});
