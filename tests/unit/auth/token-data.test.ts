import { readTokenData, TokenDataError } from '../../../src/auth/token-data.js';
import { digestOfToken, parseTokenFile } from '../../../src/auth/token-file.js';

function problemsOf(text: string): readonly string[] {
  try {
    parseTokenFile(text);
  } catch (error) {
    if (error instanceof TokenDataError) return error.problems;
    throw error;
  }
  return [];
}

const one = digestOfToken('one');
const two = digestOfToken('two');

describe('a token file', () => {
  it('gives users, their roles by project and department, and projects', () => {
    const data = parseTokenFile(`
projects:
  - { id: p-web, name: web, department: { id: d-retail, name: Retail } }
  - { id: p-lone }
users:
  - id: u-alice
    name: alice
    tokenSha256: [${one.toUpperCase()}, { sha256: ${two}, expiresAt: 2030-01-31T12:00:00Z }]
    roles: { p-web: PROJECT_ADMIN, p-unlisted: USER }
    departments: { d-retail: DEPARTMENT_ADMIN }
    cloudAdmin: false
  - { id: u-root, cloudAdmin: true, tokenSha256: [], expiresAt: 2031-01-01T00:00:00+08:00 }
`);
    expect(data.projects).toEqual([
      { id: 'p-web', name: 'web', department: { id: 'd-retail', name: 'Retail' } },
      { id: 'p-lone', name: 'p-lone', department: undefined },
    ]);
    expect(data.users).toEqual([
      {
        id: 'u-alice',
        name: 'alice',
        cloudAdmin: false,
        tokens: [
          { sha256: one, expiresAtMs: undefined },
          { sha256: two, expiresAtMs: Date.parse('2030-01-31T12:00:00Z') },
        ],
        roles: new Map([
          ['p-web', 'PROJECT_ADMIN'],
          ['p-unlisted', 'USER'],
        ]),
        departments: new Map([['d-retail', 'DEPARTMENT_ADMIN']]),
      },
      expect.objectContaining({ id: 'u-root', name: 'u-root', cloudAdmin: true, tokens: [] }),
    ]);
  });

  it('may be empty of users and projects, but not of everything', () => {
    expect(parseTokenFile('users: []')).toEqual({ projects: [], users: [] });
    expect(parseTokenFile('{}')).toEqual({ projects: [], users: [] });
    expect(problemsOf('')).toEqual(['the whole: must be a mapping']);
    expect(problemsOf('- a\n- b')).toEqual(['the whole: must be a mapping']);
  });

  it('reports every problem at once, with its place and the rule', () => {
    expect(
      problemsOf(`
projects:
  - { id: p-web, name: web, department: { id: d-retail, name: Retail } }
  - { id: p-web, name: again, department: { id: d-retail, name: Wholesale } }
  - { name: nameless, colour: red }
  - just text
users:
  - id: u-alice
    tokenSha256: [${one}, short, ${one}]
    roles: { p-web: OWNER, p-db: CLOUD_ADMIN }
    departments: { d-nowhere: USER }
    cloudAdmin: maybe
    expiresAt: tomorrow
  - id: u-alice
    tokenSha256: ${two}
    expriesAt: 2030-01-01T00:00:00Z
tokens: []
`),
    ).toEqual([
      'projects[1].id: is that of projects[0] too',
      'projects[1].department: has the id of projects[0].department, and another name',
      'projects[2].id: must be a text of 1 to 255 characters, in quotes where it looks like a number',
      'projects[2].colour: is not known',
      'projects[3]: must be a mapping',
      'projects[3].id: must be a text of 1 to 255 characters, in quotes where it looks like a number',
      'users[0].expiresAt: must be an RFC 3339 instant, such as 2030-01-31T12:00:00Z',
      'users[0].tokenSha256[1]: must be a SHA-256 in hex, 64 digits',
      'users[0].tokenSha256[2]: is the same token as users[0].tokenSha256[0]',
      'users[0].cloudAdmin: must be true or false',
      'users[0].roles: names a role that does not exist; there are DEPARTMENT_ADMIN, PROJECT_ADMIN, USER and READER',
      'users[0].roles: CLOUD_ADMIN is no role of one project; set cloudAdmin',
      'users[0].departments: names a department that no project is of',
      'users[1].id: is that of users[0] too',
      'users[1].tokenSha256: must be a list',
      'users[1].expriesAt: is not known',
      'tokens: is not known',
    ]);
  });

  it.each(['2030-02-31T12:00:00Z', '2030-13-01T12:00:00Z', '2030-01-31T25:00:00Z', '2030-01-31', '0'])(
    'takes %s for no instant',
    (text) => {
      expect(problemsOf(`users: [{ id: a, tokenSha256: [], expiresAt: ${text} }]`)).toEqual([
        'users[0].expiresAt: must be an RFC 3339 instant, such as 2030-01-31T12:00:00Z',
      ]);
    },
  );

  it('takes a token of one user for no other, however its digest is written', () => {
    expect(problemsOf(`users: [{ id: a, tokenSha256: [${one}] }, { id: b, tokenSha256: [${one.toUpperCase()}] }]`)).toEqual([
      'users[1].tokenSha256[0]: is the same token as users[0].tokenSha256[0]',
    ]);
  });

  it('takes a token itself for no digest, and repeats it nowhere', () => {
    const token = 'tk-live-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1';
    for (const entry of [token, `{ sha256: ${token} }`]) {
      const problems = problemsOf(`users: [{ id: a, tokenSha256: [${entry}] }]`);
      expect(problems).toEqual(['users[0].tokenSha256[0]: must be a SHA-256 in hex, 64 digits']);
    }
    for (const text of [`users: [{ id: a, roles: { p: ${token} } }]`, `users:\n - "${token}\n`, `${token}: {{{`, `users: ${token}`]) {
      const problems = problemsOf(text);
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.join('\n')).not.toContain(token);
      expect(new TokenDataError(problems).message).not.toContain(token);
    }
  });

  it('names the line where the YAML itself is broken', () => {
    expect(problemsOf('users:\n  - { id: a\n  - b: ]')).toEqual(
      expect.arrayContaining([expect.stringMatching(/^line \d+: is not good YAML/)]),
    );
    expect(problemsOf('users: []\n---\nusers: []')).toEqual([expect.stringMatching(/^line \d: is not good YAML \(MULTIPLE_DOCS\)/)]);
    expect(problemsOf('users: []\nusers: []')).toEqual([expect.stringMatching(/^line 2: is not good YAML/)]);
  });

  it('is not fooled by ids that look like numbers, booleans or prototypes', () => {
    const data = parseTokenFile(`
projects: [{ id: 0123, name: yes, department: { id: null } }, { id: __proto__, name: constructor }]
users: [{ id: 1e3, roles: { __proto__: USER, 007: READER } }]`);
    expect(data.projects.map(({ id, name }) => [id, name])).toEqual([
      ['0123', 'yes'],
      ['__proto__', 'constructor'],
    ]);
    expect(data.users[0]?.id).toBe('1e3');
    expect([...(data.users[0]?.roles ?? [])]).toEqual([
      ['__proto__', 'USER'],
      ['007', 'READER'],
    ]);
  });

  it('refuses aliases that unfold without end', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 0; level < 9; level++) {
      const [from, to] = [String.fromCharCode(97 + level), String.fromCharCode(98 + level)];
      bomb.push(`${to}: &${to} [${`*${from}, `.repeat(10)}x]`);
    }
    expect(problemsOf(bomb.join('\n'))).toEqual(['the whole: its aliases cannot be resolved']);
  });

  it('takes plain data as the demo gives it', () => {
    const data = readTokenData({ users: [{ id: 'u', cloudAdmin: true, tokenSha256: [one] }] });
    expect(data.users[0]).toMatchObject({ id: 'u', cloudAdmin: true, tokens: [{ sha256: one }] });
  });

  it('lets a token end when it or its user does, whichever is first', () => {
    const { users } = parseTokenFile(`
users:
  - id: u
    expiresAt: 2030-01-01T00:00:00Z
    tokenSha256: [{ sha256: ${one}, expiresAt: 2029-01-01T00:00:00Z }, { sha256: ${two}, expiresAt: 2031-01-01T00:00:00Z }]`);
    expect(users[0]?.tokens.map(({ expiresAtMs }) => expiresAtMs)).toEqual([
      Date.parse('2029-01-01T00:00:00Z'),
      Date.parse('2030-01-01T00:00:00Z'),
    ]);
  });
});
