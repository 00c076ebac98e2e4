import type { Kind } from '../k8s/kind.js';
import type { NamespaceRecord } from '../k8s/namespaces.js';
import type { ObjectRecord } from '../k8s/objects.js';
import type { Change, ListQuery, Live, ObjectKey, Page, Reader, WatchQuery } from '../k8s/reader.js';
import type { Access, Session } from './access.js';
import { viewFunctionOf, type PermissionFunction } from './matrix.js';
import { Refusals } from './refusals.js';

/**
 * Kinds that say nothing of anybody, and that the status of a tenant's own objects is derived from: whether a pod is secure is told by its
 * runtime class. Whoever may see workloads anywhere may look one up, by name or relation; only who holds the kind's own function may list them.
 * Replica sets need no such rule: they are governed as the workloads and pods between which they stand, in the same namespace.
 */
const referenceKinds: ReadonlyMap<string, PermissionFunction> = new Map([['RuntimeClass', 'WORKLOAD_VIEW']]);

/**
 * What one viewer may see of another reader; everything above the permission layer reads through this.
 *
 * - Lists and watches hold the objects of the projects in which the kind's VIEW function is held.
 * - A single object is `undefined` where there is none and where it is of a project not joined: the two cannot be told apart.
 * - `FORBIDDEN` is thrown, before anything is looked up, where the function is held nowhere; and for an object of a joined project
 *   in which the viewer's role lacks it.
 * - What belongs to no project (nodes, namespaces without a label and all that is in them) is for who holds the function everywhere.
 *
 * Made anew for each operation. With a session, every call decides by the access as of then, and watches follow its changes.
 */
export class AuthorizedReader implements Reader {
  readonly #reader: Reader;
  readonly #session: Pick<Session, 'access' | 'onChange' | 'ended'>;
  readonly #refusals: Refusals;

  /** @param refusals Where the operation counts what it is refused. */
  constructor(reader: Reader, viewer: Session | Access, refusals: Refusals = new Refusals()) {
    this.#reader = reader;
    this.#session = 'access' in viewer ? viewer : { access: viewer, onChange: () => () => undefined, ended: neverEnded };
    this.#refusals = refusals;
  }

  get<R extends ObjectRecord>(kind: Kind<R>, key: ObjectKey): R | undefined {
    const permission = this.#permissionToRead(kind);
    return this.#permitted(permission, this.#reader.get(kind, key), referenceKinds.has(kind.name));
  }

  byUid<R extends ObjectRecord>(kind: Kind<R>, cluster: string, uid: string): R | undefined {
    const permission = this.#permissionToRead(kind);
    return this.#permitted(permission, this.#reader.byUid(kind, cluster, uid), referenceKinds.has(kind.name));
  }

  related<R extends ObjectRecord>(kind: Kind<R>, cluster: string, index: string, value: string): readonly R[] {
    const access = this.#session.access;
    const reference = referenceKinds.get(kind.name);
    if (reference !== undefined) return access.allowsAnywhere(reference) ? this.#reader.related(kind, cluster, index, value) : [];
    const permission = viewFunctionOf(kind.name);
    if (!access.allowsAnywhere(permission)) return [];
    const found = this.#reader.related(kind, cluster, index, value);
    return access.projectsWith(permission) === undefined
      ? found
      : found.filter((record) => access.allowsIn(permission, this.#reader.projectOf(record)));
  }

  list<R extends ObjectRecord>(kinds: readonly Kind<R>[], query: ListQuery<R>): Page<R> {
    const access = this.#session.access;
    const permissions = permissionsOf(kinds);
    for (const permission of permissions) this.#requireAnywhere(permission);
    const held = permissions.map((permission) => access.projectsWith(permission));
    if (held.every((projects) => projects === undefined)) return this.#reader.list(kinds, query);

    // Kinds of several functions: the projects of all of them, and of those only the objects whose own function is held.
    const covered = held.includes(undefined) ? undefined : new Set(held.flatMap((projects) => [...(projects ?? [])]));
    const narrowed = { ...query, projects: intersection(query.projects, covered) };
    if (permissions.length === 1) return this.#reader.list(kinds, narrowed);
    return this.#reader.list(kinds, {
      ...narrowed,
      filter: (record, reader) =>
        access.allowsIn(viewFunctionOf(record.kind), reader.projectOf(record)) &&
        (query.filter === undefined || query.filter(record, reader)),
    });
  }

