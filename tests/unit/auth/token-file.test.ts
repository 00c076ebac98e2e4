import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '../../../src/auth/access.js';
import { readTokenData, TokenDataError } from '../../../src/auth/token-data.js';
import { digestOfToken, openTokenFile, TokenAuthenticator, type TokenFile } from '../../../src/auth/token-file.js';
import { GatewayError } from '../../../src/errors.js';

const retail = { id: 'd-retail', name: 'Retail' };
const alice = {
  id: 'u-alice',
  name: 'alice',
  tokenSha256: [digestOfToken('of alice')],
  roles: { 'p-web': 'USER' },
  departments: { 'd-retail': 'DEPARTMENT_ADMIN' },
};
const bob = { id: 'u-bob', tokenSha256: [digestOfToken('of bob')], roles: { 'p-db': 'PROJECT_ADMIN' } };
const root = { id: 'u-root', tokenSha256: [digestOfToken('of root')], cloudAdmin: true };
const company = {
  projects: [{ id: 'p-web', department: retail }, { id: 'p-shop', department: retail }, { id: 'p-db' }],
  users: [alice, bob, root] as object[],
};

async function errorOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GatewayError)) throw new Error('It was expected to be refused.');
  return error;
}

describe('tokens', () => {
  let nowMs = 0;
  let open: TokenAuthenticator[] = [];
  beforeEach(() => (nowMs = Date.parse('2030-01-01T00:00:00Z')));
  afterEach(() => {
    for (const tokens of open) tokens.close();
    open = [];
  });

  function authenticatorOf(data: object): TokenAuthenticator {
    const tokens = new TokenAuthenticator(readTokenData(data), () => nowMs);
    open.push(tokens);
    return tokens;
  }

  it('sign in as their user, with the higher of own and department roles', async () => {
    const { access, expiresAt } = await authenticatorOf(company).authenticate('of alice');
    expect(access.identity).toMatchObject({ userId: 'u-alice', userName: 'alice', cloudAdmin: false });
    expect(access.identity.roles).toEqual(
      new Map([
        ['p-web', 'DEPARTMENT_ADMIN'],
        ['p-shop', 'DEPARTMENT_ADMIN'],
      ]),
    );
    expect(expiresAt).toBeUndefined();
  });

  it('do not lower a role by that of a department', async () => {
    const tokens = authenticatorOf({
      ...company,
      users: [{ ...alice, roles: { 'p-web': 'PROJECT_ADMIN' }, departments: { 'd-retail': 'READER' } }],
    });
    expect((await tokens.authenticate('of alice')).access.identity.roles).toEqual(
      new Map([
        ['p-web', 'PROJECT_ADMIN'],
        ['p-shop', 'READER'],
      ]),
    );
  });

  it('are refused alike, whatever is wrong with them, and are not repeated', async () => {
    const expired = { id: 'u-late', tokenSha256: [{ sha256: digestOfToken('of late'), expiresAt: '2029-12-31T23:59:59Z' }] };
    const tokens = authenticatorOf({ ...company, users: [...company.users, expired] });
    const wrong = ['nothing', 'of late', '', 'of alice ', digestOfToken('of alice'), 'OF ALICE', '__proto__', 'x'.repeat(10_000)];
    for (const token of wrong) {
      const error = await errorOf(tokens.authenticate(token));
      expect([error.code, error.message, error.cause, error.field]).toEqual([
        'UNAUTHENTICATED',
        'A valid token is needed.',
        undefined,
        undefined,
      ]);
    }
  });

  it('are looked up by their digest alone, so that the time of a look-up says nothing of another token', async () => {
    const tokens = authenticatorOf(company);
    const seen: unknown[] = [];
    const { get } = Map.prototype;
    Map.prototype.get = function (this: Map<unknown, unknown>, key: unknown): unknown {
      seen.push(key);
      return get.call(this, key);
    };
    try {
      await tokens.authenticate('of nobody').catch(() => undefined);
    } finally {
      Map.prototype.get = get;
    }
    expect(seen).toEqual(expect.arrayContaining([digestOfToken('of nobody')]));
    expect(seen).not.toContain('of nobody');
  });

  it('share one session for all requests of one token', async () => {
    const tokens = authenticatorOf({ ...company, users: [{ ...bob, tokenSha256: [digestOfToken('a'), digestOfToken('b')] }] });
    expect(await tokens.authenticate('a')).toBe(await tokens.authenticate('a'));
    expect(await tokens.authenticate('a')).not.toBe(await tokens.authenticate('b'));
  });

  it('end their session at once when they are removed, and leave the others', async () => {
    const tokens = authenticatorOf(company);
    const [ofAlice, ofBob] = [await tokens.authenticate('of alice'), await tokens.authenticate('of bob')];
    let changes = 0;
    ofAlice.onChange(() => changes++);
    ofBob.onChange(() => changes++);
    tokens.replace(readTokenData({ ...company, users: [bob] }));
    expect(ofAlice.ended.aborted).toBe(true);
    expect(ofAlice.ended.reason).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(ofBob.ended.aborted).toBe(false);
    expect(changes).toBe(0);
    await errorOf(tokens.authenticate('of alice'));
    expect(await tokens.authenticate('of bob')).toBe(ofBob);
  });

  it('end the session of a token that is given to another user', async () => {
    const tokens = authenticatorOf(company);
    const session = await tokens.authenticate('of alice');
    tokens.replace(readTokenData({ ...company, users: [{ ...bob, tokenSha256: [digestOfToken('of alice')] }] }));
    expect(session.ended.aborted).toBe(true);
    expect((await tokens.authenticate('of alice')).access.identity.userId).toBe('u-bob');
  });

  it.each<[string, object]>([
    ['own roles', { ...company, users: [{ ...alice, departments: {} }] }],
    ['roles of a department', { ...company, users: [{ ...alice, departments: { 'd-retail': 'READER' } }] }],
    ['projects of a department', { ...company, projects: [{ id: 'p-web', department: retail }], users: [alice] }],
    ['cloud administration', { ...company, users: [{ ...alice, cloudAdmin: true }] }],
    ['the name', { ...company, users: [{ ...alice, name: 'Alice Liddell' }] }],
  ])('tell their session at once of a change of %s', async (_, changed) => {
    const tokens = authenticatorOf(company);
    const session = await tokens.authenticate('of alice');
    const before = session.access;
    const told: Session['access'][] = [];
    const stop = session.onChange(() => told.push(session.access));
    const stopped = session.onChange(() => told.push(before));
    stopped();
    tokens.replace(readTokenData(changed));
    expect(told).toEqual([session.access]);
    expect(session.access).not.toBe(before);
    expect(session.ended.aborted).toBe(false);
    stop();
    tokens.replace(readTokenData(company));
    expect(told).toHaveLength(1);
  });

  it('keep the access, and call nobody, where nothing of it changed', async () => {
    const tokens = authenticatorOf(company);
    const session = await tokens.authenticate('of alice');
    const before = session.access;
    session.onChange(() => {
      throw new Error('Nothing changed.');
    });
    tokens.replace(readTokenData({ ...company, users: [{ ...bob, roles: {} }, alice] }));
    expect(session.access).toBe(before);
  });

  it('end by themselves when their time comes, timer or not', async () => {
    const expiresAt = '2030-01-01T00:00:10Z';
    const tokens = authenticatorOf({ users: [{ id: 'u', tokenSha256: [{ sha256: digestOfToken('short'), expiresAt }] }] });
    const session = await tokens.authenticate('short');
    expect(session.expiresAt).toBe('2030-01-01T00:00:10.000Z');
    nowMs += 9_999;
    expect(await tokens.authenticate('short')).toBe(session);
    nowMs += 1;
    await errorOf(tokens.authenticate('short'));
    expect(session.ended.reason).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('end by a timer while nobody asks, and live longer where the file says so later', async () => {
    const until = (ms: number): object => ({
      users: [{ id: 'u', tokenSha256: [{ sha256: digestOfToken('short'), expiresAt: new Date(Date.now() + ms).toISOString() }] }],
    });
    const tokens = new TokenAuthenticator(readTokenData(until(60)), Date.now);
    open.push(tokens);
    const session = await tokens.authenticate('short');
    tokens.replace(readTokenData(until(150)));
    await sleep(90);
    expect(session.ended.aborted).toBe(false);
    await sleep(120);
    expect(session.ended.aborted).toBe(true);
  });

  it('end when the gateway closes', async () => {
    const tokens = authenticatorOf(company);
    const session = await tokens.authenticate('of root');
    tokens.close();
    expect(session.ended.aborted).toBe(true);
  });

  it('know the projects of the file', () => {
    const { projects } = authenticatorOf(company);
    expect(projects.all().map(({ id }) => id)).toEqual(['p-web', 'p-shop', 'p-db']);
    expect(projects.get('p-shop')).toEqual({ id: 'p-shop', name: 'p-shop', department: retail });
    expect(projects.get('constructor')).toBeUndefined();
  });
});

describe('a token file that is followed', () => {
  let folder: string;
  let file: TokenFile | undefined;
  let reloads: number;
  let problems: Error[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tokens-'));
    reloads = 0;
    problems = [];
  });
  afterEach(async () => {
    file?.close();
    file = undefined;
    await rm(folder, { recursive: true });
  });

  const text = (...tokens: string[]): string =>
    `users: [{ id: u, tokenSha256: [${tokens.map((token) => digestOfToken(token)).join(', ')}], roles: { p: USER } }]`;

  async function open(path: string, options: { pollIntervalMs?: number } = {}): Promise<TokenFile> {
    file = await openTokenFile(path, {
      now: Date.now,
      settleMs: 5,
      pollIntervalMs: 50,
      ...options,
      onReload: () => reloads++,
      onProblem: (problem) => problems.push(problem),
    });
    return file;
  }

  async function until(condition: () => boolean): Promise<void> {
    for (let waitedMs = 0; !condition(); waitedMs += 10) {
      if (waitedMs > 5_000) throw new Error('It did not happen within 5 s.');
      await sleep(10);
    }
  }

  const write = (name: string, content: string): Promise<void> => writeFile(join(folder, name), content);

  it('ends sessions and lets new tokens in when it is written in place', async () => {
    await write('t.yaml', text('old'));
    const tokens = await open(join(folder, 't.yaml'));
    const session = await tokens.authenticate('old');
    await write('t.yaml', text('new'));
    await until(() => session.ended.aborted);
    await tokens.authenticate('new');
    expect([reloads, problems]).toEqual([1, []]);
  });

  it('is followed by its directory at once, without waiting for the next look', async () => {
    await write('t.yaml', text('old'));
    const session = await (await open(join(folder, 't.yaml'), { pollIntervalMs: 1_000_000 })).authenticate('old');
    await write('new.yaml', text('new'));
    await rename(join(folder, 'new.yaml'), join(folder, 't.yaml'));
    await until(() => session.ended.aborted);
  });

  it('is followed when it is replaced by a rename, and again', async () => {
    await write('t.yaml', text('0'));
    const tokens = await open(join(folder, 't.yaml'));
    for (let version = 1; version <= 3; version++) {
      const session = await tokens.authenticate(`${version - 1}`);
      await write('next.yaml', text(`${version}`));
      await rename(join(folder, 'next.yaml'), join(folder, 't.yaml'));
      await until(() => session.ended.aborted);
    }
    await tokens.authenticate('3');
  });

  it('is followed when the link above it is swapped, as Kubernetes updates a mounted secret', async () => {
    for (const [version, token] of [
      ['..v1', 'old'],
      ['..v2', 'new'],
    ] as const) {
      await mkdir(join(folder, version));
      await write(`${version}/t.yaml`, text(token));
    }
    await symlink('..v1', join(folder, '..data'));
    await symlink('..data/t.yaml', join(folder, 't.yaml'));
    const tokens = await open(join(folder, 't.yaml'));
    const session = await tokens.authenticate('old');
    await symlink('..v2', join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(join(folder, '..v1'), { recursive: true });
    await until(() => session.ended.aborted);
    await tokens.authenticate('new');
  });

  it('keeps what was good while it is broken, says so once for each version, and takes the next good one', async () => {
    await write('t.yaml', text('kept'));
    const tokens = await open(join(folder, 't.yaml'));
    const session = await tokens.authenticate('kept');
    await write('t.yaml', `${text('kept')}\nsurprise: true`);
    await until(() => problems.length > 0);
    expect(problems[0]).toBeInstanceOf(TokenDataError);
    expect(problems[0]?.message).toContain('surprise: is not known');
    await sleep(150);
    expect(problems).toHaveLength(1);
    expect(session.ended.aborted).toBe(false);
    expect(await tokens.authenticate('kept')).toBe(session);

    await write('t.yaml', `users: [`);
    await until(() => problems.length > 1);
    await write('t.yaml', text('kept', 'added'));
    await until(() => reloads > 0);
    await tokens.authenticate('added');
    expect(session.ended.aborted).toBe(false);
  });

  it('keeps what was good while it is missing, and takes it when it is back', async () => {
    await write('t.yaml', text('kept'));
    const tokens = await open(join(folder, 't.yaml'));
    await rm(join(folder, 't.yaml'));
    await until(() => problems.length > 0);
    await tokens.authenticate('kept');
    await write('t.yaml', text('back'));
    await until(() => reloads > 0);
    await tokens.authenticate('back');
  });

  it('is not opened where it is missing or broken', async () => {
    await expect(open(join(folder, 'none.yaml'))).rejects.toMatchObject({ code: 'ENOENT' });
    await write('t.yaml', 'users: 1');
    await expect(open(join(folder, 't.yaml'))).rejects.toBeInstanceOf(TokenDataError);
  });

  it('is left alone once it is closed', async () => {
    await write('t.yaml', text('old'));
    const tokens = await open(join(folder, 't.yaml'));
    tokens.close();
    await write('t.yaml', text('new'));
    await tokens.reload();
    await sleep(120);
    expect([reloads, problems]).toEqual([0, []]);
  });
});
