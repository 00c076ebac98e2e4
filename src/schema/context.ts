import type { Access, ProjectDirectory, Session } from '../auth/access.js';
import type { Refusals } from '../auth/refusals.js';
import type { IsolationPatterns } from '../domain/isolation.js';
import type { ClusterCatalog } from '../k8s/catalog.js';
import type { Reader } from '../k8s/reader.js';
import type { Budget } from './budget.js';

/** What one operation may use. Built anew for each request, and for each operation of a WebSocket. */
export interface Context {
  readonly requestId: string;
  readonly session: Session;
  /** The session's access when the operation began. */
  readonly access: Access;
  /** What this operation was refused so far, for the log; the same that `reader` was made with. */
  readonly refusals: Refusals;
  /** Everything that this viewer may see, and nothing else. */
  readonly reader: Reader;
  /** The clusters themselves: names, health, versions. What leads here is governed by CLUSTER_VIEW, or names clusters of the viewer's projects. */
  readonly clusters: ClusterCatalog;
  readonly projects: ProjectDirectory;
  /** Which runtimes give pods a kernel of their own. */
  readonly isolationPatterns: IsolationPatterns;
  readonly budget: Budget;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Aborts when the client leaves, or the deadline passes. */
  readonly signal: AbortSignal;
}
