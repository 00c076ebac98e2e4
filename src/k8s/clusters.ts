import type { ClusterConfig } from '../config.js';
import type { ClusterRegistry, ClusterInfo } from './catalog.js';
import { Cluster, type ClusterProgress } from './cluster.js';
import { ClusterConnection } from './connection.js';
import type { Kind } from './kind.js';
import { loadEndpoints, type EndpointSources } from './kubeconfig.js';
import type { Log } from './reflector.js';
import type { ClusterSource } from './source.js';

export interface ClustersOptions extends EndpointSources {
  /** A watch that told nothing for so long is opened again. */
  readonly watchSilenceMs: number;
  /** Changes per cluster and kind that are kept for who resumes. */
  readonly historySize: number;
  readonly log: Log;
  /** Between two looks at a cluster's health. Default 10 s. */
  readonly probeIntervalMs?: number;
}

/** All configured clusters. Each fails by itself: what cannot be reached is tried again for as long as the gateway runs. */
export class Clusters implements ClusterRegistry {
  readonly #clusters: readonly Cluster[];
  readonly #byName: ReadonlyMap<string, Cluster>;

  /** @throws ConfigError where a cluster's kubeconfig is missing or broken; no server is asked. */
  constructor(configs: readonly ClusterConfig[], kinds: readonly Kind[], options: ClustersOptions) {
    const { watchSilenceMs, historySize, log, now = Date.now, probeIntervalMs = 10_000 } = options;
    const endpoints = loadEndpoints(configs, options);
    this.#clusters = configs.flatMap((config, index) => {
      const endpoint = endpoints[index];
      if (endpoint === undefined) return [];
      if (endpoint.unsafeSkipTlsVerify) log.warn({ cluster: config.name }, 'the certificate of a cluster is not checked');
      const connection = new ClusterConnection(endpoint, { now });
      return [new Cluster(config, connection, kinds, { watchSilenceMs, historySize, log, now, probeIntervalMs })];
    });
    this.#byName = new Map(this.#clusters.map((cluster) => [cluster.name, cluster]));
  }

  get sources(): readonly ClusterSource[] {
    return this.#clusters;
  }

  start(): void {
    for (const cluster of this.#clusters) cluster.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.#clusters.map((cluster) => cluster.close()));
  }

  get ready(): boolean {
    return this.#clusters.every((cluster) => cluster.isReady);
  }

  progress(): readonly ClusterProgress[] {
    return this.#clusters.map((cluster) => cluster.progress());
  }

  all(): readonly ClusterInfo[] {
    return this.#clusters.map((cluster) => cluster.info);
  }

  get(name: string): ClusterInfo | undefined {
    return this.#byName.get(name)?.info;
  }

  isSettled(kinds: readonly Kind[]): boolean {
    return this.#clusters.every((cluster) => cluster.isSettled(kinds));
  }

  async settle(kinds: readonly Kind[], timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.isSettled(kinds)) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        for (const stop of stops) stop();
        resolve();
      };
      const timer = setTimeout(end, timeoutMs);
      signal.addEventListener('abort', end, { once: true });
      const stops = this.#clusters.map((cluster) => cluster.onAvailability(() => this.isSettled(kinds) && end()));
    });
  }
}
