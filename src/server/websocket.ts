import { setMaxListeners } from 'node:events';
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
import { CloseCode, handleProtocols, makeServer, type ServerOptions, type SubscribePayload } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { unauthenticated, type Authenticator, type Session } from '../auth/access.js';
import { GatewayError } from '../errors.js';
import type { ContextFactory, RequestContext } from './context.js';
import { checkCost, resolveOperation, type Documents, type GoodDocument } from './documents.js';
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
  /** Between two pings. A socket that answers none, and to which nothing is being sent, is ended at the next. Default 12,000. */
  readonly heartbeatMs?: number;
  /** How long a client may take to send `connection_init`. Default 3,000. */
  readonly initTimeoutMs?: number;
  /** Least time between two reports of what a stream was refused; the first comes at once, and one more at its end. Default 60,000. */
  readonly reportMs?: number;
  formatError(error: unknown, requestId: string): GraphQLFormattedError;
  /** Told when an operation is over, and of a stream from time to time; what it was refused is forgotten afterwards. */
  onOver(context: RequestContext): void;
  /** What a socket's own failure was, for the log. */
  onFailure(error: unknown): void;
}

/** Queries and mutations that one socket may have under way; answers that were not taken yet count, what was given up does not. */
const maxQueriesPerSocket = 100;

/** Bytes that wait for a client, past which nothing more is read from it: who only asks and never listens is held up, and takes no memory. */
const maxUnreadBytes = 1_048_576;

/** Pings that may go unanswered while something is being sent: what is large takes its time on a slow line, and the pong comes after it. */
const maxMissedWhileSending = 5;

