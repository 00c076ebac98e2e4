import { SandboxServer, type Answered } from '../../support/sandbox-server.js';

const path = '/api/v1/namespaces/default/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const jsonPatch = 'application/json-patch+json';

describe('writes to the embedded API server', () => {
  let cluster: SandboxServer;
  beforeEach(async () => {
    cluster = await SandboxServer.start();
  });
  afterEach(async () => {
    await cluster.close();
    expect(cluster.errors).toEqual([]);
  });

  const make = async (name: string, rest: object = {}): Promise<Answered['body']> => {
    const { code, body } = await cluster.ask('POST', path, { body: { metadata: { name }, ...rest } });
    expect(code).toBe(201);
    return body;
  };
  const deployment = (spec: object = {}): object => ({
    metadata: { name: 'web' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            { name: 'app', image: 'nginx:1', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] },
            { name: 'side', image: 'envoy:1' },
          ],
        },
      },
      ...spec,
    },
  });
  const patch = (where: string, type: string, body: unknown): Promise<Answered> => cluster.ask('PATCH', where, { type, body });

  describe('that create', () => {
    test("make up what is the server's own, whatever the body says", async () => {
      const body = await make('one', {
        metadata: {
          name: 'one',
          uid: 'mine',
          creationTimestamp: '2020-01-01T00:00:00Z',
          generation: 7,
          deletionTimestamp: '2020-01-01T00:00:00Z',
        },
      });
      expect(body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(body.metadata.creationTimestamp).not.toBe('2020-01-01T00:00:00Z');
      expect(body.metadata).not.toHaveProperty('generation');
      expect(body.metadata).not.toHaveProperty('deletionTimestamp');
    });

    test('generate names that differ', async () => {
      const names = new Set<string>();
      for (let index = 0; index < 20; index++) {
        const { code, body } = await cluster.ask('POST', path, { body: { metadata: { generateName: 'gen-' } } });
        expect(code).toBe(201);
        expect(body.metadata).toMatchObject({ generateName: 'gen-', name: expect.stringMatching(/^gen-[a-z0-9]{5}$/) });
        names.add(body.metadata.name as string);
      }
      expect(names.size).toBe(20);
      const long = await cluster.ask('POST', path, { body: { metadata: { generateName: 'x'.repeat(100) } } });
      expect(long.body.metadata.name).toHaveLength(63);
    });

    test('with unknown fields warn, refuse or keep quiet, as is wanted', async () => {
      const body = { metadata: { name: 'one' }, dat: {}, data: { a: '1' } };
      const warned = await cluster.ask('POST', `${path}?dryRun=All`, { body });
      expect(warned.code).toBe(201);
      expect(warned.headers.get('warning')).toContain('unknown field \\"dat\\"');
      expect(warned.body).not.toHaveProperty('dat');
      const strict = await cluster.ask('POST', `${path}?fieldValidation=Strict`, { body });
      expect(strict).toMatchObject({
        code: 400,
        body: { reason: 'BadRequest', message: expect.stringContaining('strict decoding error: unknown field "dat"') },
      });
      const quiet = await cluster.ask('POST', `${path}?fieldValidation=Ignore`, { body });
      expect(quiet.code).toBe(201);
      expect(quiet.headers.get('warning')).toBeNull();
      expect(await cluster.ask('POST', `${path}?fieldValidation=Some`, { body })).toMatchObject({ code: 422 });
      const nested = deployment({
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'i', imge: 'x' }] } },
      });
      expect(await cluster.ask('POST', `${deployments}?fieldValidation=Strict`, { body: nested })).toMatchObject({
        code: 400,
        body: { message: expect.stringContaining('unknown field "spec.template.spec.containers[0].imge"') },
      });
    });

    test('as a dry run answer in full and store nothing', async () => {
      const { resourceVersion } = cluster.storage;
      const answer = await cluster.ask('POST', `${deployments}?dryRun=All`, { body: deployment() });
      expect(answer).toMatchObject({
        code: 201,
        body: { metadata: { uid: expect.any(String) }, spec: { progressDeadlineSeconds: 600, strategy: { type: 'RollingUpdate' } } },
      });
      expect(cluster.storage.resourceVersion).toBe(resourceVersion);
      expect(await cluster.ask('POST', `${path}?dryRun=Some`, { body: { metadata: { name: 'one' } } })).toMatchObject({ code: 422 });
    });

    test('are refused in a namespace that ends, with the reason that controllers look for', async () => {
      cluster.storage.create('namespaces', { metadata: { name: 'shop', finalizers: ['example.org/hold'] } });
      await cluster.ask('DELETE', '/api/v1/namespaces/shop');
      expect(await cluster.ask('POST', '/api/v1/namespaces/shop/configmaps', { body: { metadata: { name: 'one' } } })).toMatchObject({
        code: 403,
        body: { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }] } },
      });
      expect(await cluster.ask('POST', '/api/v1/namespaces/none/configmaps', { body: { metadata: { name: 'one' } } })).toMatchObject({
        code: 404,
        body: { message: 'namespaces "none" not found' },
      });
      expect(await cluster.ask('DELETE', '/api/v1/namespaces/kube-system')).toMatchObject({ code: 403 });
    });

    test('name everything that is wrong at once', async () => {
      const body = deployment({
        replicas: -1,
        selector: { matchLabels: { app: 'other' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [
              { name: 'A', image: '' },
              { name: 'b', image: 'i', resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } },
            ],
          },
        },
      });
      const { code, body: status } = await cluster.ask('POST', deployments, { body });
      expect(code).toBe(422);
      expect((status.details.causes as { field: string; reason: string }[]).map(({ field, reason }) => `${field} ${reason}`)).toEqual(
        expect.arrayContaining([
          'spec.replicas FieldValueInvalid',
          'spec.template.metadata.labels FieldValueInvalid',
          'spec.template.spec.containers[0].name FieldValueInvalid',
          'spec.template.spec.containers[0].image FieldValueRequired',
          'spec.template.spec.containers[1].resources.requests FieldValueInvalid',
        ]),
      );
      expect(status).toMatchObject({ details: { group: 'apps', kind: 'Deployment', name: 'web' } });
    });
  });

  describe('that replace', () => {
    test("keep what is the server's own, and need the version only where it is given", async () => {
      const made = await make('one', { data: { a: '1' } });
      const replaced = await cluster.ask('PUT', `${path}/one`, {
        body: { metadata: { name: 'one', labels: { x: 'y' } }, data: { a: '2' } },
      });
      expect(replaced).toMatchObject({
        code: 200,
        body: {
          data: { a: '2' },
          metadata: { uid: made.metadata.uid, creationTimestamp: made.metadata.creationTimestamp, labels: { x: 'y' } },
        },
      });
      const stale = await cluster.ask('PUT', `${path}/one`, { body: { ...made, data: { a: '3' } } });
      expect(stale).toMatchObject({
        code: 409,
        body: { reason: 'Conflict', message: expect.stringContaining('the object has been modified') },
      });
      const other = await cluster.ask('PUT', `${path}/one`, { body: { metadata: { name: 'one', uid: 'another' } } });
      expect(other).toMatchObject({ code: 409 });
      expect(await cluster.ask('PUT', `${path}/none`, { body: { metadata: { name: 'none' } } })).toMatchObject({ code: 404 });
      expect(await cluster.ask('PUT', `${path}/one`, { body: { metadata: { name: 'two' } } })).toMatchObject({ code: 400 });
    });

    test('may create events and services, as Kubernetes lets them', async () => {
      const service = { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } };
      expect(await cluster.ask('PUT', '/api/v1/namespaces/default/services/web', { body: service })).toMatchObject({
        code: 201,
        body: { spec: { type: 'ClusterIP', clusterIP: expect.stringMatching(/^10\.96\./) } },
      });
    });

    test('count generations by what is wanted, not by what is', async () => {
      const made = (await cluster.ask('POST', deployments, { body: deployment() })).body;
      expect(made.metadata.generation).toBe(1);
      const status = await cluster.ask('PUT', `${deployments}/web/status`, {
        body: { ...made, spec: { ...made.spec, replicas: 9 }, status: { replicas: 3 } },
      });
      expect(status.body).toMatchObject({ metadata: { generation: 1 }, spec: { replicas: 3 }, status: { replicas: 3 } });
      const spec = await cluster.ask('PUT', `${deployments}/web`, {
        body: { ...made, metadata: { name: 'web' }, spec: { ...made.spec, replicas: 4 }, status: { replicas: 99 } },
      });
      expect(spec.body).toMatchObject({ metadata: { generation: 2 }, status: { replicas: 3 } });
      const same = await cluster.ask('PUT', `${deployments}/web`, { body: spec.body });
      expect(same.body.metadata).toMatchObject({ generation: 2, resourceVersion: spec.body.metadata.resourceVersion });
    });

    test('leave what is immutable', async () => {
      const made = (await cluster.ask('POST', deployments, { body: deployment() })).body;
      const selector = { matchLabels: { app: 'other' } };
      const moved = {
        ...made,
        spec: { ...made.spec, selector, template: { ...made.spec.template, metadata: { labels: { app: 'other' } } } },
      };
      expect(await cluster.ask('PUT', `${deployments}/web`, { body: moved })).toMatchObject({
        code: 422,
        body: { details: { causes: [{ field: 'spec.selector', message: expect.stringContaining('field is immutable') }] } },
      });
      await cluster.ask('POST', '/api/v1/namespaces/default/pods', {
        body: { metadata: { name: 'web' }, spec: { containers: [{ name: 'app', image: 'nginx:1' }] } },
      });
      const container = (change: object): Promise<Answered> =>
        patch('/api/v1/namespaces/default/pods/web', strategic, { spec: { containers: [{ name: 'app', ...change }] } });
      expect(await container({ image: 'nginx:2' })).toMatchObject({ code: 200, body: { metadata: { generation: 2 } } });
      expect(await container({ command: ['sh'] })).toMatchObject({
        code: 422,
        body: { details: { causes: [{ reason: 'FieldValueForbidden', field: 'spec' }] } },
      });
    });
  });

  describe('that patch', () => {
    test('merge objects, and take away what is null', async () => {
      await make('one', { data: { a: '1', b: '2' } });
      const merged = await patch(`${path}/one`, merge, { data: { a: null, c: '3' }, metadata: { labels: { x: 'y' } } });
      expect(merged).toMatchObject({ code: 200, body: { metadata: { labels: { x: 'y' } } } });
      expect(merged.body.data).toEqual({ b: '2', c: '3' });
      expect(await patch(`${path}/one`, merge, { metadata: { resourceVersion: '1' } })).toMatchObject({ code: 409 });
      expect(await patch(`${path}/one`, merge, { metadata: { name: 'two' } })).toMatchObject({ code: 400 });
      expect(await patch(`${path}/one`, merge, [])).toMatchObject({ code: 400 });
    });

    test('merge lists by their keys strategically', async () => {
      await cluster.ask('POST', deployments, { body: deployment() });
      const change = (template: object, more: object = {}): Promise<Answered> =>
        patch(`${deployments}/web`, strategic, { spec: { template: { spec: template }, ...more } });
      const containers = ({ body }: Answered): Record<string, unknown>[] => body.spec.template.spec.containers;
      const image = await change({ containers: [{ name: 'side', image: 'envoy:2' }] });
      expect(containers(image).map((each) => each.image)).toEqual(['nginx:1', 'envoy:2']);
      const env = await change({ containers: [{ name: 'app', env: [{ name: 'B', value: '2' }] }] });
      expect(containers(env)[0]?.env).toEqual([
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ]);
      const gone = await change({ containers: [{ name: 'app', env: [{ name: 'A', $patch: 'delete' }] }] });
      expect(containers(gone)[0]?.env).toEqual([{ name: 'B', value: '2' }]);
      const order = await change({
        $setElementOrder: undefined,
        '$setElementOrder/containers': [{ name: 'side' }, { name: 'app' }],
        containers: [{ name: 'new', image: 'i' }],
      });
      expect(containers(order).map((each) => each.name)).toEqual(expect.arrayContaining(['side', 'app', 'new']));
      expect(containers(order).findIndex((each) => each.name === 'side')).toBeLessThan(
        containers(order).findIndex((each) => each.name === 'app'),
      );
      const replaced = await change({ containers: [{ $patch: 'replace' }, { name: 'only', image: 'i' }] });
      expect(containers(replaced).map((each) => each.name)).toEqual(['only']);
      const retained = await change({}, { strategy: { $retainKeys: ['type'], type: 'Recreate' } });
      expect(retained.body.spec.strategy).toEqual({ type: 'Recreate' });
      expect(await change({ containers: [{ image: 'x' }] })).toMatchObject({
        code: 400,
        body: { message: expect.stringContaining('merge key: name') },
      });
      expect(await change({ $patch: 'explode' })).toMatchObject({ code: 400 });
    });

    test('add to, and take from, lists of plain values', async () => {
      await make('one', { metadata: { name: 'one', finalizers: ['example.org/a', 'example.org/b'] } });
      const added = await patch(`${path}/one`, strategic, { metadata: { finalizers: ['example.org/c', 'example.org/a'] } });
      expect(added.body.metadata.finalizers).toEqual(['example.org/a', 'example.org/b', 'example.org/c']);
      const taken = await patch(`${path}/one`, strategic, { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.org/a'] } });
      expect(taken.body.metadata.finalizers).toEqual(['example.org/b', 'example.org/c']);
    });

    test('follow operations one by one, or none of them', async () => {
      await make('one', { data: { 'a/b': '1', c: '2' } });
      const done = await patch(`${path}/one`, jsonPatch, [
        { op: 'test', path: '/data/a~1b', value: '1' },
        { op: 'replace', path: '/data/c', value: '3' },
        { op: 'add', path: '/metadata/labels', value: { x: 'y' } },
        { op: 'copy', from: '/data/c', path: '/data/d' },
        { op: 'move', from: '/data/a~1b', path: '/data/e' },
        { op: 'remove', path: '/data/c' },
      ]);
      expect(done).toMatchObject({ code: 200, body: { metadata: { labels: { x: 'y' } } } });
      expect(done.body.data).toEqual({ d: '3', e: '1' });
      for (const operations of [
        [
          { op: 'replace', path: '/data/d', value: '4' },
          { op: 'test', path: '/data/e', value: 'no' },
        ],
        [{ op: 'remove', path: '/data/none' }],
        [{ op: 'replace', path: '/data/none', value: 'x' }],
        [{ op: 'add', path: 'data', value: 'x' }],
        [{ op: 'add', path: '/data/d/deeper', value: 'x' }],
        [{ op: 'twist', path: '/data' }],
      ])
        expect(await patch(`${path}/one`, jsonPatch, operations)).toMatchObject({ code: 422 });
      expect(await patch(`${path}/one`, jsonPatch, {})).toMatchObject({ code: 400 });
      expect(
        await patch(
          `${path}/one`,
          jsonPatch,
          Array.from({ length: 10_001 }, () => ({ op: 'test', path: '' })),
        ),
      ).toMatchObject({ code: 413 });
      expect((await cluster.ask('GET', `${path}/one`)).body).toEqual(done.body);
    });

    test('in lists count from the beginning, and from the end by a dash', async () => {
      await cluster.ask('POST', deployments, { body: deployment() });
      const { body } = await patch(`${deployments}/web`, jsonPatch, [
        { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'last', image: 'i' } },
        { op: 'remove', path: '/spec/template/spec/containers/1' },
        { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'nginx:9' },
      ]);
      expect(body.spec.template.spec.containers).toMatchObject([{ name: 'app', image: 'nginx:9' }, { name: 'last' }]);
      expect(
        await patch(`${deployments}/web`, jsonPatch, [{ op: 'add', path: '/spec/template/spec/containers/9', value: {} }]),
      ).toMatchObject({ code: 422 });
    });

    test('with a type that is not served, server-side apply among them, are refused', async () => {
      await make('one');
      for (const type of ['application/apply-patch+yaml', 'application/json'])
        expect(await cluster.ask('PATCH', `${path}/one`, { type, body: {} })).toMatchObject({
          code: 415,
          body: { reason: 'UnsupportedMediaType' },
        });
    });

    test('as a dry run change nothing', async () => {
      await make('one', { data: { a: '1' } });
      expect((await patch(`${path}/one?dryRun=All`, merge, { data: { a: '2' } })).body.data).toEqual({ a: '2' });
      expect((await cluster.ask('GET', `${path}/one`)).body.data).toEqual({ a: '1' });
    });
  });

  describe('that scale', () => {
    test('change replicas alone, and tell of the selector', async () => {
      await cluster.ask('POST', deployments, { body: deployment() });
      const scale = await cluster.ask('GET', `${deployments}/web/scale`);
      expect(scale.body).toMatchObject({
        kind: 'Scale',
        apiVersion: 'autoscaling/v1',
        spec: { replicas: 3 },
        status: { replicas: 0, selector: 'app=web' },
      });
      const put = await cluster.ask('PUT', `${deployments}/web/scale`, { body: { ...scale.body, spec: { replicas: 5 } } });
      expect(put).toMatchObject({ code: 200, body: { spec: { replicas: 5 } } });
      expect(await cluster.ask('PUT', `${deployments}/web/scale`, { body: { ...scale.body, spec: { replicas: 6 } } })).toMatchObject({
        code: 409,
      });
      expect(await patch(`${deployments}/web/scale`, merge, { spec: { replicas: 0 } })).toMatchObject({ code: 200, body: { spec: {} } });
      expect((await cluster.ask('GET', `${deployments}/web`)).body).toMatchObject({ spec: { replicas: 0 }, metadata: { generation: 3 } });
    });

    test.each([
      [{ spec: { replicas: -1 } }, 422],
      [{ spec: { replicas: 'many' } }, 400],
      [{ spec: { replicas: 1.5 } }, 400],
      [{ metadata: { name: 'other' } }, 400],
      [{ kind: 'Deployment' }, 400],
    ])('by %j are refused', async (body, code) => {
      await cluster.ask('POST', deployments, { body: deployment() });
      expect(await patch(`${deployments}/web/scale`, merge, body)).toMatchObject({ code });
    });

    test('what cannot be scaled has no scale', async () => {
      expect(await cluster.ask('GET', '/apis/apps/v1/namespaces/default/daemonsets/x/scale')).toMatchObject({ code: 404 });
      expect(await cluster.ask('GET', `${deployments}/none/scale`)).toMatchObject({
        code: 404,
        body: { details: { name: 'none', group: 'apps' } },
      });
    });
  });

  describe('that delete', () => {
    test('look at what they were told to expect', async () => {
      const made = await make('one');
      const drop = (preconditions: object): Promise<Answered> => cluster.ask('DELETE', `${path}/one`, { body: { preconditions } });
      expect(await drop({ uid: 'another' })).toMatchObject({
        code: 409,
        body: { message: expect.stringContaining('UID in precondition: another') },
      });
      expect(await drop({ resourceVersion: '1' })).toMatchObject({ code: 409 });
      expect(await cluster.ask('DELETE', `${path}/one`, { body: { dryRun: ['All'] } })).toMatchObject({ code: 200 });
      expect(await drop({ uid: made.metadata.uid, resourceVersion: made.metadata.resourceVersion })).toMatchObject({
        code: 200,
        body: { status: 'Success' },
      });
      expect(await drop({})).toMatchObject({ code: 404 });
    });

    test('only mark what has finalizers, until the last of these is gone', async () => {
      await make('one', { metadata: { name: 'one', finalizers: ['example.org/a', 'example.org/b'] } });
      const marked = await cluster.ask('DELETE', `${path}/one`);
      expect(marked).toMatchObject({
        code: 200,
        body: { kind: 'ConfigMap', metadata: { deletionTimestamp: expect.any(String), deletionGracePeriodSeconds: 0 } },
      });
      expect((await patch(`${path}/one`, merge, { metadata: { finalizers: ['example.org/a'] } })).code).toBe(200);
      expect((await cluster.ask('GET', `${path}/one`)).code).toBe(200);
      expect((await patch(`${path}/one`, merge, { metadata: { finalizers: null } })).code).toBe(200);
      expect((await cluster.ask('GET', `${path}/one`)).code).toBe(404);
    });

    test('take their options from the query as well', async () => {
      await make('one');
      expect(await cluster.ask('DELETE', `${path}/one?propagationPolicy=Foreground`)).toMatchObject({
        body: { metadata: { finalizers: ['foregroundDeletion'] } },
      });
      await make('two');
      expect(await cluster.ask('DELETE', `${path}/two?orphanDependents=true`)).toMatchObject({
        body: { metadata: { finalizers: ['orphan'] } },
      });
      expect(await cluster.ask('DELETE', `${path}/two?dryRun=Some`)).toMatchObject({ code: 422 });
    });

    test.each([
      [{ propagationPolicy: 'Some' }, 422],
      [{ gracePeriodSeconds: 'soon' }, 400],
      [{ preconditions: 5 }, 400],
      [{ kind: 'ConfigMap' }, 400],
    ])('with %j are refused', async (body, code) => {
      await make('one');
      expect(await cluster.ask('DELETE', `${path}/one`, { body })).toMatchObject({ code });
      expect((await cluster.ask('GET', `${path}/one`)).code).toBe(200);
    });

    test('many at once take those that are chosen', async () => {
      for (const name of ['a', 'b', 'c']) await make(name, { metadata: { name, labels: { odd: String(name !== 'b') } } });
      const answer = await cluster.ask('DELETE', `${path}?labelSelector=odd%3Dtrue`);
      expect(answer).toMatchObject({ code: 200, body: { kind: 'ConfigMapList' } });
      expect(answer.body.items).toHaveLength(2);
      expect(cluster.storage.list('configmaps').map(({ metadata }) => metadata.name)).toEqual(['b']);
    });

    test('evict pods as a drain does', async () => {
      const pods = '/api/v1/namespaces/default/pods';
      await cluster.ask('POST', pods, { body: { metadata: { name: 'web' }, spec: { containers: [{ name: 'app', image: 'nginx' }] } } });
      const evict = (body: object): Promise<Answered> => cluster.ask('POST', `${pods}/web/eviction`, { body });
      expect(await evict({ deleteOptions: { preconditions: { uid: 'another' } } })).toMatchObject({ code: 409 });
      expect(await evict({ deleteOptions: { dryRun: ['All'] } })).toMatchObject({ code: 201 });
      expect(await evict({ metadata: { name: 'web' } })).toMatchObject({ code: 201, body: { status: 'Success' } });
      expect(await evict({})).toMatchObject({ code: 404 });
    });
  });

  test('that bind a pod put it onto a node, once', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    for (const name of ['web', 'gated'])
      await cluster.ask('POST', pods, {
        body: {
          metadata: { name },
          spec: { containers: [{ name: 'app', image: 'nginx' }], ...(name === 'gated' ? { schedulingGates: [{ name: 'x/y' }] } : {}) },
        },
      });
    const bind = (name: string, target: object): Promise<Answered> =>
      cluster.ask('POST', `${pods}/${name}/binding`, { body: { metadata: { name }, target } });
    expect(await bind('web', { kind: 'Pod', name: 'x' })).toMatchObject({ code: 400 });
    expect(await bind('web', { kind: 'Node', name: 'node-1' })).toMatchObject({ code: 201, body: { status: 'Success' } });
    const { body } = await cluster.ask('GET', `${pods}/web`);
    expect(body).toMatchObject({
      metadata: { generation: 1 },
      spec: { nodeName: 'node-1' },
      status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
    });
    expect(await bind('web', { kind: 'Node', name: 'node-2' })).toMatchObject({
      code: 409,
      body: { message: expect.stringContaining('already assigned to node "node-1"') },
    });
    expect(await bind('gated', { kind: 'Node', name: 'node-1' })).toMatchObject({ code: 409 });
    expect(await bind('none', { kind: 'Node', name: 'node-1' })).toMatchObject({ code: 404 });
  });

  test('to what a kubelet would have to do are answered that it cannot', async () => {
    for (const part of ['exec', 'attach', 'portforward'])
      expect(await cluster.ask('POST', `/api/v1/namespaces/default/pods/web/${part}`)).toMatchObject({
        code: 501,
        body: { reason: 'NotImplemented' },
      });
    expect(await cluster.ask('GET', '/api/v1/namespaces/default/pods/web/log')).toMatchObject({ code: 404 });
  });
});
