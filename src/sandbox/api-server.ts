import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { aggregatedDiscovery, apiGroup, apiGroupList, coreVersions, resourceList, standardVersion, versionInfo } from './discovery.js';
import { Exchange } from './exchange.js';
import type { PodLogs } from './logs.js';
import type { MemoryStorage } from './memory-storage.js';
import { openApiIndex, openApiV2, openApiV3 } from './openapi.js';
import { PodActions } from './pod-actions.js';
import { Reads } from './reads.js';
import { noSuchPath, parsePath, type Target } from './routes.js';
import { StatusError } from './status.js';
import { WatchHub } from './watch-hub.js';
import { Writes } from './writes.js';

export interface ApiServerOptions {
  readonly storage: MemoryStorage;
  /** What containers wrote. Without it, logs are not served. */
  readonly logs?: PodLogs | undefined;
  /** Milliseconds since the epoch; ages in tables and `sinceSeconds` count from it. */
  readonly now: () => number;
  /** Default 0: a free one. The server listens on the loopback address only. */
  readonly port?: number | undefined;
  /** What `/version` tells. Default: the version whose API is followed. */
  readonly version?: string | undefined;
  /** Bearer tokens, one of which every request must carry. Default none: whoever reaches the port may do everything. */
  readonly tokens?: readonly string[] | undefined;
  /** Milliseconds between the bookmarks of a watch. Default 60,000. */
  readonly bookmarkIntervalMs?: number | undefined;
  /** A failure that is a bug; the client gets a 500 that says nothing of it. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface ApiServer {
  /** Such as `http://127.0.0.1:34567`. */
  readonly url: string;
  /** How many watches are open. */
  readonly watches: number;
  /** Ends every watch and connection. */
  close(): Promise<void>;
}

