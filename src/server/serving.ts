import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { Authenticator } from '../auth/access.js';
import { audit } from '../auth/audit.js';
import type { Config } from '../config.js';
import { formatError } from '../schema/format-error.js';
import { createApollo } from './apollo.js';
import type { ContextFactory, RequestContext } from './context.js';
import { Documents } from './documents.js';
import { Executor, type ExecutorOptions } from './executor.js';
import { Front } from './front.js';
import type { Pages } from './graphiql.js';
import type { Logger } from './log.js';
import type { Metrics } from './management.js';
import { Operations, type OperationsOptions } from './operations.js';
import { Origins } from './sign-in.js';
import { Sockets, type SocketsOptions } from './websocket.js';

export type ServingConfig = Pick<
  Config,
  | 'corsOrigins'
  | 'requestTimeoutMs'
  | 'syncTimeoutMs'
  | 'maxBodyBytes'
  | 'maxTokens'
  | 'maxDepth'
  | 'maxAliases'
  | 'maxFields'
  | 'maxCost'
  | 'maxStreamsPerUser'
>;

export interface ServingParts
  extends
    Pick<OperationsOptions, 'kindsOf' | 'isSettled' | 'settle'>,
    Pick<SocketsOptions, 'heartbeatMs' | 'initTimeoutMs' | 'reportMs'>,
    Pick<ExecutorOptions, 'compileAt'> {
  readonly config: ServingConfig;
  readonly schema: GraphQLSchema;
  readonly authenticator: Authenticator;
  readonly contexts: ContextFactory;
  /** What a browser gets on `/`; undefined: nothing. */
  readonly pages: Pages | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Takes the audit log's lines, each whole. */
  writeAudit(line: string): void;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A schema on a port, over HTTP and WebSocket: one set of limits, one context, one function for errors and one audit for both. */
export class Serving {
  readonly #front: Front;
  readonly #sockets: Sockets;
  readonly #executor: Executor;

  private constructor(front: Front, sockets: Sockets, executor: Executor) {
    this.#front = front;
    this.#sockets = sockets;
    this.#executor = executor;
  }

  /** Ready to listen. */
  static async create(parts: ServingParts): Promise<Serving> {
    const { config, schema, authenticator, contexts, pages, log, metrics, now, writeAudit } = parts;
    const { requestTimeoutMs, maxStreamsPerUser, maxBodyBytes, maxCost, syncTimeoutMs } = config;
    const documents = new Documents(schema, config, { introspection: true });
    const { kindsOf, isSettled, settle, compileAt } = parts;
    const executor = new Executor(schema, {
      ...(compileAt === undefined ? {} : { compileAt }),
      onRun: (engine) => metrics.runs.inc({ engine }),
    });
    const operations = new Operations({ executor, kindsOf, isSettled, settle, syncTimeoutMs });
    const shared = {
      documents,
      authenticator,
      contexts,
      origins: new Origins(config.corsOrigins),
      maxBodyBytes,
      maxCost,
      requestTimeoutMs,
      formatError: (error: unknown, requestId: string): GraphQLFormattedError =>
        formatError(error, {
          requestId,
          onFailure: (failure) => {
            metrics.failures.inc();
            log.error({ requestId, err: failure }, 'internal error');
          },
        }),
      onOver: ({ requestId, access, refusals }: RequestContext): void => {
        const refused = refusals.all();
        for (const { function: name } of refused) metrics.refusals.inc({ function: name });
        audit({ atMs: now(), requestId, identity: access.identity, refused }, writeAudit);
      },
    };
    const apollo = await createApollo({
      schema,
      documents,
      operations,
      formatError: shared.formatError,
      onFailure: (error) => log.error({ err: error }, 'apollo failed'),
    });
    const front = new Front({
      ...shared,
      apollo,
      pages,
      onAnswer: ({ requestId, method, status, durationMs, bytes }) => {
        metrics.requestSeconds.observe({ status: String(status) }, durationMs / 1_000);
        log.info({ requestId, method, status, durationMs: Math.round(durationMs * 10) / 10, bytes }, 'answered');
      },
    });
    const { heartbeatMs, initTimeoutMs, reportMs } = parts;
    const sockets = new Sockets({
      ...shared,
      schema,
      operations,
      maxStreamsPerUser,
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      ...(initTimeoutMs === undefined ? {} : { initTimeoutMs }),
      ...(reportMs === undefined ? {} : { reportMs }),
      onFailure: (error) => log.error({ err: error }, 'socket failed'),
    });
    sockets.attach(front.server);
    const serving = new Serving(front, sockets, executor);
    serving.#observe(metrics);
    return serving;
  }

  /** @returns the port. */
  listen(port: number, host: string): Promise<number> {
    return this.#front.listen(port, host);
  }

  /** Takes no more connections, asks sockets to go elsewhere, lets requests that are under way finish for `timeoutMs`, then ends what is left. */
  async drain(timeoutMs: number): Promise<void> {
    this.#sockets.close(timeoutMs);
    await this.#front.drain(timeoutMs);
  }

  #observe(metrics: Metrics): void {
    metrics.observe('gateway_compiled_operations', 'Compiled operations that are kept.', [], (set) =>
      set({}, this.#executor.compiledCount),
    );
    metrics.observe('gateway_sockets', 'Open WebSockets.', [], (set) => set({}, this.#sockets.socketCount));
    metrics.observe('gateway_subscriptions', 'Open subscriptions.', [], (set) => set({}, this.#sockets.streamCount));
  }
}
