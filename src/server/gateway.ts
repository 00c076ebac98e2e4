import type { Server } from 'node:http';
import type { Authenticator } from '../auth/access.js';
import type { Config } from '../config.js';
import { isolationPatternsOf } from '../domain/isolation.js';
import { watchedKinds } from '../domain/kinds/index.js';
import type { ClusterRegistry } from '../k8s/catalog.js';
import { StoreReader } from '../k8s/store-reader.js';
import { buildGatewaySchema } from '../resolvers/schema.js';
import { kindsOf } from '../schema/kinds-of.js';
import { ContextFactory } from './context.js';
import { Graphiql, type OfferedSignIn } from './graphiql.js';
import type { Logger } from './log.js';
import { createManagement, Metrics } from './management.js';
import { Serving } from './serving.js';
import { isLoopbackHost } from './sign-in.js';

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
  /** Lets what is under way finish within the configured time, and ends the rest. May be called again. */
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
    isolationPatterns: isolationPatternsOf(config),
    budget: { maxObjects: config.maxObjects },
    now,
  });
  const schema = buildGatewaySchema();
  const serving = await Serving.create({
    config,
    schema,
    authenticator,
    contexts,
    kindsOf: (document, operationName) => kindsOf(document, schema, operationName),
    isSettled: (kinds) => clusters.isSettled(kinds),
    settle: (kinds, timeoutMs, signal) => clusters.settle(kinds, timeoutMs, signal),
    pages: config.graphiql
      ? new Graphiql({ assets: graphiqlAssets, signIns: isLoopbackHost(hostInUrl(config.host)) ? signIns : [], initialQuery })
      : undefined,
    log,
    metrics,
    writeAudit,
    now,
  });
  observe(metrics, clusters);

  let isDraining = false;
  const management = createManagement({
    metrics,
    readiness: () => ({ ready: clusters.ready && !isDraining, clusters: clusters.progress() }),
  });
  const stop = async (): Promise<void> => {
    isDraining = true;
    await serving.drain(config.drainTimeoutMs);
    authenticator.close();
    await clusters.close();
    management.closeAllConnections();
    await new Promise((resolve) => management.close(resolve));
    log.info('stopped');
  };
  try {
    const port = await serving.listen(config.port, config.host);
    const managementPort = await listen(management, config.managementPort, config.managementHost);
    clusters.start();
    const url = `http://${hostInUrl(config.host)}:${port}`;
    log.info({ url, managementPort }, 'listening');
    let stopped: Promise<void> | undefined;
    return {
      url,
      managementUrl: `http://${hostInUrl(config.managementHost)}:${managementPort}`,
      stop: () => (stopped ??= stop()),
    };
  } catch (error) {
    // A port that is taken: what was opened already must not keep the process.
    await stop();
    throw error;
  }
}

function observe(metrics: Metrics, clusters: ClusterRegistry): void {
  metrics.observeProcess();
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
