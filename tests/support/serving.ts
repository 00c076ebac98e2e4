import type { GraphQLSchema } from 'graphql';
import type { Authenticator } from '../../src/auth/access.js';
import { readTokenData } from '../../src/auth/token-data.js';
import { digestOfToken, TokenAuthenticator } from '../../src/auth/token-file.js';
import { defaultIsolationPatterns } from '../../src/domain/isolation.js';
import { StoreReader } from '../../src/k8s/store-reader.js';
import { ContextFactory } from '../../src/server/context.js';
import { createLog } from '../../src/server/log.js';
import { Metrics } from '../../src/server/management.js';
import { Serving, type ServingConfig, type ServingParts } from '../../src/server/serving.js';
import { ApiClient } from './clients.js';
import { testConfig, tokenOf } from './gateway.js';
import { MemoryRegistry } from './memory-registry.js';
import { projectLabel } from './objects.js';

export interface TestServingOptions extends Partial<
  Pick<ServingParts, 'pages' | 'kindsOf' | 'isSettled' | 'settle' | 'heartbeatMs' | 'initTimeoutMs' | 'reportMs' | 'compileAt'>
> {
  readonly schema: GraphQLSchema;
  readonly config?: Partial<ServingConfig>;
  /** In place of the users `admin`, a cloud administrator, and `user`, who has the role USER in `p-a`. */
  readonly authenticator?: Authenticator;
  readonly maxObjects?: number;
}

/** A schema of a test, served as the gateway serves its own. */
export class TestServing {
  readonly logged: string[] = [];
  readonly audited: string[] = [];
  readonly metrics = new Metrics();
  readonly tokens = new TokenAuthenticator(usersOfTest, Date.now);
  #serving: Serving | undefined;
  #port = 0;

  static async start({ schema, config, authenticator, maxObjects = 20_000, ...rest }: TestServingOptions): Promise<TestServing> {
    const started = new TestServing();
    const clusters = new MemoryRegistry([], []);
    const serving = await Serving.create({
      config: testConfig(config),
      schema,
      authenticator: authenticator ?? started.tokens,
      contexts: new ContextFactory({
        reader: new StoreReader(clusters.sources, { projectLabel }),
        clusters,
        projects: started.tokens.projects,
        isolationPatterns: defaultIsolationPatterns,
        budget: { maxObjects },
        now: Date.now,
      }),
      kindsOf: () => [],
      isSettled: () => true,
      settle: () => Promise.resolve(),
      pages: undefined,
      log: createLog('info', (line) => started.logged.push(line)),
      metrics: started.metrics,
      writeAudit: (line) => started.audited.push(line),
      now: Date.now,
      ...rest,
    });
    started.#serving = serving;
    started.#port = await serving.listen(0, '127.0.0.1');
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Asks as a user; undefined: without a sign-in. */
  as(user: string | undefined): ApiClient {
    return new ApiClient(this.url, user === undefined ? undefined : tokenOf(user));
  }

  drain(timeoutMs = 2_000): Promise<void> {
    if (this.#serving === undefined) throw new Error('Nothing is served yet.');
    return this.#serving.drain(timeoutMs);
  }
}

const usersOfTest = readTokenData({
  projects: [{ id: 'p-a', name: 'a' }],
  users: [
    { id: 'admin', cloudAdmin: true, tokenSha256: [digestOfToken(tokenOf('admin'))] },
    { id: 'user', roles: { 'p-a': 'USER' }, tokenSha256: [digestOfToken(tokenOf('user'))] },
  ],
});
