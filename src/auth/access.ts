import type { PermissionFunction, Role } from './matrix.js';

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
