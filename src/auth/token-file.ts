import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { watch, type FSWatcher } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { GatewayError } from '../errors.js';
import {
  accessOf,
  unauthenticated,
  type Access,
  type Authenticator,
  type Identity,
  type ProjectDirectory,
  type ProjectInfo,
  type Session,
} from './access.js';
import { higherRole, type Role } from './matrix.js';
import { readTokenData, TokenDataError, type TokenData, type TokenEntry, type UserEntry } from './token-data.js';

/** Longest time that a timer can be set for, in milliseconds. */
const maxTimerMs = 2 ** 31 - 1;

/** What a token is known by: lower-case hex SHA-256 of its UTF-8 bytes. */
export function digestOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/**
 * Signs in by bearer tokens whose digests are known beforehand. All requests of one token share one session; it follows every
 * `replace`, and ends when its token or user is gone, or when it expires.
 */
export class TokenAuthenticator implements Authenticator {
  readonly projects: ProjectDirectory = {
    get: (id) => this.#directory.projects.get(id),
    all: () => this.#directory.allProjects,
  };
  readonly #now: () => number;
  readonly #sessions = new Map<string, TokenSession>();
  #directory: Directory;

  /** @param now Milliseconds since the epoch. */
  constructor(data: TokenData, now: () => number) {
    this.#now = now;
    this.#directory = new Directory(data);
  }

