/** Codes a client may branch on (`extensions.code`); the contract's `ErrorCode`. Adding one is minor; renaming one is breaking. */
export const errorCodes = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'BAD_USER_INPUT',
  'INVALID',
  'CONFLICT',
  'ALREADY_EXISTS',
  'QUOTA_EXCEEDED',
  'UNSUPPORTED',
  'RATE_LIMITED',
  'QUERY_TOO_COMPLEX',
  'TIMEOUT',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface GatewayErrorOptions {
  /** For the log only; never sent. */
  cause?: unknown;
  /** Input path that is at fault, such as `filter.labelSelector`; sent as `extensions.field`. */
  field?: string;
  /** Kubernetes' own status causes; sent as `extensions.causes`. */
  causes?: readonly StatusCause[];
}

/** One cause of a Kubernetes `Status`. */
export interface StatusCause {
  field?: string;
  reason?: string;
  message?: string;
}

/** A failure the client can act on. Anything else thrown is a bug: logged whole, sent masked. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly field: string | undefined;
  readonly causes: readonly StatusCause[] | undefined;

  /** @param message Shown to the client: no token, no server address, no object data. */
  constructor(
    readonly code: ErrorCode,
    message: string,
    options: GatewayErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.field = options.field;
    this.causes = options.causes;
  }
}
