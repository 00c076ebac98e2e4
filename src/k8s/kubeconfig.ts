import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { ConfigError, type ClusterConfig } from '../config.js';
import { ExecPlugin, type ExecPluginConfig } from './exec-plugin.js';

/** What a connection is made and signed in with at this moment. A member that is the same as before has not changed. */
export interface Dial {
  /** PEM; undefined is what Node.js trusts by itself. */
  readonly ca: string | undefined;
  /** PEM of the client's certificate and key. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** For each request: `authorization` and impersonation. */
  readonly headers: Readonly<Record<string, string | string[]>>;
}

/** Where an API server is and how to sign in there, as one context of a kubeconfig says. */
export interface Endpoint {
  /** Without a slash at its end; may have a path. */
  readonly server: string;
  /** HTTP or HTTPS proxy to go through. */
  readonly proxy: string | undefined;
  /** Name that the server's certificate must bear instead of the host's. */
  readonly tlsServerName: string | undefined;
  /** The kubeconfig says that the server's certificate is not to be checked. */
  readonly unsafeSkipTlsVerify: boolean;
  /**
   * @param refused Whether the server refused what was given last: then files are read and plugins run again, however fresh they seem.
   * @throws Error where credentials cannot be had, such as from a plugin that fails. For the log only.
   */
  dial(refused?: boolean): Promise<Dial>;
}

export interface EndpointSources {
  /**
   * The environment of the process: exec plugins inherit it, and in a pod it tells where the API server is. Default: empty; then plugins must be
   * named by their whole path, and a pod looks its API server up by DNS.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Folder of a pod's service account. Default: Kubernetes' own. */
  readonly serviceAccountDirectory?: string;
}

const defaultServiceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Certificates and tokens rotate well before they end; until then the old ones are good. */
const fileFreshMs = 10_000;

/**
 * The endpoints of clusters, in their order. Files are read here once, so that what is wrong with them shows at the start; no server is asked.
 * @throws ConfigError naming each cluster, its kubeconfig and what is wrong with it.
 */
