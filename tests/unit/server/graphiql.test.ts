import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Graphiql, type OfferedSignIn } from '../../../src/server/graphiql.js';

const signIns: readonly OfferedSignIn[] = [
  { label: '云管理员 · 林涛', token: 'token-of-the-cloud' },
  { label: '</script><script>alert(1)</script>', token: 'token-of-a-joker' },
];

let assets: string;

beforeEach(async () => {
  assets = await mkdtemp(join(tmpdir(), 'graphiql-'));
  await writeFile(join(assets, 'graphiql.js'), 'run()');
  await writeFile(join(assets, 'graphiql.css'), 'body{}');
  await writeFile(join(assets, 'worker-json.js'), 'work()');
  await writeFile(join(assets, '.secret.js'), 'hidden');
  await mkdir(join(assets, 'inner'));
  await writeFile(join(assets, 'inner', 'deep.js'), 'deep');
});

afterEach(() => rm(assets, { recursive: true }));

const graphiql = (): Graphiql => new Graphiql({ assets, signIns, initialQuery: '{ viewer { name } }' });

async function page(host: string | undefined): Promise<{ text: string; policy: string; config: Record<string, unknown> }> {
  const found = await graphiql().find('/', host);
  const text = found!.body.toString();
  const json = /<script type="application\/json" id="config">(.*?)<\/script>/s.exec(text)?.[1];
  return { text, policy: found!.headers['content-security-policy']!, config: JSON.parse(json ?? '{}') as Record<string, unknown> };
}

describe('the sign-ins in the page', () => {
  it.each(['127.0.0.1:4000', 'localhost:4000', 'localhost', '[::1]:4000', '127.8.9.1'])('are given to a request for %s', async (host) => {
    expect((await page(host)).config).toMatchObject({ signIns, initialQuery: '{ viewer { name } }' });
  });

  it.each([
    'demo.example:4000',
    '127.0.0.1.demo.example',
    'localhost.demo.example:4000',
    'demo.example#localhost',
    '10.0.0.1:4000',
    '0.0.0.0:4000',
    '',
    undefined,
  ])('are not given to a request for %s, which may be a page that rebinds DNS', async (host) => {
    const { text, config } = await page(host);
    expect(config['signIns']).toEqual([]);
    expect(text).not.toContain('token-of-');
  });

  it('cannot end the script element that they stand in', async () => {
    const { text } = await page('localhost:4000');
    expect(text.match(/<script/g)).toHaveLength(2);
    expect(text.match(/<\/script>/g)).toHaveLength(2);
  });

  it('are kept by no cache', async () => {
    expect((await graphiql().find('/', 'localhost'))!.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
  });
});

describe('the policy of the page', () => {
  it('lets nothing come from, or go to, anywhere else', async () => {
    const { policy, text } = await page('127.0.0.1:4000');
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining([
        "default-src 'self'",
        "connect-src 'self' ws://127.0.0.1:4000 wss://127.0.0.1:4000",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
      ]),
    );
    expect(policy).not.toMatch(/script-src|worker-src|unsafe-eval|\*/);
    expect(text).not.toMatch(/(?:src|href)="(?!\/graphiql\/|data:,")/);
  });

  it.each(['x; script-src *', 'a b', "'unsafe-eval'", 'a,b', '*'])('takes nothing from the Host header %s', async (host) => {
    expect((await page(host)).policy).toContain("connect-src 'self';");
  });
});

describe('the files', () => {
  it('are served with their types', async () => {
    const pages = graphiql();
    const script = await pages.find('/graphiql/graphiql.js', undefined);
    expect(script!.body.toString()).toBe('run()');
    expect(script!.headers).toMatchObject({ 'content-type': 'text/javascript; charset=utf-8', 'content-length': '5' });
    expect((await pages.find('/graphiql/graphiql.css', undefined))!.headers['content-type']).toBe('text/css; charset=utf-8');
    expect((await pages.find('/graphiql/worker-json.js', undefined))!.body.toString()).toBe('work()');
  });

  it.each([
    '/graphiql/none.js',
    '/graphiql/',
    '/graphiql',
    '/graphiql/.secret.js',
    '/graphiql/../graphiql.js',
    '/graphiql/..%2fgraphiql.js',
    '/graphiql/inner/deep.js',
    '/graphiql/graphiql.js\0',
    '/graphiql.js',
    '//',
  ])('leave %j unknown', async (path) => {
    expect(await graphiql().find(path, 'localhost')).toBeUndefined();
  });

  it('get another address when they are built again, so that no browser goes on with the old ones', async () => {
    const address = async (): Promise<string | undefined> => /src="([^"]+)"/.exec((await page('localhost')).text)?.[1];
    const before = await address();
    expect(before).toMatch(/^\/graphiql\/graphiql\.js\?[0-9a-f]{12}$/);
    expect(await address()).toBe(before);
    await writeFile(join(assets, 'graphiql.js'), 'runOtherwise()');
    expect(await address()).not.toBe(before);
  });
});

describe('without the files', () => {
  it('the page says how to get them, offers no sign-in, and works once they are there', async () => {
    await rm(join(assets, 'graphiql.js'));
    const pages = graphiql();
    const text = (await pages.find('/', 'localhost:4000'))!.body.toString();
    expect(text).toContain('npm run graphiql');
    expect(text).not.toContain('token-of-');
    await writeFile(join(assets, 'graphiql.js'), 'run()');
    expect((await pages.find('/', 'localhost:4000'))!.body.toString()).toContain('token-of-the-cloud');
  });
});
