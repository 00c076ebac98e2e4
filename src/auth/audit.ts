import type { Identity } from './access.js';
import type { PermissionFunction } from './matrix.js';
import type { RefusedFunction } from './refusals.js';

/** One operation that is over, as far as the audit log has to know of it. */
export interface AuditedOperation {
  /** When it ended, in milliseconds since the epoch. */
  readonly atMs: number;
  /** As the client was told it. */
  readonly requestId: string;
  readonly identity: Pick<Identity, 'userId' | 'userName'>;
  /** What it was refused; each is a line of its own. */
  readonly refused: readonly RefusedFunction[];
}

/** What one line says; `null` where nothing can be said. */
export interface AuditLine {
  /** What happened. More kinds of events may join: readers skip those that they do not know. */
  readonly audit: 'refused';
  /** RFC 3339, in UTC. */
  readonly at: string;
  readonly requestId: string;
  readonly userId: string;
  readonly userName: string;
  readonly function: PermissionFunction;
  /** Null where the function is held nowhere, or the object belongs to no project. */
  readonly project: string | null;
  /** How many fields and look-ups were refused for this in the operation. */
  readonly count: number;
  /** Response path of the first field, such as `pods.nodes.0.node`. */
  readonly path: string | null;
}

/**
 * Writes down what an operation was refused: one line of JSON for each pair of function and project, and none where there was nothing. A line holds no token,
 * no address, and of objects nothing but the project that they belong to.
 * @param write Takes a whole line, with its end; called in one turn of the loop for all lines of an operation.
 */
export function audit({ atMs, requestId, identity, refused }: AuditedOperation, write: (line: string) => void): void {
  if (refused.length === 0) return;
  const at = new Date(atMs).toISOString();
  for (const { function: name, project, count, path } of refused) {
    const line: AuditLine = {
      audit: 'refused',
      at,
      requestId,
      userId: identity.userId,
      userName: identity.userName,
      function: name,
      project: project ?? null,
      count,
      path: path ?? null,
    };
    write(`${JSON.stringify(line)}\n`);
  }
}
