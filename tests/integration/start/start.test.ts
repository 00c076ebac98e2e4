import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { digestOfToken } from '../../../src/auth/token-file.js';
import { SandboxServer } from '../../support/sandbox-server.js';
import { until } from '../../support/until.js';
import { buildGateway } from './build.js';

const folder = mkdtempSync(join(tmpdir(), 'start-'));
let main = '';
let removeBuild: () => Promise<void> = () => Promise.resolve();

beforeAll(async () => {
  const built = await buildGateway();
  main = built.main;
  removeBuild = built.remove;
}, 120_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await removeBuild();
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  // Nothing of whoever runs the tests: neither their clusters nor their options.
  return spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function ended(child: ChildProcess): Promise<Ended> {
  const texts = { out: '', err: '' };
  child.stdout?.on('data', (data: Buffer) => (texts.out += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (texts.err += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...texts })));
}

const kubeconfigOf = (server: string, user = '{}'): string => `
apiVersion: v1
kind: Config
current-context: here
contexts: [{ name: here, context: { cluster: here, user: me } }]
clusters: [{ name: here, cluster: { server: "${server}" } }]
users: [{ name: me, user: ${user} }]
`;

const goodTokens = `
projects: [{ id: p-web, name: web }]
users:
  - { id: u-root, name: root, tokenSha256: [${digestOfToken('root-token')}], cloudAdmin: true }
`;

describe('the command', () => {
  it('lists its options', async () => {
    const { code, out, err } = await ended(run(['--help'], {}));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const option of ['KUBECONFIG', 'TOKEN_FILE', 'PORT', 'limits.depth', 'REQUEST_TIMEOUT_MS']) expect(out).toContain(option);
  });

  it('refuses an option that it does not have', async () => {
    const { code, err } = await ended(run(['--dmo'], {}));
    expect(code).toBe(2);
    expect(err).toMatch(/^There is no option --dmo\.\n\nUsage: /);
  });

  it('says everything that is missing at once, and how to start the demo', async () => {
    const { code, err } = await ended(run([], { PORT: 'http', LOG_LEVEL: 'loud' }));
    expect(code).toBe(2);
    for (const text of ['PORT: must be', 'LOG_LEVEL: must be', 'TOKEN_FILE: must name']) expect(err).toContain(text);
    expect(err).not.toMatch(/\n\s+at /);
    const later = await ended(run([], { TOKEN_FILE: file('tokens.yaml', goodTokens) }));
    expect(later.code).toBe(2);
    expect(later.err).toContain('set CONFIG_FILE');
    expect(later.err).toContain('npm run demo');
  });

  it.each([
    ['is missing', join(folder, 'no-such.kubeconfig')],
    ['is no YAML', file('broken.kubeconfig', ': [')],
    ['names no server', file('empty.kubeconfig', 'apiVersion: v1\nkind: Config\n')],
  ])('ends with a sentence where a kubeconfig %s', async (_, path) => {
    const { code, err } = await ended(run([], { KUBECONFIG: path, TOKEN_FILE: file('tokens.yaml', goodTokens) }));
    expect(code).toBe(2);
    expect(err).toContain('default');
    expect(err).not.toMatch(/\n\s+at /);
  });

  it.each([
    ['is missing', join(folder, 'no-such.yaml'), /cannot be read: ENOENT/],
    ['is no YAML', file('broken-tokens.yaml', 'users: ['), /not good/],
    [
      'names a role that does not exist',
      file('bad-role.yaml', 'users: [{ id: u, name: u, tokenSha256: [], roles: { p: KING } }]'),
      /not good/,
    ],
  ])('ends with a sentence where the token file %s', async (_, path, sentence) => {
    const { code, err } = await ended(
      run([], { KUBECONFIG: file('good.kubeconfig', kubeconfigOf('http://127.0.0.1:1')), TOKEN_FILE: path }),
    );
    expect(code).toBe(2);
    expect(err).toMatch(sentence);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('serves a cluster until it is told to end, and then lets what is under way finish', async () => {
    const cluster = await SandboxServer.start();
    const [port, managementPort] = [await freePort(), await freePort()];
    const child = run([], {
      KUBECONFIG: file('live.kubeconfig', kubeconfigOf(cluster.url)),
      TOKEN_FILE: file('tokens.yaml', goodTokens),
      PORT: String(port),
      MANAGEMENT_PORT: String(managementPort),
    });
    const end = ended(child);
    await until('readiness', async () => (await fetch(`http://127.0.0.1:${managementPort}/readyz`)).ok);
    const answer = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { authorization: 'Bearer root-token', 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ viewer { role } clusters { name status } pods { totalCount } }' }),
    });
    expect(await answer.json()).toMatchObject({
      data: { viewer: { role: 'CLOUD_ADMIN' }, clusters: [{ name: 'default', status: 'HEALTHY' }], pods: { totalCount: 0 } },
    });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws');
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));

    child.kill('SIGTERM');
    expect(await closed).toBe(1001);
    const { code, out } = await end;
    expect(code).toBe(0);
    expect(out).not.toContain('root-token');
    expect(out).toContain('"msg":"stopped"');
    await cluster.close();
  }, 60_000);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
