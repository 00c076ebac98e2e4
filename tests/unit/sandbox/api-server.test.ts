import { SandboxServer } from '../../support/sandbox-server.js';

describe('the embedded API server', () => {
  let cluster: SandboxServer;
  beforeAll(async () => {
    cluster = await SandboxServer.start();
  });
  afterAll(async () => {
    await cluster.close();
    expect(cluster.errors).toEqual([]);
  });

  test('an object is created, read, listed, replaced and deleted', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    const created = await cluster.ask('POST', path, { body: { metadata: { name: 'one' }, data: { a: '1' } } });
    expect(created).toMatchObject({
      code: 201,
      body: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'one', namespace: 'default' } },
    });
    const read = await cluster.ask('GET', `${path}/one`);
    expect(read.body).toEqual(created.body);
    const listed = await cluster.ask('GET', path);
    expect(listed.body).toMatchObject({ kind: 'ConfigMapList', items: [{ metadata: { name: 'one' }, data: { a: '1' } }] });
    const replaced = await cluster.ask('PUT', `${path}/one`, { body: { ...created.body, data: { a: '2' } } });
    expect(replaced).toMatchObject({ code: 200, body: { data: { a: '2' } } });
    const stale = await cluster.ask('PUT', `${path}/one`, { body: { ...created.body, data: { a: '3' } } });
    expect(stale).toMatchObject({ code: 409, body: { kind: 'Status', reason: 'Conflict', details: { name: 'one', kind: 'configmaps' } } });
    const deleted = await cluster.ask('DELETE', `${path}/one`);
    expect(deleted).toMatchObject({
      code: 200,
      body: { kind: 'Status', status: 'Success', details: { name: 'one', uid: created.body.metadata.uid } },
    });
    expect(await cluster.ask('GET', `${path}/one`)).toMatchObject({ code: 404, body: { reason: 'NotFound' } });
  });

  test('a page of a browser can do nothing, whatever it calls what it sends', async () => {
    const before = (await cluster.ask('GET', '/api/v1/namespaces')).body.items.length;
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      const asked = await cluster.ask('POST', '/api/v1/namespaces', {
        type,
        body: { metadata: { name: 'from-a-page' } },
        headers: { origin: 'https://page.example' },
      });
      expect(asked).toMatchObject({ code: 403, body: { reason: 'Forbidden' } });
    }
    expect((await cluster.ask('GET', '/api/v1/namespaces')).body.items).toHaveLength(before);
  });
});
