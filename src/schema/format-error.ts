import { GraphQLError, Kind, type GraphQLFormattedError } from 'graphql';
import { GatewayError, type ErrorCode } from '../errors.js';

export interface FormatErrorOptions {
  readonly requestId: string;
  /** Told of what is nobody's fault but the gateway's, whole, for the log. */
  onFailure(failure: unknown): void;
}

/** Codes of Apollo's own, and GraphQL's, that clients know; their messages speak of the request alone. */
const requestCodes: ReadonlySet<unknown> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/**
 * An error as a client may see it: the one place where errors are translated, for HTTP answers and for both frames of the WebSocket. What the gateway
 * means to say is a {@link GatewayError}; what is wrong with the request itself keeps its code; anything else is `INTERNAL`, and tells nothing but
 * the request's id. Never throws.
 */
export function formatError(error: unknown, { requestId, onFailure }: FormatErrorOptions): GraphQLFormattedError {
  const graphqlError = error instanceof GraphQLError ? error : undefined;
  const known = gatewayErrorIn(error);
  const place = {
    ...(graphqlError?.locations === undefined ? {} : { locations: graphqlError.locations }),
    ...(graphqlError?.path === undefined ? {} : { path: graphqlError.path }),
  };
  if (known !== undefined) {
    if (known.code === 'INTERNAL') return masked(error, known);
    return {
      message: known.message,
      ...place,
      extensions: {
        code: known.code,
        requestId,
        ...(known.field === undefined ? {} : { field: known.field }),
        ...(known.causes === undefined ? {} : { causes: known.causes }),
      },
    };
  }
  const code = graphqlError === undefined ? undefined : codeOfRequestError(graphqlError);
  if (graphqlError === undefined || code === undefined) return masked(error, error);
  return { message: graphqlError.message, ...place, extensions: { code, requestId } };

  function masked(shown: unknown, logged: unknown): GraphQLFormattedError {
    onFailure(shown instanceof GraphQLError ? (shown.originalError ?? shown) : logged);
    const internal: ErrorCode = 'INTERNAL';
    return { message: 'Something went wrong inside the gateway.', ...place, extensions: { code: internal, requestId } };
  }
}

/** The error itself, or the one that GraphQL wrapped, once for each layer that it went through. */
function gatewayErrorIn(error: unknown): GatewayError | undefined {
  let found: unknown = error;
  for (let depth = 0; depth < 8; depth++) {
    if (found instanceof GatewayError) return found;
    if (!(found instanceof GraphQLError)) return undefined;
    found = found.originalError;
  }
  return undefined;
}

/** Undefined for what a resolver threw, and for what went wrong while an answer was put together. */
function codeOfRequestError(error: GraphQLError): string | undefined {
  const code = error.extensions['code'];
  if (typeof code === 'string' && requestCodes.has(code)) return code;
  if (code !== undefined) return undefined;
  // graphql-js gives no codes: what it says of the request is told by what it points at.
  if (error.path === undefined && error.nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION) return 'BAD_USER_INPUT';
  if (error.path !== undefined) return isArgumentError(error.originalError) ? 'BAD_USER_INPUT' : undefined;
  if (error.originalError != null) return undefined;
  if (error.nodes !== undefined) return 'GRAPHQL_VALIDATION_FAILED';
  return error.source === undefined ? undefined : 'GRAPHQL_PARSE_FAILED';
}

/** An argument whose variable was left out, or is none that its type takes: found only while the operation runs. */
function isArgumentError(original: Error | null | undefined): boolean {
  return original instanceof GraphQLError && original.originalError == null && original.message.startsWith('Argument "');
}
