import { createHash } from 'node:crypto';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { watchedKinds } from '../../../src/domain/kinds/index.js';
import type { KubernetesObject } from '../../../src/k8s/objects.js';
import { TestGateway, tokenOf } from '../../support/gateway.js';
import { kindNamed } from '../../support/in-process.js';
import { MemoryRegistry } from '../../support/memory-registry.js';
import { worldClusters, worldObjects, worldProjects, worldUsers, type Answer, type Ask, type User } from './world.js';

export type Transport = 'POST' | 'GET' | 'WebSocket';

/** The whole gateway on a port of its own, over stores that the test writes. Subscriptions go by WebSocket whatever the transport of queries. */
export async function openServed(transport: Transport): Promise<Ask> {
  const clusters = new MemoryRegistry(worldClusters, watchedKinds);
  for (const [cluster, objects] of Object.entries(worldObjects())) {
    for (const object of objects) clusters.cluster(cluster).put(kindNamed(object.kind), object);
  }
  const gateway = await TestGateway.start({
    clusters,
    users: worldUsers,
    projects: worldProjects,
    // The documents of these tests are larger than people's.
    config: { maxTokens: 100_000, maxFields: 10_000, maxAliases: 1_000, maxCost: 10_000_000 },
  });
  return new ServedAsk(transport, gateway, clusters);
}

class ServedAsk implements Ask {
  readonly #transport: Transport;
  readonly #gateway: TestGateway;
  readonly #clusters: MemoryRegistry;
  readonly #sockets = new Map<string, Client>();
  readonly #persisted = new Set<string>();

  constructor(transport: Transport, gateway: TestGateway, clusters: MemoryRegistry) {
    this.#transport = transport;
    this.#gateway = gateway;
    this.#clusters = clusters;
  }

  async query(viewer: string, query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    switch (this.#transport) {
      case 'POST':
        return answerOf(await this.#gateway.as(viewer).query(query, { variables }));
      case 'GET':
        return this.#get(viewer, query, variables);
      case 'WebSocket': {
        for await (const answer of this.#bySocket(viewer, query, variables)) return answer;
        throw new Error('The socket gave no answer.');
      }
    }
  }

  subscribe(viewer: string, query: string, variables: Readonly<Record<string, unknown>> = {}): AsyncGenerator<Answer, void, undefined> {
    return this.#bySocket(viewer, query, variables);
  }

  put(cluster: string, object: KubernetesObject): Promise<void> {
    this.#clusters.cluster(cluster).put(kindNamed(object.kind), object);
    return Promise.resolve();
  }

  remove(cluster: string, kind: string, namespace: string | undefined, name: string): Promise<void> {
    this.#clusters.cluster(cluster).remove(kindNamed(kind), namespace, name);
    return Promise.resolve();
  }

  setUsers(users: readonly User[]): Promise<void> {
    this.#gateway.setUsers(users);
    return Promise.resolve();
  }

  setUnavailable(cluster: string, staleSince: string | undefined): Promise<void> {
    this.#clusters.cluster(cluster).failure =
      staleSince === undefined ? undefined : { clusterName: cluster, message: 'The cluster cannot be reached.', staleSince };
    return Promise.resolve();
  }

  async close(): Promise<void> {
    for (const client of this.#sockets.values()) await client.dispose();
    await this.#gateway.stop();
  }

  /** By its hash: the documents here are longer than an address may be. */
  async #get(viewer: string, query: string, variables: Readonly<Record<string, unknown>>): Promise<Answer> {
    const extensions = { persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') } };
    if (!this.#persisted.has(query)) {
      this.#persisted.add(query);
      // One viewer's asking keeps it for all.
      await this.#gateway.as('cloud-admin').query(query, { variables, extensions });
    }
    const search = new URLSearchParams({ variables: JSON.stringify(variables), extensions: JSON.stringify(extensions) });
    return answerOf(await this.#gateway.as(viewer).request(`/graphql?${search.toString()}`));
  }

  async *#bySocket(viewer: string, query: string, variables: Readonly<Record<string, unknown>>): AsyncGenerator<Answer, void, undefined> {
    let client = this.#sockets.get(viewer);
    if (client === undefined) {
      client = createClient({
        url: `${this.#gateway.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${tokenOf(viewer)}` },
        retryAttempts: 0,
      });
      this.#sockets.set(viewer, client);
    }
    try {
      for await (const answer of client.iterate({ query, variables })) yield answerOf(answer);
    } catch (error) {
      // What is refused before it runs comes as a list of errors.
      if (!Array.isArray(error)) throw error;
      yield { errors: error as NonNullable<Answer['errors']> };
    }
  }
}

/** Data and errors alone: each answer has a request id of its own. */
function answerOf(value: unknown): Answer {
  const { data, errors } = value as Answer;
  return { ...(data === undefined ? {} : { data }), ...(errors === undefined ? {} : { errors }) };
}
