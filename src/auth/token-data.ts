import type { ProjectInfo } from './access.js';
import { isRole, type Role } from './matrix.js';

/** A token of a user, known by its digest only. */
export interface TokenEntry {
  /** Lower-case hex SHA-256 of the token's UTF-8 bytes. */
  readonly sha256: string;
  /** Milliseconds since the epoch; undefined where it does not end by itself. */
  readonly expiresAtMs: number | undefined;
}

export interface UserEntry {
  readonly id: string;
  readonly name: string;
  readonly cloudAdmin: boolean;
  readonly tokens: readonly TokenEntry[];
  /** By project id. A project that is not listed is good too: a namespace's label may name it. */
  readonly roles: ReadonlyMap<string, Role>;
  /** By department id: a role in every listed project of the department. */
  readonly departments: ReadonlyMap<string, Role>;
}

/** What a token file says, checked. */
export interface TokenData {
  readonly projects: readonly ProjectInfo[];
  readonly users: readonly UserEntry[];
}

/** Everything that is wrong with a token file: places and reasons, and never a value of it. */
export class TokenDataError extends Error {
  override readonly name = 'TokenDataError';
  constructor(readonly problems: readonly string[]) {
    super(`The users and projects cannot be used:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
  }
}

const maxTextLength = 255;
const digest = /^[0-9a-f]{64}$/i;
// RFC 3339, with the offset that makes it an instant.
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i;

/** Whether there is that day, such as `2030-01-31`: `Date` takes the 31st of February for the 3rd of March. */
const isDay = (text: string): boolean => new Date(`${text}T00:00:00Z`).getUTCDate() === Number(text.slice(8));

/**
 * Reads users and projects from plain data, as a YAML file or a demo gives them; scalars may be text or of their own type. Keys that are not
 * known are problems: an `expiresAt` that is misspelt would be a token that never ends.
 * @throws TokenDataError with every problem.
 */
export function readTokenData(input: unknown): TokenData {
  const problems: string[] = [];
  const file = new Section(input, '', problems);
  const projects = readProjects(file, problems);
  const users = readUsers(file, departmentIds(projects), problems);
  file.end();
  if (problems.length > 0) throw new TokenDataError(problems);
  return { projects, users };
}

function departmentIds(projects: readonly ProjectInfo[]): ReadonlySet<string> {
  return new Set(projects.flatMap(({ department }) => (department === undefined ? [] : [department.id])));
}

function readProjects(file: Section, problems: string[]): ProjectInfo[] {
  const ids = new Map<string, string>();
  const departments = new Map<string, { name: string; at: string }>();
  return file.list('projects').map((entry, index) => {
    const project = new Section(entry, `projects[${index}]`, problems);
    const id = project.text('id') ?? '';
    const name = project.text('name', id);
    project.unique('id', id, ids);
    const section = project.section('department');
    const departmentId = section?.text('id') ?? '';
    const department = section && { id: departmentId, name: section.text('name', departmentId) ?? '' };
    section?.end();
    if (section !== undefined && department !== undefined && departmentId !== '') {
      const known = departments.get(departmentId);
      if (known === undefined) departments.set(departmentId, { name: department.name, at: section.path });
      else if (known.name !== department.name) problems.push(`${section.path}: has the id of ${known.at}, and another name`);
    }
    project.end();
    return { id, name: name ?? '', department };
  });
}

function readUsers(file: Section, departments: ReadonlySet<string>, problems: string[]): UserEntry[] {
  const ids = new Map<string, string>();
  const digests = new Map<string, string>();
  return file.list('users').map((entry, index) => {
    const user = new Section(entry, `users[${index}]`, problems);
    const id = user.text('id') ?? '';
    const name = user.text('name', id) ?? '';
    user.unique('id', id, ids);
    const userExpiresAtMs = user.instant('expiresAt');
    const tokens = user.list('tokenSha256').map((token, at): TokenEntry => {
      const path = `${user.path}.tokenSha256[${at}]`;
      const section = typeof token === 'string' ? undefined : new Section(token, path, problems);
      const sha256 = section === undefined ? String(token) : (section.text('sha256') ?? '');
      const ownExpiresAtMs = section?.instant('expiresAt');
      section?.end();
      if (!digest.test(sha256)) problems.push(`${path}: must be a SHA-256 in hex, 64 digits`);
      const key = sha256.toLowerCase();
      const other = digests.get(key);
      if (other !== undefined) problems.push(`${path}: is the same token as ${other}`);
      else digests.set(key, path);
      return { sha256: key, expiresAtMs: earlier(userExpiresAtMs, ownExpiresAtMs) };
    });
    const cloudAdmin = user.flag('cloudAdmin');
    const roles = user.roles('roles');
    const departmentRoles = user.roles('departments');
    for (const department of departmentRoles.keys()) {
      if (!departments.has(department)) problems.push(`${user.path}.departments: names a department that no project is of`);
    }
    user.end();
    return { id, name, cloudAdmin, tokens, roles, departments: departmentRoles };
  });
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

/** One mapping of the data. Reading a key takes note of it, and of what is wrong with it. */
class Section {
  readonly path: string;
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #problems: string[];
  readonly #read = new Set<string>();

  constructor(value: unknown, path: string, problems: string[]) {
    this.path = path;
    this.#problems = problems;
    const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isMapping) problems.push(`${path === '' ? 'the whole' : path}: must be a mapping`);
    this.#values = new Map(isMapping ? Object.entries(value) : []);
  }

  /** Undefined, with a problem, where it is missing without a default or no short text. */
  text(key: string, standard?: string): string | undefined {
    const value = this.#take(key);
    if (value === undefined && standard !== undefined) return standard;
    if (typeof value === 'string' && value.length <= maxTextLength && !/[\u0000-\u001f\u007f]/.test(value)) return value;
    this.#problem(key, `must be a text of 1 to ${maxTextLength} characters, in quotes where it looks like a number`);
    return undefined;
  }

  flag(key: string): boolean {
    const value = this.#take(key);
    if (value === undefined || value === false || value === 'false') return false;
    if (value === true || value === 'true') return true;
    this.#problem(key, 'must be true or false');
    return false;
  }

  /** Milliseconds since the epoch. */
  instant(key: string): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const ms = typeof value === 'string' && instant.test(value) && isDay(value.slice(0, 10)) ? Date.parse(value) : Number.NaN;
    if (!Number.isNaN(ms)) return ms;
    this.#problem(key, 'must be an RFC 3339 instant, such as 2030-01-31T12:00:00Z');
    return undefined;
  }

  list(key: string): readonly unknown[] {
    const value = this.#take(key);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value;
    this.#problem(key, 'must be a list');
    return [];
  }

  section(key: string): Section | undefined {
    const value = this.#take(key);
    return value === undefined ? undefined : new Section(value, this.#at(key), this.#problems);
  }

  roles(key: string): Map<string, Role> {
    const section = this.section(key);
    const found = new Map<string, Role>();
    if (section === undefined) return found;
    for (const [id, role] of section.#values) {
      if (role === 'CLOUD_ADMIN') this.#problem(key, 'CLOUD_ADMIN is no role of one project; set cloudAdmin');
      else if (!isRole(role))
        this.#problem(key, 'names a role that does not exist; there are DEPARTMENT_ADMIN, PROJECT_ADMIN, USER and READER');
      else if (id === '' || id.length > maxTextLength) this.#problem(key, `must be by ids of 1 to ${maxTextLength} characters`);
      else found.set(id, role);
    }
    return found;
  }

  unique(key: string, value: string, seen: Map<string, string>): void {
    if (value === '') return;
    const other = seen.get(value);
    if (other === undefined) seen.set(value, this.path);
    else this.#problem(key, `is that of ${other} too`);
  }

  /** Everything that is known of the mapping was read: what is left is not known. */
  end(): void {
    for (const key of this.#values.keys()) {
      if (!this.#read.has(key)) this.#problem(key.length > 40 ? `${key.slice(0, 40)}…` : key, 'is not known');
    }
  }

  /** Undefined where it is missing or empty. */
  #take(key: string): unknown {
    this.#read.add(key);
    const value = this.#values.get(key);
    return value === null || value === '' ? undefined : value;
  }

  #at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  #problem(key: string, text: string): void {
    this.#problems.push(`${this.#at(key)}: ${text}`);
  }
}
