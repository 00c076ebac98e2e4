import { parse as parseYaml } from 'yaml';
import type { Pod } from '../../../src/sandbox/controllers/shapes.js';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../../src/sandbox/cluster.js';

import { node, startMs, workload } from './test-cluster.js';

describe('an embedded cluster', () => {
  const open: Sandbox[] = [];
  const errors: unknown[] = [];
  const start = async (options: Partial<SandboxOptions> = {}): Promise<Sandbox> => {
    const sandbox = await startSandbox({ now: Date.now, paused: true, onError: (error) => errors.push(error), ...options });
    open.push(sandbox);
    return sandbox;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((sandbox) => sandbox.close()));
    expect(errors.splice(0)).toEqual([]);
  });

  test('its kubeconfig names the server and the token that every request needs', async () => {
    const sandbox = await start({ name: 'east', token: 'secret' });
    const config = parseYaml(sandbox.kubeconfig) as Record<string, unknown>;
    expect(config).toMatchObject({
      'current-context': 'east',
      clusters: [{ name: 'east', cluster: { server: sandbox.url } }],
      users: [{ name: 'east', user: { token: 'secret' } }],
      contexts: [{ name: 'east', context: { cluster: 'east', user: 'east' } }],
    });
    expect((await fetch(`${sandbox.url}/api/v1/namespaces`)).status).toBe(401);
    expect((await fetch(`${sandbox.url}/api/v1/namespaces`, { headers: { authorization: 'Bearer secret' } })).status).toBe(200);
  });

  test('objects may be given before the namespaces that they are in', async () => {
    const sandbox = await start({
      objects: [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace: 'shop' } },
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      ],
    });
    expect(sandbox.storage.get('configmaps', 'shop', 'one')).toBeDefined();
  });

  test('an object with a field that its kind does not have is refused', async () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace: 'default' }, dat: {} };
    await expect(start({ objects: [object] })).rejects.toThrow('unknown field "dat"');
    await expect(start({ objects: [{ apiVersion: 'v9', kind: 'ConfigMap' }] })).rejects.toThrow('no matches for kind "ConfigMap"');
  });

  const objects = [node('one'), node('two'), workload('Deployment', { replicas: 5 })];

  test('the same happens in clusters of one seed, and other things in those of another', async () => {
    const story = async (seed: number): Promise<string[]> => {
      const sandbox = await start({ now: () => startMs, seed, objects });
      const seen: string[] = [];
      sandbox.storage.subscribe(({ type, resource, object }) => seen.push(`${sandbox.now()} ${type} ${resource} ${object.metadata.name}`));
      await sandbox.advance(60_000);
      return seen;
    };
    const first = await story(1);
    expect(first.length).toBeGreaterThan(50);
    expect(await story(1)).toEqual(first);
    expect(await story(2)).not.toEqual(first);
  });

  test('time that runs brings up what was asked for, without anybody else', async () => {
    const sandbox = await start({ paused: false, speed: 200, objects });
    const response = await fetch(`${sandbox.url}/api/v1/pods?watch=true`);
    const running = new Set<string>();
    let rest = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const lines = (rest + Buffer.from(chunk).toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { object } = JSON.parse(line) as { object: Pod };
        if (object.status?.phase === 'Running') running.add(object.metadata.name);
      }
      if (running.size === 5) break;
    }
    expect(running.size).toBe(5);
    await expect(sandbox.advance(1_000)).rejects.toThrow('cannot be advanced');
  });

  test('it tells the version that it was given', async () => {
    const sandbox = await start({ version: 'v1.34.2', objects });
    await sandbox.advance(0);
    expect(await (await fetch(`${sandbox.url}/version`)).json()).toMatchObject({ major: '1', minor: '34', gitVersion: 'v1.34.2' });
    expect(sandbox.storage.get('nodes', undefined, 'one')?.status).toMatchObject({ nodeInfo: { kubeletVersion: 'v1.34.2' } });
  });

  test('several run side by side, and a port that is taken is told of', async () => {
    const [one, other] = [await start(), await start()];
    await one.create([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mine', namespace: 'default' } }]);
    expect(other.storage.get('configmaps', 'default', 'mine')).toBeUndefined();
    await expect(start({ port: Number(new URL(one.url).port) })).rejects.toThrow('EADDRINUSE');
  });

  test('nothing happens any more once it is closed', async () => {
    const [sandbox, twin] = [await start({ paused: false, speed: 200, objects }), await start({ paused: false, speed: 200, objects })];
    await sandbox.close();
    const { resourceVersion } = sandbox.storage;
    await new Promise<void>((resolve) => {
      twin.storage.subscribe(({ object }) => {
        if (object.kind === 'Pod' && (object as Pod).status?.phase === 'Running') resolve();
      });
    });
    expect(sandbox.storage.resourceVersion).toBe(resourceVersion);
    await expect(fetch(sandbox.url)).rejects.toThrow();
  });
});
