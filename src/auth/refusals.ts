import { GatewayError } from '../errors.js';
import type { PermissionFunction } from './matrix.js';

/** Aliases are the client's, and may be as long as its document: a log line is not. */
const maxPathLength = 500;

/** One function that was refused in one project, by one operation. */
export interface RefusedFunction {
  readonly function: PermissionFunction;
  /** Undefined where no single project was concerned: the function is held nowhere, or the object belongs to none. */
  readonly project: string | undefined;
  /** Fields, and objects looked up, that were refused for this. */
  readonly count: number;
  /** Response path of the first field, such as `pods.nodes.0.node`, at most its first 500 characters; undefined where a look-up was refused and not a field. */
  readonly path: string | undefined;
}

interface Tally extends RefusedFunction {
  readonly error: GatewayError;
  count: number;
  path: string | undefined;
}

/**
 * What one operation was refused. Each pair of function and project has one error, made once and without a stack, and thrown again for every
 * field: thousands of refused fields cost little, and are one line of the audit log.
 */
export class Refusals {
  /** By function, then project. */
  readonly #tallies = new Map<PermissionFunction, Map<string | undefined, Tally>>();

  /**
   * Counts a refusal. The error is to be thrown, and neither changed nor kept; it says nothing of the object or the project.
   * @param path Called for the first refusal of the pair only.
   */
  refuse(permission: PermissionFunction, project: string | undefined, path?: () => string): GatewayError {
    let ofFunction = this.#tallies.get(permission);
    if (ofFunction === undefined) {
      ofFunction = new Map<string | undefined, Tally>();
      this.#tallies.set(permission, ofFunction);
    }
    let tally = ofFunction.get(project);
    if (tally === undefined) {
      tally = {
        function: permission,
        project,
        count: 0,
        path: undefined,
        error: withoutStack(`The role held here does not have the function ${permission}.`),
      };
      ofFunction.set(project, tally);
    }
    tally.count++;
    tally.path ??= path?.().slice(0, maxPathLength);
    return tally.error;
  }

  /** In the order in which the pairs were first refused, function by function. */
  all(): readonly RefusedFunction[] {
    return [...this.#tallies.values()].flatMap((ofFunction) =>
      [...ofFunction.values()].map(({ function: name, project, count, path }) => ({ function: name, project, count, path })),
    );
  }

  get isEmpty(): boolean {
    return this.#tallies.size === 0;
  }

  /** Begins anew: for what lives long and is written down piece by piece. */
  clear(): void {
    this.#tallies.clear();
  }
}

function withoutStack(message: string): GatewayError {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return new GatewayError('FORBIDDEN', message);
  } finally {
    Error.stackTraceLimit = limit;
  }
}
