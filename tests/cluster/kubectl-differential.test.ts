import { parse } from 'yaml';
import { nodes } from '../../src/domain/kinds/nodes.js';
import { pods, type PodRecord } from '../../src/domain/kinds/pods.js';
import type { ResourceRecord } from '../../src/domain/kinds/resource-record.js';
import { cronJobs, daemonSets, deployments, jobs, statefulSets } from '../../src/domain/kinds/workloads.js';
import { sumOfPods } from '../../src/domain/resources.js';
import { watchedKinds } from '../../src/domain/kinds/index.js';
import { Clusters } from '../../src/k8s/clusters.js';
import type { Kind } from '../../src/k8s/kind.js';
import type { ClusterSource } from '../../src/k8s/source.js';
import { describeSimulated, sharedControlPlane, type ControlPlane } from '../support/control-plane.js';
import { until } from '../support/until.js';

type Json = Record<string, any>;

/** Numbers below `below` that are the same in every run, so that what failed fails again. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const container = (name: string, more: Json = {}): Json => ({ name, image: `registry.example/${name}:1`, ...more });
const sidecar = (name: string, more: Json = {}): Json => container(name, { restartPolicy: 'Always', ...more });
const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const waiting = (reason?: string): Json => ({ waiting: { ...(reason !== undefined && { reason }) } });
const ended = (exitCode: number, more: Json = {}): Json => ({ terminated: { exitCode, ...more } });
const status = (name: string, state: Json, more: Json = {}): Json => ({
  name,
  state,
  ready: false,
  restartCount: 0,
  image: '',
  imageID: '',
  ...more,
});

interface Specimen {
  readonly spec?: Json;
  readonly status?: Json;
}

/** Pods as a kubelet may tell them, each with the STATUS that kubectl is known to show. */
const zoo: Readonly<Record<string, Specimen & { readonly shows: string }>> = {
  pending: { shows: 'Pending' },
  gated: { spec: { schedulingGates: [{ name: 'example.com/quota' }] }, shows: 'SchedulingGated' },
  creating: { status: { containerStatuses: [status('app', waiting('ContainerCreating'))] }, shows: 'ContainerCreating' },
  'image-pull': { status: { containerStatuses: [status('app', waiting('ImagePullBackOff'))] }, shows: 'ImagePullBackOff' },
  'no-such-image': { status: { containerStatuses: [status('app', waiting('ErrImagePull'))] }, shows: 'ErrImagePull' },
  'bad-config': {
    status: { containerStatuses: [status('app', waiting('CreateContainerConfigError'))] },
    shows: 'CreateContainerConfigError',
  },
  running: {
    status: { phase: 'Running', containerStatuses: [status('app', running, { ready: true, restartCount: 4 })] },
    shows: 'Running',
  },
  'crash-loop': {
    status: {
      phase: 'Running',
      containerStatuses: [
        status('app', waiting('CrashLoopBackOff'), {
          restartCount: 7,
          lastState: ended(1, { reason: 'Error', finishedAt: '2026-01-01T00:00:00Z' }),
        }),
      ],
    },
    shows: 'CrashLoopBackOff',
  },
  killed: { status: { phase: 'Running', containerStatuses: [status('app', ended(137, { reason: 'OOMKilled' }))] }, shows: 'OOMKilled' },
  signalled: { status: { phase: 'Failed', containerStatuses: [status('app', ended(0, { signal: 9 }))] }, shows: 'Signal:9' },
  'exit-code': { status: { phase: 'Failed', containerStatuses: [status('app', ended(3))] }, shows: 'ExitCode:3' },
  failed: { status: { phase: 'Failed', containerStatuses: [status('app', ended(1, { reason: 'Error' }))] }, shows: 'Error' },
  completed: { status: { phase: 'Succeeded', containerStatuses: [status('app', ended(0, { reason: 'Completed' }))] }, shows: 'Completed' },
  evicted: { status: { phase: 'Failed', reason: 'Evicted' }, shows: 'Evicted' },
  'half-done': {
    spec: { containers: [container('app'), container('log')] },
    status: {
      phase: 'Running',
      containerStatuses: [status('app', ended(0, { reason: 'Completed' })), status('log', running, { ready: true })],
    },
    shows: 'NotReady',
  },
  'half-done-and-ready': {
    spec: { containers: [container('app'), container('log')] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [status('app', ended(0, { reason: 'Completed' })), status('log', running, { ready: true })],
    },
    shows: 'Running',
  },
  'init-first': {
    spec: { initContainers: [container('one'), container('two')] },
    status: {
      initContainerStatuses: [status('one', running), status('two', waiting('PodInitializing'))],
      containerStatuses: [status('app', waiting('PodInitializing'))],
    },
    shows: 'Init:0/2',
  },
  'init-second': {
    spec: { initContainers: [container('one'), container('two')] },
    status: {
      initContainerStatuses: [
        status('one', ended(0, { reason: 'Completed' }), { restartCount: 2 }),
        status('two', running, { restartCount: 1 }),
      ],
    },
    shows: 'Init:1/2',
  },
  'init-error': {
    spec: { initContainers: [container('one')] },
    status: { phase: 'Failed', initContainerStatuses: [status('one', ended(1, { reason: 'Error' }))] },
    shows: 'Init:Error',
  },
  'init-exit-code': {
    spec: { initContainers: [container('one')] },
    status: { initContainerStatuses: [status('one', ended(2))] },
    shows: 'Init:ExitCode:2',
  },
  'init-signal': {
    spec: { initContainers: [container('one')] },
    status: { initContainerStatuses: [status('one', ended(137, { signal: 9 }))] },
    shows: 'Init:Signal:9',
  },
  'init-crash-loop': {
    spec: { initContainers: [container('one')] },
    status: { initContainerStatuses: [status('one', waiting('CrashLoopBackOff'), { restartCount: 5 })] },
    shows: 'Init:CrashLoopBackOff',
  },
  'with-sidecar': {
    spec: { initContainers: [sidecar('mesh')] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Initialized', status: 'True' }],
      initContainerStatuses: [status('mesh', running, { ready: true, started: true, restartCount: 3 })],
      containerStatuses: [status('app', running, { ready: true, restartCount: 1 })],
    },
    shows: 'Running',
  },
  'sidecar-starts': {
    spec: { initContainers: [sidecar('mesh'), container('one')] },
    status: { initContainerStatuses: [status('mesh', running, { started: false }), status('one', waiting('PodInitializing'))] },
    shows: 'Init:0/2',
  },
  'sidecar-crashes-later': {
    spec: { initContainers: [sidecar('mesh')] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Initialized', status: 'True' }],
      initContainerStatuses: [status('mesh', waiting('CrashLoopBackOff'), { started: false, restartCount: 9 })],
      containerStatuses: [status('app', running, { ready: true })],
    },
    shows: 'Init:CrashLoopBackOff',
  },
};

