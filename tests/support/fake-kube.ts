import { createServer as createHttpServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** What was asked for. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Numbers the connections, so that a test can tell which were reused. */
  readonly connection: number;
}

export type Answer = (asked: Asked, response: ServerResponse, request: IncomingMessage) => void;

/** An HTTP server that answers as a test scripts it: for what no well-behaved API server can be brought to do. */
export class FakeKube {
  readonly asked: Asked[] = [];
  readonly url: string;
  readonly #server: ReturnType<typeof createHttpServer>;
  readonly #sockets: Set<Socket>;

  private constructor(server: ReturnType<typeof createHttpServer>, sockets: Set<Socket>, scheme: string) {
    this.#server = server;
    this.#sockets = sockets;
    this.url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** @param port Default: a free one. */
  static async start(answer: Answer, { tls, port = 0 }: { readonly tls?: ServerOptions; readonly port?: number } = {}): Promise<FakeKube> {
    const numbers = new WeakMap<object, number>();
    const sockets = new Set<Socket>();
    let connections = 0;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      const url = new URL(request.url ?? '/', 'http://fake');
      let connection = numbers.get(request.socket);
      if (connection === undefined) numbers.set(request.socket, (connection = ++connections));
      const asked = { method: request.method ?? '', path: url.pathname, query: url.searchParams, headers: request.headers, connection };
      fake.asked.push(asked);
      answer(asked, response, request);
    };
    const server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener);
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const fake = new FakeKube(server, sockets, tls === undefined ? 'http' : 'https');
    return fake;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export interface FakeObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export function pod(name: string, resourceVersion: number | string, fields: Readonly<Record<string, unknown>> = {}): FakeObject {
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      resourceVersion: String(resourceVersion),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: name },
    },
    ...fields,
  };
}

export function listOf(
  items: readonly FakeObject[],
  { version, next, remaining }: { readonly version: number | string; readonly next?: string; readonly remaining?: number },
): string {
  const metadata = { resourceVersion: String(version), continue: next, remainingItemCount: remaining };
  return JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata, items });
}

export const lineOf = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

export const bookmark = (version: number | string): string =>
  lineOf('BOOKMARK', { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: String(version), creationTimestamp: null } });

export const statusOf = (code: number, reason: string, message = 'the words of the server'): Readonly<Record<string, unknown>> => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message,
});

export const json =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_, response) => {
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** Resolves once `condition` holds; fails after 5 s. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} did not come to hold`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
