import type { Server } from 'node:http';
import type { Authenticator } from '../auth/access.js';
import type { Config } from '../config.js';
import { defaultIsolationPatterns } from '../domain/isolation.js';
import { watchedKinds } from '../domain/kinds/index.js';
import type { ClusterRegistry } from '../k8s/catalog.js';
import { StoreReader } from '../k8s/store-reader.js';
import { buildGatewaySchema } from '../resolvers/schema.js';
import { formatError as translate } from '../schema/format-error.js';
import { kindsOf } from '../schema/kinds-of.js';
import { createApollo } from './apollo.js';
import { ContextFactory } from './context.js';
import { Documents } from './documents.js';
import { Executor } from './executor.js';
import { Front } from './front.js';
import { Graphiql, type OfferedSignIn } from './graphiql.js';
import type { Logger } from './log.js';
import { createManagement, Metrics } from './management.js';
import { Operations } from './operations.js';
import { isLoopbackHost, Origins } from './sign-in.js';
import { Sockets } from './websocket.js';

export interface GatewayParts {
  readonly config: Config;
  /** Not started yet; the gateway starts and closes them. */
  readonly clusters: ClusterRegistry;
  /** Closed with the gateway. */
  readonly authenticator: Authenticator;
  readonly log: Logger;
  /** Folder of GraphiQL's files; they are served where the configuration wants it. */
  readonly graphiqlAssets: string;
  /** What GraphiQL offers to sign in with; the demo's. Shown only while the API listens on a loopback address. */
  readonly signIns?: readonly OfferedSignIn[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Takes the audit log, one line with its end at a time. */
  writeAudit(line: string): void;
}

export interface Gateway {
  /** Such as `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly managementUrl: string;
  /** Lets what is under way finish within the configured time, and ends the rest. */
  stop(): Promise<void>;
}

const initialQuery = `{
  viewer { name role memberships { project { name } role } }
  pods(first: 10, orderBy: { field: RESTARTS, direction: DESC }) {
    totalCount
    nodes { name status restarts isolation workload { name status } project { name } }
  }
}
`;

/** Puts the parts together and begins to listen. Clusters that cannot be reached are tried again for as long as it runs. */
export async function startGateway(parts: GatewayParts): Promise<Gateway> {
  const { config, clusters, authenticator, log, graphiqlAssets, signIns = [], now, writeAudit } = parts;
  const metrics = new Metrics();
  const reader = new StoreReader(clusters.sources, { projectLabel: config.projectLabel });
  const contexts = new ContextFactory({
    reader,
    clusters,
    projects: authenticator.projects,
    isolationPatterns: defaultIsolationPatterns,
    budget: { maxObjects: config.maxObjects, sliceMs: 10 },
    now,
  });
  const schema = buildGatewaySchema();
  const documents = new Documents(schema, config, { introspection: true });
  const executor = new Executor(schema, { onRun: (engine) => metrics.runs.inc({ engine }) });
  const operations = new Operations({
    executor,
    kindsOf: (document, operationName) => kindsOf(document, schema, operationName),
    isSettled: (kinds) => clusters.isSettled(kinds),
    settle: (kinds, timeoutMs, signal) => clusters.settle(kinds, timeoutMs, signal),
    syncTimeoutMs: config.syncTimeoutMs,
  });
  const formatError = (error: unknown, requestId: string) =>
    translate(error, {
      requestId,
      onFailure: (failure) => {
        metrics.failures.inc();
        log.error({ requestId, err: failure }, 'internal error');
      },
    });
  const origins = new Origins(config.corsOrigins);
  const common = { documents, authenticator, contexts, origins, formatError, maxBodyBytes: config.maxBodyBytes, maxCost: config.maxCost };
  const front = new Front({
    ...common,
    apollo: await createApollo({ schema, documents, operations, formatError }),
    requestTimeoutMs: config.requestTimeoutMs,
    pages: config.graphiql
      ? new Graphiql({ assets: graphiqlAssets, signIns: isLoopbackHost(config.host) ? signIns : [], initialQuery })
      : undefined,
    onAnswer: ({ requestId, method, status, durationMs, bytes }) => {
      metrics.requestSeconds.observe({ status: String(status) }, durationMs / 1_000);
      log.info({ requestId, method, status, durationMs: Math.round(durationMs * 10) / 10, bytes }, 'answered');
    },
  });
  const sockets = new Sockets({
    ...common,
    schema,
    operations,
    maxStreamsPerUser: config.maxStreamsPerUser,
    requestTimeoutMs: config.requestTimeoutMs,
    onFailure: (error) => log.error({ err: error }, 'socket failed'),
  });
  sockets.attach(front.server);

  let draining = false;
  const management = createManagement({
    metrics,
    readiness: () => ({ ready: clusters.ready && !draining, clusters: clusters.progress() }),
  });
  observe(metrics, { clusters, executor, sockets });

  clusters.start();
  const port = await front.listen(config.port, config.host);
  const managementPort = await listen(management, config.managementPort, config.managementHost);
  const url = `http://${hostInUrl(config.host)}:${port}`;
  log.info({ url, managementPort }, 'listening');

  return {
    url,
    managementUrl: `http://${hostInUrl(config.managementHost)}:${managementPort}`,
    async stop() {
      draining = true;
      sockets.close();
      await front.drain(config.drainTimeoutMs);
      authenticator.close();
      await clusters.close();
      management.closeAllConnections();
      await new Promise((resolve) => management.close(resolve));
      log.info('stopped');
    },
  };
}

function observe(
  metrics: Metrics,
  { clusters, executor, sockets }: { clusters: ClusterRegistry; executor: Executor; sockets: Sockets },
): void {
  metrics.observeProcess();
  metrics.observe('gateway_compiled_operations', 'Compiled operations that are kept.', [], (set) => set({}, executor.compiledCount));
  metrics.observe('gateway_sockets', 'Open WebSockets.', [], (set) => set({}, sockets.socketCount));
  metrics.observe('gateway_subscriptions', 'Open subscriptions.', [], (set) => set({}, sockets.streamCount));
  metrics.observe('gateway_cluster_up', 'Whether a cluster answers: 1, else 0.', ['cluster'], (set) => {
    for (const { name, status } of clusters.all()) set({ cluster: name }, status === 'UNREACHABLE' ? 0 : 1);
  });
  metrics.observe('gateway_store_objects', 'Objects kept.', ['cluster', 'kind'], (set) => {
    for (const source of clusters.sources) {
      for (const kind of watchedKinds) set({ cluster: source.name, kind: kind.name }, source.store(kind).size);
    }
  });
}

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
