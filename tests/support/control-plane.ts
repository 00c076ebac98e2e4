import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Agent } from 'undici';
import { stringify } from 'yaml';
import { CertificateAuthority } from './certificates.js';
import { until } from './until.js';

/** Who signs in by token. `admin` may do everything; `controlplane/objects.yaml` says what the others may. Only the `gateway` is in the audit log. */
export type User = 'admin' | 'alice' | 'bob' | 'nobody' | 'gateway';

const groupsByUser: Readonly<Record<User, readonly string[]>> = {
  admin: ['system:masters'],
  alice: ['developers'],
  bob: ['viewers'],
  nobody: [],
  gateway: ['audited'],
};

export type Program = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok' | 'metrics-server';

export interface ControlPlaneOptions {
  /** Folder of the programs. */
  readonly programs: string;
  /** Whether there are nodes, pods that run, and metrics; else there is an API server only, and nothing that controls. Default false. */
  readonly simulated?: boolean;
}

/** What a process needs to know of a control plane that another one started. */
interface Description {
  readonly programs: string;
  readonly simulated: boolean;
  readonly server: string;
  readonly etcd: string;
  readonly forwardPort: number;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly tokens: Readonly<Record<User, string>>;
}

export interface RequestOptions {
  readonly body?: unknown;
  /** Default: `application/json`, for PATCH `application/merge-patch+json`. */
  readonly contentType?: string;
  /** Default: the administrator's certificate. */
  readonly user?: User;
}

export interface LogLine {
  /** Default: the pod's first. */
  readonly container?: string;
  /** Default `stdout`. */
  readonly stream?: 'stdout' | 'stderr';
  /** RFC 3339. Default: now. */
  readonly time?: string;
  /** Of the container before its last restart. Default false. */
  readonly previous?: boolean;
}

/** As `kubectl` fails: its message, which names the reason. */
export class KubectlError extends Error {
  override readonly name = 'KubectlError';
}

type Answer = any;

const folderVariable = 'CONTROL_PLANE';
const source = fileURLToPath(new URL('../cluster/controlplane/', import.meta.url));

/** The control plane of this run, which global set-up started. */
export function sharedControlPlane(): Promise<ControlPlane> {
  const folder = process.env[folderVariable];
  if (folder === undefined) throw new Error('there is no control plane: run this suite by `npm run test:cluster`');
  return Promise.resolve(new ControlPlane(folder));
}

/** `describe` where the shared control plane has nodes, pods that run, and metrics; else the suite is skipped. */
export function describeSimulated(name: string, suite: () => void): void {
  const folder = process.env[folderVariable];
  const isSimulated = folder !== undefined && new ControlPlane(folder).simulated;
  (isSimulated ? describe : describe.skip)(name, suite);
}

/** A running control plane: a real API server and what the options say, on loopback ports of its own. */
export class ControlPlane {
  /** Holds everything it writes, `logs/PROGRAM.log` too; gone when it has stopped. */
  readonly folder: string;
  /** Path of the administrator's, who signs in by certificate. */
  readonly kubeconfig: string;
  readonly simulated: boolean;
  /** Such as `https://127.0.0.1:20001`. */
  readonly server: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string;
  readonly tokens: Readonly<Record<User, string>>;
  /** Folder of the programs. */
  readonly programs: string;
  /** Whatever port of whatever pod is forwarded leads to this one of the machine. */
  readonly forwardPort: number;
  readonly #description: Description;
  readonly #stop: () => Promise<void>;
  #agents: Readonly<Record<'certificate' | 'token', Agent>> | undefined;

  /** @param folder Of one that runs. @param stop Given by who started it. */
  constructor(folder: string, stop: () => Promise<void> = () => Promise.resolve()) {
    const description = JSON.parse(readFileSync(join(folder, 'control-plane.json'), 'utf8')) as Description;
    this.folder = folder;
    this.kubeconfig = join(folder, 'kubeconfig');
    this.simulated = description.simulated;
    this.server = description.server;
    this.ca = description.ca;
    this.tokens = description.tokens;
    this.programs = description.programs;
    this.forwardPort = description.forwardPort;
    this.#description = description;
    this.#stop = stop;
  }