  /** One look-up of the token's digest: what can be learnt from its time is of digests, which lead to no token. */
  // eslint-disable-next-line @typescript-eslint/require-await -- the interface is for authenticators that ask others, too
  async authenticate(token: string): Promise<Session> {
    const sha256 = digestOfToken(token);
    const known = this.#sessions.get(sha256);
    if (known !== undefined && !known.isExpired()) return known;
    const grant = this.#directory.grants.get(sha256);
    if (grant === undefined || isPast(grant.expiresAtMs, this.#now())) throw unauthenticated();
    const session = new TokenSession(grant, this.#now, () => {
      if (this.#sessions.get(sha256) === session) this.#sessions.delete(sha256);
    });
    this.#sessions.set(sha256, session);
    return session;
  }

  /** Puts other users and projects in the place of all that were; sessions change, or end, before this returns. */
  replace(data: TokenData): void {
    this.#directory = new Directory(data);
    for (const [sha256, session] of [...this.#sessions]) session.update(this.#directory.grants.get(sha256));
  }

  /** Ends every session. */
  close(): void {
    for (const session of [...this.#sessions.values()]) session.end();
  }
}

/** What a token gives. */
interface Grant {
  readonly access: Access;
  readonly expiresAtMs: number | undefined;
}

/** The data, arranged for look-ups. */
class Directory {
  readonly allProjects: readonly ProjectInfo[];
  readonly projects: ReadonlyMap<string, ProjectInfo>;
  /** By the token's digest. */
  readonly grants: ReadonlyMap<string, Grant>;

  constructor(data: TokenData) {
    this.allProjects = data.projects;
    this.projects = new Map(data.projects.map((project) => [project.id, project]));
    const ofDepartment = new Map<string, string[]>();
    for (const { id, department } of data.projects) {
      if (department === undefined) continue;
      const ids = ofDepartment.get(department.id);
      if (ids === undefined) ofDepartment.set(department.id, [id]);
      else ids.push(id);
    }
    this.grants = new Map(
      data.users.flatMap((user) => {
        const access = accessOf(identityOf(user, ofDepartment));
        return user.tokens.map(({ sha256, expiresAtMs }: TokenEntry): [string, Grant] => [sha256, { access, expiresAtMs }]);
      }),
    );
  }
}

function identityOf(user: UserEntry, ofDepartment: ReadonlyMap<string, readonly string[]>): Identity {
  const roles = new Map<string, Role>(user.roles);
  for (const [department, role] of user.departments) {
    for (const project of ofDepartment.get(department) ?? []) roles.set(project, higherRole(roles.get(project), role) ?? role);
  }
  return Object.freeze({ userId: user.id, userName: user.name, cloudAdmin: user.cloudAdmin, roles });
}

class TokenSession implements Session {
  readonly #now: () => number;
  readonly #onEnd: () => void;
  readonly #ended = new AbortController();
  readonly #listeners = new Set<() => void>();
  #grant: Grant;
  #timer: NodeJS.Timeout | undefined;

  constructor(grant: Grant, now: () => number, onEnd: () => void) {
    this.#grant = grant;
    this.#now = now;
    this.#onEnd = onEnd;
    // Every request of the token may listen.
    setMaxListeners(0, this.#ended.signal);
    this.#setTimer();
  }

  get access(): Access {
    return this.#grant.access;
  }

  get expiresAt(): string | undefined {
    return this.#grant.expiresAtMs === undefined ? undefined : new Date(this.#grant.expiresAtMs).toISOString();
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  onChange(listener: () => void): () => void {
    // Wrapped, so that one function that listens twice is two listeners, each with an end of its own.
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Also ends it when it has: timers may be late. */
  isExpired(): boolean {
    if (isPast(this.#grant.expiresAtMs, this.#now())) this.end();
    return this.#ended.signal.aborted;
  }

  update(grant: Grant | undefined): void {
    const before = this.#grant.access;
    if (grant === undefined || grant.access.identity.userId !== before.identity.userId) {
      this.end();
      return;
    }
    const isSame = grant.access.revision === before.revision && grant.access.identity.userName === before.identity.userName;
    this.#grant = isSame ? { access: before, expiresAtMs: grant.expiresAtMs } : grant;
    if (this.isExpired()) return;
    this.#setTimer();
    if (!isSame) for (const listener of [...this.#listeners]) listener();
  }

  end(): void {
    clearTimeout(this.#timer);
    if (this.#ended.signal.aborted) return;
    this.#onEnd();
    this.#ended.abort(unauthenticated() satisfies GatewayError);
    this.#listeners.clear();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const { expiresAtMs } = this.#grant;
    if (expiresAtMs === undefined) return;
    this.#timer = setTimeout(() => this.isExpired() || this.#setTimer(), Math.min(Math.max(expiresAtMs - this.#now(), 1), maxTimerMs));
    this.#timer.unref();
  }
}

function isPast(expiresAtMs: number | undefined, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}

/**
 * Reads the text of a token file.
 * @throws TokenDataError with every problem, by line where the YAML itself is broken; never with a value.
 */
export function parseTokenFile(text: string): TokenData {
  const lines = new LineCounter();
  // The failsafe schema: everything is text. An id or digest that looks like a number stays what it is. Silent, it would take the first of several documents.
  const document = parseDocument(text, { schema: 'failsafe', prettyErrors: false, lineCounter: lines, logLevel: 'error' });
  const broken = [...document.errors, ...document.warnings].map(
    ({ code, pos }) => `line ${lines.linePos(pos[0]).line}: is not good YAML (${code})`,
  );
  if (broken.length > 0) throw new TokenDataError(broken);
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 100 });
  } catch {
    throw new TokenDataError(['the whole: its aliases cannot be resolved']);
  }
  return readTokenData(plain);
}

export interface TokenFileOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called after the file was read again and put in force. */
  readonly onReload?: () => void;
  /** Called where it could not be, once for each version of the file; what was in force before stays. */
  readonly onProblem?: (problem: Error) => void;
  /** Milliseconds between two looks at the file, for file systems that do not tell of changes. Default 1,000. */
  readonly pollIntervalMs?: number;
  /** Milliseconds that the file must rest after a notice before it is read. Default 50. */
  readonly settleMs?: number;
}

/** An authenticator that follows its file. */
export interface TokenFile extends Authenticator {
  /** As every authenticator; it waits for nothing, so there is nothing to abort. */
  authenticate(token: string, signal?: AbortSignal): Promise<Session>;
  /** Reads the file now, whether or not it seems to have changed. */
  reload(): Promise<void>;
}

/**
 * Signs in by the tokens of a YAML file, and follows the file: written in place, replaced, or swapped behind a link as Kubernetes mounts secrets.
 * @throws Error where the file cannot be read at the start, TokenDataError where it is not good.
 */
export async function openTokenFile(path: string, options: TokenFileOptions): Promise<TokenFile> {
  let version = await versionOf(path);
  let text = await readFile(path, 'utf8');
  const tokens = new TokenAuthenticator(parseTokenFile(text), options.now);
  let isClosed = false;
  let isLooking = false;
  let wantsLook = false;
  let settling: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  let reading: Promise<void> = Promise.resolve();

  const read = async (): Promise<void> => {
    if (isClosed) return;
    try {
      version = await versionOf(path);
      const latest = await readFile(path, 'utf8');
      if (isClosed || latest === text) return;
      text = latest;
      tokens.replace(parseTokenFile(latest));
    } catch (error) {
      options.onProblem?.(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    options.onReload?.();
  };
  // One after the other: an older text never comes into force after a newer one.
  const reload = (): Promise<void> => (reading = reading.then(read, read));
  const settle = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => void reload(), options.settleMs ?? 50);
    settling.unref();
  };
  const look = async (): Promise<void> => {
    // A directory may be a busy one: however much happens in it, there is one look at a time, and one after the last event.
    wantsLook = true;
    if (isLooking) return;
    isLooking = true;
    while (wantsLook && !isClosed) {
      wantsLook = false;
      const latest = await versionOf(path).catch(missing);
      if (latest !== version) {
        version = latest;
        settle();
      }
    }
    isLooking = false;
  };
  const polling = setInterval(() => void look(), options.pollIntervalMs ?? 1_000);
  polling.unref();
  try {
    // The directory: a file that is replaced is another file, and a watch of the old one would hear nothing more.
    watcher = watch(dirname(path), { persistent: false }, () => void look());
    watcher.on('error', () => watcher?.close());
  } catch {
    // Polling alone does it, a little later.
  }
  return {
    projects: tokens.projects,
    authenticate: (token) => tokens.authenticate(token),
    reload,
    close(): void {
      isClosed = true;
      clearInterval(polling);
      clearTimeout(settling);
      watcher?.close();
      tokens.close();
    },
  };
}

const missing = (): string => 'missing';

/** Another text for another state of the file, as far as can be told without reading it. */
async function versionOf(path: string): Promise<string> {
  const { mtimeNs, ctimeNs, ino, size } = await stat(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