export function loadEndpoints(configs: readonly ClusterConfig[], sources: EndpointSources = {}): readonly Endpoint[] {
  const problems: string[] = [];
  const endpoints = configs.flatMap((config) => {
    const where = config.kubeconfig === undefined ? 'the service account of the pod' : `the kubeconfig ${config.kubeconfig}`;
    try {
      return [config.kubeconfig === undefined ? inPod(sources) : inKubeconfig(config.kubeconfig, config.context, sources)];
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problems.push(`cluster ${config.name}: ${where} ${error.message}`);
      return [];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return endpoints;
}

/** What is wrong with a kubeconfig, worded to follow its name. Names keys and entries, never what is secret in them. */
class Problem extends Error {}

type Fields = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

function textOf(fields: Fields, key: string, at: string): string | undefined {
  const value = fields[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new Problem(`has a ${key} in ${at} that is no text`);
  return value;
}

/** One entry of `clusters`, `contexts` or `users`: `{ name, cluster: … }`. */
function entryOf(file: Fields, list: 'clusters' | 'contexts' | 'users', name: string): Fields | undefined {
  const entries = file[list];
  const found: unknown = Array.isArray(entries)
    ? (entries as unknown[]).find((entry) => isMap(entry) && entry['name'] === name)
    : undefined;
  const value = isMap(found) ? found[list.slice(0, -1)] : undefined;
  return found === undefined ? undefined : isMap(value) ? value : {};
}

function inKubeconfig(path: string, contextName: string | undefined, sources: EndpointSources): Endpoint {
  let file: unknown;
  try {
    file = parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Problem('is not there');
    throw new Problem(typeof code === 'string' && /^E[A-Z]+$/.test(code) ? `cannot be read (${code})` : 'is no YAML');
  }
  if (!isMap(file)) throw new Problem('holds no map of clusters, contexts and users');

  const name = contextName ?? textOf(file, 'current-context', 'the file');
  if (name === undefined) throw new Problem('names no current-context, and the configuration no context');
  const context = entryOf(file, 'contexts', name);
  if (context === undefined) throw new Problem(`has no context ${quoted(name)}`);
  const clusterName = textOf(context, 'cluster', 'the context');
  const cluster = clusterName === undefined ? undefined : entryOf(file, 'clusters', clusterName);
  if (cluster === undefined) throw new Problem(`has a context ${quoted(name)} whose cluster is not in it`);
  const userName = textOf(context, 'user', 'the context');
  const user = userName === undefined ? {} : entryOf(file, 'users', userName);
  if (user === undefined) throw new Problem(`has a context ${quoted(name)} whose user is not in it`);

  const directory = dirname(path);
  const server = serverOf(textOf(cluster, 'server', 'the cluster'));
  const ca = materialOf(cluster, 'certificate-authority', directory, sources);
  const certificate = materialOf(user, 'client-certificate', directory, sources);
  const key = materialOf(user, 'client-key', directory, sources);
  checkMaterial(ca?.initial, certificate?.initial, key?.initial);
  const unsafeSkipTlsVerify = cluster['insecure-skip-tls-verify'] === true;
  return new LoadedEndpoint({
    server,
    proxy: proxyOf(textOf(cluster, 'proxy-url', 'the cluster')),
    tlsServerName: textOf(cluster, 'tls-server-name', 'the cluster'),
    unsafeSkipTlsVerify,
    ca,
    certificate,
    key,
    signIn: signInOf(user, { directory, userName: userName ?? '', ca: ca?.initial, server, sources }),
    impersonation: impersonationOf(user),
  });
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 100));

function inPod(sources: EndpointSources): Endpoint {
  const directory = sources.serviceAccountDirectory ?? defaultServiceAccountDirectory;
  const host = sources.environment?.['KUBERNETES_SERVICE_HOST'];
  const port = sources.environment?.['KUBERNETES_SERVICE_PORT'] ?? '443';
  const ca = new Material(readNow(resolve(directory, 'ca.crt'), 'ca.crt'), resolve(directory, 'ca.crt'), sources);
  const token = new Material(readNow(resolve(directory, 'token'), 'token'), resolve(directory, 'token'), sources);
  checkMaterial(ca.initial, undefined, undefined);
  return new LoadedEndpoint({
    server: serverOf(host ? `https://${host.includes(':') ? `[${host}]` : host}:${port}` : 'https://kubernetes.default.svc'),
    proxy: undefined,
    tlsServerName: undefined,
    unsafeSkipTlsVerify: false,
    ca,
    certificate: undefined,
    key: undefined,
    signIn: bearer(token),
    impersonation: {},
  });
}

function serverOf(text: string | undefined): string {
  if (text === undefined) throw new Problem('has a cluster without a server');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new Problem('has a cluster whose server is no http or https URL');
  }
  return url.href.replace(/\/+$/, '');
}

function proxyOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Problem('has a proxy-url that is no http or https URL; others are not supported');
  return text;
}

/** A text that may stand in a file, which is read again now and then: certificates and tokens rotate. */
class Material {
  readonly initial: string;
  readonly #path: string | undefined;
  readonly #now: () => number;
  #text: string;
  #readAtMs: number;

  constructor(initial: string, path: string | undefined, { now = Date.now }: EndpointSources) {
    this.initial = initial;
    this.#text = initial;
    this.#path = path;
    this.#now = now;
    this.#readAtMs = now();
  }

  /** A file that is away or empty for a moment, as while it is replaced, leaves the last text standing. */
  async current(refused: boolean): Promise<string> {
    if (this.#path !== undefined && (refused || this.#now() - this.#readAtMs >= fileFreshMs)) {
      this.#readAtMs = this.#now();
      const text = await readFile(this.#path, 'utf8').catch(() => '');
      if (text.trim() !== '') this.#text = text;
    }
    return this.#text;
  }
}

function readNow(path: string, key: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new Problem(`names a file for ${key} that cannot be read: ${path}`);
  }
  if (text.trim() === '') throw new Problem(`names a file for ${key} that is empty: ${path}`);
  return text;
}

/** `key-data` in base64, which wins, or `key`, a path from the kubeconfig's folder. */
function materialOf(fields: Fields, key: string, directory: string, sources: EndpointSources): Material | undefined {
  const data = textOf(fields, `${key}-data`, 'it');
  if (data !== undefined) return new Material(Buffer.from(data, 'base64').toString('utf8'), undefined, sources);
  const file = textOf(fields, key, 'it');
  if (file === undefined) return undefined;
  const path = resolve(directory, file);
  return new Material(readNow(path, key), path, sources);
}

function checkMaterial(ca: string | undefined, certificate: string | undefined, key: string | undefined): void {
  const parse = <T>(what: string, read: () => T): T => {
    try {
      return read();
    } catch {
      throw new Problem(`has a ${what} that is no PEM`);
    }
  };
  if (ca !== undefined) parse('certificate-authority', () => new X509Certificate(ca));
  if (certificate === undefined && key === undefined) return;
  if (certificate === undefined || key === undefined)
    throw new Problem('has a client-certificate without a client-key, or the other way round');
  const own = parse('client-certificate', () => new X509Certificate(certificate));
  if (!own.checkPrivateKey(parse('client-key', () => createPrivateKey(key))))
    throw new Problem('has a client-key that is not that of its client-certificate');
}

/** How the user signs in, beside a certificate of its own. */
type SignIn = (refused: boolean) => Promise<{ authorization?: string; certificate?: string; key?: string }>;

const bearer =
  (token: Material): SignIn =>
  async (refused) => ({ authorization: `Bearer ${(await token.current(refused)).trim()}` });

interface UserContext {
  readonly directory: string;
  readonly userName: string;
  readonly ca: string | undefined;
  readonly server: string;
  readonly sources: EndpointSources;
}

function signInOf(user: Fields, context: UserContext): SignIn {
  const { directory, sources } = context;
  if (isMap(user['exec'])) {
    const plugin = new ExecPlugin(execOf(user['exec'], context), sources);
    return (refused) => plugin.credential(refused);
  }
  if (isMap(user['auth-provider'])) return legacyProvider(user['auth-provider'], context.userName);
  const tokenFile = textOf(user, 'tokenFile', 'the user');
  if (tokenFile !== undefined) {
    const path = resolve(directory, tokenFile);
    return bearer(new Material(readNow(path, 'tokenFile'), path, sources));
  }
  const token = textOf(user, 'token', 'the user');
  if (token !== undefined) return bearer(new Material(token, undefined, sources));
  const username = textOf(user, 'username', 'the user');
  if (username !== undefined) {
    const authorization = `Basic ${Buffer.from(`${username}:${textOf(user, 'password', 'the user') ?? ''}`).toString('base64')}`;
    return () => Promise.resolve({ authorization });
  }
  return () => Promise.resolve({});
}

function execOf(exec: Fields, { directory, ca, server }: UserContext): ExecPluginConfig {
  const command = textOf(exec, 'command', 'the exec plugin');
  if (command === undefined) throw new Problem('has an exec plugin without a command');
  const apiVersion = textOf(exec, 'apiVersion', 'the exec plugin') ?? '';
  if (!/^client\.authentication\.k8s\.io\/v1(beta1)?$/.test(apiVersion))
    throw new Problem('has an exec plugin whose apiVersion is neither client.authentication.k8s.io/v1 nor …/v1beta1');
  if (exec['interactiveMode'] === 'Always') throw new Problem('has an exec plugin that asks a person (interactiveMode: Always)');
  const args: unknown = exec['args'] ?? [];
  if (!Array.isArray(args) || !args.every((arg): arg is string => typeof arg === 'string'))
    throw new Problem('has an exec plugin whose args are no list of texts');
  const env: unknown = exec['env'] ?? [];
  if (!Array.isArray(env)) throw new Problem('has an exec plugin whose env is no list');
  const pairs = (env as unknown[]).map((entry): [string, string] => {
    if (!isMap(entry) || typeof entry['name'] !== 'string' || typeof entry['value'] !== 'string')
      throw new Problem('has an exec plugin whose env has an entry without name and value');
    return [entry['name'], entry['value']];
  });
  return {
    // As kubectl takes it: a path is one from the kubeconfig's folder, a bare name is looked up.
    command: command.includes('/') ? resolve(directory, command) : command,
    args,
    env: Object.fromEntries(pairs),
    apiVersion,
    clusterInfo:
      exec['provideClusterInfo'] === true
        ? { server, ...(ca !== undefined && { 'certificate-authority-data': Buffer.from(ca).toString('base64') }) }
        : undefined,
  };
}

/**
 * `auth-provider` is what came before exec plugins; of its kinds only OpenID Connect is still in use. The client library renews its tokens; it is
 * loaded only where it is needed, because it takes longer to load than all the rest of the gateway.
 */
function legacyProvider(provider: Fields, userName: string): SignIn {
  const load = async () => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: 'cluster', server: 'https://unused.invalid', skipTLSVerify: false },
      { name: userName, authProvider: provider },
    );
    return config;
  };
  let loading: ReturnType<typeof load> | undefined;
  return async () => {
    loading ??= load();
    const options: { headers?: unknown } = {};
    await (await loading).applyToHTTPSOptions(options as Parameters<Awaited<typeof loading>['applyToHTTPSOptions']>[0]);
    const authorization = isMap(options.headers) ? options.headers['Authorization'] : undefined;
    return typeof authorization === 'string' ? { authorization } : {};
  };
}

