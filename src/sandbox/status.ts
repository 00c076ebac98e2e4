/** One cause of a `Status`, as Kubernetes writes it. */
export interface StatusCause {
  /** Such as `FieldValueRequired`. */
  reason: string;
  message: string;
  field?: string;
}

/** Kubernetes' own answer for a failure: what a client gets as the body. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { resourceVersion?: string; continue?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: { name?: string; group?: string; kind?: string; uid?: string; causes?: StatusCause[]; retryAfterSeconds?: number };
  code?: number;
}

/** What kind a failure is about; `resource` is the plural, as Kubernetes' `details.kind` is. */
export interface ResourceNoun {
  readonly group: string;
  readonly plural: string;
}

function qualified({ group, plural }: ResourceNoun): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function detailsOf(noun: ResourceNoun, name: string): NonNullable<Status['details']> {
  return { ...(name === '' ? {} : { name }), ...(noun.group === '' ? {} : { group: noun.group }), kind: noun.plural };
}

/** A failure of the embedded cluster, which is a Kubernetes `Status`. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status;

  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    details?: Status['details'],
  ) {
    super(message);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

export function notFound(noun: ResourceNoun, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualified(noun)} "${name}" not found`, detailsOf(noun, name));
}

export function alreadyExists(noun: ResourceNoun, name: string): StatusError {
  return new StatusError(409, 'AlreadyExists', `${qualified(noun)} "${name}" already exists`, detailsOf(noun, name));
}

export function conflict(noun: ResourceNoun, name: string, why: string): StatusError {
  return new StatusError(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(noun)} "${name}": ${why}`, detailsOf(noun, name));
}

export function forbidden(noun: ResourceNoun, name: string, why: string, causes?: StatusCause[]): StatusError {
  const subject = name === '' ? qualified(noun) : `${qualified(noun)} "${name}"`;
  return new StatusError(403, 'Forbidden', `${subject} is forbidden: ${why}`, {
    ...detailsOf(noun, name),
    ...(causes === undefined ? {} : { causes }),
  });
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

/** @param causes At least one. */
export function invalid(kind: { group: string; kind: string }, name: string, causes: StatusCause[]): StatusError {
  const full = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const texts = causes.map((cause) => `${cause.field ?? ''}: ${cause.message}`);
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return new StatusError(422, 'Invalid', `${full} "${name}" is invalid: ${text}`, {
    name,
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.kind,
    causes,
  });
}

/** The version asked for is older than what is remembered; a client lists again. */
export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}
