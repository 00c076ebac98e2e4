import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';

/** One option: its name in the file and in the environment, what it means, and how its text is read. */
interface Setting<T> {
  /** Path in the file, such as `auth.tokenFile`. */
  readonly file: string;
  readonly env: string;
  /** Meaning and effect, one or two sentences. */
  readonly doc: string;
  /** Unit, range or form of the value. */
  readonly form: string;
  readonly default: T;
  /** Undefined where `raw` is none of the form. */
  read(raw: unknown, directory: string): T | undefined;
}

type Description = Pick<Setting<unknown>, 'file' | 'env' | 'doc'>;

const integer = (of: Description & { default: number; min: number; max: number; unit: string }): Setting<number> => ({
  ...of,
  form: `${of.unit}, ${of.min.toLocaleString('en')} to ${of.max.toLocaleString('en')}`,
  read(raw) {
    const value = typeof raw === 'string' && /^\d+$/.test(raw.replaceAll('_', '')) ? Number(raw.replaceAll('_', '')) : raw;
    return typeof value === 'number' && Number.isInteger(value) && value >= of.min && value <= of.max ? value : undefined;
  },
});

const text = <T extends string | undefined>(of: Description & { default: T; form: string; pattern: RegExp }): Setting<T | string> => ({
  ...of,
  read: (raw) => (typeof raw === 'string' && of.pattern.test(raw) ? raw : undefined),
});

const path = (of: Description): Setting<string | undefined> => ({
  ...of,
  form: 'path, from the folder of the file (or the working directory)',
  default: undefined,
  read: (raw, directory) => (typeof raw === 'string' && raw !== '' ? (isAbsolute(raw) ? raw : resolve(directory, raw)) : undefined),
});

const choice = <const T extends string>(of: Description & { default: NoInfer<T>; values: readonly T[] }): Setting<T> => ({
  ...of,
  form: of.values.join(', '),
  read: (raw) => of.values.find((value) => value === raw),
});

const flag = (of: Description & { default: boolean }): Setting<boolean> => ({
  ...of,
  form: 'true or false',
  read: (raw) => (raw === true || raw === 'true' ? true : raw === false || raw === 'false' ? false : undefined),
});

const list = (of: Description & { default?: readonly string[]; form: string; pattern: RegExp }): Setting<readonly string[]> => ({
  default: [],
  ...of,
  read(raw) {
    const values: unknown = typeof raw === 'string' ? raw.split(',').map((value) => value.trim()) : raw;
    return Array.isArray(values) && values.every((value): value is string => typeof value === 'string' && of.pattern.test(value))
      ? values
      : undefined;
  },
});

