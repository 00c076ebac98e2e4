import { readTokenData } from '../../src/auth/token-data.js';
import { digestOfToken, TokenAuthenticator } from '../../src/auth/token-file.js';
import { loadConfig, type Config } from '../../src/config.js';
import { watchedKinds } from '../../src/domain/kinds/index.js';
import type { ClusterRegistry } from '../../src/k8s/catalog.js';
import { startGateway, type Gateway } from '../../src/server/gateway.js';
import { createLog } from '../../src/server/log.js';
import { ApiClient } from './clients.js';
import { kindNamed, type User } from './in-process.js';
import { MemoryRegistry } from './memory-registry.js';
import type { Draft } from './objects.js';

export interface TestGatewayOptions {
  /** Objects by cluster, each with its `kind`. Default: one cluster `east` with nothing in it. */
  readonly objects?: Readonly<Record<string, readonly Draft[]>>;
  /** In place of clusters in memory. */
  readonly clusters?: ClusterRegistry;
  /** The token of a user is `token-of-` and its id. */
  readonly users: readonly User[];
  /** As a token file has them. */
  readonly projects?: readonly object[];
  readonly config?: Partial<Config>;
}

/** The token of a user of a {@link TestGateway}. */
export const tokenOf = (user: string): string => `token-of-${user}`;

const tokenData = (users: readonly User[], projects: readonly object[]): ReturnType<typeof readTokenData> =>
  readTokenData({ projects, users: users.map((user) => ({ ...user, tokenSha256: [digestOfToken(tokenOf(user.id))] })) });

/** Configuration of a gateway on free ports of the loopback address, that follows no cluster of a kubeconfig. */
export function testConfig(overrides: Partial<Config> = {}): Config {
  return loadConfig({
    env: {},
    cwd: '/',
    homeDirectory: '/',
    exists: () => false,
    overrides: {
      port: 0,
      managementPort: 0,
      clusters: [{ name: 'none', displayName: 'none', kubeconfig: undefined, context: undefined, projects: undefined }],
      ...overrides,
    },
  });
}

/** A whole gateway on ports of its own, over clusters in memory that the test changes by hand, or over others. */
export class TestGateway {
  /** Lines of the log, and of the audit log, so far. */
  readonly logged: string[] = [];
  readonly audited: string[] = [];
  readonly tokens: TokenAuthenticator;
  readonly #projects: readonly object[];
  #registry: MemoryRegistry | undefined;
  #gateway: Gateway | undefined;

  private constructor(users: readonly User[], projects: readonly object[]) {
    this.#projects = projects;
    this.tokens = new TokenAuthenticator(tokenData(users, projects), Date.now);
  }

  static async start({ objects = { east: [] }, clusters, users, projects = [], config }: TestGatewayOptions): Promise<TestGateway> {
    const started = new TestGateway(users, projects);
    if (clusters === undefined) {
      const registry = new MemoryRegistry(
        Object.keys(objects).map((name) => ({ name })),
        watchedKinds,
      );
      for (const [name, drafts] of Object.entries(objects)) {
        for (const draft of drafts) registry.cluster(name).put(kindNamed(String(draft['kind'])), draft);
      }
      started.#registry = registry;
    }
    started.#gateway = await startGateway({
      config: testConfig(config),
      clusters: clusters ?? started.memory,
      authenticator: started.tokens,
      log: createLog('info', (line) => started.logged.push(line)),
      graphiqlAssets: '/nowhere',
      now: Date.now,
      writeAudit: (line) => started.audited.push(line),
    });
    return started;
  }

  /** The clusters in memory. @throws Error where the gateway follows others. */
  get memory(): MemoryRegistry {
    if (this.#registry === undefined) throw new Error('The gateway does not follow clusters in memory.');
    return this.#registry;
  }

  get url(): string {
    return this.#started.url;
  }

  get managementUrl(): string {
    return this.#started.managementUrl;
  }

  /** Asks as a user; undefined: without a sign-in. */
  as(user: string | undefined): ApiClient {
    return new ApiClient(this.url, user === undefined ? undefined : tokenOf(user));
  }

  setUsers(users: readonly User[]): void {
    this.tokens.replace(tokenData(users, this.#projects));
  }

  stop(): Promise<void> {
    return this.#started.stop();
  }

  get #started(): Gateway {
    if (this.#gateway === undefined) throw new Error('The gateway has not been started.');
    return this.#gateway;
  }
}