interface Extra extends Record<PropertyKey, unknown> {
  readonly socket: WebSocket;
  readonly requestId: string;
  /** Aborts when the socket closes. */
  readonly closed: AbortSignal;
  /** The queries and mutations that are under way; one id may have had several. */
  readonly queries: Set<End>;
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
  readonly #extras = new Map<WebSocket, Extra>();
  #isClosing = false;

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
        // Nobody else listens any more: a client that resets the connection now must not end the process.
        socket.on('error', () => socket.destroy());
        socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#server.emit('connection', webSocket, request));
    });
  }

  /**
   * Asks every client to come back elsewhere, streams and all. Queries and mutations that are under way may be answered first, within `timeoutMs`; no new
   * operations are begun.
   */
  close(timeoutMs: number): void {
    this.#isClosing = true;
    for (const [socket, { queries }] of this.#extras) if (queries.size === 0) sendAway(socket);
    setTimeout(() => {
      for (const socket of this.#server.clients) sendAway(socket);
    }, timeoutMs).unref();
    this.#server.close();
  }

  #serve(protocol: ReturnType<typeof makeServer<Params, Extra>>, socket: WebSocket, request: IncomingMessage): void {
    const { heartbeatMs = 12_000, onFailure } = this.#options;
    const closed = new AbortController();
    setMaxListeners(0, closed.signal);
    let missed = 0;
    const heartbeat = setInterval(() => {
      if (missed > (socket.bufferedAmount > 0 ? maxMissedWhileSending : 0)) socket.terminate();
      missed += 1;
      if (socket.readyState === socket.OPEN) socket.ping();
    }, heartbeatMs);
    const holdUp = (): void => {
      if (socket.bufferedAmount > maxUnreadBytes) socket.pause();
    };
    socket.on('pong', () => {
      missed = 0;
    });
    socket.on('ping', holdUp);
    socket.on('error', () => {
      // ws closes the socket with the right code itself; a client's bad frame is none of our failures.
    });
    const extra: Extra = { socket, requestId: requestIdOf(request), closed: closed.signal, queries: new Set() };
    this.#extras.set(socket, extra);
    const onClosed = protocol.opened(
      {
        protocol: socket.protocol,
        // Resolves once the bytes are out: a client that reads slowly holds up its own stream, which then gets the latest states only.
        send: (data) =>
          new Promise<void>((resolve) => {
            if (socket.readyState !== socket.OPEN) {
              resolve();
              return;
            }
            socket.send(data, () => {
              if (socket.isPaused && socket.bufferedAmount <= maxUnreadBytes) socket.resume();
              resolve();
            });
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (listener) => {
          socket.on('message', (data) => {
            holdUp();
            listener((data as Buffer).toString('utf8')).catch((error: unknown) => {
              // A message that only servers send is well-formed, so graphql-ws throws, and has no code for it.
              if (error instanceof Error && error.message.startsWith('Unexpected message of type')) {
                socket.close(CloseCode.BadRequest, 'Invalid message received');
                return;
              }
              onFailure(error);
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          });
        },
      },
      extra,
    );
    socket.once('close', (code, reason) => {
      clearInterval(heartbeat);
      this.#extras.delete(socket);
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
          const isUnavailable = error instanceof GatewayError && error.code === 'UNAVAILABLE';
          extra.socket.close(isUnavailable ? 1013 : CloseCode.Forbidden, isUnavailable ? 'Try again later' : 'Unauthenticated');
          return false;
        }
        const { ended } = extra.session;
        const end = () => extra.socket.close(CloseCode.Forbidden, closingReasonOf(ended));
        if (ended.aborted) end();
        else ended.addEventListener('abort', end, { once: true, signal: extra.closed });
        return true;
      },
      onSubscribe: ({ extra }, id, payload) => {
        const inspection = this.#options.documents.inspect(payload.query);
        if ('invalid' in inspection) return inspection.invalid;
        try {
          if ('refused' in inspection) throw inspection.refused;
          return this.#begin(extra, id, inspection.good, payload);
        } catch (error) {
          return [asGraphQLError(error)];
        }
      },
      execute: (args) => this.#execute(args as OperationArgs),
      subscribe: (args) => this.#subscribe(args as OperationArgs),
      onNext: (_context, _id, _payload, args, result) => {
        const { contextValue, cost } = args as OperationArgs;
        const { requestId } = contextValue;
        const errors = result.errors?.map((error) => formatError(error, requestId));
        // graphql-ws sends what it is given; its type wants errors that could still be formatted.
        return {
          ...result,
          ...(errors === undefined ? {} : { errors }),
          extensions: { ...result.extensions, requestId, ...(cost === undefined ? {} : { cost }) },
        } as FormattedExecutionResult;
      },
      onError: ({ extra }, id, _payload, errors) => errors.map((error) => formatError(error, operationIdOf(extra, id))),
      onComplete: ({ extra }) => {
        // Once it is told that the operation is complete.
        if (this.#isClosing && extra.queries.size === 0) setImmediate(sendAway, extra.socket);
      },
    };
  }

  /** @throws what the operation is refused for. */
  #begin(extra: Extra, id: string, good: GoodDocument, { operationName, variables, extensions }: SubscribePayload): OperationArgs {
    const { maxCost, requestTimeoutMs, contexts, schema } = this.#options;
    // A client may go on sending after it was told that its sign-in has ended.
    if (extra.session === undefined || extra.session.ended.aborted) throw unauthenticated();
    if (this.#isClosing) throw new GatewayError('UNAVAILABLE', 'The gateway is going away; come back in a moment.');
    const name = operationName ?? undefined;
    const isStream = resolveOperation(good, name).operation === OperationTypeNode.SUBSCRIPTION;
    const cost = checkCost(good, name, variables ?? undefined, maxCost);
    if (!isStream) {
      if (extra.queries.size >= maxQueriesPerSocket) {
        throw new GatewayError('RATE_LIMITED', `A socket may have ${maxQueriesPerSocket} queries under way.`);
      }
    }
    const end = new End(extra.closed, isStream ? undefined : requestTimeoutMs);
    if (!isStream) extra.queries.add(end);
    return {
      queries: extra.queries,
      schema,
      document: good.document,
      operationName: name ?? null,
      variableValues: variables ?? null,
      contextValue: contexts.create(extra.session, operationIdOf(extra, id), end.signal),
      cost: extensions?.['cost'] === true ? cost : undefined,
      end,
    };
  }

  /** The answer as a stream of one: graphql-ws ends a stream at once when its client has enough, and an answer never. */
  #execute(args: OperationArgs): AsyncGenerator<ExecutionResult, void, void> {
    const { contextValue, end, queries } = args;
    const release = (): void => {
      end.release();
      queries.delete(end);
    };
    return new AnswerStream(once(), end, release, async () => {
      try {
        return await this.#options.operations.run(executionOf(args));
      } finally {
        this.#options.onOver(contextValue);
      }
    });
  }

  async #subscribe(args: OperationArgs): Promise<AsyncGenerator<ExecutionResult, void, void> | ExecutionResult> {
    const { contextValue, end, schema, document, operationName, variableValues } = args;
    const { onOver, contexts, operations, maxStreamsPerUser, reportMs = 60_000 } = this.#options;
    const { userId } = contextValue.access.identity;
    const open = this.#streams.get(userId) ?? 0;
    const over = (): void => {
      end.release();
      onOver(contextValue);
      contextValue.refusals.clear();
    };
    if (open >= maxStreamsPerUser) {
      over();
      return { errors: [asGraphQLError(new GatewayError('RATE_LIMITED', `A user may hold ${maxStreamsPerUser} subscriptions open.`))] };
    }
    this.#streams.set(userId, open + 1);
    const release = (): void => {
      const left = (this.#streams.get(userId) ?? 1) - 1;
      if (left > 0) this.#streams.set(userId, left);
      else this.#streams.delete(userId);
      over();
    };
    try {
      await operations.ready(document, operationName ?? undefined, contextValue.signal);
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
      let reportedMs = -Infinity;
      return new AnswerStream(source, end, release, async (event) => {
        // A fresh context for each event: what the viewer may see, and how much one answer may cost, is as of now.
        const { session, requestId, signal, refusals } = contextValue;
        const result = await operations.run({
          ...executionOf(args),
          context: contexts.create(session, requestId, signal, refusals),
          rootValue: event,
        });
        if (!refusals.isEmpty && performance.now() - reportedMs >= reportMs) {
          reportedMs = performance.now();
          onOver(contextValue);
          refusals.clear();
        }
        return result;
      });
    } catch (error) {
      release();
      return { errors: [error instanceof GraphQLError ? error : asGraphQLError(error)] };
    }
  }
}

type OperationArgs = ExecutionArgs & {
  readonly contextValue: RequestContext;
  readonly end: End;
  /** Those of its socket. */
  readonly queries: Set<End>;
  /** Set where the client asked to be told. */
  readonly cost: number | undefined;
};

/** Ends one operation: when its socket closes, when its time is over, or when its client has enough. */
class End {
  readonly #controller = new AbortController();
  readonly #closed: AbortSignal;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onClosed = (): void => this.now();

  constructor(closed: AbortSignal, timeoutMs: number | undefined) {
    this.#closed = closed;
    if (closed.aborted) this.now();
    else closed.addEventListener('abort', this.#onClosed, { once: true });
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#controller.abort(new GatewayError('TIMEOUT', 'The request took too long.')), timeoutMs);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  now(): void {
    this.#controller.abort(new GatewayError('TIMEOUT', 'The client left.'));
  }

  /** The operation has ended by itself. */
  release(): void {
    clearTimeout(this.#timer);
    this.#closed.removeEventListener('abort', this.#onClosed);
  }
}

/** Who does not answer the close within a moment is not waited for. */
function sendAway(socket: WebSocket): void {
  if (socket.readyState === socket.OPEN) socket.close(1001, 'Going away');
  setTimeout(() => socket.terminate(), 1_000).unref();
}

/** Such that it may stand in a log, whatever the client calls its operations. */
function operationIdOf(extra: Extra, id: string): string {
  return /^[\w.-]{1,64}$/.test(id) ? `${extra.requestId}.${id}` : extra.requestId;
}

function executionOf({ document, operationName, variableValues, contextValue }: OperationArgs) {
  return {
    document,
    operationName: operationName ?? undefined,
    variables: (variableValues as Readonly<Record<string, unknown>> | null | undefined) ?? undefined,
    context: contextValue,
  };
}

const asGraphQLError = (error: unknown): GraphQLError =>
  error instanceof GraphQLError
    ? error
    : error instanceof Error
      ? new GraphQLError(error.message, { originalError: error })
      : new GraphQLError(String(error));

function closingReasonOf(ended: AbortSignal): string {
  return ended.reason instanceof GatewayError ? ended.reason.message.slice(0, 120) : 'The sign-in has ended.';
}

/** One event, which says nothing. */
async function* once(): AsyncGenerator<undefined, void, void> {
  yield await Promise.resolve(undefined);
}

/** Answers to the events of a stream. `return` ends the stream at once, also while it waits for an event, which a generator function could not. */
class AnswerStream implements AsyncGenerator<ExecutionResult, void, void> {
  readonly #events: AsyncIterator<unknown>;
  readonly #leaving: End;
  readonly #answer: (event: unknown) => Promise<ExecutionResult>;
  #release: (() => void) | undefined;

  constructor(events: AsyncIterable<unknown>, leaving: End, release: () => void, answer: (event: unknown) => Promise<ExecutionResult>) {
    this.#events = events[Symbol.asyncIterator]();
    this.#leaving = leaving;
    this.#release = release;
    this.#answer = answer;
  }

  async next(): Promise<IteratorResult<ExecutionResult, void>> {
    try {
      const event = await this.#events.next();
      if (event.done !== true && !this.#leaving.signal.aborted) {
        const value = await this.#answer(event.value);
        // Whoever had enough meanwhile is told nothing more.
        return this.#release === undefined ? { done: true, value: undefined } : { done: false, value };
      }
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

  /** The signal ends a source that waits for an event; one that waits to be asked for the next is told by its `return`. */
  #end(): void {
    if (this.#release === undefined) return;
    this.#leaving.now();
    this.#events.return?.().catch(() => undefined);
    this.#release();
    this.#release = undefined;
  }
}
