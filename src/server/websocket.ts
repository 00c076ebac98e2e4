import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  createSourceEventStream,
  GraphQLError,
  OperationTypeNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import { CloseCode, handleProtocols, makeServer, type ServerOptions } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Authenticator, Session } from '../auth/access.js';
import { GatewayError } from '../errors.js';
import type { ContextFactory, RequestContext } from './context.js';
import { checkCost, operationOf, type Documents } from './documents.js';
import type { Operations } from './operations.js';
import { requestIdOf } from './front.js';
import { tokenOfPayload, type Origins } from './sign-in.js';

export interface SocketsOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly operations: Operations;
  readonly authenticator: Authenticator;
  readonly contexts: ContextFactory;
  readonly origins: Origins;
  readonly maxBodyBytes: number;
  readonly maxCost: number;
  readonly maxStreamsPerUser: number;
  readonly requestTimeoutMs: number;
  /** A socket that does not answer a ping within this time is ended. Default 12,000. */
  readonly heartbeatMs?: number;
  /** How long a client may take to send `connection_init`. Default 3,000. */
  readonly initTimeoutMs?: number;
  formatError(error: unknown, requestId: string): GraphQLFormattedError;
  /** What a socket's own failure was, for the log. */
  onFailure(error: unknown): void;
}

interface Extra extends Record<PropertyKey, unknown> {
  readonly socket: WebSocket;
  readonly requestId: string;
  /** Aborts when the socket closes. */
  readonly closed: AbortSignal;
  session?: Session;
}

type Params = Record<string, unknown>;

