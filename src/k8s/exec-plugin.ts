import { spawn } from 'node:child_process';

/** As the kubeconfig names it. */
export interface ExecPluginConfig {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  /** What a plugin that asks for it is told of the cluster. */
  readonly clusterInfo: Readonly<Record<string, unknown>> | undefined;
}

/** What a plugin gave. */
export interface ExecCredential {
  readonly authorization?: string;
  /** PEM. */
  readonly certificate?: string;
  readonly key?: string;
}

const timeoutMs = 30_000;
/** How long output may still come after the plugin has ended. */
const lingerMs = 1_000;
const maxOutputBytes = 1 << 20;
/** A token is renewed a little before it ends, so that none ends under way. */
const renewBeforeMs = 10_000;

/** Runs a client-go credential plugin and keeps what it gives for as long as that is good. It runs once at a time, however many ask. */
export class ExecPlugin {
  readonly #config: ExecPluginConfig;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #now: () => number;
  #credential: ExecCredential | undefined;
  #expiresAtMs = Number.POSITIVE_INFINITY;
  #running: Promise<ExecCredential> | undefined;

  constructor(
    config: ExecPluginConfig,
    {
      environment = {},
      now = Date.now,
    }: { readonly environment?: Readonly<Record<string, string | undefined>>; readonly now?: () => number },
  ) {
    this.#config = config;
    this.#environment = environment;
    this.#now = now;
  }

  /** @throws Error where the plugin fails, takes longer than 30 s, or answers something else than a credential. */
  credential(refused: boolean): Promise<ExecCredential> {
    if (this.#credential !== undefined && !refused && this.#now() < this.#expiresAtMs - renewBeforeMs)
      return Promise.resolve(this.#credential);
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #run(): Promise<ExecCredential> {
    const status = statusOf(await this.#output());
    const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status;
    if (token === undefined && (clientCertificateData === undefined || clientKeyData === undefined))
      throw new Error('the exec plugin gave neither a token nor a certificate with its key');
    const expiresAtMs = expirationTimestamp === undefined ? Number.NaN : Date.parse(expirationTimestamp);
    this.#expiresAtMs = Number.isNaN(expiresAtMs) ? Number.POSITIVE_INFINITY : expiresAtMs;
    this.#credential = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(clientCertificateData !== undefined && clientKeyData !== undefined && { certificate: clientCertificateData, key: clientKeyData }),
    };
    return this.#credential;
  }

  #output(): Promise<string> {
    const { command, args, env, apiVersion, clusterInfo } = this.#config;
    const info = {
      apiVersion,
      kind: 'ExecCredential',
      spec: { interactive: false, ...(clusterInfo !== undefined && { cluster: clusterInfo }) },
    };
    return new Promise((resolve, reject) => {
      const plugin = spawn(command, args, {
        env: { ...this.#environment, ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const timer = setTimeout(() => plugin.kill('SIGKILL'), timeoutMs);
      const output: Buffer[] = [];
      let bytes = 0;
      let complaint = '';
      plugin.stdout.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxOutputBytes) plugin.kill('SIGKILL');
        else output.push(chunk);
      });
      plugin.stderr.on('data', (chunk: Buffer) => (complaint = `${complaint}${chunk.toString('utf8')}`.slice(0, 500)));
      plugin.on('error', (cause) => {
        clearTimeout(timer);
        reject(new Error('the exec plugin cannot be run', { cause }));
      });
      let lingering: NodeJS.Timeout | undefined;
      plugin.on('exit', () => {
        clearTimeout(timer);
        // What the plugin started may hold its output open for as long as it likes.
        lingering = setTimeout(() => {
          plugin.stdout.destroy();
          plugin.stderr.destroy();
        }, lingerMs);
      });
      plugin.on('close', (code, killedBy) => {
        clearTimeout(lingering);
        if (code === 0) resolve(Buffer.concat(output).toString('utf8'));
        else reject(new Error(`the exec plugin ended with ${killedBy ?? `status ${code}`}: ${complaint.trim()}`));
      });
    });
  }
}

type Status = Partial<Record<'token' | 'clientCertificateData' | 'clientKeyData' | 'expirationTimestamp', string>>;

/** What it printed must not get into an error: it is a secret. */
function statusOf(output: string): Status {
  let parsed: unknown;
  try {
    parsed = JSON.parse(output);
  } catch {
    throw new Error('the exec plugin printed no JSON');
  }
  const status = (parsed as { status?: unknown } | null)?.status;
  if (typeof status !== 'object' || status === null) throw new Error('the exec plugin printed no ExecCredential');
  const fields = Object.entries(status).filter(([, value]) => typeof value === 'string' && value !== '');
  return Object.fromEntries(fields);
}