  /**
   * As {@link Reader.watch}, over the projects in which the function is held as of each moment. A project that is lost takes its objects along as
   * `DELETED`, one that is gained brings them as `ADDED`.
   * @throws GatewayError `FORBIDDEN` at once where the function is held nowhere, and from the stream when the last of the projects that it
   * covered is lost; `UNAUTHENTICATED` from the stream when the sign-in ends.
   * @throws Error for kinds of more than one function: their projects differ, and a stream has one set.
   */
  watch<R extends ObjectRecord>(kinds: readonly Kind<R>[], query: WatchQuery<R>, signal: AbortSignal): AsyncIterable<Change<R>> {
    const [permission, ...others] = permissionsOf(kinds);
    if (permission === undefined || others.length > 0) throw new Error('A watch is of kinds that one function governs.');
    this.#requireAnywhere(permission);
    return this.#reader.watch(kinds, { ...query, projects: this.#liveProjects(permission, query.projects) }, signal);
  }

  /** For records that this reader gave: what may be seen of an object may be known of where it is. */
  namespaceOf(record: ObjectRecord): NamespaceRecord | undefined {
    return this.#reader.namespaceOf(record);
  }

  /** For records that this reader gave. */
  projectOf(record: ObjectRecord): string | undefined {
    return this.#reader.projectOf(record);
  }

  namespacesOf(project: string): readonly NamespaceRecord[] {
    return this.#session.access.knows(project) ? this.#reader.namespacesOf(project) : [];
  }

  #permissionToRead(kind: Named): PermissionFunction {
    const permission = referenceKinds.get(kind.name) ?? viewFunctionOf(kind.name);
    this.#requireAnywhere(permission);
    return permission;
  }

  #requireAnywhere(permission: PermissionFunction): void {
    if (!this.#session.access.allowsAnywhere(permission)) throw this.#refusals.refuse(permission, undefined);
  }

  #permitted<R extends ObjectRecord>(permission: PermissionFunction, found: R | undefined, anywhere: boolean): R | undefined {
    if (found === undefined || anywhere) return found;
    const access = this.#session.access;
    const project = this.#reader.projectOf(found);
    if (access.allowsIn(permission, project)) return found;
    if (project !== undefined && access.knows(project)) throw this.#refusals.refuse(permission, project);
    return undefined;
  }

  #liveProjects(
    permission: PermissionFunction,
    asked: Live<readonly string[] | undefined> | undefined,
  ): Live<readonly string[] | undefined> {
    const session = this.#session;
    const refusals = this.#refusals;
    let hadSome = false;
    return {
      current(): readonly string[] | undefined {
        if (session.ended.aborted) throw session.ended.reason;
        const wanted = asked?.current();
        const projects = intersection(wanted, session.access.projectsWith(permission));
        // A filter of projects that are not the viewer's matches nothing, without an error; losing the last one that did match is one.
        const lost = projects?.length === 0 && hadSome && wanted?.length !== 0;
        if (lost || !session.access.allowsAnywhere(permission)) throw refusals.refuse(permission, undefined);
        hadSome = projects === undefined || projects.length > 0;
        return projects;
      },
      onChange(listener: () => void): () => void {
        const stops = [session.onChange(listener), asked?.onChange(listener)];
        session.ended.addEventListener('abort', listener);
        return () => {
          for (const stop of stops) stop?.();
          session.ended.removeEventListener('abort', listener);
        };
      },
    };
  }
}

const neverEnded = new AbortController().signal;

interface Named {
  readonly name: string;
}

function permissionsOf(kinds: readonly Named[]): readonly PermissionFunction[] {
  return [...new Set(kinds.map((kind) => viewFunctionOf(kind.name)))];
}

/** `held` undefined is every project and what belongs to none. */
function intersection(asked: readonly string[] | undefined, held: ReadonlySet<string> | undefined): readonly string[] | undefined {
  if (held === undefined) return asked;
  return asked === undefined ? [...held] : asked.filter((project) => held.has(project));
}