/** Serves a storage as the Kubernetes API, over HTTP. @throws Error where the port is taken. */
export async function startApiServer({
  storage,
  logs,
  now,
  port = 0,
  version = standardVersion,
  tokens = [],
  bookmarkIntervalMs = 60_000,
  onError,
}: ApiServerOptions): Promise<ApiServer> {
  const watches = new WatchHub(storage, bookmarkIntervalMs);
  const api = new Api(storage, watches, new Set(tokens), now, logs, version);
  const server = createServer((request, response) => {
    response.on('error', () => response.destroy());
    const exchange = new Exchange(request, response);
    api.answer(exchange).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return void response.destroy();
      if (!(error instanceof StatusError)) onError?.(error);
      exchange.fail(error instanceof StatusError ? error : new StatusError(500, 'InternalError', 'Internal error occurred'));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get watches() {
      return watches.size;
    },
    close: async () => {
      watches.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Sends each request to what answers it. */
class Api {
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #pods: PodActions;
  readonly #tokens: ReadonlySet<string>;
  readonly #version: string;

  constructor(
    storage: MemoryStorage,
    watches: WatchHub,
    tokens: ReadonlySet<string>,
    now: () => number,
    logs: PodLogs | undefined,
    version: string,
  ) {
    this.#version = version;
    this.#reads = new Reads(storage, watches, now);
    this.#writes = new Writes(storage, this.#reads);
    this.#pods = new PodActions(storage, logs, now);
    this.#tokens = tokens;
  }

  async answer(exchange: Exchange): Promise<void> {
    this.#checkHost(exchange);
    const target = parsePath(exchange.path);
    if (target.to === 'health') {
      exchange.plain(200, 'ok');
      return;
    }
    this.#checkToken(exchange);
    switch (target.to) {
      case 'resource':
        return this.#resource(exchange, target);
      case 'collection':
        return this.#collection(exchange, target);
      case 'bindings':
        if (exchange.method !== 'POST') throw notAllowed();
        return this.#pods.bind(exchange, target.namespace, '');
      default:
        if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw notAllowed();
        this.#describe(exchange, target);
    }
  }

  async #collection(exchange: Exchange, { type, namespace }: Extract<Target, { to: 'collection' }>): Promise<void> {
    const isWhole = type.namespaced && namespace === undefined;
    if (exchange.method === 'GET') return this.#reads.list(exchange, type, namespace);
    if (exchange.method === 'POST' && !isWhole) return this.#writes.create(exchange, type, namespace);
    if (exchange.method === 'DELETE' && !isWhole && type.resource !== 'namespaces')
      return this.#writes.deleteCollection(exchange, type, namespace);
    throw notAllowed();
  }

  async #resource(exchange: Exchange, { type, namespace, name, subresource }: Extract<Target, { to: 'resource' }>): Promise<void> {
    const part = subresource;
    if (part === undefined || part === 'status' || part === 'scale') {
      if (exchange.method === 'GET') {
        if (part === 'scale') this.#reads.scale(exchange, type, namespace, name);
        else this.#reads.get(exchange, type, namespace, name);
        return;
      }
      if (exchange.method === 'PUT') return this.#writes.update(exchange, type, namespace, name, part);
      if (exchange.method === 'PATCH') return this.#writes.patch(exchange, type, namespace, name, part);
      if (exchange.method === 'DELETE' && part === undefined) return this.#writes.delete(exchange, type, namespace, name);
    }
    if (part === 'log' && exchange.method === 'GET') return this.#pods.log(exchange, namespace, name);
    if (part === 'eviction' && exchange.method === 'POST') return this.#pods.evict(exchange, namespace, name);
    if (part === 'binding' && exchange.method === 'POST') return this.#pods.bind(exchange, namespace, name);
    if (part === 'exec' || part === 'attach' || part === 'portforward')
      throw new StatusError(501, 'NotImplemented', `the embedded cluster does not serve ${part} yet`, {});
    throw notAllowed();
  }

  #describe(exchange: Exchange, target: Exclude<Target, { type: unknown }>): void {
    if (target.to === 'version') exchange.json(200, versionInfo(this.#version));
    else if (target.to === 'root')
      exchange.json(200, {
        paths: ['/api', '/api/v1', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'],
      });
    else if (target.to === 'openapi') this.#documents(exchange, target.document);
    else if (target.to === 'discovery') this.#discover(exchange, target);
  }

  #documents(exchange: Exchange, document: string): void {
    if (document === 'v2') exchange.json(200, openApiV2());
    else if (document === 'v3') exchange.json(200, openApiIndex());
    else {
      const found = document.startsWith('v3/') ? openApiV3(document.slice(3)) : undefined;
      if (found === undefined) throw noSuchPath();
      exchange.json(200, found);
    }
  }

  #discover(exchange: Exchange, { level, name }: Extract<Target, { to: 'discovery' }>): void {
    const accept = exchange.request.headers.accept ?? '';
    if ((level === 'api' || level === 'apis') && /g=apidiscovery\.k8s\.io;v=v2;as=APIGroupDiscoveryList/.test(accept)) {
      exchange.json(200, aggregatedDiscovery(level), 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
      return;
    }
    const document = { api: () => coreVersions, apis: apiGroupList, group: () => apiGroup(name), version: () => resourceList(name) }[
      level
    ]();
    if (document === undefined) throw noSuchPath();
    exchange.json(200, document);
  }

  /** A page in a browser could reach the port, also under a name of its own choice: only loopback names are taken, and nothing that a page sends. */
  #checkHost({ request }: Exchange): void {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    if (!['127.0.0.1', 'localhost', '[::1]', ''].includes(host))
      throw new StatusError(403, 'Forbidden', 'the embedded cluster answers on the loopback address only');
    if (request.headers.origin !== undefined) throw new StatusError(403, 'Forbidden', 'the embedded cluster answers no page of a browser');
  }

  #checkToken({ request }: Exchange): void {
    if (this.#tokens.size === 0) return;
    const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !this.#tokens.has(token)) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  }
}

function notAllowed(): StatusError {
  return new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}
