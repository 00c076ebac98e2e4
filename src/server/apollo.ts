import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import type { GatewayInterface } from '@apollo/server-gateway-interface';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import type { Context } from '../schema/context.js';
import { RequestContext } from './context.js';
import type { Documents } from './documents.js';
import type { Operations } from './operations.js';

export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly operations: Operations;
  formatError(error: unknown, requestId: string): GraphQLFormattedError;
}

/**
 * Apollo Server with three things of our own: documents come from {@link Documents}, which has parsed and validated them already; they are run by
 * {@link Operations}; and errors are translated where the request is known, so that each carries its id.
 */
export async function createApollo({ schema, documents, operations, formatError }: ApolloOptions): Promise<ApolloServer<Context>> {
  const apollo = new ApolloServer<Context>({
    gateway: gatewayTo(schema, operations),
    documentStore: {
      get: (key) => Promise.resolve(documents.byHash(key.slice(key.lastIndexOf(':') + 1))?.document),
      set: () => Promise.resolve(),
      delete: () => Promise.resolve(false),
    },
    plugins: [ApolloServerPluginCacheControlDisabled(), answerPlugin(formatError)],
    // The plugin formats; here an error keeps what it needs for that.
    formatError: (formatted, error) => Object.defineProperty({ ...formatted }, original, { value: error, enumerable: false }),
    includeStacktraceInErrorResponses: false,
    introspection: true,
    stopOnTerminationSignals: false,
    allowBatchedHttpRequests: false,
    csrfPrevention: true,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await apollo.start();
  return apollo;
}

const original = Symbol('original');

function answerPlugin(formatError: ApolloOptions['formatError']): ApolloServerPlugin<Context> {
  return {
    requestDidStart: () =>
      Promise.resolve({
        willSendResponse({ contextValue, response }) {
          if (response.body.kind !== 'single') return Promise.resolve();
          const { singleResult } = response.body;
          const { requestId } = contextValue;
          const cost = contextValue instanceof RequestContext ? contextValue.cost : undefined;
          if (singleResult.errors !== undefined) {
            singleResult.errors = singleResult.errors.map((error) => {
              const cause = (error as { [original]?: unknown })[original];
              return formatError(cause ?? new GraphQLError(error.message, { extensions: error.extensions ?? {} }), requestId);
            });
          }
          singleResult.extensions = { ...singleResult.extensions, requestId, ...(cost === undefined ? {} : { cost }) };
          return Promise.resolve();
        },
      }),
  };
}

/** Apollo's hook for a schema that is executed elsewhere: the elsewhere is here. */
function gatewayTo(schema: GraphQLSchema, operations: Operations): GatewayInterface {
  return {
    onSchemaLoadOrUpdate(callback) {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => {};
    },
    load: () =>
      Promise.resolve({
        executor: async ({ document, request, context }) => {
          const result = await operations.run({
            document,
            operationName: request.operationName ?? undefined,
            variables: request.variables,
            context: context as Context,
          });
          return result as { data?: Record<string, unknown> | null; errors?: readonly GraphQLError[] };
        },
      }),
    stop: () => Promise.resolve(),
  };
}
