import { accessOf, unauthenticated, type Access, type Identity, type Session } from '../../src/auth/access.js';
import { roles, type Role } from '../../src/auth/matrix.js';

/** An identity with these roles by project. */
export function identity(roleByProject: Readonly<Record<string, Role>> = {}, userId = 'u-test'): Identity {
  return { userId, userName: userId, cloudAdmin: false, roles: new Map(Object.entries(roleByProject)) };
}

/** The access of one who has these roles by project. */
export function accessWith(roleByProject: Readonly<Record<string, Role>> = {}, userId?: string): Access {
  return accessOf(identity(roleByProject, userId));
}

export function cloudAdminAccess(userId = 'u-cloud-admin'): Access {
  return accessOf({ userId, userName: userId, cloudAdmin: true, roles: new Map() });
}

/** A session whose access tests change, and that they end. */
export class TestSession implements Session {
  readonly expiresAt = undefined;
  readonly #ended = new AbortController();
  readonly #listeners = new Set<() => void>();
  #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  get access(): Access {
    return this.#access;
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Listeners at present: none may be left behind. */
  get listenerCount(): number {
    return this.#listeners.size;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  become(access: Access): void {
    this.#access = access;
    for (const listener of [...this.#listeners]) listener();
  }

  end(): void {
    this.#ended.abort(unauthenticated());
  }
}

/** Everybody that the permission tests ask as, by name: each role in `project` alone, one who has two roles, and one who has none. */
export function viewersOf(project: string, otherProject: string): ReadonlyMap<string, Access> {
  const viewers = new Map<string, Access>();
  for (const role of roles) {
    viewers.set(role, role === 'CLOUD_ADMIN' ? cloudAdminAccess() : accessWith({ [project]: role }, `u-${role.toLowerCase()}`));
  }
  viewers.set(
    `administrator of ${project}, user of ${otherProject}`,
    accessWith({ [project]: 'PROJECT_ADMIN', [otherProject]: 'USER' }, 'u-both'),
  );
  viewers.set(
    `user of ${project}, administrator of ${otherProject}`,
    accessWith({ [project]: 'USER', [otherProject]: 'PROJECT_ADMIN' }, 'u-reverse'),
  );
  viewers.set(`administrator of ${otherProject}`, accessWith({ [otherProject]: 'PROJECT_ADMIN' }, 'u-other'));
  viewers.set('nobody', accessWith({}, 'u-nobody'));
  return viewers;
}
