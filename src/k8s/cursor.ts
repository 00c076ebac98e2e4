import { createHash } from 'node:crypto';
import { GatewayError } from '../errors.js';
import type { ObjectRecord } from './objects.js';

/**
 * Cursors are opaque to clients, and untrusted when they come back: JSON in base64url, read strictly. They hold nothing of one process, so that every
 * replica understands them.
 */

/** Where a page ended: the place in the order, whether or not its object is still there. */
export interface Position {
  readonly value: string | number | undefined;
  readonly namespaceName: string | undefined;
  readonly name: string;
  readonly kind: string;
  readonly clusterName: string;
}

/** What a stream has told. */
export interface Progress {
  /**
   * By cluster: its own uid, and by kind the version up to which everything was told; undefined where nothing was. A kind is left out where something
   * was told, and no version says how much; a cluster, where it has nothing of the viewer's, who is not to know that it is there.
   */
  readonly clusters: Readonly<
    Record<string, { readonly uid: string | undefined; readonly versions: Readonly<Record<string, string | undefined>> }>
  >;
  /** Digest of the namespaces that scope and filter came to. */
  readonly scope: string;
  /** Inside a snapshot: the last object that was told; undefined behind it. `null` before the first. */
  readonly snapshot: Position | null | undefined;
}

/** Of a stream over 60 clusters, with every kind that the gateway watches. */
const maxCursorLength = 65_536;

/** 64 bits are enough to tell queries and sets of names apart; nothing is kept secret by it. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 11);
}

export function positionOf(record: ObjectRecord, value: string | number | undefined): Position {
  const { namespaceName, name, kind, clusterName } = record;
  return { value, namespaceName, name, kind, clusterName };
}

export function encodePosition(query: string, position: Position): string {
  return encode(['p', query, ...flat(position)]);
}

/** @throws GatewayError `BAD_USER_INPUT` for anything but a cursor of this query. */
export function decodePosition(query: string, cursor: string): Position {
  const [type, of, ...parts] = decode(cursor);
  const position = unflat(parts);
  if (type !== 'p' || position === undefined) throw malformed();
  if (of !== query) throw foreign();
  return position;
}

export function encodeProgress(query: string, { clusters, scope, snapshot }: Progress): string {
  const told = Object.entries(clusters).map(([name, { uid, versions }]) => [
    name,
    uid ?? null,
    Object.entries(versions).map(([kind, version]) => [kind, version ?? null]),
  ]);
  return encode(['w', query, scope, told, snapshot === undefined ? 0 : snapshot === null ? [] : flat(snapshot)]);
}

/** @throws GatewayError `BAD_USER_INPUT` for anything but a cursor of this query. */
export function decodeProgress(query: string, cursor: string): Progress {
  const [type, of, scope, told, snapshot, ...rest] = decode(cursor);
  if (type !== 'w' || typeof scope !== 'string' || !Array.isArray(told) || rest.length > 0) throw malformed();
  const clusters: [string, { uid: string | undefined; versions: Record<string, string | undefined> }][] = [];
  for (const entry of told as unknown[]) {
    const [name, uid, versions] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof name !== 'string' || !isTextOrNull(uid) || !Array.isArray(versions)) throw malformed();
    const byKind: [string, string | undefined][] = [];
    for (const pair of versions as unknown[]) {
      const [kind, version] = Array.isArray(pair) ? (pair as unknown[]) : [];
      if (typeof kind !== 'string' || !isTextOrNull(version) || (version !== null && !/^[1-9]\d{0,19}$/.test(version))) throw malformed();
      byKind.push([kind, version ?? undefined]);
    }
    clusters.push([name, { uid: uid ?? undefined, versions: Object.fromEntries(byKind) }]);
  }
  let last: Position | null | undefined;
  if (snapshot !== 0) {
    if (!Array.isArray(snapshot)) throw malformed();
    last = snapshot.length === 0 ? null : unflat(snapshot as unknown[]);
    if (last === undefined) throw malformed();
  }
  if (of !== query) throw foreign();
  // Without a prototype: a cluster that the cursor does not name is not there, whatever it is called.
  return { clusters: Object.assign(Object.create(null) as Progress['clusters'], Object.fromEntries(clusters)), scope, snapshot: last };
}

function flat({ value, namespaceName, name, kind, clusterName }: Position): unknown[] {
  return [value ?? null, namespaceName ?? null, name, kind, clusterName];
}

function unflat(parts: readonly unknown[]): Position | undefined {
  const [value, namespaceName, name, kind, clusterName, ...rest] = parts;
  if (value !== null && typeof value !== 'string' && typeof value !== 'number') return undefined;
  if (!isTextOrNull(namespaceName) || typeof name !== 'string' || typeof kind !== 'string' || typeof clusterName !== 'string')
    return undefined;
  if (rest.length > 0) return undefined;
  return { value: value ?? undefined, namespaceName: namespaceName ?? undefined, name, kind, clusterName };
}

const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');

function decode(cursor: string): readonly unknown[] {
  if (cursor.length > maxCursorLength || !/^[\w-]+$/.test(cursor)) throw malformed();
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw malformed();
  }
  if (!Array.isArray(value)) throw malformed();
  return value;
}

const malformed = (): GatewayError => new GatewayError('BAD_USER_INPUT', 'The cursor is none that this API gives.', { field: 'after' });

const foreign = (): GatewayError =>
  new GatewayError('BAD_USER_INPUT', 'The cursor is of another query: field, filter and order must be the same.', { field: 'after' });