const reasons = ['CrashLoopBackOff', 'ContainerCreating', 'PodInitializing', 'Error', 'Completed', 'OOMKilled', 'ErrImagePull'];

/** Anything that the API server takes, likely or not. */
function anySpecimen(roll: (below: number) => number): Specimen {
  const oneOf = <T>(...values: T[]): T => values[roll(values.length)]!;
  const anyState = (): Json =>
    oneOf<() => Json>(
      () => running,
      () => waiting(oneOf(undefined, ...reasons)),
      () => ended(oneOf(0, 0, 1, 137), { ...oneOf({}, { reason: oneOf(...reasons) }), ...oneOf({}, {}, { signal: 9 }) }),
      () => ({}),
    )();
  const anyStatus = ({ name }: Json): Json =>
    status(name as string, anyState(), { ready: oneOf(true, false), started: oneOf(true, false, undefined), restartCount: roll(4) });
  const initContainers = Array.from({ length: roll(4) }, (_, index) => oneOf(container, sidecar)(`init-${index}`));
  const containers = Array.from({ length: 1 + roll(3) }, (_, index) => container(`app-${index}`));
  const condition = (type: string): Json[] => oneOf([], [{ type, status: oneOf('True', 'False') }]);
  return {
    spec: { containers, initContainers, restartPolicy: oneOf('Always', 'OnFailure', 'Never') },
    status: {
      phase: oneOf('Pending', 'Running', 'Running', 'Succeeded', 'Failed', 'Unknown'),
      ...oneOf({}, {}, {}, { reason: oneOf('Evicted', 'NodeLost') }),
      conditions: [
        ...condition('Ready'),
        ...condition('Initialized'),
        ...oneOf([], [], [{ type: 'PodScheduled', status: 'False', reason: oneOf('SchedulingGated', 'Unschedulable') }]),
      ],
      ...(roll(5) > 0 && { initContainerStatuses: initContainers.slice(0, roll(5)).map(anyStatus) }),
      ...(roll(5) > 0 && { containerStatuses: containers.slice(0, 1 + roll(3)).map(anyStatus) }),
    },
  };
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};
/** As kubectl prints amounts. */
function amount(text: string): number {
  const [, number, unit = ''] = /^(\d+)([a-zA-Z]*)$/.exec(text) ?? [];
  return unit === 'm' ? Number(number) / 1_000 : Number(number) * units[unit]!;
}

