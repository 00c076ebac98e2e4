import type { Pod } from '../../../src/sandbox/controllers/shapes.js';
import { node, pod, TestCluster, type TemplateOptions } from './test-cluster.js';

describe('logs of an embedded cluster', () => {
  let cluster: TestCluster;
  const start = async (options: TemplateOptions = {}): Promise<void> => {
    cluster = await TestCluster.start([
      node('one'),
      pod('web', { ...options, steering: { 'log-lines-per-second': 1, ...options.steering } }),
    ]);
  };
  afterEach(() => cluster.close());

  const running = (): Promise<number> =>
    cluster.until('it runs', () => cluster.find('pods', 'web') !== undefined && cluster.statusOf('web') === 'Running');
  const ask = async (query = '', name = 'web'): Promise<{ code: number; text: string }> => {
    const response = await fetch(`${cluster.sandbox.url}/api/v1/namespaces/default/pods/${name}/log${query}`);
    return { code: response.status, text: await response.text() };
  };
  const lines = async (query = ''): Promise<string[]> => {
    const { code, text } = await ask(query);
    expect(code).toBe(200);
    return text === '' ? [] : text.replace(/\n$/, '').split('\n');
  };
  const message = async (query = '', name = 'web'): Promise<string> =>
    (JSON.parse((await ask(query, name)).text) as { message: string }).message;

  test('grow at their rate, and their past never changes', async () => {
    await start();
    await running();
    await cluster.seconds(10);
    const before = await lines('?timestamps=true');
    expect(before.length).toBeGreaterThanOrEqual(10);
    expect(before.length).toBeLessThanOrEqual(12);
    await cluster.seconds(10);
    const after = await lines('?timestamps=true');
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.length - before.length).toBe(10);
    const times = after.map((line) => line.split(' ', 1)[0] ?? '');
    expect(times.every((time) => /^2026-03-01T12:00:\d\d\.\d{9}Z$/.test(time))).toBe(true);
    expect(times).toEqual([...times].sort());
  });

  test('are cut by lines, by time and by bytes', async () => {
    await start({ steering: { 'log-text': 'line {n}' } });
    await running();
    await cluster.seconds(60);
    const all = await lines();
    expect(all[0]).toBe('line 1');
    expect(await lines('?tailLines=3')).toEqual(all.slice(-3));
    expect(await lines('?tailLines=0')).toEqual([]);
    const recent = await lines('?sinceSeconds=10');
    expect(recent).toEqual(all.slice(-recent.length));
    expect(recent.length).toBeGreaterThanOrEqual(9);
    expect(recent.length).toBeLessThanOrEqual(11);
    const since = new Date(cluster.sandbox.now() - 10_000).toISOString();
    expect(await lines(`?sinceTime=${since}`)).toEqual(recent);
    expect(await lines('?sinceSeconds=10&tailLines=2')).toEqual(all.slice(-2));
    expect((await ask('?limitBytes=9')).text).toBe('line 1\nli');
  });

  test('of a container that has not started are refused', async () => {
    await start({ image: 'registry.invalid/web:1' });
    await cluster.seconds(0);
    expect(await ask()).toMatchObject({ code: 400 });
    expect(await message()).toBe('container "app" in pod "web" is waiting to start: ContainerCreating');
    await cluster.until('the failure', () => cluster.statusOf('web') === 'ErrImagePull');
    expect(await message()).toBe('container "app" in pod "web" is waiting to start: ErrImagePull');
  });

  test('of a run before the last restart are kept', async () => {
    await start({ steering: { 'crash-after-seconds': 5, 'exit-code': 3, 'log-lines-per-second': 2 } });
    await cluster.until('a start', () => cluster.find<Pod>('pods', 'web')?.status?.phase === 'Running');
    expect(await message('?previous=true')).toBe('previous terminated container "app" in pod "web" not found');
    await cluster.seconds(3);
    const first = await lines();
    await cluster.until('a restart', () => cluster.get<Pod>('pods', 'web').status?.containerStatuses?.[0]?.restartCount === 1);
    const previous = await lines('?previous=true');
    expect(previous.slice(0, first.length)).toEqual(first);
    expect(previous.at(-1)).toBe('FATAL giving up with exit code 3');
    expect(await lines('?previous=true&tailLines=1')).toEqual(['FATAL giving up with exit code 3']);
    await cluster.until('the loop', () => cluster.statusOf('web') === 'CrashLoopBackOff');
    const second = await lines();
    expect(second.at(-1)).toBe('FATAL giving up with exit code 3');
    expect(await lines('?previous=true')).toEqual(second);
  });

  test('of a finished pod can be read', async () => {
    await start({ steering: { 'run-seconds': 5 }, spec: { restartPolicy: 'Never' } });
    await cluster.until('the end', () => cluster.statusOf('web') === 'Completed');
    const end = await lines();
    expect(end.length).toBeGreaterThanOrEqual(5);
    await cluster.seconds(100);
    expect(await lines()).toEqual(end);
  });

  test('name their container where there are several', async () => {
    const containers = ['app', 'other'].map((name) => ({ name, image: 'nginx' }));
    await start({ spec: { containers }, steering: { 'log-text.other': 'other {n}' } });
    await running();
    await cluster.seconds(5);
    expect(await message()).toBe('a container name must be specified for pod web, choose one of: [app other]');
    expect((await lines('?container=other'))[0]).toBe('other 1');
    expect(await message('?container=third')).toBe('container third is not valid for pod web');
    expect(await ask('', 'nobody')).toMatchObject({ code: 404 });
  });

  test.each([
    ['?tailLines=-1', 422],
    ['?tailLines=some', 400],
    ['?sinceSeconds=0', 422],
    ['?sinceTime=yesterday', 400],
    ['?sinceTime=2026-03-01T12:00:00Z&sinceSeconds=5', 400],
  ])('asked for with %s are refused', async (query, code) => {
    await start();
    await running();
    expect(await ask(query)).toMatchObject({ code });
  });

  test('of a container that never writes are empty', async () => {
    await start({ steering: { 'log-lines-per-second': 0 } });
    await running();
    await cluster.seconds(60);
    expect(await lines()).toEqual([]);
  });

  test('older than what a node keeps are gone', async () => {
    await start({ steering: { 'log-lines-per-second': 100, 'log-text': '{n}' } });
    await running();
    await cluster.seconds(300);
    const kept = await lines();
    expect(kept).toHaveLength(10_000);
    expect(Number(kept.at(-1))).toBeGreaterThan(29_000);
  });

  test('that are followed flow until the container ends', async () => {
    await start({ steering: { 'log-text': 'line {n}', 'run-seconds': 30 }, spec: { restartPolicy: 'Never' } });
    await running();
    const response = await fetch(`${cluster.sandbox.url}/api/v1/namespaces/default/pods/web/log?follow=true`);
    const received: string[] = [];
    let isOver = false;
    const reading = (async () => {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) received.push(Buffer.from(chunk).toString());
      isOver = true;
    })();
    const text = (): string => received.join('');
    await cluster.seconds(5);
    await eventually(() => text().includes('line 5\n'));
    expect(isOver).toBe(false);
    await cluster.until('the end', () => cluster.statusOf('web') === 'Completed');
    await cluster.seconds(2);
    await reading;
    expect(text()).toBe((await ask()).text);
  });

  test('that are followed end with the pod, and when nobody reads them any more', async () => {
    await start();
    await running();
    const url = `${cluster.sandbox.url}/api/v1/namespaces/default/pods/web/log?follow=true`;
    const abort = new AbortController();
    const left = await fetch(url, { signal: abort.signal });
    const stays = await fetch(url);
    abort.abort();
    await expect(left.text()).rejects.toThrow();
    await cluster.delete('pods', 'web', { gracePeriodSeconds: 0 });
    await cluster.seconds(5);
    expect((await stays.text()).length).toBeGreaterThan(0);
  });
});

/** Waits for what comes over a socket. */
async function eventually(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error('it never came');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
