import { createHash } from 'node:crypto';
import { GatewayError } from '../errors.js';
import { higherRole, permissionRules, scopeOf, type PermissionFunction, type Role } from './matrix.js';

/** Who is asking, as the authenticator found it. Frozen. */
export interface Identity {
  readonly userId: string;
  readonly userName: string;
  readonly cloudAdmin: boolean;
  /** The role held in each joined project, the highest where several lead there (own and department's). */
  readonly roles: ReadonlyMap<string, Role>;
}

/**
 * What one identity may do, decided by the permission matrix: a decision takes the role held in the project of the object.
 * Answers are computed once and kept; every method is synchronous.
 */
export interface Access {
  readonly identity: Identity;
  /** Changes with anything that could change an answer below: roles and matrix. Two equal revisions decide alike. */
  readonly revision: string;
  /** The highest role held anywhere; undefined where none is. */
  readonly highestRole: Role | undefined;
  /** The function is held in at least one project, or everywhere. */
  allowsAnywhere(permission: PermissionFunction): boolean;
  /** `project` undefined is what belongs to no project: for cloud administrators alone. */
  allowsIn(permission: PermissionFunction, project: string | undefined): boolean;
  /** Undefined: all, those unknown to the gateway and objects of no project included. */
  projectsWith(permission: PermissionFunction): ReadonlySet<string> | undefined;
  /** Whether the viewer may know that this project exists. */
  knows(project: string): boolean;
  roleIn(project: string): Role | undefined;
}

/**
 * The access of one identity by the matrix.
 * @throws Error where a project role is CLOUD_ADMIN: that one is held everywhere, or not at all.
 */
export function accessOf(identity: Identity): Access {
  return new MatrixAccess(identity);
}

const noProjects: ReadonlySet<string> = new Set();

class MatrixAccess implements Access {
  readonly identity: Identity;
  readonly highestRole: Role | undefined;
  readonly #byRole: ReadonlyMap<Role, readonly string[]>;
  /** By function; filled as functions are asked for. */
  readonly #projects = new Map<PermissionFunction, ReadonlySet<string>>();
  #revision: string | undefined;

  constructor(identity: Identity) {
    const byRole = new Map<Role, string[]>();
    for (const [project, role] of identity.roles) {
      if (role === 'CLOUD_ADMIN') throw new Error('CLOUD_ADMIN is no role of a project.');
      const projects = byRole.get(role);
      if (projects === undefined) byRole.set(role, [project]);
      else projects.push(project);
    }
    this.identity = identity;
    this.#byRole = byRole;
    this.highestRole = identity.cloudAdmin ? 'CLOUD_ADMIN' : [...byRole.keys()].reduce<Role | undefined>(higherRole, undefined);
  }

  get revision(): string {
    this.#revision ??= createHash('sha256')
      .update(
        JSON.stringify([
          matrixRevision,
          this.identity.cloudAdmin,
          [...this.identity.roles].sort(([one], [other]) => (one < other ? -1 : 1)),
        ]),
      )
      .digest('base64url');
    return this.#revision;
  }

  allowsAnywhere(permission: PermissionFunction): boolean {
    const projects = this.projectsWith(permission);
    return projects === undefined || projects.size > 0;
  }

  allowsIn(permission: PermissionFunction, project: string | undefined): boolean {
    const projects = this.projectsWith(permission);
    return projects === undefined || (project !== undefined && projects.has(project));
  }

  projectsWith(permission: PermissionFunction): ReadonlySet<string> | undefined {
    if (this.identity.cloudAdmin) return scopeOf('CLOUD_ADMIN', permission) === 'ALL' ? undefined : noProjects;
    let projects = this.#projects.get(permission);
    if (projects === undefined) {
      projects = new Set([...this.#byRole].flatMap(([role, joined]) => (scopeOf(role, permission) === 'NONE' ? [] : joined)));
      this.#projects.set(permission, projects);
    }
    return projects;
  }

  knows(project: string): boolean {
    return this.identity.cloudAdmin || this.identity.roles.has(project);
  }

  roleIn(project: string): Role | undefined {
    return this.identity.cloudAdmin ? 'CLOUD_ADMIN' : this.identity.roles.get(project);
  }
}

const matrixRevision = createHash('sha256').update(JSON.stringify(permissionRules())).digest('base64url');

/** A project and its department, as the parent platform knows them. */
export interface ProjectInfo {
  readonly id: string;
  readonly name: string;
  readonly department: { readonly id: string; readonly name: string } | undefined;
}

/** The projects that the identity source knows. A label that names another gives a project whose name is its id. */
export interface ProjectDirectory {
  get(id: string): ProjectInfo | undefined;
  all(): readonly ProjectInfo[];
}

/** A sign-in, for as long as it holds. Long streams keep it and look again when it changes. */
export interface Session {
  /** The access as of now; another object after each change of roles. */
  readonly access: Access;
  /** RFC 3339; undefined where it does not end by itself. */
  readonly expiresAt: string | undefined;
  /** Aborts when the sign-in ends, with a GatewayError `UNAUTHENTICATED` as its reason. */
  readonly ended: AbortSignal;
  /** Called after `access` changed. @returns what ends the notice. */
  onChange(listener: () => void): () => void;
}

export interface Authenticator {
  /**
   * @param token As sent, without `Bearer `.
   * @throws GatewayError `UNAUTHENTICATED`, the same for every token that is not good; `UNAVAILABLE` where that cannot be told.
   */
  authenticate(token: string, signal: AbortSignal): Promise<Session>;
  readonly projects: ProjectDirectory;
  close(): void;
}

/** The one answer to every token that is not good, whatever is wrong with it. */
export function unauthenticated(): GatewayError {
  return new GatewayError('UNAUTHENTICATED', 'A valid token is needed.');
}