describeSimulated('What the gateway tells of a real cluster is what kubectl shows:', () => {
  let controlPlane: ControlPlane;
  let clusters: Clusters;
  let source: ClusterSource;
  let namespace: string;

  beforeAll(async () => {
    controlPlane = await sharedControlPlane();
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const config = {
      name: 'real',
      displayName: 'real',
      kubeconfig: controlPlane.kubeconfigOf('gateway'),
      context: undefined,
      projects: undefined,
    };
    clusters = new Clusters([config], watchedKinds, { watchSilenceMs: 30_000, historySize: 1_000, log: silent });
    clusters.start();
    source = clusters.sources[0]!;
    namespace = await controlPlane.createNamespace('differential');
    await until('stores', () => clusters.ready && source.unavailable(watchedKinds) === undefined);
  });
  afterAll(async () => {
    await clusters.close();
    const { items } = await controlPlane.request('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=zoo%3Dwild`);
    for (const { metadata } of items) {
      const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}`;
      if (metadata.finalizers !== undefined) await controlPlane.request('PATCH', path, { body: { metadata: { finalizers: null } } });
    }
    await controlPlane.request('DELETE', `/api/v1/namespaces/${namespace}`);
    await controlPlane.stop();
  });

  const kubectl = (...args: string[]): Promise<string> => controlPlane.kubectl(['-n', namespace, ...args]);
  const create = (manifest: object): Promise<string> =>
    controlPlane.kubectl(['-n', namespace, 'create', '-f', '-'], { input: JSON.stringify(manifest) });
  const createPod = (metadata: Json, spec: Json): Promise<unknown> =>
    controlPlane.create(`/api/v1/namespaces/${namespace}/pods`, { metadata, spec: { containers: [container('app')], ...spec } });

  /** A pod that no kubelet has, so that it stays as it is told. */
  async function exhibit(name: string, specimen: Specimen, metadata: Json = {}): Promise<void> {
    await createPod({ name, labels: { zoo: 'yes' }, ...metadata }, { schedulerName: 'nobody', ...specimen.spec });
    if (specimen.status === undefined) return;
    await controlPlane.request('PATCH', `/api/v1/namespaces/${namespace}/pods/${name}/status`, { body: { status: specimen.status } });
  }

  /** READY, STATUS and RESTARTS by name, as kubectl prints them and as the store has them; of one moment. */
  async function compared(selector: string): Promise<{ shown: Json; told: Json }> {
    let shown: Json = {};
    let told: Json = {};
    await until('the same moment', async () => {
      const before = await controlPlane.request('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`);
      const table = await kubectl('get', 'pods', '-l', selector, '--no-headers');
      const after = await controlPlane.request('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`);
      const versions = ({ items }: Json): string => items.map(({ metadata }: Json) => metadata.resourceVersion).join();
      if (versions(before) !== versions(after)) return false;
      const [key, value] = selector.split('=');
      const records = source
        .store(pods)
        .lookUp('namespace', namespace)
        .filter(({ labelMap }) => labelMap[key!] === value);
      const isSame =
        records.length === before.items.length &&
        before.items.every(
          ({ metadata }: Json) => source.store(pods).get(namespace, metadata.name)?.resourceVersion === metadata.resourceVersion,
        );
      if (!isSame) return false;
      shown = Object.fromEntries(
        table
          .trimEnd()
          .split('\n')
          .map((line) => {
            const [name, ready, shownStatus, restarts] = line.split(/\s+/);
            return [name, `${ready} ${shownStatus} ${restarts}`];
          }),
      );
      told = Object.fromEntries(records.map((pod) => [pod.name, columns(pod)]));
      return true;
    });
    return { shown, told };
  }
  const columns = ({ readyContainers, totalContainers, status: shown, restarts }: PodRecord): string =>
    `${readyContainers}/${totalContainers} ${shown} ${restarts}`;

  test('READY, STATUS and RESTARTS of pods in every state', async () => {
    for (const [name, specimen] of Object.entries(zoo)) await exhibit(name, specimen);
    const { shown, told } = await compared('zoo=yes');
    expect(told).toEqual(shown);
    expect(Object.fromEntries(Object.entries(shown).map(([name, row]) => [name, row.split(' ')[1]]))).toEqual(
      Object.fromEntries(Object.entries(zoo).map(([name, { shows }]) => [name, shows])),
    );
  });

  test('READY, STATUS and RESTARTS of pods in states that nobody thought of', async () => {
    const roll = dice(20_261_125);
    const specimens = Array.from({ length: 400 }, () => anySpecimen(roll));
    const queue = [...specimens.entries()];
    const worker = async (): Promise<void> => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        const [index, specimen] = next;
        const isDeleted = index % 4 === 0;
        const metadata = { labels: { zoo: 'wild' }, ...(isDeleted && { finalizers: ['example.com/held'] }) };
        await exhibit(`wild-${index}`, specimen, metadata);
        if (isDeleted) await controlPlane.request('DELETE', `/api/v1/namespaces/${namespace}/pods/wild-${index}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    const { shown, told } = await compared('zoo=wild');
    expect(Object.keys(shown)).toHaveLength(400);
    expect(told).toEqual(shown);
    // The dice must not have been loaded.
    expect(new Set(Object.values(shown).map((row: string) => row.split(' ')[1])).size).toBeGreaterThan(30);
  });

  test('READY, STATUS and RESTARTS of pods that live', async () => {
    const labels = { zoo: 'lives' };
    const notes = (annotations: Json): Json => ({
      labels,
      annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`simulator.test/${key}`, value])),
    });
    await createPod({ name: 'runs', labels }, {});
    await createPod({ name: 'leaves', ...notes({ 'stop-after': '600s' }) }, {});
    await createPod({ name: 'loops', ...notes({ crash: 'true', 'back-off': '600s' }) }, {});
    await createPod({ name: 'ends', ...notes({ 'run-for': '100ms' }) }, { restartPolicy: 'Never' });
    await createPod(
      { name: 'fails', ...notes({ 'run-for': '100ms', 'exit-code': '137', 'exit-reason': 'OOMKilled' }) },
      { restartPolicy: 'Never' },
    );
    await createPod(
      { name: 'initializes', ...notes({ 'init-duration': '600s' }) },
      { initContainers: [sidecar('mesh'), container('one')] },
    );
    await createPod({ name: 'unready', ...notes({ 'not-ready': 'true' }) }, {});
    await createPod({ name: 'unpullable', labels }, { containers: [container('app', { image: 'registry.invalid/app:1' })] });
    await createPod({ name: 'too-large', labels }, { containers: [container('app', { resources: { requests: { cpu: '1000' } } })] });
    await until('a pod to leave', async () => (await kubectl('get', 'pod', 'leaves')).includes('Running'));
    await kubectl('delete', 'pod', 'leaves', '--wait=false');
    const expected = {
      runs: '1/1 Running 0',
      leaves: '1/1 Terminating 0',
      loops: '0/1 CrashLoopBackOff 0',
      ends: '0/1 Completed 0',
      fails: '0/1 OOMKilled 0',
      initializes: '1/2 Init:1/2 0',
      unready: '0/1 Running 0',
      unpullable: '0/1 ImagePullBackOff 0',
      'too-large': '0/1 Pending 0',
    };
    await until(
      'all of it to show',
      async () => JSON.stringify(sorted((await compared('zoo=lives')).shown)) === JSON.stringify(sorted(expected)),
    );
    const { shown, told } = await compared('zoo=lives');
    expect(told).toEqual(shown);
  });

  test('requests on nodes, by all of the arithmetic', async () => {
    const roll = dice(42);
    const anyRequests = (): Json => {
      const requests: Json = {};
      if (roll(3) > 0) requests.cpu = `${1 + roll(900)}m`;
      if (roll(3) > 0) requests.memory = `${1 + roll(900)}Mi`;
      if (roll(4) === 0) requests['ephemeral-storage'] = `${1 + roll(5)}Gi`;
      // What has only a limit asks for that.
      const limits = roll(5) === 0 ? { cpu: '2', memory: '2Gi' } : {};
      return { resources: { requests, limits } };
    };
    for (let index = 0; index < 60; index += 1) {
      const isOver = roll(5) === 0;
      const isSecure = roll(4) === 0;
      const nodeName = isSecure ? ['node-1', 'node-2'][roll(2)]! : ['node-1', 'node-2', 'arm-1', 'gpu-1'][roll(4)]!;
      const initContainers = Array.from({ length: roll(4) }, (_, at) => (roll(2) === 0 ? container : sidecar)(`init-${at}`, anyRequests()));
      const containers = Array.from({ length: 1 + roll(2) }, (_, at) => container(`app-${at}`, anyRequests()));
      if (nodeName === 'gpu-1') containers[0]!.resources.limits = { 'nvidia.com/gpu': '1' };
      // Never less than the containers' sum, which the API server would refuse.
      const podLevel = roll(5) === 0 ? { resources: { requests: { cpu: '9', memory: '9Gi' } } } : {};
      await createPod(
        { name: `asks-${index}`, labels: { asks: 'yes' }, ...(isOver && { annotations: { 'simulator.test/run-for': '100ms' } }) },
        {
          nodeName,
          initContainers,
          containers,
          ...podLevel,
          ...(isSecure && { runtimeClassName: 'kata-qemu' }),
          ...(isOver && { restartPolicy: 'Never' }),
        },
      );
    }
    await until('pods that run or are over', async () => {
      const { items } = await controlPlane.request('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=asks%3Dyes`);
      return items.every(
        ({ metadata, status: { phase } }: Json) => phase === (metadata.annotations === undefined ? 'Running' : 'Succeeded'),
      );
    });
    // A resize that is under way: what is asked for, what was promised and what has.
    const amounts = (cpu: string, memory: string): Json => ({ requests: { cpu, memory } });
    const resized = [
      { asked: amounts('500m', '100Mi'), promised: { cpu: '700m', memory: '100Mi' }, has: amounts('900m', '50Mi') },
      { asked: amounts('500m', '300Mi'), promised: { cpu: '200m', memory: '100Mi' }, has: amounts('100m', '200Mi') },
      { asked: amounts('500m', '300Mi'), promised: { cpu: '200m', memory: '100Mi' }, has: amounts('100m', '200Mi'), reason: 'Infeasible' },
      { asked: amounts('500m', '300Mi'), promised: { cpu: '200m', memory: '100Mi' }, has: amounts('100m', '200Mi'), reason: 'Deferred' },
    ];
    for (const [index, { asked, promised, has, reason }] of resized.entries()) {
      const name = `resized-${index}`;
      await createPod({ name, labels: { asks: 'yes' } }, { nodeName: 'gpu-2', containers: [container('app', { resources: asked })] });
      await until('a pod that runs', async () => (await kubectl('get', 'pod', name)).includes('Running'));
      const conditions = reason === undefined ? [] : [{ type: 'PodResizePending', status: 'True', reason }];
      const patch = { status: { conditions, containerStatuses: [{ name: 'app', allocatedResources: promised, resources: has }] } };
      await kubectl('patch', 'pod', name, '--subresource=status', '--type=strategic', '-p', JSON.stringify(patch));
    }

    const names = [...source.store(nodes).all()].map(({ name }) => name).sort();
    expect(names).toEqual(['arm-1', 'gpu-1', 'gpu-2', 'node-1', 'node-2']);
    for (const name of names) {
      await until(
        `the requests on ${name}`,
        async () => {
          const shown = described(await controlPlane.kubectl(['describe', 'node', name]));
          const unfinished = source
            .store(pods)
            .lookUp('node', name)
            .filter(({ finished }) => !finished);
          const path = ({ namespaceName, name: pod }: PodRecord): string => `${namespaceName}/${pod}`;
          expect(
            sorted(Object.fromEntries(unfinished.map((pod) => [path(pod), [pod.requested.cpuCores, pod.requested.memoryBytes]]))),
          ).toEqual(shown.pods);
          expect(unfinished.length).toBeGreaterThanOrEqual(4);
          // kubectl leaves resizes out of its sums, and counts them in its rows.
          if (name === 'gpu-2') return true;
          const { cpuCores, memoryBytes, ephemeralStorageBytes, gpus, pods: count } = sumOfPods(source.store(pods).lookUp('node', name));
          expect({ cpuCores, memoryBytes, ephemeralStorageBytes, gpus, count }).toEqual({
            cpuCores: shown.total['cpu'],
            memoryBytes: shown.total['memory'],
            ephemeralStorageBytes: shown.total['ephemeral-storage'],
            gpus: shown.total['nvidia.com/gpu'] ?? 0,
            count: Object.keys(shown.pods).length,
          });
          return true;
        },
        { timeoutMs: 5_000 },
      );
    }
  });

  test('replicas, images and objects of workloads, whole, stuck, stopped and suspended', async () => {
    const template = (image = 'registry.example/app:1', annotations: Json = {}, spec: Json = {}): Json => ({
      metadata: { labels: { app: 'x' }, annotations },
      spec: { containers: [container('app', { image }), container('log')], ...spec },
    });
    const selector = { matchLabels: { app: 'x' } };
    const apps = (kind: string, name: string, spec: Json, annotations: Json = {}): Json => ({
      apiVersion: 'apps/v1',
      kind,
      metadata: { name, annotations },
      spec: { selector, ...spec },
    });
    const batch = (kind: string, name: string, spec: Json): Json => ({ apiVersion: 'batch/v1', kind, metadata: { name }, spec });
    const once = (annotations: Json = {}): Json => template(undefined, annotations, { restartPolicy: 'Never' });
    const manifests = [
      apps('Deployment', 'whole', { replicas: 2, template: template() }),
      apps('Deployment', 'stuck', { replicas: 2, template: template('registry.invalid/app:1') }),
      apps('Deployment', 'none', { replicas: 0, template: template() }, { 'gateway.openstack.org/stopped-replicas': '3' }),
      apps('Deployment', 'paused', { paused: true, template: template() }),
      apps('StatefulSet', 'ordered', { replicas: 2, serviceName: 'x', template: template() }),
      apps('StatefulSet', 'blocked', { replicas: 3, serviceName: 'x', template: template('registry.invalid/app:1') }),
      apps('DaemonSet', 'everywhere', { template: template(undefined, {}, { tolerations: [{ operator: 'Exists' }] }) }),
      apps('DaemonSet', 'untolerant', { template: template(undefined, { 'simulator.test/not-ready': 'true' }) }),
      batch('Job', 'done', { completions: 3, parallelism: 2, template: once() }),
      batch('Job', 'lost', { backoffLimit: 0, template: once({ 'simulator.test/exit-code': '1' }) }),
      batch('Job', 'held', { suspend: true, template: once() }),
      batch('Job', 'busy', { completions: 2, parallelism: 1, template: once({ 'simulator.test/run-for': '600s' }) }),
      batch('CronJob', 'nightly', { schedule: '0 3 * * *', timeZone: 'Asia/Shanghai', jobTemplate: { spec: { template: once() } } }),
      batch('CronJob', 'resting', { schedule: '*/5 * * * *', suspend: true, jobTemplate: { spec: { template: once() } } }),
    ];
    for (const manifest of manifests) await create(manifest);
    await kubectl('rollout', 'status', 'deployment/whole', '--timeout=30s');
    await kubectl('rollout', 'status', 'statefulset/ordered', '--timeout=30s');
    await kubectl('rollout', 'status', 'daemonset/everywhere', '--timeout=30s');
    await kubectl('wait', '--for=condition=Complete', 'job/done', '--timeout=30s');
    await kubectl('wait', '--for=condition=Failed', 'job/lost', '--timeout=30s');

    /** Rows of `kubectl get -o wide`, by name. */
    const rows = async (kind: string): Promise<Record<string, string[]>> => {
      const table = await kubectl('get', kind, '-o', 'wide', '--no-headers');
      return Object.fromEntries(
        table
          .trimEnd()
          .split('\n')
          .map((line) => line.split(/ {2,}/))
          .map(([name, ...cells]) => [name!, cells]),
      );
    };
    const told = <R extends ResourceRecord>(kind: Kind<R>, read: (record: R) => string[]): Record<string, string[]> =>
      Object.fromEntries(
        source
          .store(kind)
          .lookUp('namespace', namespace)
          .map((record) => [record.name, read(record)]),
      );
    const images = 'registry.example/app:1,registry.example/log:1';
    const stuckImages = 'registry.invalid/app:1,registry.example/log:1';

    await until('the same of deployments', async () => {
      const shown = await rows('deployments');
      expect(
        told(deployments, ({ replicas, images: told }) => [
          `${replicas.ready}/${replicas.desired}`,
          String(replicas.updated),
          String(replicas.available),
          told.join(),
        ]),
      ).toEqual(
        Object.fromEntries(
          Object.entries(shown).map(([name, [ready, updated, available, , , shownImages]]) => [
            name,
            [ready, updated, available, shownImages],
          ]),
        ),
      );
      expect(shown['whole']).toMatchObject(['2/2', '2', '2', expect.any(String), 'app,log', images, 'app=x']);
      expect(shown['stuck']).toMatchObject(['0/2', '2', '0', expect.any(String), 'app,log', stuckImages, 'app=x']);
      return true;
    });
    await until('the same of stateful sets', async () => {
      const shown = await rows('statefulsets');
      expect(told(statefulSets, ({ replicas, images: told }) => [`${replicas.ready}/${replicas.desired}`, told.join()])).toEqual(
        Object.fromEntries(Object.entries(shown).map(([name, [ready, , , shownImages]]) => [name, [ready, shownImages]])),
      );
      expect(Object.keys(shown)).toEqual(['blocked', 'ordered']);
      return true;
    });
    await until('the same of daemon sets', async () => {
      const shown = await rows('daemonsets');
      expect(
        told(daemonSets, ({ replicas: { desired, current, ready, updated, available } }) =>
          [desired, current, ready, updated, available].map(String),
        ),
      ).toEqual(Object.fromEntries(Object.entries(shown).map(([name, cells]) => [name, cells.slice(0, 5)])));
      expect(shown['everywhere']?.slice(0, 5)).toEqual(['5', '5', '5', '5', '5']);
      expect(shown['untolerant']?.slice(0, 5)).toEqual(['2', '2', '0', '2', '0']);
      return true;
    });
    await until('the same of jobs', async () => {
      const shown = await rows('jobs');
      const names: Readonly<Record<string, string>> = { COMPLETED: 'Complete', FAILED: 'Failed', SUSPENDED: 'Suspended' };
      expect(told(jobs, ({ status: is, succeeded, completions }) => [names[is] ?? 'Running', `${succeeded}/${completions}`])).toEqual(
        Object.fromEntries(Object.entries(shown).map(([name, cells]) => [name, cells.slice(0, 2)])),
      );
      expect(Object.fromEntries(Object.entries(shown).map(([name, [is]]) => [name, is]))).toEqual({
        busy: 'Running',
        done: 'Complete',
        held: 'Suspended',
        lost: 'Failed',
      });
      return true;
    });
    await until('the same of cron jobs', async () => {
      const shown = await rows('cronjobs');
      expect(
        told(cronJobs, ({ schedule, timeZone, suspended, images: told }) => [
          schedule,
          timeZone ?? '<none>',
          suspended ? 'True' : 'False',
          told.join(),
        ]),
      ).toEqual(
        Object.fromEntries(
          Object.entries(shown).map(([name, [schedule, zone, suspended, , , , , shownImages]]) => [
            name,
            [schedule, zone, suspended, shownImages],
          ]),
        ),
      );
      return true;
    });

    const kinds: readonly (readonly [Kind, string])[] = [
      [deployments, 'deployments'],
      [statefulSets, 'statefulsets'],
      [daemonSets, 'daemonsets'],
      [jobs, 'jobs'],
      [cronJobs, 'cronjobs'],
    ];
    for (const [kind, plural] of kinds) {
      await until(`the same objects of ${plural}`, async () => {
        const { items } = JSON.parse(await kubectl('get', plural, '-o', 'json')) as { items: Json[] };
        for (const item of items) {
          const record = source.store(kind).get(namespace, item.metadata.name as string) as ResourceRecord;
          expect(parse(record.yaml, { version: '1.1' })).toEqual(item);
          if ('replicas' in record) {
            const { replicas = 0, readyReplicas = 0, updatedReplicas = 0, availableReplicas = 0 } = item.status;
            if (kind === daemonSets) continue;
            expect(record.replicas).toEqual({
              desired: item.spec.replicas,
              current: replicas,
              ready: readyReplicas,
              updated: updatedReplicas,
              available: availableReplicas,
            });
          }
        }
        return true;
      });
    }
  });

  test('the YAML of an object, but for the style of its quotes', async () => {
    const odd = {
      plain: 'x',
      on: 'on',
      octal: '0777',
      sexagesimal: '12:30',
      underscored: '1_000',
      date: '2026-01-01',
      empty: '',
      colon: 'a: b',
      hash: '#',
      lines: 'one\ntwo\n',
      blank: ' x ',
      nothing: 'null',
      tilde: '~',
      hex: '0x1F',
      emoji: '🙂',
      long: 'word '.repeat(40).trim(),
    };
    await createPod(
      { name: 'odd', annotations: odd, labels: { 'example.com/a': 'b' } },
      {
        containers: [
          container('app', {
            command: ['sh', '-c', 'echo "$HOME"\nexit 0'],
            args: ['--x=1', '-', '1', 'true', '1e3'],
            env: [{ name: 'E', value: '' }],
          }),
        ],
      },
    );
    await until(
      'the same text',
      async () => {
        const shown = await kubectl('get', 'pod', 'odd', '-o', 'yaml');
        expect(meaning(source.store(pods).get(namespace, 'odd')!.yaml)).toBe(meaning(shown));
        return true;
      },
      { timeoutMs: 5_000 },
    );
  });
});

const sorted = (map: Json): Json => Object.fromEntries(Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1)));

/** CPU and memory requests by pod, and the sums by resource, of `kubectl describe node`. */
function described(description: string): { pods: Record<string, [number, number]>; total: Record<string, number> } {
  const rowsOf = (heading: RegExp): string[][] => {
    const [, table = ''] = new RegExp(`${heading.source}[^]*?\\n {2}-+ .*\\n((?: {2}.*\\n)*)`).exec(description) ?? [];
    return table
      .trimEnd()
      .split('\n')
      .filter((row) => row !== '')
      .map((row) => row.trim().split(/\s+/));
  };
  const perPod = rowsOf(/Non-terminated Pods:/).map(([namespace, name, cpu, , , , memory]): [string, [number, number]] => [
    `${namespace}/${name}`,
    [amount(cpu!), amount(memory!)],
  ]);
  const total = rowsOf(/Allocated resources:/).map(([resource, requested]): [string, number] => [resource!, amount(requested!)]);
  return { pods: sorted(Object.fromEntries(perPod)), total: Object.fromEntries(total) };
}

/** With the order of keys; as readers of YAML 1.1 have it. */
const meaning = (yaml: string): string => JSON.stringify(parse(yaml, { version: '1.1' }));
