import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSchema, parse, validate } from 'graphql';
import { parse as parseYaml } from 'yaml';
import { readTokenData } from '../../../src/auth/token-data.js';
import { loadConfig } from '../../../src/config.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const notOurs = new Set(['node_modules', 'dist', 'coverage', '.cache', '.git']);

/** Paths of all files of the project, from its root. */
function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (notOurs.has(name) || lstatSync(path).isSymbolicLink()) return [];
    return statSync(path).isDirectory() ? filesUnder(path) : [relative(root, path)];
  });
}

const files = filesUnder(root);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const isText = (path: string): boolean => !readFileSync(join(root, path)).subarray(0, 8_000).includes(0);
const pages = files.filter((path) => path.endsWith('.md'));

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(read('package.json')) as Package;

describe('the files of the project', () => {
  it.each(
    [
      'package.json package-lock.json tsconfig.json Dockerfile docker-compose.yml README.md CONTRIBUTING.md CHANGELOG.md schema.graphql',
      'contract/schema.graphql contract/pending.txt docs/configuration.md docs/permission.md .ci/run src/main.ts src/config.ts src/errors.ts',
      'src/k8s src/domain src/auth src/schema src/resolvers src/server src/sandbox',
      'tests/unit tests/integration tests/cluster tests/support benchmarks designs examples',
    ].flatMap((line) => line.split(' ')),
  )('have %s where the layout wants it', (path) => {
    expect(existsSync(join(root, path))).toBe(true);
  });

  it('have a CI that can be run', () => {
    expect(statSync(join(root, '.ci/run')).mode & 0o111).toBe(0o111);
  });

  it('name no place that packages come from, and no place that they were written at', () => {
    // Taken apart, so that this file does not name them either.
    const hosts = [
      'npmjs org',
      'npmjs com',
      'yarnpkg com',
      'proxy golang org',
      'sum golang org',
      'goproxy io',
      'pypi org',
      'pythonhosted org',
    ]
      .concat(['static crates io', 'index crates io', 'maven org', 'maven apache org', 'deb debian org', 'security debian org'])
      .map((host) => host.split(' ').join('.'));
    const places = ['work/main', 'work/shared', 'shared/DESIGN', 'shared/FACTS', 'shared/MEASURED', 'shared/STYLE'].map(
      (place) => `/${place}`,
    );
    const forbidden = [...hosts, ...places];
    const found = files.filter(isText).flatMap((path) => {
      const text = read(path);
      return forbidden.filter((word) => text.includes(word)).map((word) => `${path}: ${word}`);
    });
    expect(found).toEqual([]);
  });

  it('lock packages without saying where they were fetched', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { resolved?: string; integrity?: string }> };
    const entries = Object.entries(packages).filter(([path]) => path !== '');
    expect(entries.length).toBeGreaterThan(100);
    expect(entries.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
    expect(entries.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([]);
  });

  it('leave nothing for later in the code', () => {
    const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);
    const code = files.filter((path) => /^(src|tests|scripts|benchmarks|examples|\.ci)\//.test(path) && isText(path));
    expect(code.filter((path) => marks.test(read(path)))).toEqual([]);
  });
});

describe('the documentation', () => {
  it('names commands that there are', () => {
    const named = pages.flatMap((page) =>
      [...read(page).matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(test|start)\b)/g)].map((match) => ({
        page,
        script: match[1] ?? match[2] ?? '',
      })),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(({ script }) => manifest.scripts[script] === undefined)).toEqual([]);
  });

  it('names scripts that there are', () => {
    const named = [...pages.map(read), JSON.stringify(manifest.scripts)].flatMap((text) =>
      [...text.matchAll(/\b((?:scripts|examples|benchmarks|tests|\.ci)\/[\w./-]+\w)/g)].map((match) => match[1] ?? ''),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('has links that lead somewhere', () => {
    const links = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map((match) => ({ page, target: match[1] ?? '' }))
        .filter(({ target }) => !/^https?:/.test(target)),
    );
    expect(links.length).toBeGreaterThan(5);
    const broken = links.filter(({ page, target }) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? join(root, page) : resolve(root, dirname(page), path);
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  it('asks for what the schema has', () => {
    const schema = buildSchema(read('schema.graphql'));
    const documents = [
      ...pages.flatMap((page) => [...read(page).matchAll(/```graphql\n([^]*?)```/g)].map((match) => ({ at: page, text: match[1] ?? '' }))),
      ...files.filter((path) => path.startsWith('examples/queries/')).map((path) => ({ at: path, text: read(path) })),
    ];
    expect(documents.length).toBeGreaterThan(5);
    const problems = documents.flatMap(({ at, text }) => validate(schema, parse(text)).map(({ message }) => `${at}: ${message}`));
    expect(problems).toEqual([]);
  });

  it('shows files that the gateway takes', () => {
    const blocks = pages.flatMap((page) =>
      [...read(page).matchAll(/```yaml\n([^]*?)```/g)].map((match) => ({ page, text: match[1] ?? '' })),
    );
    const configurations = blocks.filter(({ text }) => /^clusters:/m.test(text));
    const tokenFiles = blocks.filter(({ text }) => /^users:/m.test(text));
    expect(configurations.map(({ page }) => page)).toEqual(expect.arrayContaining(['README.md', 'docs/configuration.md']));
    expect(tokenFiles.map(({ page }) => page)).toEqual(expect.arrayContaining(['README.md', 'docs/permission.md']));

    const folder = mkdtempSync(join(tmpdir(), 'house-'));
    try {
      for (const { text } of configurations) {
        writeFileSync(join(folder, 'config.yaml'), text);
        const config = loadConfig({ env: { CONFIG_FILE: 'config.yaml' }, cwd: folder, homeDirectory: folder, exists: () => false });
        expect(config).toMatchObject({ clusters: [{ name: 'east', displayName: '华东一' }], tokenFile: join(folder, 'tokens.yaml') });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    for (const { text } of tokenFiles) expect(() => readTokenData(parseYaml(text))).not.toThrow();
  });

  it('says of each dependency what it is for, and of no other package', () => {
    const section = /## Dependencies[^]*?(?=\n## |$)/.exec(read('README.md'))?.[0] ?? '';
    const told = section
      .split('\n')
      .flatMap((line) => [...(/^\| (`[^|]*)\|/.exec(line)?.[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]));
    expect(told.sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });
});

/** Anchors of a page's headings, as they are made of their words. */
function anchorsOf(page: string): readonly string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
