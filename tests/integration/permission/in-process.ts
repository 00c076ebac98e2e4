import type { KubernetesObject } from '../../../src/k8s/objects.js';
import { InProcessGateway, kindNamed, type InProcessOptions } from '../../support/in-process.js';
import { worldClusters, worldObjects, worldProjects, worldUsers, type Answer, type Ask, type User } from './world.js';

/** The world without HTTP: from documents to answers, over stores that the test writes. */
export function openInProcess(options: Pick<InProcessOptions, 'compileAt' | 'schema'>): Promise<Ask> {
  return Promise.resolve(new InProcessAsk(options));
}

class InProcessAsk implements Ask {
  readonly #gateway: InProcessGateway;

  constructor(options: Pick<InProcessOptions, 'compileAt' | 'schema'>) {
    this.#gateway = new InProcessGateway({ ...options, clusters: worldClusters, users: worldUsers, projects: worldProjects });
    for (const [cluster, objects] of Object.entries(worldObjects())) {
      for (const object of objects) this.#gateway.cluster(cluster).put(kindNamed(object.kind), object);
    }
  }

  query(viewer: string, text: string, variables?: Readonly<Record<string, unknown>>): Promise<Answer> {
    return this.#gateway.query(viewer, text, variables);
  }

  subscribe(viewer: string, text: string, variables?: Readonly<Record<string, unknown>>): AsyncGenerator<Answer, void, undefined> {
    return this.#gateway.subscribe(viewer, text, variables);
  }

  put(cluster: string, object: KubernetesObject): Promise<void> {
    this.#gateway.cluster(cluster).put(kindNamed(object.kind), object);
    return Promise.resolve();
  }

  remove(cluster: string, kind: string, namespace: string | undefined, name: string): Promise<void> {
    this.#gateway.cluster(cluster).remove(kindNamed(kind), namespace, name);
    return Promise.resolve();
  }

  setUsers(users: readonly User[]): Promise<void> {
    this.#gateway.setUsers(users);
    return Promise.resolve();
  }

  setUnavailable(cluster: string, staleSince: string | undefined): Promise<void> {
    this.#gateway.cluster(cluster).failure =
      staleSince === undefined ? undefined : { clusterName: cluster, message: 'The cluster cannot be reached.', staleSince };
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#gateway.close();
    return Promise.resolve();
  }
}
