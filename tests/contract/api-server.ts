/* What the gateway and kubectl rely on in an API server, asked of the embedded one and of the real one alike: the first may be trusted as far as this goes. */

/** An API server, as an administrator reaches it. */
export interface ApiServer {
  /** Answers whatever it answers; `body` is JSON, or text where it is none. `contentType` is JSON where it is left out. */
  ask(
    method: string,
    path: string,
    request?: { readonly body?: unknown; readonly contentType?: string },
  ): Promise<{ readonly status: number; readonly body: any }>;
  /** Whole lines of a stream, each parsed, until `signal` ends it or the server does. */
  follow(path: string, signal: AbortSignal): AsyncIterable<any>;
  /** Lets go of everything that happened before now: a watch from before is 410. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const jsonPatch = 'application/json-patch+json';

export function describeApiServer(name: string, start: () => Promise<ApiServer>): void {
  describe(`${name} as an API server`, () => {
    let server: ApiServer;
    let namespace = '';
    let path = '';
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server.close());
    beforeEach(async () => {
      const { status, body } = await server.ask('POST', '/api/v1/namespaces', { body: { metadata: { generateName: 'contract-' } } });
      expect(status).toBe(201);
      namespace = body.metadata.name;
      path = `/api/v1/namespaces/${namespace}/configmaps`;
    });
    afterEach(() => server.ask('DELETE', `/api/v1/namespaces/${namespace}`));

    const create = async (name: string, rest: object = {}): Promise<any> => {
      const { status, body } = await server.ask('POST', path, {
        body: { metadata: { name, ...(rest as any).metadata }, data: (rest as any).data },
      });
      expect({ name, status, message: status === 201 ? undefined : body.message }).toEqual({ name, status: 201, message: undefined });
      return body;
    };

    describe('discovery', () => {
      it.each([
        ['/api/v1', ['nodes', 'namespaces', 'pods', 'pods/log', 'pods/status', 'pods/eviction']],
        ['/apis/apps/v1', ['deployments', 'deployments/scale', 'replicasets', 'statefulsets', 'daemonsets']],
        ['/apis/batch/v1', ['jobs', 'cronjobs']],
        ['/apis/node.k8s.io/v1', ['runtimeclasses']],
      ])('of %s names what is served', async (group, resources) => {
        const { status, body } = await server.ask('GET', group);
        expect({ status, kind: body.kind }).toEqual({ status: 200, kind: 'APIResourceList' });
        expect(body.resources.map((resource: any) => resource.name)).toEqual(expect.arrayContaining(resources));
        for (const { name: each, namespaced, verbs } of body.resources.filter(
          (resource: any) => resources.includes(resource.name) && !resource.name.includes('/'),
        )) {
          expect({ each, namespaced }).toEqual({ each, namespaced: !['nodes', 'namespaces', 'runtimeclasses'].includes(each) });
          expect(verbs).toEqual(expect.arrayContaining(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']));
        }
      });

      it('tells its version, its groups and its health', async () => {
        expect((await server.ask('GET', '/version')).body).toMatchObject({
          major: '1',
          gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/),
        });
        expect((await server.ask('GET', '/apis')).body.groups.map((group: any) => group.name)).toEqual(
          expect.arrayContaining(['apps', 'batch', 'node.k8s.io']),
        );
        for (const check of ['/readyz', '/livez', '/healthz']) expect((await server.ask('GET', check)).status).toBe(200);
        expect((await server.ask('GET', '/api/v1/namespaces/kube-system')).body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      });
    });

    describe('objects', () => {
      it('are created with an identity, read back the same, replaced and deleted', async () => {
        const created = await create('one', { data: { a: '1' } });
        expect(created).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'one', namespace } });
        expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
        expect(created.metadata.resourceVersion).toMatch(/^[1-9]\d*$/);
        expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        const read = await server.ask('GET', `${path}/one`);
        expect(read.body).toEqual(created);
        const replaced = await server.ask('PUT', `${path}/one`, { body: { ...created, data: { a: '2' } } });
        expect(replaced).toMatchObject({ status: 200, body: { data: { a: '2' }, metadata: { uid: created.metadata.uid } } });
        expect(Number(replaced.body.metadata.resourceVersion)).toBeGreaterThan(Number(created.metadata.resourceVersion));
        const deleted = await server.ask('DELETE', `${path}/one`);
        expect(deleted).toMatchObject({
          status: 200,
          body: { kind: 'Status', status: 'Success', details: { name: 'one', kind: 'configmaps', uid: created.metadata.uid } },
        });
        expect(await server.ask('GET', `${path}/one`)).toMatchObject({
          status: 404,
          body: { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404, details: { name: 'one', kind: 'configmaps' } },
        });
      });

      it('that do not change keep their version', async () => {
        const created = await create('same', { data: { a: '1' } });
        const again = await server.ask('PUT', `${path}/same`, { body: created });
        expect(again.body.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
      });

      it('are refused where they exist, are stale, are not there, or are of another name', async () => {
        const created = await create('one');
        expect(await server.ask('POST', path, { body: { metadata: { name: 'one' } } })).toMatchObject({
          status: 409,
          body: { reason: 'AlreadyExists' },
        });
        await server.ask('PATCH', `${path}/one`, { body: { data: { a: '1' } }, contentType: merge });
        expect(await server.ask('PUT', `${path}/one`, { body: created })).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
        expect(await server.ask('PATCH', `${path}/none`, { body: {}, contentType: merge })).toMatchObject({
          status: 404,
          body: { reason: 'NotFound' },
        });
        expect(await server.ask('PUT', `${path}/one`, { body: { metadata: { name: 'two' } } })).toMatchObject({
          status: 400,
          body: { reason: 'BadRequest' },
        });
        expect(
          await server.ask('POST', '/api/v1/namespaces/no-such-namespace/configmaps', { body: { metadata: { name: 'one' } } }),
        ).toMatchObject({ status: 404 });
        expect(await server.ask('DELETE', `${path}/one`, { body: { preconditions: { uid: 'another' } } })).toMatchObject({
          status: 409,
          body: { reason: 'Conflict' },
        });
      });

      it('are refused where they break the rules of their kind, with every cause', async () => {
        const bad = await server.ask('POST', path, { body: { metadata: { name: 'Upper', labels: { 'a b': 'c' } } } });
        expect(bad).toMatchObject({ status: 422, body: { reason: 'Invalid', details: { kind: 'ConfigMap', name: 'Upper' } } });
        expect(bad.body.details.causes.map((cause: any) => cause.field)).toEqual(
          expect.arrayContaining(['metadata.name', 'metadata.labels']),
        );
        const deployment = await server.ask('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, {
          body: {
            metadata: { name: 'web' },
            spec: {
              replicas: -1,
              selector: { matchLabels: { app: 'a' } },
              template: { metadata: { labels: { app: 'b' } }, spec: { containers: [] } },
            },
          },
        });
        expect(deployment).toMatchObject({ status: 422, body: { reason: 'Invalid' } });
        expect(deployment.body.details.causes.map((cause: any) => cause.field)).toEqual(
          expect.arrayContaining(['spec.replicas', 'spec.template.metadata.labels', 'spec.template.spec.containers']),
        );
      });

      it('with fields that do not exist are refused by strict validation alone', async () => {
        const body = { metadata: { name: 'strict' }, dta: { a: '1' } };
        const strict = await server.ask('POST', `${path}?fieldValidation=Strict`, { body });
        expect(strict).toMatchObject({ status: 400, body: { reason: 'BadRequest' } });
        expect(strict.body.message).toContain('unknown field "dta"');
        expect((await server.ask('POST', `${path}?fieldValidation=Ignore`, { body })).status).toBe(201);
      });

      it('of a dry run are answered and not stored', async () => {
        const dry = await server.ask('POST', `${path}?dryRun=All`, { body: { metadata: { name: 'dry' } } });
        expect(dry).toMatchObject({ status: 201, body: { metadata: { name: 'dry' } } });
        expect((await server.ask('GET', `${path}/dry`)).status).toBe(404);
        await create('wet');
        expect((await server.ask('DELETE', `${path}/wet?dryRun=All`)).status).toBe(200);
        expect((await server.ask('GET', `${path}/wet`)).status).toBe(200);
      });

      it('without a name get one that begins as asked', async () => {
        const { body } = await server.ask('POST', path, { body: { metadata: { generateName: 'some-' } } });
        expect(body.metadata.name).toMatch(/^some-[a-z0-9]{5}$/);
      });

      it('are patched by merging, by JSON patch and strategically', async () => {
        await create('one', { data: { a: '1', b: '2' } });
        const merged = await server.ask('PATCH', `${path}/one`, { body: { data: { a: null, c: '3' } }, contentType: merge });
        expect(merged.body.data).toEqual({ b: '2', c: '3' });
        const patched = await server.ask('PATCH', `${path}/one`, {
          body: [
            { op: 'test', path: '/data/b', value: '2' },
            { op: 'replace', path: '/data/b', value: '9' },
            { op: 'remove', path: '/data/c' },
          ],
          contentType: jsonPatch,
        });
        expect(patched.body.data).toEqual({ b: '9' });
        const failed = await server.ask('PATCH', `${path}/one`, {
          body: [{ op: 'test', path: '/data/b', value: 'no' }],
          contentType: jsonPatch,
        });
        expect(failed.status).toBe(422);
        const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
        const containers = [
          { name: 'a', image: 'a:1' },
          { name: 'b', image: 'b:1' },
        ];
        await server.ask('POST', deployments, {
          body: {
            metadata: { name: 'web' },
            spec: {
              replicas: 0,
              selector: { matchLabels: { app: 'a' } },
              template: { metadata: { labels: { app: 'a' } }, spec: { containers } },
            },
          },
        });
        const strategically = await server.ask('PATCH', `${deployments}/web`, {
          body: { spec: { template: { spec: { containers: [{ name: 'b', image: 'b:2' }] } } } },
          contentType: strategic,
        });
        const images = strategically.body.spec.template.spec.containers.map(({ name: each, image }: any) => `${each} ${image}`);
        expect(images.sort()).toEqual(['a a:1', 'b b:2']);
        const stale = await server.ask('PATCH', `${deployments}/web`, {
          body: { metadata: { resourceVersion: '1' }, spec: { replicas: 0 } },
          contentType: merge,
        });
        expect(stale).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
      });

      it('with finalizers stay, marked, until the last is gone', async () => {
        await create('held', { metadata: { finalizers: ['example.com/hold'] } });
        expect((await server.ask('DELETE', `${path}/held`)).status).toBe(200);
        const held = await server.ask('GET', `${path}/held`);
        expect(held.body.metadata).toMatchObject({ finalizers: ['example.com/hold'], deletionTimestamp: expect.any(String) });
        await server.ask('PATCH', `${path}/held`, { body: { metadata: { finalizers: null } }, contentType: merge });
        expect((await server.ask('GET', `${path}/held`)).status).toBe(404);
      });

      it('count the changes of their spec, and not of their status or labels', async () => {
        const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
        const made = await server.ask('POST', deployments, {
          body: {
            metadata: { name: 'web' },
            spec: {
              replicas: 0,
              selector: { matchLabels: { app: 'a' } },
              template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } },
            },
          },
        });
        expect(made.body.metadata.generation).toBe(1);
        const labelled = await server.ask('PATCH', `${deployments}/web`, {
          body: { metadata: { labels: { x: 'y' } } },
          contentType: merge,
        });
        expect(labelled.body.metadata.generation).toBe(1);
        const paused = await server.ask('PATCH', `${deployments}/web`, { body: { spec: { paused: true } }, contentType: merge });
        expect(paused.body.metadata.generation).toBe(2);
      });

      it('are defaulted as their kind is', async () => {
        const made = await server.ask('POST', `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`, {
          body: {
            metadata: { name: 'web' },
            spec: {
              selector: { matchLabels: { app: 'a' } },
              template: {
                metadata: { labels: { app: 'a' } },
                spec: { containers: [{ name: 'a', image: 'a:1', ports: [{ containerPort: 80 }] }] },
              },
            },
          },
        });
        expect(made.body.spec).toMatchObject({
          replicas: 1,
          revisionHistoryLimit: 10,
          progressDeadlineSeconds: 600,
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
          template: {
            spec: {
              restartPolicy: 'Always',
              terminationGracePeriodSeconds: 30,
              dnsPolicy: 'ClusterFirst',
              containers: [{ imagePullPolicy: 'IfNotPresent', ports: [{ protocol: 'TCP' }] }],
            },
          },
        });
        const cron = await server.ask('POST', `/apis/batch/v1/namespaces/${namespace}/cronjobs?dryRun=All`, {
          body: {
            metadata: { name: 'c' },
            spec: {
              schedule: '* * * * *',
              jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a:latest' }] } } } },
            },
          },
        });
        expect(cron.body.spec).toMatchObject({
          concurrencyPolicy: 'Allow',
          suspend: false,
          successfulJobsHistoryLimit: 3,
          failedJobsHistoryLimit: 1,
        });
        expect(cron.body.spec.jobTemplate.spec.template.spec.containers[0].imagePullPolicy).toBe('Always');
      });

      it('that keep replicas are scaled by their subresource', async () => {
        const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
        await server.ask('POST', deployments, {
          body: {
            metadata: { name: 'web' },
            spec: {
              replicas: 0,
              selector: { matchLabels: { app: 'a' } },
              template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } },
            },
          },
        });
        const scaled = await server.ask('PATCH', `${deployments}/web/scale`, { body: { spec: { replicas: 2 } }, contentType: merge });
        expect(scaled).toMatchObject({
          status: 200,
          body: { kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 2 }, status: { selector: 'app=a' } },
        });
        expect((await server.ask('GET', `${deployments}/web`)).body.spec.replicas).toBe(2);
        expect((await server.ask('GET', `/apis/batch/v1/namespaces/${namespace}/cronjobs/web/scale`)).status).toBe(404);
      });
    });

    describe('a list', () => {
      beforeEach(async () => {
        for (const [index, each] of ['a', 'b', 'c', 'd', 'e'].entries())
          await create(each, { metadata: { labels: { even: String(index % 2 === 0), index: String(index) } } });
      });
      const names = (body: any): string[] => body.items.map((item: any) => item.metadata.name).filter((each: string) => each.length === 1);

      it('has the order of names and a version', async () => {
        const { body } = await server.ask('GET', path);
        expect(body).toMatchObject({
          kind: 'ConfigMapList',
          apiVersion: 'v1',
          metadata: { resourceVersion: expect.stringMatching(/^[1-9]\d*$/) },
        });
        expect(names(body)).toEqual(['a', 'b', 'c', 'd', 'e']);
      });

      it.each([
        ['labelSelector=even=true', ['a', 'c', 'e']],
        ['labelSelector=even!=true,index', ['b', 'd']],
        ['labelSelector=index+in+(1,2)', ['b', 'c']],
        ['labelSelector=index+notin+(1,2),even', ['a', 'd', 'e']],
        ['labelSelector=!even,index', []],
        ['fieldSelector=metadata.name=b', ['b']],
        ['fieldSelector=metadata.name!=b&labelSelector=even=false', ['d']],
      ])('is narrowed by %s', async (query, expected) => {
        expect(names((await server.ask('GET', `${path}?${query}`)).body)).toEqual(expected);
      });

      it('is refused for a selector that is none', async () => {
        for (const query of ['labelSelector=a%3D(', 'fieldSelector=spec.nodeName%3Da', 'limit=-1&continue=x']) {
          expect((await server.ask('GET', `${path}?${query}`)).status).toBe(400);
        }
      });

      it('comes in pages of one version, with what is left', async () => {
        const first = await server.ask('GET', `${path}?limit=2&labelSelector=index`);
        expect(names(first.body)).toEqual(['a', 'b']);
        await create('aa', { metadata: { labels: { index: '9' } } });
        await server.ask('DELETE', `${path}/d`);
        const second = await server.ask(
          'GET',
          `${path}?limit=10&labelSelector=index&continue=${encodeURIComponent(first.body.metadata.continue)}`,
        );
        expect(names(second.body)).toEqual(['c', 'd', 'e']);
        expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
        expect(second.body.metadata.continue ?? '').toBe('');
        const counted = await server.ask('GET', `${path}?limit=1`);
        expect(counted.body.metadata.remainingItemCount).toBeGreaterThanOrEqual(4);
      });

      it('in pages whose past is forgotten is 410', async () => {
        const first = await server.ask('GET', `${path}?limit=2`);
        await create('f');
        await server.forget();
        const second = await server.ask('GET', `${path}?limit=2&continue=${encodeURIComponent(first.body.metadata.continue)}`);
        expect(second).toMatchObject({ status: 410, body: { reason: 'Expired' } });
      });

      it('is shown as a table to who asks for one', async () => {
        const { body } = await server.ask('GET', '/api/v1/namespaces?limit=500');
        expect(body.kind).toBe('NamespaceList');
        expect((await server.ask('GET', `${path}/a`)).body.kind).toBe('ConfigMap');
      });
    });

    describe('a watch', () => {
      const version = async (): Promise<string> => (await server.ask('GET', path)).body.metadata.resourceVersion as string;
      /** Events until there are `count` of them that are of the test's own objects. */
      async function take(query: string, count: number, act: () => Promise<unknown> = () => Promise.resolve()): Promise<any[]> {
        const end = new AbortController();
        const found: any[] = [];
        const acting = act();
        try {
          for await (const event of server.follow(`${path}?watch=true&${query}`, end.signal)) {
            // A real controller writes a certificate into each namespace.
            if (event.object?.metadata?.name === 'kube-root-ca.crt') continue;
            found.push(event);
            if (found.length === count) break;
          }
        } finally {
          end.abort();
          await acting;
        }
        return found;
      }
      const told = (events: any[]): string[] => events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`);

      it('tells what happens after a version, in order, deletions by their last state', async () => {
        const from = await version();
        const created = await create('one', { data: { a: '1' } });
        await server.ask('PATCH', `${path}/one`, { body: { data: { a: '2' } }, contentType: merge });
        await create('two');
        await server.ask('DELETE', `${path}/one`);
        const events = await take(`resourceVersion=${from}`, 4);
        expect(told(events)).toEqual(['ADDED one', 'MODIFIED one', 'ADDED two', 'DELETED one']);
        expect(events[0].object).toEqual(created);
        expect(events[3].object).toMatchObject({ kind: 'ConfigMap', data: { a: '2' }, metadata: { uid: created.metadata.uid } });
        const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
        expect(versions).toEqual([...versions].sort((a, b) => a - b));
        expect(new Set(versions).size).toBe(4);
      });

      it('without a version begins with what there is', async () => {
        await create('one');
        expect(told(await take('', 1))).toEqual(['ADDED one']);
      });

      it('goes on with what happens while it is open', async () => {
        const from = await version();
        const events = await take(`resourceVersion=${from}`, 2, async () => {
          await create('later');
          await server.ask('DELETE', `${path}/later`);
        });
        expect(told(events)).toEqual(['ADDED later', 'DELETED later']);
      });

      it('of a selector tells of what comes to match as added, and of what ceases to as deleted', async () => {
        const from = await version();
        await create('one', { metadata: { labels: { on: 'no' } } });
        await server.ask('PATCH', `${path}/one`, { body: { metadata: { labels: { on: 'yes' } } }, contentType: merge });
        await server.ask('PATCH', `${path}/one`, { body: { data: { a: '1' } }, contentType: merge });
        await server.ask('PATCH', `${path}/one`, { body: { metadata: { labels: { on: 'no' } } }, contentType: merge });
        await server.ask('DELETE', `${path}/one`);
        await create('two', { metadata: { labels: { on: 'yes' } } });
        const events = await take(`resourceVersion=${from}&labelSelector=on=yes`, 4);
        expect(told(events)).toEqual(['ADDED one', 'MODIFIED one', 'DELETED one', 'ADDED two']);
      });

      it('ends at its time, with a bookmark of how far it came', async () => {
        await create('one');
        const from = await version();
        await create('two');
        // Something of another kind happens, and a list makes the server look how far it is: else there is nothing that the events have not told.
        await server.ask('PATCH', `/api/v1/namespaces/${namespace}`, { body: { metadata: { labels: { a: 'b' } } }, contentType: merge });
        const reached = await version();
        const events = await take(`resourceVersion=${from}&allowWatchBookmarks=true&timeoutSeconds=3`, Number.POSITIVE_INFINITY);
        expect(told(events)[0]).toBe('ADDED two');
        const bookmark = events.find(({ type }) => type === 'BOOKMARK');
        expect(bookmark?.object.kind).toBe('ConfigMap');
        expect(Number(bookmark?.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(reached));
      }, 20_000);

      it('from a version that is forgotten is 410, as an event or at once', async () => {
        const from = await version();
        await create('one');
        await create('two');
        await server.forget();
        const [first] = await take(`resourceVersion=${from}`, 1);
        expect(first).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
      });

      it('asked for as a list with a beginning tells where the beginning ends', async () => {
        await create('one');
        const events = await take('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true', 2);
        expect(told(events)[0]).toBe('ADDED one');
        expect(events[1]).toMatchObject({
          type: 'BOOKMARK',
          object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
        });
      }, 20_000);
    });

    it('serves nothing under paths that it does not have', async () => {
      for (const unknown of ['/api/v1/nonsense', '/apis/apps/v1/namespaces/default/pods', '/apis/none/v1', '/api/v2']) {
        expect((await server.ask('GET', unknown)).status).toBe(404);
      }
      expect((await server.ask('POST', `${path}/one`, { body: {} })).status).toBe(405);
    });
  });
}