  /** Lets go of connections, and ends everything where this process started it. */
  async stop(): Promise<void> {
    for (const agent of Object.values(this.#agents ?? {})) await agent.destroy();
    this.#agents = undefined;
    await this.#stop();
  }

  /** Path of a kubeconfig by which the user signs in with a token. */
  kubeconfigOf(user: User): string {
    return join(this.folder, `kubeconfig-${user}`);
  }

  /** Asks the API server. @throws Error with its message where it refuses. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const { status, body } = await this.ask(method, path, options);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${body?.message ?? body}`);
    return body;
  }

  /** Asks the API server, and tells what it answers, whatever that is. Text where it is no JSON. */
  async ask(method: string, path: string, { body, contentType, user }: RequestOptions = {}): Promise<{ status: number; body: Answer }> {
    const { certificate: cert, key, tokens } = this.#description;
    this.#agents ??= {
      certificate: new Agent({ connect: { ca: this.ca, cert, key } }),
      token: new Agent({ connect: { ca: this.ca } }),
    };
    const type = contentType ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
    const answer = await this.#agents[user === undefined ? 'certificate' : 'token'].request({
      origin: this.server,
      path,
      method: method,
      headers: {
        ...(body !== undefined && { 'content-type': type }),
        ...(user !== undefined && { authorization: `Bearer ${tokens[user]}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    const isJson = String(answer.headers['content-type']).startsWith('application/json');
    return { status: answer.statusCode, body: isJson ? JSON.parse(text) : text };
  }

  /** Creates an object of any kind that its path takes. */
  create(path: string, object: object): Promise<Answer> {
    return this.request('POST', path, { body: object });
  }

  /** Creates a namespace in which pods can be made. @returns its name, which nobody else has */
  async createNamespace(prefix: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = `${prefix}-${randomBytes(4).toString('hex')}`;
    await this.create('/api/v1/namespaces', { metadata: { name, labels } });
    if (this.simulated) await until('its service account', () => this.request('GET', `/api/v1/namespaces/${name}/serviceaccounts/default`));
    return name;
  }

  /** What `kubectl` prints. @throws KubectlError */
  async kubectl(args: readonly string[], { input, user, timeoutMs = 60_000 }: { input?: string; user?: User; timeoutMs?: number } = {}) {
    const child = spawn(join(this.programs, 'kubectl'), args, {
      env: {
        PATH: process.env['PATH'],
        HOME: this.folder,
        KUBECONFIG: user === undefined ? this.kubeconfig : this.kubeconfigOf(user),
      },
      stdio: 'pipe',
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
    child.stdin.on('error', () => undefined).end(input ?? '');
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once('error', reject).once('close', (...end) => resolve(end));
    });
    if (code !== 0) throw new KubectlError(`kubectl ${args.join(' ')}: ${output.stderr.trim() || `ended by ${signal ?? code}`}`);
    return output.stdout;
  }

  /**
   * Writes a line to a pod's log. What `kubectl logs` shows of the pod is from then on what was written by this.
   * @returns when it can be read
   */
  async appendLog(namespace: string, pod: string, text: string, line: LogLine = {}): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}`;
    const { spec } = await this.request('GET', path);
    const names = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }: { name: string }) => name);
    const container = line.container ?? String(names[0]);
    const fileOf = (name: string, previous: boolean): string =>
      join(this.folder, 'pods', `${namespace}_${pod}_${name}${previous ? '.previous' : ''}.log`);
    for (const name of names) for (const previous of [false, true]) await appendFile(fileOf(name, previous), '');
    const time = line.time ?? new Date().toISOString();
    await appendFile(fileOf(container, line.previous ?? false), `${time} ${line.stream ?? 'stdout'} F ${text}\n`);

    const logs = names.map((name) => ({
      containers: [name],
      logsFile: fileOf(name, false),
      previousLogsFile: fileOf(name, true),
      follow: true,
    }));
    const object = { apiVersion: 'kwok.x-k8s.io/v1alpha1', kind: 'Logs', metadata: { name: pod, namespace }, spec: { logs } };
    const { status } = await this.ask('POST', `/apis/kwok.x-k8s.io/v1alpha1/namespaces/${namespace}/logs`, { body: object });
    if (status !== 201) return;
    await until(`the log of ${namespace}/${pod}`, async () =>
      ((await this.request('GET', `${path}/log?container=${container}&previous=${line.previous ?? false}`)) as string).includes(text),
    );
  }

  /** What the gateway asked the API server for so far, in order. A watch is told when it begins, and again when it ends. */
  async audit(): Promise<readonly { readonly verb: string; readonly uri: string; readonly stage: string; readonly code: number }[]> {
    const text = await readFile(join(this.folder, 'audit.log'), 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter((entry) => entry !== '')
      .map((entry) => JSON.parse(entry))
      .map(({ verb, requestURI, stage, responseStatus }) => ({ verb, uri: requestURI, stage, code: responseStatus?.code }));
  }

  /** Makes the API server forget what was before now: who comes with an older version gets 410. */
  async forget(): Promise<void> {
    const { metadata } = await this.request('GET', '/api/v1/namespaces?limit=1');
    const answer = await fetch(`${this.#description.etcd}/v3/kv/compaction`, {
      method: 'POST',
      body: JSON.stringify({ revision: metadata.resourceVersion, physical: true }),
    });
    if (!answer.ok) throw new Error(`etcd did not compact: ${await answer.text()}`);
    // Its watch caches still know. They begin anew with it.
    await this.stopProgram('kube-apiserver');
    await this.startProgram('kube-apiserver');
  }

  /** @param signal Default SIGKILL: what was under way breaks off. */
  async stopProgram(name: Program, signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT' = 'SIGKILL'): Promise<void> {
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') process.kill((await control(this.folder, { command: 'status' }))[name].pid, signal);
    else await control(this.folder, { command: 'stop', name, signal, graceMs: 10_000 });
  }

  /** Starts again what was stopped. @returns for the API server when it is ready */
  async startProgram(name: Program): Promise<void> {
    await control(this.folder, { command: 'start', name });
    if (name === 'kube-apiserver') await ready(this);
  }
}

/** Starts a control plane of this process: it ends with it, whatever way that is. */
export async function startControlPlane({ programs, simulated = false }: ControlPlaneOptions): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'control-plane-'));
  for (const name of ['logs', 'pods', 'root', 'tmp', 'etcd', 'pki']) mkdirSync(join(folder, name));
  const supervisor = spawn(process.execPath, [join(source, 'supervisor.mjs'), folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => supervisor.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    supervisor.stdin.end();
    await exited;
  };
  try {
    const first = await new Promise<string>((resolve, reject) => {
      createInterface({ input: supervisor.stdout })
        .once('line', resolve)
        .once('close', () => reject(new Error('the supervisor ended')));
    });
    const { port } = JSON.parse(first) as { port: number };
    const specs = prepare(folder, { programs, simulated, port });
    const start = (names: readonly Program[]): Promise<unknown> =>
      Promise.all(names.map((name) => control(folder, { command: 'start', name, spec: { file: join(programs, name), ...specs[name] } })));
    const controlPlane = new ControlPlane(folder, stop);
    await start(['etcd', 'kube-apiserver']);
    await ready(controlPlane);
    if (simulated) {
      await start(['kube-controller-manager', 'kube-scheduler', 'metrics-server']);
      const manifests = ['objects.yaml', 'metrics.yaml', 'nodes.yaml'].map((name) => join(folder, name));
      await controlPlane.kubectl(['create', ...manifests.flatMap((file) => ['-f', file])]);
      await start(['kwok']);
      await populated(controlPlane);
    }
    return controlPlane;
  } catch (error) {
    const tails = [...logTails(folder)].join('\n\n');
    await stop();
    throw new Error(`the control plane did not start\n\n${tails}`, { cause: error });
  }
}

