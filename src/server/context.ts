import { AuthorizedReader } from '../auth/authorized-reader.js';
import type { Access, ProjectDirectory, Session } from '../auth/access.js';
import { Refusals } from '../auth/refusals.js';
import type { IsolationPatterns } from '../domain/isolation.js';
import type { ClusterCatalog } from '../k8s/catalog.js';
import type { Reader } from '../k8s/reader.js';
import { Turns } from '../k8s/turns.js';
import { Budget, type BudgetOptions } from '../schema/budget.js';
import type { Context } from '../schema/context.js';

export interface ContextParts {
  /** Everything, of every cluster: nothing but a context may hold it. */
  readonly reader: Reader;
  readonly clusters: ClusterCatalog;
  readonly projects: ProjectDirectory;
  readonly isolationPatterns: IsolationPatterns;
  readonly budget: BudgetOptions;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** How long requests may keep the loop, all together, before they give way to others, in milliseconds. */
const sliceMs = 10;

/** Makes the context of each operation, for HTTP and for WebSockets alike. */
export class ContextFactory {
  readonly #parts: ContextParts;
  readonly #turns = new Turns(sliceMs);

  constructor(parts: ContextParts) {
    this.#parts = parts;
  }

  create(session: Session, requestId: string, signal: AbortSignal, refusals = new Refusals()): RequestContext {
    return new RequestContext(this.#parts, this.#turns, session, requestId, signal, refusals);
  }
}

export class RequestContext implements Context {
  readonly access: Access;
  readonly reader: Reader;
  readonly clusters: ClusterCatalog;
  readonly projects: ProjectDirectory;
  readonly isolationPatterns: IsolationPatterns;
  readonly budget: Budget;
  readonly now: () => number;

  constructor(
    parts: ContextParts,
    turns: Turns,
    readonly session: Session,
    readonly requestId: string,
    readonly signal: AbortSignal,
    readonly refusals: Refusals,
  ) {
    this.access = session.access;
    this.reader = new AuthorizedReader(parts.reader, session, refusals);
    this.clusters = parts.clusters;
    this.projects = parts.projects;
    this.isolationPatterns = parts.isolationPatterns;
    this.now = parts.now;
    this.budget = new Budget(turns, parts.budget, signal, session.access.identity.userId);
  }
}
