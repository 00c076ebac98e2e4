import { ApolloServer, type ApolloServerOptionsWithGateway, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import { GatewayError } from '../errors.js';
import type { RequestContext } from './context.js';
import type { Documents } from './documents.js';
import type { Operations } from './operations.js';
import { credentialHeaders } from './sign-in.js';

/** One HTTP request's operation, and what became of it. */
export interface HttpOperation {
  readonly context: RequestContext;
  /** What it was reckoned to cost, where the client asked to be told. */
  readonly cost: number | undefined;
  /** Whether it got as far as being run. */
  hasRun: boolean;
  /** Why there is no answer but an error. */
  failure: GatewayError | undefined;
  /** Whether its errors are as the client may see them; not where Apollo refused the request before it was an operation. */
  isFormatted: boolean;
}

/** What Apollo hands on; it copies this much, and no more. */
export interface ApolloContext {
  readonly operation: HttpOperation;
}

export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly operations: Operations;
  formatError(error: unknown, requestId: string): GraphQLFormattedError;
  /** Told of what went wrong inside Apollo itself. */
  onFailure(error: unknown): void;
}

/**
 * Apollo Server with three things of our own: documents, persisted ones too, come from {@link Documents}, which has parsed and validated them already;
 * they are run by {@link Operations}; and errors are translated where the request is known, so that each carries its id. It reports to nobody.
 */
export async function createApollo(options: ApolloOptions): Promise<ApolloServer<ApolloContext>> {
  const { schema, documents, operations } = options;
  const kept = (key: string) => documents.byHash(key.slice(key.lastIndexOf(':') + 1));
  const apollo = new ApolloServer<ApolloContext>({
    gateway: gatewayTo(schema, operations),
    documentStore: {
      get: (key) => Promise.resolve(kept(key)?.document),
      set: () => Promise.resolve(),
      delete: () => Promise.resolve(false),
    },
    persistedQueries: {
      cache: {
        get: (key) => Promise.resolve(kept(key)?.text),
        set: () => Promise.resolve(),
        delete: () => Promise.resolve(false),
      },
    },
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      answerPlugin(options),
    ],
    // The plugin formats; here an error keeps what it needs for that.
    formatError: (formatted, error) => Object.defineProperty({ ...formatted }, original, { value: error, enumerable: false }),
    includeStacktraceInErrorResponses: false,
    introspection: true,
    stopOnTerminationSignals: false,
    allowBatchedHttpRequests: false,
    // A page of another origin can send none of these without asking first, and no request is signed in without one of the latter two.
    csrfPrevention: { requestHeaders: ['apollo-require-preflight', 'x-apollo-operation-name', ...credentialHeaders] },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await apollo.start();
  return apollo;
}

const original = Symbol('original');

function answerPlugin({ formatError, onFailure }: ApolloOptions): ApolloServerPlugin<ApolloContext> {
  return {
    unexpectedErrorProcessingRequest({ error }) {
      onFailure(error);
      return Promise.resolve();
    },
    requestDidStart: () =>
      Promise.resolve({
        willSendResponse({ contextValue: { operation }, response }) {
          if (response.body.kind !== 'single') return Promise.resolve();
          const { singleResult } = response.body;
          const { requestId } = operation.context;
          if (singleResult.errors !== undefined) {
            singleResult.errors = singleResult.errors.map((error) => {
              const cause = (error as { [original]?: unknown })[original];
              return formatError(cause ?? new GraphQLError(error.message, { extensions: error.extensions ?? {} }), requestId);
            });
          }
          singleResult.extensions = {
            ...singleResult.extensions,
            requestId,
            ...(operation.cost === undefined ? {} : { cost: operation.cost }),
          };
          operation.isFormatted = true;
          return Promise.resolve();
        },
      }),
  };
}

/** Apollo's hook for a schema that is executed elsewhere: the elsewhere is here. */
function gatewayTo(schema: GraphQLSchema, operations: Operations): ApolloServerOptionsWithGateway<ApolloContext>['gateway'] {
  return {
    onSchemaLoadOrUpdate(callback) {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => {};
    },
    load: () =>
      Promise.resolve({
        executor: async ({ document, request, context }) => {
          const { operation } = context as ApolloContext;
          operation.hasRun = true;
          const result = await operations.run({
            document,
            operationName: request.operationName ?? undefined,
            variables: request.variables,
            context: operation.context,
          });
          if (result.data === undefined) {
            const cause = result.errors?.[0]?.originalError;
            if (cause instanceof GatewayError) operation.failure = cause;
          }
          return result;
        },
      }),
    stop: () => Promise.resolve(),
  };
}