/** A DNS label, as Kubernetes wants handlers to be. */
const handler = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const label = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Every option of the gateway but the clusters themselves, which only the file can name. */
export const settings = {
  host: text({
    file: 'host',
    env: 'HOST',
    default: '127.0.0.1',
    form: 'address or host name',
    pattern: /^[\w.:-]+$/,
    doc: 'Address that the API listens on.',
  }),
  port: integer({
    file: 'port',
    env: 'PORT',
    default: 4000,
    min: 0,
    max: 65_535,
    unit: 'TCP port',
    doc: 'Port of the API; 0 takes a free one.',
  }),
  managementHost: text({
    file: 'managementHost',
    env: 'MANAGEMENT_HOST',
    default: '127.0.0.1',
    form: 'address or host name',
    pattern: /^[\w.:-]+$/,
    doc: 'Address that health and metrics listen on. They need no sign-in: keep them off public networks.',
  }),
  managementPort: integer({
    file: 'managementPort',
    env: 'MANAGEMENT_PORT',
    default: 4001,
    min: 0,
    max: 65_535,
    unit: 'TCP port',
    doc: 'Port of `/healthz`, `/readyz` and `/metrics`; 0 takes a free one.',
  }),
  logLevel: choice({
    file: 'logLevel',
    env: 'LOG_LEVEL',
    default: 'info',
    values: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    doc: 'Least severe messages that are logged, as JSON lines on standard output.',
  }),
  kubeconfig: path({
    file: 'kubeconfig',
    env: 'KUBECONFIG',
    doc: 'Kubeconfig whose current context is the one cluster, where `clusters` names none.',
  }),
  tokenFile: path({
    file: 'auth.tokenFile',
    env: 'TOKEN_FILE',
    doc: 'Users, their tokens (as SHA-256), roles and projects. Read again when it changes.',
  }),
  projectLabel: text({
    file: 'projectLabel',
    env: 'PROJECT_LABEL',
    default: 'openstack.org/project-id',
    form: 'label key',
    pattern: label,
    doc: 'Label of a namespace that names the project it belongs to. Tenants must not be able to set it.',
  }),
  secureHandlers: list({
    file: 'runtimes.secure',
    env: 'SECURE_HANDLERS',
    default: ['kata'],
    form: 'handlers of runtime classes, such as `kata` for `kata` and every `kata-…`, in the environment separated by commas',
    pattern: handler,
    doc: 'Runtimes that give each pod a kernel of its own: their pods are SECURE.',
  }),
  standardHandlers: list({
    file: 'runtimes.standard',
    env: 'STANDARD_HANDLERS',
    default: ['runc', 'crun', 'nvidia'],
    form: 'handlers of runtime classes, as above',
    pattern: handler,
    doc: 'Runtimes whose pods share the kernel of their node: STANDARD, also where `runtimes.secure` names them. Those that neither names are UNKNOWN.',
  }),
  corsOrigins: list({
    file: 'corsOrigins',
    env: 'CORS_ORIGINS',
    form: 'origins such as `https://portal.example`, in the environment separated by commas',
    pattern: /^https?:\/\/[^/*\s]+$/,
    doc: 'Web origins, beside its own, whose pages may call the API and open WebSockets.',
  }),
  graphiql: flag({ file: 'graphiql', env: 'GRAPHIQL', default: false, doc: 'Serves GraphiQL on `/`. The demo turns it on.' }),
  requestTimeoutMs: integer({
    file: 'requestTimeoutMs',
    env: 'REQUEST_TIMEOUT_MS',
    default: 30_000,
    min: 100,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'Longest run of a query; then it ends with TIMEOUT.',
  }),
  syncTimeoutMs: integer({
    file: 'syncTimeoutMs',
    env: 'SYNC_TIMEOUT_MS',
    default: 10_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a query waits for the first sync of the kinds it reads; then it ends with UNAVAILABLE.',
  }),
  drainTimeoutMs: integer({
    file: 'drainTimeoutMs',
    env: 'DRAIN_TIMEOUT_MS',
    default: 10_000,
    min: 0,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long requests that are under way may still run after SIGTERM.',
  }),
  watchSilenceMs: integer({
    file: 'watchSilenceMs',
    env: 'WATCH_SILENCE_MS',
    default: 30_000,
    min: 1_000,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'A watch of an API server that told nothing for so long is opened again where it stood.',
  }),
  historySize: integer({
    file: 'historySize',
    env: 'HISTORY_SIZE',
    default: 10_000,
    min: 0,
    max: 1_000_000,
    unit: 'changes',
    doc: 'Changes per cluster and kind that are kept for subscriptions that resume.',
  }),
  maxBodyBytes: integer({
    file: 'limits.bodyBytes',
    env: 'MAX_BODY_BYTES',
    default: 1_048_576,
    min: 1_024,
    max: 67_108_864,
    unit: 'bytes',
    doc: 'Largest request body, and largest message of a WebSocket.',
  }),
  maxTokens: integer({
    file: 'limits.tokens',
    env: 'MAX_TOKENS',
    default: 5_000,
    min: 100,
    max: 100_000,
    unit: 'lexical tokens',
    doc: 'Longest document.',
  }),
  maxDepth: integer({
    file: 'limits.depth',
    env: 'MAX_DEPTH',
    default: 20,
    min: 3,
    max: 100,
    unit: 'levels',
    doc: 'Deepest selection, fragments unfolded.',
  }),
  maxAliases: integer({
    file: 'limits.aliases',
    env: 'MAX_ALIASES',
    default: 100,
    min: 0,
    max: 10_000,
    unit: 'aliases',
    doc: 'Most aliases in one operation, fragments unfolded.',
  }),
  maxFields: integer({
    file: 'limits.fields',
    env: 'MAX_FIELDS',
    default: 2_000,
    min: 100,
    max: 100_000,
    unit: 'fields',
    doc: 'Most fields in one operation, fragments unfolded.',
  }),
  maxCost: integer({
    file: 'limits.cost',
    env: 'MAX_COST',
    default: 1_000_000,
    min: 1_000,
    max: 1_000_000_000,
    unit: 'objects',
    doc: 'Most objects that an operation may ask for, as far as its page sizes tell. A request with `"extensions": {"cost": true}` is told its own.',
  }),
  maxObjects: integer({
    file: 'limits.objects',
    env: 'MAX_OBJECTS',
    default: 20_000,
    min: 100,
    max: 10_000_000,
    unit: 'objects',
    doc: 'Most objects that a request may really resolve; past it, it ends with QUERY_TOO_COMPLEX.',
  }),
  maxStreamsPerUser: integer({
    file: 'limits.streamsPerUser',
    env: 'MAX_STREAMS_PER_USER',
    default: 200,
    min: 1,
    max: 100_000,
    unit: 'subscriptions',
    doc: 'Subscriptions that one user may hold open in this process; one more ends with RATE_LIMITED.',
  }),
} as const;

type Settings = typeof settings;

/** One cluster of the configuration. */
export interface ClusterConfig {
  /** In ids, filters and answers; a DNS label. */
  readonly name: string;
  /** For people; default `name`. */
  readonly displayName: string;
  /** Path of a kubeconfig; undefined is the service account of the pod that the gateway runs in. */
  readonly kubeconfig: string | undefined;
  /** Context in it; undefined is its current one. */
  readonly context: string | undefined;
  /** Ids of the projects whose members may create things in it; undefined is all. */
  readonly projects: readonly string[] | undefined;
}

/** The whole configuration, read once. Each option is described in {@link settings}. */
export type Config = { readonly [K in keyof Settings]: Settings[K] extends Setting<infer T> ? T : never } & {
  readonly clusters: readonly ClusterConfig[];
};

/** What the configuration is read from: only the composition root knows the real ones. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly homeDirectory: string;
  /** Whether a file is there to be read. */
  exists(path: string): boolean;
  /** Takes part before the file and the environment do; the demo brings its clusters. */
  readonly overrides?: Partial<Config>;
}

/** Every problem of the configuration at once. Names options and what they should look like; never a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
  }
}

const inClusterToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Reads the file that `CONFIG_FILE` names, then the environment, which wins.
 * @throws ConfigError naming every option that is wrong.
 */
export function loadConfig(sources: ConfigSources): Config {
  const problems: string[] = [];
  const configFile = sources.env['CONFIG_FILE'] || undefined;
  const configPath = configFile === undefined ? undefined : resolve(sources.cwd, configFile);
  const directory = configPath === undefined ? sources.cwd : dirname(configPath);
  const file = configPath === undefined ? {} : readFile(configPath, problems);

  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings) as [string, Setting<unknown>][]) {
    config[name] = setting.default;
    const override = sources.overrides?.[name as keyof Config];
    if (override !== undefined) config[name] = override;
    const inFile = lookUp(file, setting.file);
    if (inFile !== undefined) {
      const value = setting.read(inFile, directory);
      if (value === undefined) problems.push(`${setting.file} (in CONFIG_FILE): must be ${setting.form}`);
      else config[name] = value;
    }
    const inEnv = sources.env[setting.env];
    if (inEnv !== undefined && inEnv !== '') {
      const value = setting.read(inEnv, sources.cwd);
      if (value === undefined) problems.push(`${setting.env}: must be ${setting.form}`);
      else config[name] = value;
    }
  }
  reportUnknown(file, '', problems);

  let clusters: readonly ClusterConfig[] = sources.overrides?.clusters ?? [];
  if (file['clusters'] !== undefined) clusters = readClusters(file['clusters'], directory, problems);
  if (clusters.length === 0 && problems.length === 0)
    clusters = defaultCluster(config['kubeconfig'] as string | undefined, sources, problems);
  if (config['tokenFile'] === undefined && sources.overrides === undefined) {
    problems.push('auth.tokenFile or TOKEN_FILE: must name a token file, else nobody can sign in; `npm run demo` needs none');
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...(config as unknown as Config), clusters };
}

/** Every option as a line of `--help`. */
export function describeSettings(): readonly {
  readonly env: string;
  readonly file: string;
  readonly form: string;
  readonly default: string;
  readonly doc: string;
}[] {
  return (Object.values(settings) as Setting<unknown>[]).map(({ env, file, form, doc, default: standard }) => ({
    env,
    file,
    form,
    doc,
    default: defaultText(standard),
  }));
}

function defaultText(standard: unknown): string {
  if (standard === undefined) return '—';
  return Array.isArray(standard) ? standard.join(', ') || '(none)' : JSON.stringify(standard).replace(/^"(.*)"$/, '$1');
}

function readFile(path: string, problems: string[]): Readonly<Record<string, unknown>> {
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    problems.push(missing ? 'CONFIG_FILE: names a file that is not there' : 'CONFIG_FILE: names a file that cannot be read as YAML');
    return {};
  }
  if (content === null || content === undefined) return {};
  if (!isMap(content)) {
    problems.push('CONFIG_FILE: must hold a map of options');
    return {};
  }
  return content;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function lookUp(file: Readonly<Record<string, unknown>>, dotted: string): unknown {
  let value: unknown = file;
  for (const part of dotted.split('.')) value = isMap(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  return value;
}

const knownPaths = new Set(['clusters', ...Object.values(settings).map((setting) => setting.file)]);

function reportUnknown(map: Readonly<Record<string, unknown>>, prefix: string, problems: string[]): void {
  for (const [key, value] of Object.entries(map)) {
    const dotted = prefix + key;
    if (knownPaths.has(dotted)) continue;
    const isSection = [...knownPaths].some((known) => known.startsWith(`${dotted}.`));
    if (isSection && isMap(value)) reportUnknown(value, `${dotted}.`, problems);
    else problems.push(`${/^[\w.-]{1,60}$/.test(dotted) ? dotted : 'a key'} (in CONFIG_FILE): is no option of the gateway`);
  }
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function readClusters(raw: unknown, directory: string, problems: string[]): readonly ClusterConfig[] {
  if (!Array.isArray(raw) || raw.length === 0) {
    problems.push('clusters (in CONFIG_FILE): must be a list of at least one cluster');
    return [];
  }
  const seen = new Set<string>();
  return (raw as unknown[]).flatMap((entry, index): ClusterConfig[] => {
    const at = `clusters[${index}]`;
    if (!isMap(entry)) {
      problems.push(`${at}: must be a map with a name`);
      return [];
    }
    const before = problems.length;
    for (const key of Object.keys(entry)) {
      if (!['name', 'displayName', 'kubeconfig', 'context', 'projects'].includes(key))
        problems.push(`${at}: has a key that is none of name, displayName, kubeconfig, context, projects`);
    }
    const { name, displayName, kubeconfig, context, projects } = entry;
    if (typeof name !== 'string' || !dnsLabel.test(name))
      problems.push(`${at}.name: must be a DNS label (lower-case letters, digits and dashes, at most 63)`);
    else if (seen.has(name)) problems.push(`${at}.name: is the name of another cluster too`);
    else seen.add(name);
    for (const [key, value] of Object.entries({ displayName, kubeconfig, context })) {
      if (value !== undefined && (typeof value !== 'string' || value === '')) problems.push(`${at}.${key}: must be text`);
    }
    if (projects !== undefined && !(Array.isArray(projects) && projects.every((id) => typeof id === 'string')))
      problems.push(`${at}.projects: must be a list of project ids`);
    if (problems.length > before) return [];
    return [
      {
        name: name as string,
        displayName: (displayName as string | undefined) ?? (name as string),
        kubeconfig: kubeconfig === undefined ? undefined : resolve(directory, kubeconfig as string),
        context: context as string | undefined,
        projects: projects as string[] | undefined,
      },
    ];
  });
}

function defaultCluster(kubeconfig: string | undefined, sources: ConfigSources, problems: string[]): readonly ClusterConfig[] {
  const cluster = { name: 'default', displayName: 'default', context: undefined, projects: undefined };
  if (kubeconfig !== undefined) return [{ ...cluster, kubeconfig }];
  const usual = resolve(sources.homeDirectory, '.kube', 'config');
  if (sources.exists(usual)) return [{ ...cluster, kubeconfig: usual }];
  if (sources.exists(inClusterToken)) return [{ ...cluster, kubeconfig: undefined }];
  problems.push(
    'clusters: none is named; set CONFIG_FILE to a file with `clusters`, or KUBECONFIG to a kubeconfig, or run in a pod with a service account. `npm run demo` starts with clusters of its own',
  );
  return [];
}