async function ready(controlPlane: ControlPlane): Promise<void> {
  const probe = async (): Promise<'ready' | 'ended' | false> => {
    const answer = await controlPlane.ask('GET', '/readyz').catch(() => undefined);
    if (answer?.status === 200) return 'ready';
    const { 'kube-apiserver': state } = await control(controlPlane.folder, { command: 'status' });
    return state.pid === undefined ? 'ended' : false;
  };
  const end = await until('an API server that is ready', probe, { timeoutMs: 60_000, intervalMs: 100 });
  if (end === 'ended') throw new Error('the API server ended');
}

/** What is there from the start, for whoever uses the control plane. */
async function populated(controlPlane: ControlPlane): Promise<void> {
  await until('nodes that are ready', async () => {
    const { items } = await controlPlane.request('GET', '/api/v1/nodes');
    const isReady = ({ spec, status }: Answer): boolean =>
      status.conditions?.some(({ type, status: is }: Answer) => type === 'Ready' && is === 'True') &&
      !spec.taints?.some(({ key }: Answer) => key.startsWith('node.kubernetes.io/'));
    return items.length > 0 && items.every(isReady);
  });
  await until('service accounts', () => controlPlane.request('GET', '/api/v1/namespaces/default/serviceaccounts/default'));
  await until('metrics', () => controlPlane.request('GET', '/apis/metrics.k8s.io/v1beta1/nodes'));
}

