import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { startSandbox, type Sandbox } from '../../src/sandbox/cluster.js';
import { sharedControlPlane } from '../support/control-plane.js';
import { until } from '../support/until.js';

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const manifest = (image: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: api, labels: { app: api } }
spec:
  replicas: 2
  selector: { matchLabels: { app: api } }
  template:
    metadata:
      labels: { app: api }
      annotations: { sandbox.openstack.org/log-lines-per-second: '5', sandbox.openstack.org/log-text: 'line {n}' }
    spec: { containers: [{ name: app, image: '${image}' }] }
---
apiVersion: v1
kind: Service
metadata: { name: api }
spec: { selector: { app: api }, ports: [{ port: 80 }] }
`;

/* The kubectl of the control plane's programs, or the one that KUBECTL names, against the embedded cluster. */
describe('kubectl on the embedded cluster', () => {
  let sandbox: Sandbox;
  let folder: string;
  let program: string;
  const errors: unknown[] = [];

  beforeAll(async () => {
    program = process.env.KUBECTL ?? join((await sharedControlPlane()).programs, 'kubectl');
    folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
    sandbox = await startSandbox({
      now: Date.now,
      // Ten seconds of the cluster are one of the test.
      speed: 10,
      objects: ['one', 'two'].map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })),
      onError: (error) => errors.push(error),
    });
    await writeFile(join(folder, 'kubeconfig'), sandbox.kubeconfig);
  });
  afterAll(async () => {
    await sandbox.close();
    await rm(folder, { recursive: true });
    expect(errors).toEqual([]);
  });

  const run = (
    args: readonly string[],
    { input, until: isEnough }: { input?: string; until?: (out: string) => boolean } = {},
  ): Promise<Ran> =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { env: { KUBECONFIG: join(folder, 'kubeconfig'), HOME: folder, PATH: '' } });
      let [out, err] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
        if (isEnough?.(out) === true) child.kill();
      });
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
      child.stdin.end(input);
    });
  /** What it prints. @throws Error where it fails. */
  const kubectl = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await run(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err}`);
    return out;
  };
  const apply = async (text: string): Promise<string> => {
    const { code, out, err } = await run(['apply', '-f', '-'], { input: text });
    if (code !== 0) throw new Error(err);
    return out;
  };
  /** The cells of a table, row by row, without its head. */
  const rows = (table: string): string[][] =>
    table
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/\s{2,}/));

  test('get shows nodes, in short and wide, as YAML and as JSON', async () => {
    expect(rows(await kubectl('get', 'nodes')).map((row) => row.slice(0, 3))).toEqual([
      ['one', 'Ready', '<none>'],
      ['two', 'Ready', '<none>'],
    ]);
    expect((await kubectl('get', 'nodes', '-o', 'wide')).split('\n', 1)[0]).toMatch(
      /INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME/,
    );
    expect(parse(await kubectl('get', 'node', 'one', '-o', 'yaml'))).toMatchObject({ kind: 'Node', metadata: { name: 'one' } });
    expect(JSON.parse(await kubectl('get', 'nodes', '-o', 'json'))).toMatchObject({ kind: 'List', items: [{}, {}] });
    expect(await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}')).toBe('one two');
  });

  test('apply makes, leaves alone and changes what a file says', async () => {
    expect(await apply(manifest('nginx:1'))).toBe('deployment.apps/api created\nservice/api created\n');
    expect(await kubectl('rollout', 'status', 'deployment/api', '--timeout=60s')).toContain('deployment "api" successfully rolled out');
    expect(await apply(manifest('nginx:1'))).toBe('deployment.apps/api unchanged\nservice/api unchanged\n');
    expect(await apply(manifest('nginx:2'))).toBe('deployment.apps/api configured\nservice/api unchanged\n');
    await kubectl('rollout', 'status', 'deployment/api', '--timeout=60s');
    expect(await kubectl('get', 'deployment', 'api', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe('nginx:2');
    // Those of the image before may still be ending.
    await until('its two pods', async () => {
      const pods = rows(await kubectl('get', 'pods', '-l', 'app=api')).map((row) => row.slice(1, 4).join(' '));
      return pods.join() === '1/1 Running 0,1/1 Running 0';
    });
  });

  test('apply refuses a field that does not exist', async () => {
    const { code, err } = await run(['apply', '-f', '-'], { input: manifest('nginx:3').replace('replicas: 2', 'replica: 2') });
    expect(code).not.toBe(0);
    expect(err).toContain('unknown field "spec.replica"');
  });

  test('rollout tells of revisions, goes back and restarts', async () => {
    expect(await kubectl('rollout', 'history', 'deployment/api')).toMatch(/^1 .*\n2 /m);
    expect(await kubectl('rollout', 'undo', 'deployment/api')).toContain('rolled back');
    await kubectl('rollout', 'status', 'deployment/api', '--timeout=60s');
    expect(await kubectl('get', 'deployment', 'api', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe('nginx:1');
    expect(await kubectl('rollout', 'restart', 'deployment/api')).toContain('restarted');
    await kubectl('rollout', 'status', 'deployment/api', '--timeout=60s');
  });

  test('scale changes how many there are', async () => {
    expect(await kubectl('scale', 'deployment/api', '--replicas=4')).toContain('scaled');
    await kubectl('rollout', 'status', 'deployment/api', '--timeout=60s');
    expect(rows(await kubectl('get', 'deployments'))).toEqual([['api', '4/4', '4', '4', expect.any(String)]]);
    await kubectl('scale', 'deployment/api', '--replicas=2');
  });

  test('logs come, are cut and are followed', async () => {
    expect(await kubectl('logs', 'deployment/api', '--tail=-1')).toMatch(/^line 1\nline 2\n/);
    expect((await kubectl('logs', 'deployment/api', '--tail=3')).trim().split('\n')).toHaveLength(3);
    expect(await kubectl('logs', 'deployment/api', '--tail=1', '--timestamps')).toMatch(/^\d{4}-\d\d-\d\dT\S+Z line \d+\n$/);
    const { out } = await run(['logs', '-f', 'deployment/api', '--tail=2'], { until: (text) => text.split('\n').length > 20 });
    const numbers = out
      .trim()
      .split('\n')
      .map((line) => Number(/^line (\d+)$/.exec(line)?.[1]));
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    expect(numbers.length).toBeGreaterThan(15);
  });

  test('get -w goes on with what happens', async () => {
    const watching = run(['get', 'pods', '-w', '-l', 'run=seen'], { until: (text) => text.includes('Completed') });
    await kubectl('run', 'seen', '--image=busybox', '--restart=Never', '--annotations=sandbox.openstack.org/run-seconds=5');
    const statuses = (await watching).out
      .trim()
      .split('\n')
      .map((line) => line.split(/\s{2,}/)[2]);
    expect([...new Set(statuses)]).toEqual(expect.arrayContaining(['STATUS', 'ContainerCreating', 'Running', 'Completed']));
  });

  test('create makes workloads without a file', async () => {
    expect(await kubectl('create', 'deployment', 'web', '--image=nginx', '--replicas=3', '--port=80')).toBe(
      'deployment.apps/web created\n',
    );
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    expect(await kubectl('expose', 'deployment', 'web')).toBe('service/web exposed\n');
    await kubectl('create', 'job', 'task', '--image=busybox', '--', 'true');
    await kubectl('wait', '--for=condition=complete', 'job/task', '--timeout=60s');
    expect(rows(await kubectl('get', 'jobs'))[0]?.slice(0, 3)).toEqual(['task', 'Complete', '1/1']);
    await kubectl('create', 'cronjob', 'tick', '--image=busybox', '--schedule=0 0 1 1 *', '--', 'true');
    await kubectl('create', 'job', 'now', '--from=cronjob/tick');
    expect(await kubectl('get', 'job', 'now', '-o', 'jsonpath={.metadata.ownerReferences[0].name}')).toBe('tick');
    expect(await kubectl('create', 'namespace', 'shop')).toBe('namespace/shop created\n');
    expect(await kubectl('create', 'configmap', 'settings', '--from-literal=a=b')).toBe('configmap/settings created\n');
  });

  test('describe tells of pods, workloads and nodes, with their events', async () => {
    const pod = (await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')).split('\n', 1)[0] ?? '';
    expect(await kubectl('describe', pod)).toMatch(/Status: +Running[\s\S]*Events:[\s\S]*Scheduled[\s\S]*Pulled[\s\S]*Started/);
    expect(await kubectl('describe', 'deployment', 'web')).toMatch(
      /3 desired \| 3 updated \| 3 total \| 3 available[\s\S]*ScalingReplicaSet/,
    );
    expect(await kubectl('describe', 'node', 'one')).toMatch(/Capacity:[\s\S]*Non-terminated Pods:[\s\S]*Allocated resources:/);
    expect(await kubectl('get', 'events', '--field-selector', 'reason=Scheduled')).toContain('Successfully assigned default/');
  });

  test('label, annotate, patch and set change objects', async () => {
    await kubectl('label', 'node', 'one', 'disk=ssd');
    expect(rows(await kubectl('get', 'nodes', '-l', 'disk=ssd')).map(([name]) => name)).toEqual(['one']);
    await kubectl('label', 'node', 'one', 'disk-');
    expect(await kubectl('get', 'nodes', '-l', 'disk', '-o', 'name')).toBe('');
    await kubectl('annotate', 'deployment', 'web', 'kubernetes.io/change-cause=a reason');
    await kubectl('set', 'image', 'deployment/web', 'nginx=nginx:2');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    await kubectl('patch', 'deployment', 'web', '-p', '{"spec":{"minReadySeconds":1}}');
    await kubectl('patch', 'deployment', 'web', '--type=json', '-p', '[{"op":"replace","path":"/spec/minReadySeconds","value":2}]');
    expect(await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.minReadySeconds}')).toBe('2');
  });

  test('cordon and drain empty a node, and uncordon opens it', async () => {
    await kubectl('cordon', 'one');
    expect(rows(await kubectl('get', 'nodes'))[0]?.[1]).toBe('Ready,SchedulingDisabled');
    await kubectl('drain', 'one', '--force', '--ignore-daemonsets', '--timeout=60s');
    expect(await kubectl('get', 'pods', '--field-selector', 'spec.nodeName=one,status.phase=Running', '-o', 'name')).toBe('');
    await kubectl('uncordon', 'one');
    expect(rows(await kubectl('get', 'nodes'))[0]?.[1]).toBe('Ready');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  });

  test('delete takes things away, with what they own', async () => {
    expect(await kubectl('delete', 'deployment', 'web')).toContain('deployment.apps "web" deleted');
    await until('its pods to go', async () => (await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')) === '');
    await kubectl('delete', 'deployment', 'api', '--cascade=orphan');
    expect(await kubectl('get', 'replicasets', '-l', 'app=api', '-o', 'name')).toContain('replicaset.apps/api-');
    await kubectl('delete', 'namespace', 'shop');
    const { code, err } = await run(['get', 'namespace', 'shop']);
    expect({ code, err }).toEqual({ code: 1, err: 'Error from server (NotFound): namespaces "shop" not found\n' });
  });

  test('explain and api-resources know the kinds', async () => {
    expect(await kubectl('explain', 'cronjob.spec.jobTemplate')).toContain('JobTemplateSpec');
    expect(await kubectl('api-resources', '-o', 'name')).toContain('deployments.apps');
  });

  test('what is not served is told in one sentence', async () => {
    const pod = (await kubectl('get', 'pods', '-l', 'app=api', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
    const { code, err } = await run(['exec', pod, '--', 'ls']);
    expect(code).not.toBe(0);
    expect(err).toContain('the embedded cluster does not serve exec');
  });
});
