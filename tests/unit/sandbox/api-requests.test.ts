import { request } from 'node:http';
import { SandboxServer } from '../../support/sandbox-server.js';

const path = '/api/v1/namespaces/default/configmaps';

describe('requests to the embedded API server', () => {
  let cluster: SandboxServer;
  beforeEach(async () => {
    cluster = await SandboxServer.start();
  });
  afterEach(async () => {
    await cluster.close();
    expect(cluster.errors).toEqual([]);
  });

  describe('for what it serves', () => {
    test('list kinds with their verbs, short names and categories', async () => {
      const core = await cluster.ask('GET', '/api/v1');
      expect(core.body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'v1' });
      expect(core.body.resources).toContainEqual(
        expect.objectContaining({
          name: 'pods',
          singularName: 'pod',
          kind: 'Pod',
          namespaced: true,
          shortNames: ['po'],
          categories: ['all'],
        }),
      );
      const apps = (await cluster.ask('GET', '/apis/apps/v1')).body.resources as {
        name: string;
        kind: string;
        group?: string;
        verbs: string[];
      }[];
      expect(apps.find(({ name }) => name === 'deployments/scale')).toMatchObject({
        kind: 'Scale',
        group: 'autoscaling',
        verbs: ['get', 'patch', 'update'],
      });
      expect((core.body.resources as { name: string }[]).map(({ name }) => name)).not.toContain('pods/exec');
      expect((await cluster.ask('GET', '/apis/apps')).body).toMatchObject({
        kind: 'APIGroup',
        name: 'apps',
        preferredVersion: { groupVersion: 'apps/v1' },
      });
      expect((await cluster.ask('GET', '/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    });

    test('get all of them in one answer where they ask for it', async () => {
      const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
      const all = await cluster.ask('GET', '/apis', { headers: { accept } });
      expect(all.headers.get('content-type')).toBe(accept);
      expect(all.body).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' });
      const names = (all.body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
      expect(names).toEqual(expect.arrayContaining(['apps', 'batch', 'node.k8s.io']));
    });

    test('get a schema of every kind', async () => {
      const v2 = await cluster.ask('GET', '/openapi/v2');
      expect(v2.body).toMatchObject({ swagger: '2.0', definitions: { 'io.k8s.api.apps.v1.Deployment': { type: 'object' } } });
      const index = await cluster.ask('GET', '/openapi/v3');
      expect(Object.keys(index.body.paths as object)).toEqual(expect.arrayContaining(['api/v1', 'apis/apps/v1']));
      const v3 = await cluster.ask('GET', '/openapi/v3/apis/batch/v1');
      expect(v3.body.components.schemas).toHaveProperty(['io.k8s.api.batch.v1.CronJob']);
      expect(await cluster.ask('GET', '/openapi/v3/apis/none/v1')).toMatchObject({ code: 404 });
    });
  });

  describe('are refused', () => {
    test.each([
      ['/api/v2'],
      ['/apis/none/v1/things'],
      ['/apis/apps/v1beta1/deployments'],
      ['/apis/apps/v1/namespaces/default/deployments/web/none'],
      ['/api/v1/namespaces/default/nodes'],
      ['/api/v1/pods/web'],
      ['/api/v1//pods'],
      ['/none'],
    ])('under %s, which leads nowhere', async (where) => {
      expect(await cluster.ask('GET', where)).toMatchObject({
        code: 404,
        body: {
          kind: 'Status',
          status: 'Failure',
          reason: 'NotFound',
          code: 404,
          message: 'the server could not find the requested resource',
        },
      });
    });

    test('for a broken escape, and for a name with anything odd in it', async () => {
      expect(await cluster.ask('GET', `${path}/%zz`)).toMatchObject({ code: 400, body: { reason: 'BadRequest' } });
      for (const name of ['%00', '..%2f..', 'a%20b', 'x'.repeat(5_000)])
        expect((await cluster.ask('GET', `${path}/${name}`)).code).toBe(404);
    });

    test.each([
      ['PUT', path],
      ['POST', `${path}/one`],
      ['DELETE', '/api/v1/namespaces'],
      ['POST', '/api/v1/pods'],
      ['DELETE', '/api/v1/pods'],
      ['POST', '/version'],
      ['GET', '/api/v1/namespaces/default/pods/x/eviction'],
    ])('%s of %s, which nothing answers', async (method, where) => {
      expect(await cluster.ask(method, where, method === 'GET' ? {} : { body: {} })).toMatchObject({
        code: 405,
        body: { reason: 'MethodNotAllowed' },
      });
    });

    test("with a host name that is not the loopback's, so that no page in a browser gets in", async () => {
      const { port } = new URL(cluster.url);
      const code = await new Promise<number | undefined>((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port, path: '/version', headers: { host: 'evil.example' } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        sent.on('error', reject);
        sent.end();
      });
      expect(code).toBe(403);
    });

    test('for forms that cannot be made', async () => {
      expect(await cluster.ask('GET', path, { headers: { accept: 'application/vnd.kubernetes.protobuf' } })).toMatchObject({
        code: 406,
        body: { reason: 'NotAcceptable' },
      });
      expect((await cluster.ask('GET', path, { headers: { accept: 'application/vnd.kubernetes.protobuf,application/json' } })).code).toBe(
        200,
      );
    });

    test.each([
      ['what is no JSON', '{', 'application/json', 400],
      ['a list', '[]', 'application/json', 400],
      ['nothing', '', 'application/json', 400],
      ['XML', '<a/>', 'text/xml', 415],
      ['YAML that is broken', 'a: [', 'application/yaml', 400],
      ['what is too deep', '['.repeat(20_000), 'application/json', 400],
      ['what is too large', JSON.stringify({ data: 'x'.repeat(4 * 1024 * 1024) }), 'application/json', 413],
      ['another kind', '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}', 'application/json', 400],
      ['another version', '{"kind":"ConfigMap","apiVersion":"v2","metadata":{"name":"x"}}', 'application/json', 400],
      ['a value of the wrong type', '{"metadata":{"name":"x"},"data":{"a":1}}', 'application/json', 400],
      ['a namespace that is another', '{"metadata":{"name":"x","namespace":"other"}}', 'application/json', 400],
      ['no name', '{"metadata":{}}', 'application/json', 422],
      ['a version that is set', '{"metadata":{"name":"x","resourceVersion":"5"}}', 'application/json', 500],
    ])('with a body that is %s', async (_what, body, type, code) => {
      const answer = await cluster.ask('POST', path, { body, type });
      expect(answer).toMatchObject({ code, body: { kind: 'Status', status: 'Failure', code } });
      expect(cluster.storage.list('configmaps')).toEqual([]);
    });

    test.each([
      ['An upper-case', 'Web'],
      ['a dotted but broken', 'a..b'],
      ['a slashed', 'a/b'],
      ['a long', 'x'.repeat(254)],
      ['a lonely dash', '-'],
      ['an empty', ''],
    ])('with %s name', async (_what, name) => {
      expect(await cluster.ask('POST', path, { body: { metadata: { name } } })).toMatchObject({
        code: 422,
        body: { reason: 'Invalid', details: { causes: [{ field: 'metadata.name' }] } },
      });
    });
  });

  test('need one of the tokens where there are any, and always for more than health', async () => {
    const closed = await SandboxServer.start({ tokens: ['one', 'two'] });
    const code = async (where: string, authorization?: string): Promise<number> =>
      (await closed.ask('GET', where, { headers: authorization === undefined ? {} : { authorization } })).code;
    expect(await code('/readyz')).toBe(200);
    expect(await code('/version')).toBe(401);
    for (const wrong of ['Bearer nothing', 'Bearer', 'one', 'Basic one', 'Bearer one two']) expect(await code('/version', wrong)).toBe(401);
    expect(await code('/version', 'Bearer two')).toBe(200);
    expect(await code('/version', 'bearer  one')).toBe(200);
    await closed.close();
  });

  test('may come in YAML, and without a type', async () => {
    expect(
      await cluster.ask('POST', path, { body: 'metadata: { name: one }\ndata: { a: "1" }\n', type: 'application/yaml' }),
    ).toMatchObject({ code: 201, body: { data: { a: '1' } } });
    expect(
      await cluster.ask('POST', path, { body: '{"metadata":{"name":"two"}}', type: 'application/x-www-form-urlencoded' }),
    ).toMatchObject({ code: 201 });
  });

  test('with HEAD get no body', async () => {
    const answer = await fetch(`${cluster.url}/version`, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(0);
    expect(await answer.text()).toBe('');
  });

  test('for an object with a key that could be mistaken change nothing else', async () => {
    const body = '{"metadata":{"name":"odd"},"data":{"__proto__":"a","constructor":"b"}}';
    const made = await cluster.ask('POST', path, { body });
    expect(Object.entries(made.body.data as object)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect({}).not.toHaveProperty('a');
  });

  test('while the server closes end', async () => {
    const watch = await fetch(`${cluster.url}${path}?watch=true`);
    expect(cluster.server.watches).toBe(1);
    const reading = watch.text().catch(() => 'cut');
    await cluster.close();
    expect(['', 'cut']).toContain(await reading);
    cluster = await SandboxServer.start();
  });
});