/** The end of what each program logged, for who wonders why it does not start. */
function* logTails(folder: string): Generator<string> {
  for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok', 'metrics-server']) {
    try {
      const lines = readFileSync(join(folder, 'logs', `${name}.log`), 'utf8')
        .trimEnd()
        .split('\n');
      yield `${name}:\n${lines.slice(-10).join('\n')}`;
    } catch {
      // Not started yet.
    }
  }
}

/** One command to the supervisor. */
function control(folder: string, command: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(join(folder, 'control.sock'), () => socket.write(`${JSON.stringify(command)}\n`));
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.once('error', reject).once('close', () => {
      if (text === '') return reject(new Error('the control plane is gone'));
      const { result, error } = JSON.parse(text) as { result?: unknown; error?: string };
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
  });
}

interface Spec {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Writes every file that the programs read. @returns how each is started */
function prepare(
  folder: string,
  { programs, simulated, port }: Required<ControlPlaneOptions> & { port: number },
): Readonly<Record<Program, Spec>> {
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const ports = { api: port, etcd: port + 1, peers: port + 2, controllers: port + 3, scheduler: port + 4, kubelet: port + 5 };
  const metricsPort = port + 6;
  const forwardPort = port + 7;
  const server = `https://127.0.0.1:${ports.api}`;
  const etcd = `http://127.0.0.1:${ports.etcd}`;
  const local = ['127.0.0.1', 'localhost'];

  const authority = new CertificateAuthority('control-plane');
  const proxyAuthority = new CertificateAuthority('front-proxy');
  const pair = (name: string, { certificate, key }: { certificate: string; key: string }): [string, string] => [
    file(`pki/${name}.crt`, certificate),
    file(`pki/${name}.key`, key),
  ];
  const ca = file('pki/ca.crt', authority.certificate);
  const proxyCa = file('pki/front-proxy-ca.crt', proxyAuthority.certificate);
  const [serverCertificate, serverKey] = pair(
    'server',
    authority.issue({ commonName: 'kube-apiserver', hosts: [...local, 'kubernetes.default.svc'] }),
  );
  const [kubeletCertificate, kubeletKey] = pair('kubelet', authority.issue({ commonName: 'kubelet', hosts: local }));
  const [proxyCertificate, proxyKey] = pair('front-proxy', proxyAuthority.issue({ commonName: 'front-proxy' }));
  const accounts = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const accountsKey = file('pki/accounts.key', accounts.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const accountsPublicKey = file('pki/accounts.pub', accounts.publicKey.export({ type: 'spki', format: 'pem' }).toString());

  const kubeconfig = (name: string, user: object): string => {
    const cluster = { server, 'certificate-authority-data': base64(authority.certificate) };
    const parts = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user }],
    };
    return file(name, stringify(parts));
  };
  const certified = (name: string, commonName: string, organizations: readonly string[] = []): string => {
    const { certificate, key } = authority.issue({ commonName, organizations });
    return kubeconfig(name, { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) });
  };
  const admin = authority.issue({ commonName: 'administrator', organizations: ['system:masters'] });
  kubeconfig('kubeconfig', { 'client-certificate-data': base64(admin.certificate), 'client-key-data': base64(admin.key) });

  const users = Object.entries(groupsByUser) as [User, readonly string[]][];
  const tokens = Object.fromEntries(users.map(([name]) => [name, `${name}-${randomBytes(16).toString('hex')}`])) as Record<User, string>;
  for (const [name] of users) kubeconfig(`kubeconfig-${name}`, { token: tokens[name] });
  const tokenFile = file('tokens.csv', users.map(([name, groups]) => `${tokens[name]},${name},${name},"${groups.join(',')}"\n`).join(''));
  const auditPolicy = file(
    'audit-policy.yaml',
    stringify({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived'],
      rules: [{ level: 'Metadata', userGroups: ['audited'] }, { level: 'None' }],
    }),
  );

  const description: Description = {
    programs,
    simulated,
    server,
    etcd,
    forwardPort,
    ca: authority.certificate,
    certificate: admin.certificate,
    key: admin.key,
    tokens,
  };
  file('control-plane.json', JSON.stringify(description));

  const version = readFileSync(join(source, 'modules/kubernetes/go.mod'), 'utf8').match(/^require k8s\.io\/kubernetes (v\S+)$/m)?.[1] ?? '';
  const jq = readFileSync(join(source, 'next-stage.jq'), 'utf8');
  const fill = (name: string, values: Readonly<Record<string, string | number>>): string => {
    let text = readFileSync(join(source, name), 'utf8');
    for (const [key, value] of Object.entries(values)) text = text.replaceAll(`@${key}@`, () => String(value));
    return file(name, text);
  };
  const stage = (name: string): string => JSON.stringify(`${jq}\n${name}`);
  const kwok = fill('kwok.yaml', { FOLDER: folder, FORWARD_PORT: forwardPort });
  const stages = fill('stages.yaml', { POD: stage('pod'), NODE: stage('node'), ADDRESS: stage('address'), VERSION: version });
  fill('metrics.yaml', { METRICS_PORT: metricsPort });
  fill('objects.yaml', {});
  fill('nodes.yaml', {});
  for (const name of ['silent', 'default', 'default-previous']) {
    file(
      `pods/${name}.log`,
      name === 'silent' ? '' : `${new Date().toISOString()} stdout F ${name === 'default' ? 'started' : 'started before'}\n`,
    );
  }

  // One of each: nobody is to be elected, and an API server that is away for a while is no reason to end.
  const alone = ['--leader-elect=false', '--kube-api-qps=200', '--kube-api-burst=400', '--bind-address=127.0.0.1'];
  return {
    etcd: {
      args: [
        `--data-dir=${join(folder, 'etcd')}`,
        `--listen-client-urls=${etcd}`,
        `--advertise-client-urls=${etcd}`,
        `--listen-peer-urls=http://127.0.0.1:${ports.peers}`,
        `--initial-advertise-peer-urls=http://127.0.0.1:${ports.peers}`,
        `--initial-cluster=default=http://127.0.0.1:${ports.peers}`,
        '--unsafe-no-fsync',
        '--log-level=warn',
      ],
    },
    'kube-apiserver': {
      args: [
        `--etcd-servers=${etcd}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${ports.api}`,
        // Else it looks for the address of a default route, and would publish this one as an endpoint, which is refused.
        '--advertise-address=127.0.0.1',
        '--endpoint-reconciler-type=none',
        '--service-cluster-ip-range=10.96.0.0/16',
        `--cert-dir=${join(folder, 'pki')}`,
        `--tls-cert-file=${serverCertificate}`,
        `--tls-private-key-file=${serverKey}`,
        `--client-ca-file=${ca}`,
        `--token-auth-file=${tokenFile}`,
        '--authorization-mode=Node,RBAC',
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${accountsPublicKey}`,
        `--service-account-signing-key-file=${accountsKey}`,
        `--requestheader-client-ca-file=${proxyCa}`,
        '--requestheader-allowed-names=front-proxy',
        '--requestheader-username-headers=X-Remote-User',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
        `--proxy-client-cert-file=${proxyCertificate}`,
        `--proxy-client-key-file=${proxyKey}`,
        '--kubelet-preferred-address-types=Hostname',
        `--audit-policy-file=${auditPolicy}`,
        `--audit-log-path=${join(folder, 'audit.log')}`,
        '--allow-privileged',
        // Nobody makes the accounts that it would want.
        ...(simulated ? [] : ['--disable-admission-plugins=ServiceAccount']),
      ],
    },
    'kube-controller-manager': {
      args: [
        ...alone,
        `--kubeconfig=${certified('kubeconfig-controllers', 'system:kube-controller-manager')}`,
        `--secure-port=${ports.controllers}`,
        `--root-ca-file=${ca}`,
        `--service-account-private-key-file=${accountsKey}`,
        '--use-service-account-credentials',
        '--enable-hostpath-provisioner',
        '--horizontal-pod-autoscaler-sync-period=2s',
        '--horizontal-pod-autoscaler-initial-readiness-delay=1s',
        '--horizontal-pod-autoscaler-cpu-initialization-period=1s',
        '--horizontal-pod-autoscaler-downscale-stabilization=5s',
      ],
    },
    'kube-scheduler': {
      args: [...alone, `--kubeconfig=${certified('kubeconfig-scheduler', 'system:kube-scheduler')}`, `--secure-port=${ports.scheduler}`],
    },
    kwok: {
      args: [
        `--kubeconfig=${certified('kubeconfig-kwok', 'kwok', ['system:masters'])}`,
        `--config=${kwok}`,
        `--config=${stages}`,
        '--enable-crds=Logs',
        '--manage-all-nodes',
        '--node-name=localhost',
        `--node-port=${ports.kubelet}`,
        `--server-address=127.0.0.1:${ports.kubelet}`,
        `--tls-cert-file=${kubeletCertificate}`,
        `--tls-private-key-file=${kubeletKey}`,
      ],
      env: { PATH: `${join(source, 'shell')}:${process.env['PATH'] ?? ''}` },
    },
    'metrics-server': {
      args: [
        ...['--kubeconfig', '--authentication-kubeconfig', '--authorization-kubeconfig'].map(
          (flag) => `${flag}=${join(folder, 'kubeconfig')}`,
        ),
        '--bind-address=127.0.0.1',
        `--secure-port=${metricsPort}`,
        `--cert-dir=${join(folder, 'pki')}`,
        '--kubelet-insecure-tls',
        '--kubelet-preferred-address-types=Hostname',
        '--kubelet-use-node-status-port',
        // It takes no less.
        '--metric-resolution=10s',
        '--kubelet-request-timeout=5s',
      ],
    },
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