function impersonationOf(user: Fields): Readonly<Record<string, string | string[]>> {
  const name = textOf(user, 'as', 'the user');
  const groups: unknown = user['as-groups'] ?? [];
  if (!Array.isArray(groups) || !groups.every((group): group is string => typeof group === 'string'))
    throw new Problem('has as-groups that are no list of texts');
  return { ...(name !== undefined && { 'impersonate-user': name }), ...(groups.length > 0 && { 'impersonate-group': groups }) };
}

type Loaded = Omit<Endpoint, 'dial'> & {
  readonly ca: Material | undefined;
  readonly certificate: Material | undefined;
  readonly key: Material | undefined;
  readonly signIn: SignIn;
  readonly impersonation: Readonly<Record<string, string | string[]>>;
};

class LoadedEndpoint implements Endpoint {
  readonly server: string;
  readonly proxy: string | undefined;
  readonly tlsServerName: string | undefined;
  readonly unsafeSkipTlsVerify: boolean;
  readonly #loaded: Loaded;

  constructor(loaded: Loaded) {
    this.server = loaded.server;
    this.proxy = loaded.proxy;
    this.tlsServerName = loaded.tlsServerName;
    this.unsafeSkipTlsVerify = loaded.unsafeSkipTlsVerify;
    this.#loaded = loaded;
  }

  async dial(refused = false): Promise<Dial> {
    const { ca, certificate, key, signIn, impersonation } = this.#loaded;
    const signed = await signIn(refused);
    return {
      ca: await ca?.current(refused),
      certificate: signed.certificate ?? (await certificate?.current(refused)),
      key: signed.key ?? (await key?.current(refused)),
      headers: { ...impersonation, ...(signed.authorization !== undefined && { authorization: signed.authorization }) },
    };
  }
}
