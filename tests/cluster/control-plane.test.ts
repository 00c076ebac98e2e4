import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describeSimulated, sharedControlPlane, startControlPlane, type ControlPlane } from '../support/control-plane.js';
import { until } from '../support/until.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
let controlPlane: ControlPlane;
beforeAll(async () => void (controlPlane = await sharedControlPlane()));
afterAll(() => controlPlane.stop());

const isOpen = (server: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(Number(new URL(server).port), '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
  });

describe('A control plane', () => {
  test('is of the version that is built, and says so', async () => {
    const pinned = /^require k8s\.io\/kubernetes (\S+)$/m.exec(
      readFileSync(join(root, 'tests/cluster/controlplane/modules/kubernetes/go.mod'), 'utf8'),
    )?.[1];
    const { gitVersion, major } = await controlPlane.request('GET', '/version');
    expect(major).toBe('1');
    if (process.env['KUBEBUILDER_ASSETS'] === undefined) expect(gitVersion).toBe(pinned);
  });

  test('lets its users do what their roles say', async () => {
    const can = async (user: 'admin' | 'alice' | 'bob' | 'nobody' | 'gateway', verb: string, path: string): Promise<number> =>
      (await controlPlane.ask(verb, path, { user, ...(verb === 'POST' && { body: { metadata: { generateName: 'x-' } } }) })).status;
    expect(await can('admin', 'GET', '/api/v1/secrets')).toBe(200);
    expect(await can('nobody', 'GET', '/api/v1/namespaces/default/pods')).toBe(403);
    if (!controlPlane.simulated) return;
    expect(await can('alice', 'POST', '/api/v1/namespaces/default/configmaps')).toBe(201);
    expect(await can('alice', 'POST', '/api/v1/namespaces/kube-system/configmaps')).toBe(403);
    expect(await can('bob', 'GET', '/api/v1/pods')).toBe(200);
    expect(await can('bob', 'POST', '/api/v1/namespaces/default/configmaps')).toBe(403);
    expect(await can('gateway', 'GET', '/apis/batch/v1/cronjobs')).toBe(200);
    expect(await can('gateway', 'GET', '/api/v1/secrets')).toBe(403);
  });

  test('keeps to itself beside another one, and leaves nothing behind', async () => {
    const other = await startControlPlane({ programs: controlPlane.programs });
    try {
      expect(other.server).not.toBe(controlPlane.server);
      const name = await controlPlane.createNamespace('here');
      expect((await other.ask('GET', `/api/v1/namespaces/${name}`)).status).toBe(404);
      await controlPlane.request('DELETE', `/api/v1/namespaces/${name}`);
    } finally {
      await other.stop();
    }
    expect(existsSync(other.folder)).toBe(false);
    expect(await isOpen(other.server)).toBe(false);
  });

  test('ends with the process that started it, however that dies', async () => {
    const script = `
      import { register } from 'node:module';
      register('./typescript-hooks.mjs', ${JSON.stringify(new URL('./', import.meta.url).href)});
      const { startControlPlane } = await import('../support/control-plane.ts');
      const { folder, server } = await startControlPlane({ programs: ${JSON.stringify(controlPlane.programs)} });
      console.log(JSON.stringify({ folder, server }));`;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: join(root, 'tests/cluster'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) => createInterface({ input: owner.stdout }).once('line', resolve));
    const { folder, server } = JSON.parse(line) as { folder: string; server: string };
    expect(await isOpen(server)).toBe(true);
    owner.kill('SIGKILL');
    await until('the end of the control plane', async () => !existsSync(folder) && !(await isOpen(server)));
  });

  test('is skipped with one line where there is nothing to make it of, and in CI that is a failure', () => {
    const list = (env: Record<string, string>): { status: number | null; output: string } => {
      const args = ['scripts/jest.mjs', '--config', 'jest.cluster.config.mjs', '--listTests'];
      // Whatever is installed beside Node must not be found.
      const path = mkdtempSync(join(tmpdir(), 'path-'));
      for (const name of ['bash', 'env', 'cat', 'cut', 'sha256sum', 'dirname']) {
        symlinkSync(spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim(), join(path, name));
      }
      const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        cwd: root,
        encoding: 'utf8',
        env: { PATH: path, HOME: path, GATEWAY_CONTROLPLANE_CACHE: path, ...env },
      });
      rmSync(path, { recursive: true });
      return { status, output: stdout + stderr };
    };
    const nowhere = list({});
    expect(nowhere.output.trim()).toBe(
      'all suites against a real control plane are skipped: neither Go is installed (1.26.4 or newer) nor does KUBEBUILDER_ASSETS name a folder of programs',
    );
    expect(nowhere.status).toBe(0);
    expect(list({ CI: 'true' })).toMatchObject({ status: 1, output: expect.stringContaining('In CI that is a failure.') });
    expect(list({ KUBEBUILDER_ASSETS: tmpdir() }).output).toContain(
      'KUBEBUILDER_ASSETS names a folder without etcd, kube-apiserver, kubectl',
    );
  });

  test('takes an API server alone from KUBEBUILDER_ASSETS, and skips what needs nodes', async () => {
    const assets = mkdtempSync(join(tmpdir(), 'assets-'));
    for (const name of ['etcd', 'kube-apiserver', 'kubectl']) symlinkSync(join(controlPlane.programs, name), join(assets, name));
    const env: NodeJS.ProcessEnv = { PATH: dirname(process.execPath), HOME: assets, KUBEBUILDER_ASSETS: assets };
    const child = spawn(
      process.execPath,
      ['scripts/jest.mjs', '--config', 'jest.cluster.config.mjs', 'tests/cluster/control-plane.test.ts', '-t', 'lets its users|rolls out'],
      { cwd: root, env, stdio: 'pipe' },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const status = await new Promise((resolve) => child.once('close', resolve));
    rmSync(assets, { recursive: true });
    expect(output).toContain('the suites that need simulated nodes are skipped');
    expect(output).toMatch(/✓ lets its users do what their roles say/);
    expect(output).toMatch(/○ skipped rolls out/);
    expect(status).toBe(0);
  });
});

