import { createHash } from 'node:crypto';
import type { Access } from '../auth/access.js';
import { GatewayError } from '../errors.js';
import type { ClusterCatalog } from '../k8s/catalog.js';
import type { ObjectRecord } from '../k8s/objects.js';
import type { Page, UnavailableCluster } from '../k8s/reader.js';
import type { PageArguments } from '../schema/types/arguments.js';

const maxFirst = 500;
const defaultFirst = 50;

/** Which part of a list, as a reader takes it. */
export interface PageRequest {
  readonly first: number;
  readonly after: string | undefined;
  readonly offset: number | undefined;
}

/** @throws GatewayError `BAD_USER_INPUT` that names the argument. */
export function toPageRequest({ first, after, offset }: PageArguments): PageRequest {
  const size = checkFirst(first ?? defaultFirst);
  if (offset != null && offset < 0) throw new GatewayError('BAD_USER_INPUT', 'offset is not negative.', { field: 'offset' });
  if (offset != null && after != null) {
    throw new GatewayError('BAD_USER_INPUT', 'A page is named by after or by offset, not by both.', { field: 'offset' });
  }
  return { first: size, after: after ?? undefined, offset: offset ?? undefined };
}

/** @throws GatewayError `BAD_USER_INPUT`. */
export function checkFirst(first: number): number {
  if (first < 1 || first > maxFirst) throw new GatewayError('BAD_USER_INPUT', `first is 1 to ${maxFirst}.`, { field: 'first' });
  return first;
}

/** A cursor that is not of this list. */
export function badCursor(): GatewayError {
  return new GatewayError('BAD_USER_INPUT', 'The cursor is not one of this query.', { field: 'after' });
}

/**
 * A query as text that is the same however the client wrote it: keys in order, what is null left out, lists of values sorted and each once.
 * A cursor is good for the query with the same text.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(normalize(value));
}

function normalize(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(normalize);
    return items.every((item) => typeof item === 'string') ? [...new Set(items)].sort() : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null && inner !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, normalize(inner)]),
  );
}

/** A page as the schema's connections read it. What is not asked for is not made: neither cursors nor the total. */
export class Connection<T> {
  readonly nodes: readonly T[];
  readonly unavailableClusters: readonly UnavailableCluster[];
  readonly #page: PageLike<T>;

  constructor(page: PageLike<T>, unavailableClusters: readonly UnavailableCluster[]) {
    this.#page = page;
    this.nodes = page.items;
    this.unavailableClusters = unavailableClusters;
  }

  get edges(): readonly { readonly cursor: string; readonly node: T }[] {
    const page = this.#page;
    return page.items.map((node) => ({ node, cursor: page.cursorOf(node) }));
  }

  get pageInfo(): { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | undefined; endCursor: string | undefined } {
    const page = this.#page;
    const first = page.items[0];
    const last = page.items.at(-1);
    return {
      hasNextPage: page.hasNextPage,
      get hasPreviousPage() {
        return page.hasPreviousPage;
      },
      get startCursor() {
        return first === undefined ? undefined : page.cursorOf(first);
      },
      get endCursor() {
        return last === undefined ? undefined : page.cursorOf(last);
      },
    };
  }

  get totalCount(): number {
    return this.#page.totalCount();
  }
}

type PageLike<T> = Omit<Page<ObjectRecord>, 'items' | 'cursorOf' | 'unavailableClusters'> & {
  readonly items: readonly T[];
  cursorOf(item: T): string;
};

/** Where the members of a project may create things. */
export function clusterNamesOf(project: string, clusters: ClusterCatalog): readonly string[] {
  return clusters
    .all()
    .filter(({ projects }) => projects === undefined || projects.includes(project))
    .map(({ name }) => name);
}

/** Those that the viewer may know of: a cloud administrator all, others the clusters of the projects that they have joined. */
export function visibleTo(
  access: Access,
  clusters: ClusterCatalog,
  unavailable: readonly UnavailableCluster[],
): readonly UnavailableCluster[] {
  if (unavailable.length === 0 || access.identity.cloudAdmin) return unavailable;
  const joined = [...access.identity.roles.keys()];
  return unavailable.filter(({ clusterName }) => {
    const cluster = clusters.get(clusterName);
    return (
      cluster !== undefined && (cluster.projects === undefined ? joined.length > 0 : cluster.projects.some((id) => joined.includes(id)))
    );
  });
}

/**
 * A page of what is no object of Kubernetes: of values that are at hand, in the order of their keys. A cursor names the key behind which the page
 * begins, so that pages stay right while values come and go.
 * @param keyOf Unique; compared by code units.
 * @param identity As in a reader's selection.
 * @throws GatewayError `BAD_USER_INPUT` for a cursor of another query.
 */
export function pageOf<T>(all: readonly T[], keyOf: (value: T) => string, identity: string, request: PageRequest): PageLike<T> {
  const digest = createHash('sha256').update(identity).digest('base64url').slice(0, 16);
  const sorted = all.map((value) => ({ value, key: keyOf(value) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  let start = request.offset ?? 0;
  if (request.after !== undefined) {
    const after = decodeCursor(request.after, digest);
    start = sorted.findIndex(({ key }) => key > after);
    if (start < 0) start = sorted.length;
  }
  const page = sorted.slice(start, start + request.first);
  return {
    items: page.map(({ value }) => value),
    hasNextPage: start + page.length < sorted.length,
    hasPreviousPage: start > 0 && sorted.length > 0,
    cursorOf: (value) => Buffer.from(JSON.stringify([digest, keyOf(value)])).toString('base64url'),
    totalCount: () => sorted.length,
  };
}

const maxCursorLength = 2_048;

function decodeCursor(cursor: string, digest: string): string {
  if (cursor.length > maxCursorLength) throw badCursor();
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw badCursor();
  }
  const [foundDigest, key] = Array.isArray(decoded) ? (decoded as unknown[]) : [];
  if (foundDigest !== digest || typeof key !== 'string') throw badCursor();
  return key;
}