/**
 * The WebSocket side of the API, by the `graphql-transport-ws` protocol, on the same port and path as HTTP. A sign-in that ends closes the socket with
 * 4403 and the reason; whatever else goes wrong ends one operation.
 */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #server: WebSocketServer;
  readonly #streams = new Map<string, number>();
  readonly #signInFailures = new WeakSet<WebSocket>();

  constructor(options: SocketsOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({ noServer: true, maxPayload: options.maxBodyBytes, perMessageDeflate: false, handleProtocols });
    const protocol = makeServer<Params, Extra>(this.#protocolOptions());
    this.#server.on('connection', (socket, request) => this.#serve(protocol, socket, request));
  }

  /** Open sockets. */
  get socketCount(): number {
    return this.#server.clients.size;
  }

  /** Open subscriptions. */
  get streamCount(): number {
    let sum = 0;
    for (const count of this.#streams.values()) sum += count;
    return sum;
  }

  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const refusal =
        request.url?.split('?', 1)[0] !== '/graphql'
          ? '404 Not Found'
          : this.#options.origins.allows(request)
            ? undefined
            : '403 Forbidden';
      if (refusal !== undefined) {
        socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#server.emit('connection', webSocket, request));
    });
  }

  /** Asks every client to come back elsewhere. */
  close(): void {
    for (const socket of this.#server.clients) socket.close(1001, 'Going away');
    // Who does not answer the close within a moment is not waited for.
    setTimeout(() => {
      for (const socket of this.#server.clients) socket.terminate();
    }, 1_000).unref();
    this.#server.close();
  }

  #serve(protocol: ReturnType<typeof makeServer<Params, Extra>>, socket: WebSocket, request: IncomingMessage): void {
    const { heartbeatMs = 12_000, onFailure } = this.#options;
    const closed = new AbortController();
    let isAlive = true;
    const heartbeat = setInterval(() => {
      if (!isAlive) socket.terminate();
      isAlive = false;
      if (socket.readyState === socket.OPEN) socket.ping();
    }, heartbeatMs);
    socket.on('pong', () => {
      isAlive = true;
    });
    socket.on('error', () => {
      // ws closes the socket with the right code itself; a client's bad frame is none of our failures.
    });
    const onClosed = protocol.opened(
      {
        protocol: socket.protocol,
        // Resolves once the bytes are out: a client that reads slowly holds up its own stream, which then gets the latest states only.
        send: (data) =>
          new Promise<void>((resolve) => {
            if (socket.readyState !== socket.OPEN) resolve();
            else socket.send(data, () => resolve());
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (listener) => {
          socket.on('message', (data) => {
            listener((data as Buffer).toString('utf8')).catch((error: unknown) => {
              if (!this.#signInFailures.has(socket)) onFailure(error);
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          });
        },
      },
      { socket, requestId: requestIdOf(request), closed: closed.signal },
    );
    socket.once('close', (code, reason) => {
      clearInterval(heartbeat);
      closed.abort(new GatewayError('TIMEOUT', 'The client left.'));
      onClosed(code, reason.toString('utf8')).catch(onFailure);
    });
  }

  #protocolOptions(): ServerOptions<Params, Extra> {
    const { authenticator, formatError, initTimeoutMs = 3_000 } = this.#options;
    return {
      connectionInitWaitTimeout: initTimeoutMs,
      onConnect: async ({ connectionParams, extra }) => {
        try {
          extra.session = await authenticator.authenticate(tokenOfPayload(connectionParams), extra.closed);
        } catch (error) {
          this.#signInFailures.add(extra.socket);
          const isUnavailable = error instanceof GatewayError && error.code === 'UNAVAILABLE';
          extra.socket.close(isUnavailable ? 1013 : CloseCode.Forbidden, isUnavailable ? 'Try again later' : 'Unauthenticated');
          return false;
        }
        const { ended } = extra.session;
        const end = () => extra.socket.close(CloseCode.Forbidden, reasonOf(ended));
        if (ended.aborted) end();
        else ended.addEventListener('abort', end, { once: true, signal: extra.closed });
        return true;
      },
      onSubscribe: ({ extra }, id, { query, operationName, variables }) => {
        const name = operationName ?? undefined;
        const inspection = this.#options.documents.inspect(query);
        if ('invalid' in inspection) return inspection.invalid;
        if ('refused' in inspection) return [asGraphQLError(inspection.refused)];
        try {
          checkCost(inspection.good, name, variables ?? undefined, this.#options.maxCost);
        } catch (error) {
          return [asGraphQLError(error)];
        }
        if (extra.session === undefined) return [asGraphQLError(new GatewayError('UNAUTHENTICATED', 'A valid token is needed.'))];
        const operation = operationOf(inspection.good.document, name);
        const requestId = `${extra.requestId}.${id.slice(0, 64)}`;
        const leaving = new AbortController();
        const isStream = operation?.operation === OperationTypeNode.SUBSCRIPTION;
        const signal = isStream
          ? AbortSignal.any([extra.closed, leaving.signal])
          : AbortSignal.any([extra.closed, AbortSignal.timeout(this.#options.requestTimeoutMs)]);
        const contextValue = this.#options.contexts.create(extra.session, requestId, signal);
        const args: StreamArgs = {
          schema: this.#options.schema,
          document: inspection.good.document,
          operationName: name ?? null,
          variableValues: variables ?? null,
          contextValue,
          leaving,
        };
        return args;
      },
      execute: (args) => this.#options.operations.run(executionOf(args as StreamArgs)),
      subscribe: (args) => this.#subscribe(args as StreamArgs),
      onNext: (_context, _id, _payload, args, result) => {
        const { requestId } = (args as StreamArgs).contextValue;
        const errors = result.errors?.map((error) => formatError(error, requestId));
        // graphql-ws sends what it is given; its type wants errors that could still be formatted.
        return {
          ...result,
          ...(errors === undefined ? {} : { errors }),
          extensions: { ...result.extensions, requestId },
        } as FormattedExecutionResult as never;
      },
      onError: ({ extra }, _id, _payload, errors) => errors.map((error) => formatError(error, extra.requestId)),
    };
  }

  async #subscribe(args: StreamArgs): Promise<AsyncGenerator<ExecutionResult, void, void> | ExecutionResult> {
    const { contextValue, leaving, schema, document, operationName, variableValues } = args;
    const { userId } = contextValue.access.identity;
    const open = this.#streams.get(userId) ?? 0;
    if (open >= this.#options.maxStreamsPerUser) {
      return {
        errors: [
          asGraphQLError(new GatewayError('RATE_LIMITED', `A user may hold ${this.#options.maxStreamsPerUser} subscriptions open.`)),
        ],
      };
    }
    this.#streams.set(userId, open + 1);
    const release = () => {
      const left = (this.#streams.get(userId) ?? 1) - 1;
      if (left > 0) this.#streams.set(userId, left);
      else this.#streams.delete(userId);
    };
    try {
      await this.#options.operations.ready(document, operationName ?? undefined, contextValue.signal);
      const source = await createSourceEventStream({
        schema,
        document,
        contextValue,
        operationName: operationName ?? null,
        variableValues: variableValues ?? null,
      });
      if (!(Symbol.asyncIterator in source)) {
        release();
        return source;
      }
      return new AnswerStream(source as AsyncIterable<unknown>, leaving, release, (event) => {
        // A fresh context for each event: what the viewer may see, and how much one answer may cost, is as of now.
        const context = this.#options.contexts.create(contextValue.session, contextValue.requestId, contextValue.signal);
        return this.#options.operations.run({ ...executionOf(args), context, rootValue: event });
      });
    } catch (error) {
      release();
      return { errors: [error instanceof GraphQLError ? error : asGraphQLError(error)] };
    }
  }
}

type StreamArgs = ExecutionArgs & { readonly contextValue: RequestContext; readonly leaving: AbortController };

function executionOf({ document, operationName, variableValues, contextValue }: StreamArgs) {
  return {
    document,
    operationName: operationName ?? undefined,
    variables: (variableValues as Readonly<Record<string, unknown>> | null | undefined) ?? undefined,
    context: contextValue,
  };
}

const asGraphQLError = (error: unknown): GraphQLError =>
  error instanceof Error ? new GraphQLError(error.message, { originalError: error }) : new GraphQLError(String(error));

function reasonOf(ended: AbortSignal): string {
  return ended.reason instanceof GatewayError ? ended.reason.message.slice(0, 120) : 'The sign-in has ended.';
}

/** Answers to the events of a stream. `return` ends the stream at once, also while it waits for an event, which a generator function could not. */
class AnswerStream implements AsyncGenerator<ExecutionResult, void, void> {
  readonly #events: AsyncIterator<unknown>;
  readonly #leaving: AbortController;
  readonly #answer: (event: unknown) => ExecutionResult | Promise<ExecutionResult>;
  #release: (() => void) | undefined;

  constructor(
    events: AsyncIterable<unknown>,
    leaving: AbortController,
    release: () => void,
    answer: (event: unknown) => ExecutionResult | Promise<ExecutionResult>,
  ) {
    this.#events = events[Symbol.asyncIterator]();
    this.#leaving = leaving;
    this.#release = release;
    this.#answer = answer;
  }

  async next(): Promise<IteratorResult<ExecutionResult, void>> {
    try {
      const event = await this.#events.next();
      if (event.done !== true && !this.#leaving.signal.aborted) return { done: false, value: await this.#answer(event.value) };
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#end();
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<ExecutionResult, void>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<IteratorResult<ExecutionResult, void>> {
    this.#end();
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #end(): void {
    this.#leaving.abort(new GatewayError('TIMEOUT', 'The client left.'));
    this.#release?.();
    this.#release = undefined;
  }
}
