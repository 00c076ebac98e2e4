import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createManagement, Metrics, type Readiness } from '../../../src/server/management.js';

async function withManagement(readiness: () => Readiness, test: (url: string, metrics: Metrics) => Promise<void>): Promise<void> {
  const metrics = new Metrics();
  const server = createManagement({ metrics, readiness });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await test(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, metrics);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

it('says that the process runs', () =>
  withManagement(
    () => ({ ready: false, clusters: [] }),
    async (url) => {
      const response = await fetch(`${url}/healthz`);
      expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
    },
  ));

it('is ready when it is, and tells how far it is either way', () => {
  let ready = false;
  return withManagement(
    () => ({ ready, clusters: [{ cluster: 'east', listed: 500 }] }),
    async (url) => {
      const before = await fetch(`${url}/readyz?verbose`);
      expect([before.status, await before.json()]).toEqual([503, { ready: false, clusters: [{ cluster: 'east', listed: 500 }] }]);
      expect(before.headers.get('content-type')).toBe('application/json; charset=utf-8');
      ready = true;
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
    },
  );
});

it('gives metrics as Prometheus reads them', () =>
  withManagement(
    () => ({ ready: true, clusters: [] }),
    async (url, metrics) => {
      metrics.observe('test_figure', 'A figure.', ['cluster'], (set) => set({ cluster: 'east' }, 7));
      metrics.observeProcess();
      const response = await fetch(`${url}/metrics`);
      expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
      const text = await response.text();
      expect(text).toContain('test_figure{cluster="east"} 7');
      expect(text).toContain('nodejs_eventloop_lag_seconds');
    },
  ));

it('forgets what is no longer there', () => {
  let clusters = ['east', 'west'];
  return withManagement(
    () => ({ ready: true, clusters: [] }),
    async (url, metrics) => {
      metrics.observe('test_up', 'Up.', ['cluster'], (set) => {
        for (const cluster of clusters) set({ cluster }, 1);
      });
      expect(await (await fetch(`${url}/metrics`)).text()).toContain('west');
      clusters = ['east'];
      expect(await (await fetch(`${url}/metrics`)).text()).not.toContain('west');
    },
  );
});

it.each([
  ['GET', '/graphql', 404],
  ['GET', '/', 404],
  ['GET', '/metrics/..', 404],
  ['POST', '/healthz', 405],
  ['DELETE', '/readyz', 405],
  ['HEAD', '/healthz', 200],
])('answers %s %s with %i', (method, path, status) =>
  withManagement(
    () => ({ ready: true, clusters: [] }),
    async (url) => {
      expect((await fetch(url + path, { method })).status).toBe(status);
    },
  ),
);
