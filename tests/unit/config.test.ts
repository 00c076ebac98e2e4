import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, describeSettings, loadConfig, settings, type ConfigSources } from '../../src/config.js';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(env: Record<string, string>, file?: string, more: Partial<ConfigSources> = {}) {
  if (file !== undefined) writeFileSync(join(folder, 'gateway.yaml'), file);
  return loadConfig({
    env: { TOKEN_FILE: 'tokens.yaml', ...(file === undefined ? {} : { CONFIG_FILE: 'gateway.yaml' }), ...env },
    cwd: folder,
    homeDirectory: folder,
    exists: () => false,
    ...more,
  });
}

function problemsOf(...args: Parameters<typeof load>): readonly string[] {
  try {
    load(...args);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

it('has a default for every option', () => {
  const config = load({ KUBECONFIG: 'kube' });
  expect(config.host).toBe('127.0.0.1');
  expect(config.port).toBe(4000);
  expect(config.managementPort).toBe(4001);
  expect(config.projectLabel).toBe('openstack.org/project-id');
  expect(config.requestTimeoutMs).toBe(30_000);
  expect(config.corsOrigins).toEqual([]);
  expect(config.secureHandlers).toEqual(['kata']);
  expect(config.clusters).toEqual([
    { name: 'default', displayName: 'default', kubeconfig: join(folder, 'kube'), context: undefined, projects: undefined },
  ]);
});

it('reads clusters and options from the file, with paths from its folder', () => {
  const config = load(
    {},
    `
clusters:
  - { name: east, displayName: 华东一, kubeconfig: ./east.kubeconfig, context: admin }
  - { name: north, projects: [p-web] }
projectLabel: example.com/tenant
auth: { tokenFile: ./t.yaml }
limits: { depth: 12 }
corsOrigins: [https://portal.example]
`,
    {},
  );
  expect(config.clusters).toEqual([
    { name: 'east', displayName: '华东一', kubeconfig: join(folder, 'east.kubeconfig'), context: 'admin', projects: undefined },
    { name: 'north', displayName: 'north', kubeconfig: undefined, context: undefined, projects: ['p-web'] },
  ]);
  expect(config.projectLabel).toBe('example.com/tenant');
  expect(config.maxDepth).toBe(12);
  expect(config.corsOrigins).toEqual(['https://portal.example']);
});

it('lets the environment win over the file', () => {
  const config = load(
    { MAX_DEPTH: '7', CORS_ORIGINS: 'https://a.example, http://b.example:8080' },
    'clusters: [{ name: a }]\nlimits: { depth: 12 }\n',
  );
  expect(config.maxDepth).toBe(7);
  expect(config.corsOrigins).toEqual(['https://a.example', 'http://b.example:8080']);
});

it('reports every problem at once, and no value', () => {
  const problems = problemsOf(
    { PORT: 'secret-port', MAX_DEPTH: '0' },
    'clusters: [{ name: A_B }, { name: ok, kubeconfig: 3 }, 7, { name: ok2, token: x }]\nlogLevel: loud\nprt: 3\nauth: { tokenfile: x }\n',
  );
  expect(problems).toEqual([
    'PORT: must be TCP port, 0 to 65,535',
    'logLevel (in CONFIG_FILE): must be trace, debug, info, warn, error, silent',
    'MAX_DEPTH: must be levels, 3 to 100',
    'prt (in CONFIG_FILE): is no option of the gateway',
    'auth.tokenfile (in CONFIG_FILE): is no option of the gateway',
    'clusters[0].name: must be a DNS label (lower-case letters, digits and dashes, at most 63)',
    'clusters[1].kubeconfig: must be text',
    'clusters[2]: must be a map with a name',
    'clusters[3]: has a key that is none of name, displayName, kubeconfig, context, projects',
  ]);
  expect(problems.join()).not.toContain('secret-port');
});

it.each([
  ['is not there', undefined, /not there/],
  ['is no YAML', 'a: [', /cannot be read as YAML/],
  ['is no map', '- a', /must hold a map/],
])('says so when the file %s', (_what, content, expected) => {
  if (content !== undefined) expect(problemsOf({}, content)[0]).toMatch(expected);
  else expect(problemsOf({ CONFIG_FILE: 'absent.yaml' })[0]).toMatch(expected);
});

it('looks for a kubeconfig, then for a service account, then says what to set', () => {
  expect(load({}, undefined, { exists: (path) => path === join(folder, '.kube', 'config') }).clusters[0]?.kubeconfig).toBe(
    join(folder, '.kube', 'config'),
  );
  expect(load({}, undefined, { exists: (path) => path.startsWith('/var/run/secrets') }).clusters[0]?.kubeconfig).toBeUndefined();
  expect(problemsOf({})).toEqual([expect.stringMatching(/KUBECONFIG.*npm run demo/)]);
});

it('wants a token file', () => {
  expect(problemsOf({ TOKEN_FILE: '', KUBECONFIG: 'kube' })).toEqual([expect.stringMatching(/TOKEN_FILE/)]);
});

it('refuses the same name for two clusters', () => {
  expect(problemsOf({}, 'clusters: [{ name: a }, { name: a }]')).toEqual(['clusters[1].name: is the name of another cluster too']);
});

it('gives each option one name in the file and one in the environment', () => {
  const described = describeSettings();
  expect(new Set(described.map(({ env }) => env)).size).toBe(described.length);
  expect(new Set(described.map(({ file }) => file)).size).toBe(described.length);
  expect(described).toHaveLength(Object.keys(settings).length);
  for (const { doc, form } of described) {
    expect(doc).toMatch(/\.$/);
    expect(form).not.toBe('');
  }
});
