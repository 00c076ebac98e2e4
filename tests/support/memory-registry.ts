import type { ClusterInfo, ClusterRegistry } from '../../src/k8s/catalog.js';
import type { ClusterProgress } from '../../src/k8s/cluster.js';
import type { Kind } from '../../src/k8s/kind.js';
import { MemoryCluster } from './objects.js';

/** A cluster as tests configure it. */
export interface ClusterOfTest {
  readonly name: string;
  /** As in the configuration: those whose members may create things in it; left out: all. */
  readonly projects?: readonly string[] | undefined;
  readonly info?: Partial<ClusterInfo>;
}

/** Clusters that tests change by hand, and that are always synced. */
export class MemoryRegistry implements ClusterRegistry {
  readonly ready = true;
  readonly #clusters: ReadonlyMap<string, MemoryCluster>;
  readonly #infos: readonly ClusterInfo[];

  constructor(clusters: readonly ClusterOfTest[], kinds: readonly Kind[]) {
    this.#clusters = new Map(clusters.map(({ name }) => [name, new MemoryCluster(name, kinds)]));
    this.#infos = clusters.map(({ name, projects, info }) => ({
      name,
      displayName: name,
      version: 'v1.36.0',
      status: 'HEALTHY',
      statusMessage: undefined,
      reached: true,
      projects,
      ...info,
    }));
  }

  /** @throws Error for one that there is not. */
  cluster(name: string): MemoryCluster {
    const cluster = this.#clusters.get(name);
    if (cluster === undefined) throw new Error(`There is no cluster ${name}.`);
    return cluster;
  }

  get sources(): readonly MemoryCluster[] {
    return [...this.#clusters.values()];
  }

  all(): readonly ClusterInfo[] {
    return this.#infos;
  }

  get(name: string): ClusterInfo | undefined {
    return this.#infos.find((info) => info.name === name);
  }

  start(): void {
    // There is nothing to follow: tests write into the stores.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  progress(): readonly ClusterProgress[] {
    return this.#infos.map(({ name, status }) => ({ cluster: name, status, kinds: {} }));
  }

  isSettled(): boolean {
    return true;
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }
}
