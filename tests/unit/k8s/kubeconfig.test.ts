import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ConfigError, type ClusterConfig } from '../../../src/config.js';
import { loadEndpoints, type Endpoint, type EndpointSources } from '../../../src/k8s/kubeconfig.js';
import { CertificateAuthority } from '../../support/certificates.js';

const authority = new CertificateAuthority('test authority');
const client = authority.issue({ commonName: 'gateway' });
const other = authority.issue({ commonName: 'other' });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'kubeconfig-'))));
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const configOf = (kubeconfig: string | undefined, context?: string, name = 'east'): ClusterConfig => ({
  name,
  displayName: name,
  kubeconfig,
  context,
  projects: undefined,
});

function kubeconfig(cluster: object, user: object, more: object = {}): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    ...more,
  });
}

function load(text: string, { context, sources }: { context?: string; sources?: EndpointSources } = {}): Endpoint {
  return loadEndpoints([configOf(write('config', text), context)], sources)[0]!;
}

function problemsOf(act: () => unknown): readonly string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.replaceAll(directory, 'DIR'));
    throw error;
  }
  return [];
}

describe('A kubeconfig', () => {
  test('gives the server, certificates and token of its current context', async () => {
    const endpoint = load(
      kubeconfig(
        { 'certificate-authority-data': base64(authority.certificate), 'tls-server-name': 'kubernetes' },
        { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key), token: 'abc' },
      ),
    );
    expect(endpoint).toMatchObject({
      server: 'https://api.example:6443',
      tlsServerName: 'kubernetes',
      unsafeSkipTlsVerify: false,
      proxy: undefined,
    });
    expect(await endpoint.dial()).toEqual({
      ca: authority.certificate,
      certificate: client.certificate,
      key: client.key,
      headers: { authorization: 'Bearer abc' },
    });
  });

  test('gives another context where the configuration names one, and keeps the path of its server', async () => {
    const text = kubeconfig(
      {},
      { username: 'me', password: 'secret', as: 'somebody', 'as-groups': ['a', 'b'] },
      {
        contexts: [
          { name: 'here', context: { cluster: 'nowhere', user: 'u' } },
          { name: 'there', context: { cluster: 'd', user: 'u' } },
        ],
        clusters: [
          {
            name: 'd',
            cluster: {
              server: 'https://rancher.example/k8s/clusters/c-1/',
              'insecure-skip-tls-verify': true,
              'proxy-url': 'http://proxy:3128',
            },
          },
        ],
      },
    );
    const endpoint = load(text, { context: 'there' });
    expect(endpoint).toMatchObject({
      server: 'https://rancher.example/k8s/clusters/c-1',
      unsafeSkipTlsVerify: true,
      proxy: 'http://proxy:3128',
    });
    expect((await endpoint.dial()).headers).toEqual({
      authorization: `Basic ${base64('me:secret')}`,
      'impersonate-user': 'somebody',
      'impersonate-group': ['a', 'b'],
    });
  });

  test('may name files, from its own folder, which are read again when they change or are refused', async () => {
    let now = 0;
    write('ca.pem', authority.certificate);
    write('cert.pem', client.certificate);
    write('key.pem', client.key);
    write('token', 'first\n');
    const endpoint = load(
      kubeconfig({ 'certificate-authority': 'ca.pem' }, { 'client-certificate': 'cert.pem', 'client-key': 'key.pem', tokenFile: 'token' }),
      { sources: { now: () => now } },
    );
    expect(await endpoint.dial()).toMatchObject({
      ca: authority.certificate,
      certificate: client.certificate,
      headers: { authorization: 'Bearer first' },
    });
    write('token', 'second\n');
    write('cert.pem', other.certificate);
    expect((await endpoint.dial()).headers).toEqual({ authorization: 'Bearer first' });
    expect(await endpoint.dial(true)).toMatchObject({ certificate: other.certificate, headers: { authorization: 'Bearer second' } });
    write('token', 'third');
    now += 10_000;
    expect((await endpoint.dial()).headers).toEqual({ authorization: 'Bearer third' });
    rmSync(join(directory, 'token'));
    expect((await endpoint.dial(true)).headers).toEqual({ authorization: 'Bearer third' });
  });

  test('may sign in by OpenID Connect, as before there were plugins', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const idToken = `${part({ alg: 'none' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600 })}.x`;
    const endpoint = load(
      kubeconfig(
        {},
        {
          'auth-provider': {
            name: 'oidc',
            config: { 'id-token': idToken, 'refresh-token': 'r', 'client-id': 'c', 'idp-issuer-url': 'https://idp.example' },
          },
        },
      ),
    );
    expect((await endpoint.dial()).headers).toEqual({ authorization: `Bearer ${idToken}` });
  });

  test.each<[string, string, string]>([
    ['is no YAML', '{ a: [', 'is no YAML'],
    ['is a text', 'hello', 'holds no map of clusters, contexts and users'],
    ['is empty', '', 'holds no map of clusters, contexts and users'],
    ['names no context', kubeconfig({}, {}, { 'current-context': '' }), 'names no current-context, and the configuration no context'],
    ['lacks its context', kubeconfig({}, {}, { contexts: [] }), 'has no context "here"'],
    ['lacks its cluster', kubeconfig({}, {}, { clusters: [] }), 'has a context "here" whose cluster is not in it'],
    ['lacks its user', kubeconfig({}, {}, { users: 'none' }), 'has a context "here" whose user is not in it'],
    ['has no server', kubeconfig({ server: undefined }, {}), 'has a cluster without a server'],
    ['has a server of another scheme', kubeconfig({ server: 'ftp://x' }, {}), 'has a cluster whose server is no http or https URL'],
    ['has a server that is a number', kubeconfig({ server: 5 }, {}), 'has a server in the cluster that is no text'],
    [
      'has a proxy of another scheme',
      kubeconfig({ 'proxy-url': 'socks5://x' }, {}),
      'has a proxy-url that is no http or https URL; others are not supported',
    ],
    [
      'has an authority that is none',
      kubeconfig({ 'certificate-authority-data': base64('x') }, {}),
      'has a certificate-authority that is no PEM',
    ],
    [
      'names an authority that is not there',
      kubeconfig({ 'certificate-authority': 'no.pem' }, {}),
      'names a file for certificate-authority that cannot be read: DIR/no.pem',
    ],
    [
      'names a token that is not there',
      kubeconfig({}, { tokenFile: '/nowhere/token' }),
      'names a file for tokenFile that cannot be read: /nowhere/token',
    ],
    [
      'has a certificate without its key',
      kubeconfig({}, { 'client-certificate-data': base64(client.certificate) }),
      'has a client-certificate without a client-key, or the other way round',
    ],
    [
      'has a key of another certificate',
      kubeconfig({}, { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(other.key) }),
      'has a client-key that is not that of its client-certificate',
    ],
    [
      'has a plugin without a command',
      kubeconfig({}, { exec: { apiVersion: 'client.authentication.k8s.io/v1' } }),
      'has an exec plugin without a command',
    ],
    [
      'has a plugin of an old version',
      kubeconfig({}, { exec: { command: 'x', apiVersion: 'client.authentication.k8s.io/v1alpha1' } }),
      'has an exec plugin whose apiVersion is neither client.authentication.k8s.io/v1 nor …/v1beta1',
    ],
    [
      'has a plugin that asks a person',
      kubeconfig({}, { exec: { command: 'x', apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Always' } }),
      'has an exec plugin that asks a person (interactiveMode: Always)',
    ],
  ])('that %s is refused by name', (_, text, problem) => {
    expect(problemsOf(() => load(text))).toEqual([`cluster east: the kubeconfig DIR/config ${problem}`]);
  });

  test('that is not there, and every other one that is wrong, is told in one error, without what is secret in it', () => {
    const secret = write('secret', kubeconfig({}, { 'client-key-data': base64('very secret'), 'client-certificate-data': base64('also') }));
    const problems = problemsOf(() =>
      loadEndpoints([configOf(join(directory, 'missing')), configOf(secret, undefined, 'west'), configOf(directory, undefined, 'north')]),
    );
    expect(problems).toEqual([
      'cluster east: the kubeconfig DIR/missing is not there',
      'cluster west: the kubeconfig DIR/secret has a client-certificate that is no PEM',
      'cluster north: the kubeconfig DIR cannot be read (EISDIR)',
    ]);
  });
});

describe('An exec plugin', () => {
  const plugin = (script: string, user: object = {}): string => {
    chmodSync(write('plugin.sh', `#!/bin/sh\n${script}\n`), 0o755);
    return kubeconfig(
      { 'certificate-authority-data': base64(authority.certificate) },
      {
        exec: {
          command: './plugin.sh',
          apiVersion: 'client.authentication.k8s.io/v1',
          args: ['one'],
          env: [{ name: 'EXTRA', value: 'two' }],
          ...user,
        },
      },
    );
  };
  const credential = (status: string): string =>
    `printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":${status}}'`;
  const count = `echo run >> "$(dirname "$0")/runs"; N=$(wc -l < "$(dirname "$0")/runs");`;

  test('gives a token, and is told of the cluster, its arguments and environment', async () => {
    const endpoint = load(
      plugin(
        `echo "$KUBERNETES_EXEC_INFO" | grep -q '"server":"https://api.example:6443"' || exit 3
        echo "$KUBERNETES_EXEC_INFO" | grep -q '"interactive":false' || exit 4
        echo "$KUBERNETES_EXEC_INFO" | grep -q '"certificate-authority-data":"LS0t' || exit 5
        ${credential('{"token":"\'"$1-$EXTRA-$HERITAGE"\'"}')}`,
        { provideClusterInfo: true },
      ),
      { sources: { environment: { HERITAGE: 'three', PATH: '/usr/bin:/bin' } } },
    );
    expect((await endpoint.dial()).headers).toEqual({ authorization: 'Bearer one-two-three' });
  });

  test('runs once for all who ask, until what it gave ends or is refused', async () => {
    let now = Date.parse('2030-01-01T00:00:00Z');
    const text = plugin(`${count} ${credential('{"token":"\'"t$N"\'","expirationTimestamp":"2030-01-01T01:00:00Z"}')}`);
    const endpoint = load(text, { sources: { environment: { PATH: '/usr/bin:/bin' }, now: () => now } });
    const token = async (refused = false): Promise<unknown> => (await endpoint.dial(refused)).headers['authorization'];
    expect(await Promise.all([token(), token(), token()])).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1']);
    now += 3_500_000;
    expect(await token()).toBe('Bearer t1');
    now += 95_000;
    expect(await token()).toBe('Bearer t2');
    now -= 3_000_000;
    expect(await token(true)).toBe('Bearer t3');
  });

  test('may give a certificate', async () => {
    write('credential.json', JSON.stringify({ status: { clientCertificateData: client.certificate, clientKeyData: client.key } }));
    const endpoint = load(plugin('cat "$(dirname "$0")/credential.json"'), { sources: { environment: { PATH: '/usr/bin:/bin' } } });
    expect(await endpoint.dial()).toMatchObject({ certificate: client.certificate, key: client.key, headers: {} });
  });

  test.each([
    ['that fails', 'echo "please log in" >&2; exit 7', 'the exec plugin ended with status 7: please log in'],
    ['that prints no JSON', 'echo secret-token', 'the exec plugin printed no JSON'],
    ['that prints something else', 'echo 5', 'the exec plugin printed no ExecCredential'],
    ['that gives nothing', `echo '{"status":{"token":""}}'`, 'the exec plugin gave neither a token nor a certificate with its key'],
  ])('%s is an error without what it printed, and runs again the next time', async (_, script, message) => {
    const endpoint = load(plugin(`${count} if [ $N = 1 ]; then ${script}; exit; fi; ${credential('{"token":"good"}')}`), {
      sources: { environment: { PATH: '/usr/bin:/bin' } },
    });
    await expect(endpoint.dial()).rejects.toThrow(new Error(message));
    expect((await endpoint.dial()).headers).toEqual({ authorization: 'Bearer good' });
  });

  test('may leave something running that holds its output open', async () => {
    const endpoint = load(plugin(`sleep 20 & ${credential('{"token":"good"}')}`), { sources: { environment: { PATH: '/usr/bin:/bin' } } });
    expect((await endpoint.dial()).headers).toEqual({ authorization: 'Bearer good' });
  });

  test('that is not there is an error', async () => {
    const endpoint = load(kubeconfig({}, { exec: { command: 'no-such-plugin', apiVersion: 'client.authentication.k8s.io/v1' } }));
    await expect(endpoint.dial()).rejects.toThrow('the exec plugin cannot be run');
  });
});

describe('A pod', () => {
  test('signs in by the token of its service account, which rotates', async () => {
    write('ca.crt', authority.certificate);
    write('token', 'pod-token\n');
    const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
    const endpoint = loadEndpoints([configOf(undefined)], { environment, serviceAccountDirectory: directory })[0]!;
    expect(endpoint.server).toBe('https://[fd00::1]:6443');
    expect(await endpoint.dial()).toMatchObject({ ca: authority.certificate, headers: { authorization: 'Bearer pod-token' } });
    write('token', 'rotated');
    expect((await endpoint.dial(true)).headers).toEqual({ authorization: 'Bearer rotated' });
  });

  test('looks its API server up by name where its environment does not tell', () => {
    write('ca.crt', authority.certificate);
    write('token', 'pod-token');
    expect(loadEndpoints([configOf(undefined)], { serviceAccountDirectory: directory })[0]!.server).toBe('https://kubernetes.default.svc');
  });

  test('without a service account is refused by name', () => {
    expect(problemsOf(() => loadEndpoints([configOf(undefined)], { serviceAccountDirectory: directory }))).toEqual([
      'cluster east: the service account of the pod names a file for ca.crt that cannot be read: DIR/ca.crt',
    ]);
  });
});
