import { GatewayError, type ErrorCode, type StatusCause } from '../errors.js';

/** What is waited at most, whatever a server asks for: a kind that follows again is worth a question now and then. */
const maxRetryAfterMs = 5 * 60_000;

/** What an API server answered instead of what was asked for: the `cause` of the GatewayError that is thrown. Not for clients. */
export class StatusError extends Error {
  override readonly name = 'StatusError';

  /**
   * @param status HTTP status, or the `code` of a watch's ERROR event.
   * @param reason Kubernetes' own, such as `Expired`; undefined where the answer was no `Status`.
   * @param retryAfterMs What the server asked to wait; undefined where it did not. At most five minutes.
   */
  constructor(
    readonly status: number,
    readonly reason: string | undefined,
    message: string,
    readonly retryAfterMs?: number,
    readonly causes?: readonly StatusCause[],
  ) {
    super(message);
  }
}

/** The answer behind an error; undefined where there was none, such as when nothing answered. */
export function statusOf(error: unknown): StatusError | undefined {
  const cause = error instanceof GatewayError ? error.cause : error;
  return cause instanceof StatusError ? cause : undefined;
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/**
 * Reads a Kubernetes `Status`, of a failed answer or of a watch's ERROR event.
 * @param body Parsed, or the text that was no JSON.
 * @param fallback What to go by where the `Status` has no code.
 * @param retryAfterMs What the answer's header asks to wait; goes before what the `Status` asks.
 */
export function toStatusError(body: unknown, fallback: number, retryAfterMs?: number): StatusError {
  const details = isMap(body) && isMap(body['details']) ? body['details'] : {};
  const seconds = details['retryAfterSeconds'];
  const askedMs = retryAfterMs ?? (typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined);
  const waitMs = askedMs && Math.min(askedMs, maxRetryAfterMs);
  if (!isMap(body)) return new StatusError(fallback, undefined, typeof body === 'string' ? body.slice(0, 500) : 'no answer', waitMs);
  const causes = Array.isArray(details['causes']) ? details['causes'].filter(isMap).map(toCause) : undefined;
  return new StatusError(
    typeof body['code'] === 'number' ? body['code'] : fallback,
    text(body['reason']),
    text(body['message']) ?? 'no message',
    waitMs,
    causes,
  );
}

function toCause(cause: Record<string, unknown>): StatusCause {
  const [field, reason, message] = [text(cause['field']), text(cause['reason']), text(cause['message'])];
  return { ...(field && { field }), ...(reason && { reason }), ...(message && { message }) };
}

/** One fixed sentence per outcome: the server's own words may name addresses, objects of others and the gateway's account. */
function outcome({ status, reason, message }: StatusError): readonly [ErrorCode, string] {
  switch (status) {
    case 400:
      return ['BAD_USER_INPUT', 'The cluster does not understand this request.'];
    case 401:
      return ['UNAVAILABLE', 'The cluster refuses the credentials of the gateway.'];
    case 403:
      if (/\bexceeded quota\b/.test(message)) return ['QUOTA_EXCEEDED', 'A quota of the namespace is exceeded.'];
      return ['FORBIDDEN', 'The cluster does not allow this.'];
    case 404:
      return ['NOT_FOUND', 'The cluster has no such object.'];
    case 405:
    case 406:
    case 415:
    case 501:
      return ['UNSUPPORTED', 'The cluster does not support this.'];
    case 409:
      if (reason === 'AlreadyExists') return ['ALREADY_EXISTS', 'An object of that name exists already.'];
      return ['CONFLICT', 'The object has been changed meanwhile.'];
    case 410:
      return ['CONFLICT', 'That version is no longer kept by the cluster.'];
    case 413:
      return ['BAD_USER_INPUT', 'The object is too large for the cluster.'];
    case 422:
      return ['INVALID', 'The cluster refuses the object as invalid.'];
    case 429:
      return ['RATE_LIMITED', 'The cluster is asked too often; try again later.'];
    case 504:
      return ['TIMEOUT', 'The cluster did not answer in time.'];
    default:
      return ['UNAVAILABLE', 'The cluster failed to answer.'];
  }
}

/** Causes are about what the client sent only where the object was refused; elsewhere they may tell of others. */
export function toGatewayError(error: StatusError): GatewayError {
  const [code, message] = outcome(error);
  const causes = error.status === 422 || error.status === 409 || error.status === 400 ? error.causes : undefined;
  return new GatewayError(code, message, { cause: error, ...(causes && causes.length > 0 && { causes }) });
}
