import { parse as parseYaml } from 'yaml';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../../src/sandbox/cluster.js';

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
});