describeSimulated('A simulated cluster', () => {
  let namespace: string;
  beforeAll(async () => void (namespace = await controlPlane.createNamespace('simulated')));
  afterAll(() => controlPlane.request('DELETE', `/api/v1/namespaces/${namespace}`));

  const kubectl = (args: string, input?: string): Promise<string> =>
    controlPlane.kubectl(['-n', namespace, ...args.split(' ')], input === undefined ? {} : { input });
  const create = (manifest: string): Promise<string> => kubectl('create -f -', manifest);
  const get = (kind: string, name: string, group = 'api/v1'): Promise<any> =>
    controlPlane.request('GET', `/${group}/namespaces/${namespace}/${kind}/${name}`);
  const annotate = (kind: string, name: string, annotations: object, group = 'api/v1'): Promise<unknown> =>
    controlPlane.request('PATCH', `/${group}/namespaces/${namespace}/${kind}/${name}`, { body: { metadata: { annotations } } });
  const pods = async (selector: string): Promise<any[]> =>
    (await controlPlane.request('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`)).items;
  /** STATUS of `kubectl get pods`. */
  const statusOf = async (pod: string): Promise<string | undefined> => (await kubectl(`get pod ${pod} --no-headers`)).split(/\s+/)[2];

  test('has nodes with processors of two architectures, and with GPUs', async () => {
    const { items } = await controlPlane.request('GET', '/api/v1/nodes');
    const nodes = items.map(({ metadata: { name, labels }, status }: any) => [
      name,
      status.nodeInfo.architecture,
      labels['nvidia.com/gpu.product'],
      status.allocatable['nvidia.com/gpu'],
      status.nodeInfo.kubeletVersion.split('.')[0],
    ]);
    expect(nodes).toEqual([
      ['arm-1', 'arm64', undefined, undefined, 'v1'],
      ['gpu-1', 'amd64', 'NVIDIA-H100-80GB-HBM3', '8', 'v1'],
      ['gpu-2', 'amd64', 'Tesla-T4-SHARED', '8', 'v1'],
      ['node-1', 'amd64', undefined, undefined, 'v1'],
      ['node-2', 'amd64', undefined, undefined, 'v1'],
    ]);
  });

  test('rolls out deployments, gets stuck on an image that is not there, and goes back', async () => {
    await kubectl('create deployment web --image=registry.example/web:v1 --replicas=3');
    await kubectl('patch deployment web -p {"spec":{"progressDeadlineSeconds":3}}');
    await kubectl('rollout status deployment/web --timeout=30s');
    await kubectl('set image deployment/web web=registry.invalid/web:v2');
    const reason = async (): Promise<string> =>
      (await get('deployments', 'web', 'apis/apps/v1')).status.conditions.find(({ type }: any) => type === 'Progressing').reason;
    await until('a rollout that is given up', async () => (await reason()) === 'ProgressDeadlineExceeded');
    expect(await kubectl('get pods')).toContain('ImagePullBackOff');
    await kubectl('rollout undo deployment/web');
    await kubectl('rollout status deployment/web --timeout=30s');
    expect((await get('deployments', 'web', 'apis/apps/v1')).status).toMatchObject({ readyReplicas: 3, updatedReplicas: 3 });
  });

  test('restarts what crashes, and counts', async () => {
    await create(`{ apiVersion: v1, kind: Pod, metadata: { name: crash, annotations: { simulator.test/crash: app,
      simulator.test/back-off: 1s, simulator.test/exit-code: '137', simulator.test/exit-reason: OOMKilled } },
      spec: { containers: [{ name: app, image: example/app:1 }, { name: other, image: example/app:1 }] } }`);
    await until('CrashLoopBackOff', async () => (await statusOf('crash')) === 'CrashLoopBackOff');
    const status = await until('two restarts', async () => {
      const { status } = await get('pods', 'crash');
      return status.containerStatuses[0].restartCount >= 2 && status;
    });
    expect(status.containerStatuses).toMatchObject([
      { name: 'app', lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } },
      { name: 'other', restartCount: 0, ready: true },
    ]);
    await annotate('pods', 'crash', { 'simulator.test/crash': null });
    await until(
      'a pod that recovered',
      async () => (await statusOf('crash')) === 'Running' && (await get('pods', 'crash')).status.containerStatuses[0].ready,
    );
  });

  test('lets init containers go first, one after the other, and sidecars stay', async () => {
    await create(`{ apiVersion: v1, kind: Pod, metadata: { name: stages, annotations: { simulator.test/init-duration: 1s } },
      spec: { initContainers: [{ name: a, image: example/i:1 }, { name: side, image: example/i:1, restartPolicy: Always }, { name: b, image: example/i:1 }],
      containers: [{ name: app, image: example/app:1 }] } }`);
    const seen = new Set<string>();
    await until('a running pod', async () => seen.add((await statusOf('stages'))!).has('Running'), { intervalMs: 10 });
    expect([...seen].filter((status) => !['Pending', 'PodInitializing'].includes(status))).toEqual(['Init:0/3', 'Init:2/3', 'Running']);
    expect((await kubectl('get pod stages --no-headers')).split(/\s+/)[1]).toBe('2/2');
    await create(`{ apiVersion: v1, kind: Pod, metadata: { name: no-init, annotations: { simulator.test/init-exit-code: '2' } },
      spec: { restartPolicy: Never, initContainers: [{ name: a, image: example/i:1 }], containers: [{ name: app, image: example/app:1 }] } }`);
    await until('a failed initialization', async () => (await statusOf('no-init')) === 'Init:Error');
  });

  test('finishes jobs, well and badly, and starts those of cron jobs', async () => {
    const job = (name: string, code: number, spec: string): string => `{ apiVersion: batch/v1, kind: Job, metadata: { name: ${name} },
      spec: { ${spec}, template: { metadata: { annotations: { simulator.test/exit-code: '${code}' } },
      spec: { restartPolicy: Never, containers: [{ name: app, image: example/app:1 }] } } } }`;
    await create(job('good', 0, 'completions: 3, parallelism: 3'));
    await create(job('bad', 3, 'backoffLimit: 0'));
    await kubectl('wait --for=condition=Complete job/good --timeout=30s');
    await kubectl('wait --for=condition=Failed job/bad --timeout=30s');
    expect((await get('jobs', 'good', 'apis/batch/v1')).status.succeeded).toBe(3);
    await kubectl('create cronjob tick --image=example/app:1 --schedule=@hourly -- true');
    await kubectl('create job tock --from=cronjob/tick');
    await kubectl('wait --for=condition=Complete job/tock --timeout=30s');
  });

  test('gives stateful sets their volumes, and daemon sets their nodes', async () => {
    const template = (name: string, spec = ''): string =>
      `template: { metadata: { labels: { app: ${name} } }, spec: { ${spec} containers: [{ name: app, image: example/app:1 }] } }`;
    await create(`{ apiVersion: apps/v1, kind: StatefulSet, metadata: { name: db }, spec: { serviceName: db, replicas: 2, selector: { matchLabels: { app: db } },
      ${template('db')}, volumeClaimTemplates: [{ metadata: { name: data }, spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } } }] } }`);
    await create(`{ apiVersion: apps/v1, kind: DaemonSet, metadata: { name: agent }, spec: { selector: { matchLabels: { app: agent } },
      ${template('agent', 'tolerations: [{ operator: Exists }],')} } }`);
    await kubectl('rollout status statefulset/db --timeout=60s');
    await kubectl('rollout status daemonset/agent --timeout=60s');
    expect((await get('persistentvolumeclaims', 'data-db-1')).status.phase).toBe('Bound');
    const nodes = (await pods('app=agent')).map(({ spec }) => spec.nodeName).sort();
    expect(nodes).toEqual(['arm-1', 'gpu-1', 'gpu-2', 'node-1', 'node-2']);
  });

  test('hands out GPUs, and no more than there are', async () => {
    await create(`{ apiVersion: apps/v1, kind: Deployment, metadata: { name: trainer }, spec: { replicas: 3, selector: { matchLabels: { app: trainer } },
      template: { metadata: { labels: { app: trainer } }, spec: { nodeSelector: { nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3 },
      tolerations: [{ key: nvidia.com/gpu, operator: Exists }],
      containers: [{ name: app, image: example/app:1, resources: { limits: { nvidia.com/gpu: 4 } } }] } } } }`);
    await until('two trainers', async () => (await get('deployments', 'trainer', 'apis/apps/v1')).status.readyReplicas === 2);
    const waiting = await until('one that does not fit', async () =>
      (await pods('app=trainer')).find(({ status }) => status.conditions?.some(({ reason }: any) => reason === 'Unschedulable')),
    );
    expect(waiting.status.conditions[0].message).toContain('Insufficient nvidia.com/gpu');
    await kubectl('delete deployment trainer');
  });

  test('adds what a virtual machine costs to pods of a secure class', async () => {
    await create(
      `{ apiVersion: v1, kind: Pod, metadata: { name: secure }, spec: { runtimeClassName: kata-qemu, containers: [{ name: app, image: example/app:1 }] } }`,
    );
    await kubectl('wait --for=condition=Ready pod/secure --timeout=30s');
    const { spec } = await get('pods', 'secure');
    expect(spec.overhead).toEqual({ cpu: '250m', memory: '320Mi' });
    expect(['node-1', 'node-2']).toContain(spec.nodeName);
  });

  test('has logs that flow', async () => {
    await create(
      `{ apiVersion: v1, kind: Pod, metadata: { name: talker }, spec: { containers: [{ name: app, image: example/app:1 }, { name: other, image: example/app:1 }] } }`,
    );
    await kubectl('wait --for=condition=Ready pod/talker --timeout=30s');
    await controlPlane.appendLog(namespace, 'talker', 'first', { time: '2026-01-02T03:04:05.000000006Z' });
    await controlPlane.appendLog(namespace, 'talker', 'second', { stream: 'stderr' });
    await controlPlane.appendLog(namespace, 'talker', 'of the other', { container: 'other' });
    await controlPlane.appendLog(namespace, 'talker', 'before', { previous: true });
    expect(await kubectl('logs talker -c app')).toBe('first\nsecond\n');
    expect(await kubectl('logs talker -c app --tail=1')).toBe('second\n');
    expect(await kubectl('logs talker -c other')).toBe('of the other\n');
    expect(await kubectl('logs talker -c app --previous')).toBe('before\n');
    expect(await kubectl('logs talker -c app --timestamps')).toMatch(/^2026-01-02T03:04:05\.000000006Z first\n/);
    expect(await kubectl('logs talker -c app --since=1h')).toBe('second\n');

    const following = spawn(
      join(controlPlane.programs, 'kubectl'),
      ['--kubeconfig', controlPlane.kubeconfig, '-n', namespace, 'logs', '-f', 'talker', '-c', 'app', '--tail=0'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const line = new Promise<string>((resolve) => createInterface({ input: following.stdout }).once('line', resolve));
    let isSeen = false;
    void line.then(() => (isSeen = true));
    await until('a line that is followed', async () => {
      await controlPlane.appendLog(namespace, 'talker', 'later');
      return isSeen;
    });
    following.kill();
    expect(await line).toBe('later');
  });

  test('runs commands in pods, and forwards their ports', async () => {
    await kubectl('run shell --image=example/app:1');
    await kubectl('wait --for=condition=Ready pod/shell --timeout=30s');
    expect(
      await controlPlane.kubectl(['-n', namespace, 'exec', 'shell', '--', 'sh', '-c', 'echo "$SIMULATED_POD in $(basename "$PWD")"']),
    ).toBe('yes in root\n');
    await expect(kubectl('exec shell -- sh -c exit\\ 3')).rejects.toThrow(/exec shell/);

    const web = createServer((_, response) => response.end('hello'));
    await new Promise<void>((resolve) => web.listen(controlPlane.forwardPort, '127.0.0.1', resolve));
    const forward = spawn(
      join(controlPlane.programs, 'kubectl'),
      ['--kubeconfig', controlPlane.kubeconfig, '-n', namespace, 'port-forward', 'pod/shell', ':8080'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const line = await new Promise<string>((resolve) => createInterface({ input: forward.stdout }).once('line', resolve));
    const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    expect(await (await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })).text()).toBe('hello');
    forward.kill();
    web.closeAllConnections();
    await new Promise((resolve) => web.close(resolve));
  });

  test('tells what pods and nodes use, and scales by it within seconds', async () => {
    await create(`{ apiVersion: apps/v1, kind: Deployment, metadata: { name: busy }, spec: { replicas: 1, selector: { matchLabels: { app: busy } },
      template: { metadata: { labels: { app: busy }, annotations: { simulator.test/cpu: 50m, simulator.test/memory: 100Mi } },
      spec: { containers: [{ name: app, image: example/app:1, resources: { requests: { cpu: 100m } } }] } } } }`);
    await create(`{ apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: { name: busy }, spec: { minReplicas: 1, maxReplicas: 4,
      scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: busy }, behavior: { scaleDown: { stabilizationWindowSeconds: 1 } },
      metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } } }] } }`);
    const replicas = async (): Promise<number> => (await get('deployments', 'busy', 'apis/apps/v1')).status.readyReplicas;
    await until('metrics of the pod', async () => {
      const { items } = await controlPlane.request(
        'GET',
        `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods?labelSelector=app%3Dbusy`,
      );
      const { cpu, memory } = items[0]?.containers[0]?.usage ?? {};
      return memory === '100Mi' && Math.round(Number.parseInt(cpu) / 1e6) === 50;
    });
    const { items: nodes } = await until('metrics of all nodes', async () => {
      const list = await controlPlane.request('GET', '/apis/metrics.k8s.io/v1beta1/nodes');
      return list.items.length === 5 && list;
    });
    expect(nodes.every(({ usage }: any) => Number.parseInt(usage.cpu) > 0)).toBe(true);
    await until('an autoscaler that knows', async () => {
      const { status } = await get('horizontalpodautoscalers', 'busy', 'apis/autoscaling/v2');
      const { averageUtilization } = status.currentMetrics?.[0]?.resource?.current ?? {};
      // It rounds up what is a millionth more than 50.
      return averageUtilization === 50 || averageUtilization === 51;
    });
    const use = async (cpu: string): Promise<void> => {
      for (const { metadata } of await pods('app=busy')) await annotate('pods', metadata.name, { 'simulator.test/cpu': cpu });
    };
    await use('300m');
    await until('more replicas', async () => (await replicas()) > 1);
    await use('1m');
    await until('fewer replicas', async () => (await replicas()) === 1, { timeoutMs: 60_000 });
    expect(await kubectl('get events --field-selector reason=SuccessfulRescale')).toContain('cpu resource utilization');
  });

  test('gives addresses to load balancers and ingresses', async () => {
    await kubectl('create service loadbalancer web --tcp=80');
    await kubectl('create ingress web --rule=web.example/*=web:80');
    const address = async (kind: string, group: string): Promise<string | undefined> =>
      (await get(kind, 'web', group)).status.loadBalancer.ingress?.[0].ip;
    expect(await until('an address', () => address('services', 'api/v1'))).toMatch(/^203\.0\.113\./);
    expect(await until('an address', () => address('ingresses', 'apis/networking.k8s.io/v1'))).toMatch(/^203\.0\.113\./);
  });

  test('loses a node and has it back', async () => {
    const node = '/api/v1/nodes/arm-1';
    const down = (value: string | null): Promise<unknown> =>
      controlPlane.request('PATCH', node, { body: { metadata: { annotations: { 'simulator.test/not-ready': value } } } });
    const isTainted = async (): Promise<boolean> =>
      ((await controlPlane.request('GET', node)).spec.taints ?? []).some(({ key }: any) => key === 'node.kubernetes.io/not-ready');
    await down('true');
    await until('a node that is down', isTainted);
    expect(await controlPlane.kubectl(['get', 'node', 'arm-1', '--no-headers'])).toContain('NotReady');
    await down(null);
    await until('a node that is back', async () => !(await isTainted()));
  });
});
