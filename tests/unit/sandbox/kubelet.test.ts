import type { ContainerStatus, Pod } from '../../../src/sandbox/controllers/shapes.js';
import { condition, node, pod, TestCluster, type TemplateOptions } from './test-cluster.js';

describe('pods of an embedded cluster', () => {
  let cluster: TestCluster;
  const start = async (options: TemplateOptions = {}): Promise<void> => {
    cluster = await TestCluster.start([node('one'), pod('web', options)]);
    await cluster.seconds(0);
  };
  afterEach(() => cluster.close());

  const web = (): Pod => cluster.get<Pod>('pods', 'web');
  const container = (name = 'app'): ContainerStatus => {
    const { containerStatuses = [], initContainerStatuses = [] } = web().status ?? {};
    const found = [...containerStatuses, ...initContainerStatuses].find((each) => each.name === name);
    if (found === undefined) throw new Error(`no container ${name}`);
    return found;
  };
  const until = (status: string, maxSeconds?: number): Promise<number> =>
    cluster.until(status, () => cluster.find('pods', 'web') !== undefined && cluster.statusOf('web') === status, maxSeconds);
  const restart = (restartPolicy: string): object => ({ restartPolicy });

  test('a pod is put onto a node, gets an address and its image, runs and is ready', async () => {
    await start();
    expect(cluster.statusOf('web')).toBe('ContainerCreating');
    expect(web()).toMatchObject({ spec: { nodeName: 'one' }, status: { phase: 'Pending', startTime: '2026-03-01T12:00:00Z' } });
    expect(web().status).not.toHaveProperty('podIP');
    await until('Running');
    const { status } = web();
    expect(status).toMatchObject({
      phase: 'Running',
      qosClass: 'BestEffort',
      podIP: expect.stringMatching(/^10\.128\./),
      hostIP: expect.any(String),
      observedGeneration: 1,
    });
    expect(status?.podIPs).toEqual([{ ip: status?.podIP }]);
    expect(status?.conditions?.map(({ type, status: value }) => `${type}=${value}`)).toEqual([
      'PodReadyToStartContainers=True',
      'Initialized=True',
      'Ready=True',
      'ContainersReady=True',
      'PodScheduled=True',
    ]);
    expect(container()).toMatchObject({
      name: 'app',
      ready: true,
      started: true,
      restartCount: 0,
      image: 'docker.io/library/nginx:1.27',
      imageID: expect.stringMatching(/^docker\.io\/library\/nginx@sha256:[0-9a-f]{64}$/),
      containerID: expect.stringMatching(/^containerd:\/\/[0-9a-f]{64}$/),
      state: { running: { startedAt: expect.any(String) } },
      lastState: {},
    });
    expect(cluster.events('Pulled').map(({ message }) => String(message))).toEqual([
      expect.stringMatching(/^Successfully pulled image "nginx:1.27" in /),
    ]);
  });

  test('an image that is on the node is not pulled again', async () => {
    await start();
    await until('Running');
    await cluster.create(pod('second'));
    await cluster.until('the second', () => cluster.statusOf('second') === 'Running', 3);
    expect(cluster.events('Pulled').map(({ message }) => String(message))).toContain(
      'Container image "nginx:1.27" already present on machine',
    );
  });

  test('an image that cannot be had is tried again with growing pauses', async () => {
    await start({ image: 'registry.invalid/team/web:1' });
    await until('ErrImagePull');
    expect(container().state.waiting?.message).toContain('lookup registry.invalid: no such host');
    expect(web().status?.phase).toBe('Pending');
    await until('ImagePullBackOff');
    expect(container().state.waiting?.message).toMatch(
      /^Back-off pulling image "registry.invalid\/team\/web:1": ErrImagePull: failed to pull/,
    );
    expect(container()).toMatchObject({ image: 'registry.invalid/team/web:1', imageID: '', restartCount: 0 });
    await until('ErrImagePull');
    await cluster.seconds(600);
    const pulls = cluster.events('Pulling').map(({ count }) => Number(count));
    expect(pulls[0]).toBeGreaterThan(5);
    expect(pulls[0]).toBeLessThan(12);
  });

  test('steering makes a pull slow, or fail', async () => {
    await start({ steering: { 'pull-seconds': 30 } });
    expect(await until('Running')).toBeGreaterThanOrEqual(30);
    await cluster.create(pod('never', { image: 'other:1', steering: { 'pull-seconds': 'never' } }));
    await cluster.until('the failure', () => cluster.statusOf('never') === 'ErrImagePull');
    expect(cluster.get<Pod>('pods', 'never').status?.containerStatuses?.[0]?.state.waiting?.message).toContain(
      'docker.io/library/other:1: not found',
    );
  });

  test('an image that may not be pulled has to be there', async () => {
    await start({ spec: { containers: [{ name: 'app', image: 'nginx', imagePullPolicy: 'Never' }] } });
    await until('ErrImageNeverPull');
  });

  test('a container that crashes is restarted at once, and then with pauses that double', async () => {
    await start({ steering: { 'crash-after-seconds': 5, 'exit-code': 3 } });
    await until('Error');
    expect(container().state.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
    await cluster.until('a restart', () => container().restartCount === 1, 2);
    expect(container().lastState.terminated).toMatchObject({ exitCode: 3 });
    await until('CrashLoopBackOff');
    expect(container().state.waiting?.message).toBe(`back-off 10s restarting failed container=app pod=web_default(${web().metadata.uid})`);
    expect(web().status?.phase).toBe('Running');
    expect(condition(web(), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [app]',
    });
    const waits: number[] = [];
    for (let restarts = 2; restarts <= 7; restarts++) {
      const from = cluster.sandbox.now();
      await cluster.until('a restart', () => container().restartCount === restarts, 400);
      waits.push(Math.round((cluster.sandbox.now() - from) / 1000));
    }
    // Each with the five seconds that the run before took, but for the first, which is over.
    expect(waits.map((wait) => Math.round(wait / 10) * 10)).toEqual([10, 30, 50, 90, 170, 310]);
    expect(cluster.events('BackOff')[0]?.count).toBeGreaterThan(3);
  });

  test('a container that ran for long is restarted at once', async () => {
    await start({ steering: { 'crash-after-seconds': 700 } });
    await cluster.until('a restart', () => web().status?.containerStatuses?.[0]?.restartCount === 1, 720);
    await cluster.until('another', () => container().restartCount === 2, 703);
    expect(cluster.events('BackOff')).toEqual([]);
  });

  test('a container that needs too much memory is killed', async () => {
    await start({ steering: { 'oom-after-seconds': 5 } });
    await until('OOMKilled');
    expect(container().state.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });

  test('crashes may pass', async () => {
    await start({ steering: { 'crash-after-seconds': 2, 'crash-times': 2 } });
    await cluster.seconds(300);
    expect(cluster.statusOf('web')).toBe('Running');
    expect(container().restartCount).toBe(2);
  });

  test.each([
    ['Never', 0, 'Completed', 'Succeeded', 'PodCompleted'],
    ['Never', 3, 'Error', 'Failed', 'PodFailed'],
    ['OnFailure', 0, 'Completed', 'Succeeded', 'PodCompleted'],
  ])('with %s, a pod whose container ends with %d is %s', async (policy, exitCode, text, phase, reason) => {
    await start({ steering: { 'run-seconds': 3, 'exit-code': exitCode }, spec: restart(policy) });
    await until(text);
    expect(web().status).toMatchObject({ phase });
    expect(condition(web(), 'Ready')).toMatchObject({ status: 'False', reason });
    const before = web();
    await cluster.seconds(3600);
    expect(web()).toEqual(before);
  });

  test('with OnFailure, a container that fails is restarted', async () => {
    await start({ steering: { 'run-seconds': 3, 'exit-code': 3 }, spec: restart('OnFailure') });
    await until('CrashLoopBackOff');
    expect(web().status?.phase).toBe('Running');
  });

  test('it is not ready before its probes say so', async () => {
    const readinessProbe = { httpGet: { port: 80 }, initialDelaySeconds: 20, periodSeconds: 5 };
    await start({ spec: { containers: [{ name: 'app', image: 'nginx', readinessProbe }] } });
    await cluster.until('a start', () => container().state.running !== undefined);
    await cluster.seconds(19);
    expect(condition(web(), 'Ready')).toMatchObject({ status: 'False' });
    expect(container()).toMatchObject({ started: true, ready: false });
    await cluster.seconds(6);
    expect(condition(web(), 'Ready')).toMatchObject({ status: 'True' });
  });

  test('a start-up probe delays all others', async () => {
    const startupProbe = { tcpSocket: { port: 80 }, initialDelaySeconds: 30 };
    await start({ spec: { containers: [{ name: 'app', image: 'nginx', startupProbe }] } });
    await cluster.until('a start', () => container().state.running !== undefined);
    expect(container()).toMatchObject({ started: false, ready: false });
    await cluster.seconds(34);
    expect(container()).toMatchObject({ started: true, ready: true });
  });

  test('steering decides when it is ready, or that it never is', async () => {
    await start({ steering: { 'ready-seconds': 40 } });
    await cluster.until('a start', () => web().status?.phase === 'Running');
    await cluster.seconds(38);
    expect(condition(web(), 'Ready')).toMatchObject({ status: 'False' });
    await cluster.seconds(4);
    expect(condition(web(), 'Ready')).toMatchObject({ status: 'True' });
    await cluster.create(pod('never', { steering: { 'ready-seconds': 'never' } }));
    await cluster.seconds(3600);
    expect(condition(cluster.get('pods', 'never'), 'Ready')).toMatchObject({ status: 'False' });
  });

  test('a readiness gate has to be met by whoever set it', async () => {
    await start({ spec: { readinessGates: [{ conditionType: 'example.org/routed' }] } });
    await until('Running');
    expect(condition(web(), 'ContainersReady')).toMatchObject({ status: 'True' });
    expect(condition(web(), 'Ready')).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' });
    const { status } = web();
    const routed = { type: 'example.org/routed', status: 'True' };
    cluster.storage.update('pods', { ...web(), status: { ...status, conditions: [...(status?.conditions ?? []), routed] } }, 'status');
    await cluster.seconds(0);
    expect(condition(web(), 'Ready')).toMatchObject({ status: 'True' });
    expect(condition(web(), 'example.org/routed')).toMatchObject(routed);
  });

  test('init containers run one after the other before all others', async () => {
    const initContainers = ['first', 'second'].map((name) => ({ name, image: 'busybox' }));
    await start({ spec: { initContainers }, steering: { 'run-seconds.first': 10, 'run-seconds.second': 10 } });
    await until('Init:0/2');
    expect(condition(web(), 'Initialized')).toMatchObject({
      status: 'False',
      message: 'containers with incomplete status: [first second]',
    });
    await until('Init:1/2');
    expect(container('first')).toMatchObject({ ready: true, state: { terminated: { exitCode: 0, reason: 'Completed' } } });
    await until('PodInitializing');
    expect(condition(web(), 'Initialized')).toMatchObject({ status: 'True' });
    await until('Running');
  });

  test('an init container that fails is restarted, or fails the pod', async () => {
    const initContainers = [{ name: 'first', image: 'busybox' }];
    const steering = { 'run-seconds.first': 1, 'exit-code.first': 1 };
    await start({ spec: { initContainers }, steering });
    await until('Init:CrashLoopBackOff');
    expect(web().status?.phase).toBe('Pending');
    await cluster.create(pod('once', { spec: { initContainers, restartPolicy: 'Never' }, steering }));
    await cluster.until('the failure', () => cluster.statusOf('once') === 'Init:Error');
    expect(cluster.get<Pod>('pods', 'once').status?.phase).toBe('Failed');
  });

  test('a sidecar starts before the others and ends after them', async () => {
    const initContainers = [{ name: 'proxy', image: 'envoy', restartPolicy: 'Always' }];
    await start({ spec: { initContainers, restartPolicy: 'Never' }, steering: { 'run-seconds': 20 } });
    await cluster.until('the sidecar', () => web().status?.initContainerStatuses?.[0]?.started === true);
    expect(container().state.waiting).toBeDefined();
    await until('Running');
    await cluster.until('the end', () => web().status?.phase === 'Succeeded');
    expect(container('proxy').state.terminated).toMatchObject({ exitCode: 0 });
    expect(Date.parse(container('proxy').state.terminated?.finishedAt ?? '')).toBeGreaterThanOrEqual(
      Date.parse(container().state.terminated?.finishedAt ?? ''),
    );
  });

  test('a pod has its grace period to end', async () => {
    await start({ steering: { 'stop-seconds': 10 } });
    await until('Running');
    await cluster.delete('pods', 'web');
    expect(cluster.statusOf('web')).toBe('Terminating');
    expect(web().metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    const changes: string[] = [];
    cluster.storage.subscribe(({ resource, type, object }) => {
      if (resource === 'pods')
        changes.push(
          `${type} ${(object as Pod).status?.phase} ${(object as Pod).status?.containerStatuses?.[0]?.state.terminated?.exitCode}`,
        );
    });
    await cluster.seconds(9);
    expect(cluster.find('pods', 'web')).toBeDefined();
    await cluster.seconds(2);
    expect(cluster.find('pods', 'web')).toBeUndefined();
    expect(changes).toEqual(['MODIFIED Succeeded 0', 'DELETED Succeeded 0']);
    expect(cluster.events('Killing').map(({ message }) => String(message))).toEqual(['Stopping container app']);
  });

  test('a pod that does not end within its grace period is killed', async () => {
    await start({ steering: { 'stop-seconds': 'never' } });
    await until('Running');
    let last: Pod | undefined;
    cluster.storage.subscribe(({ type, object }) => {
      if (type === 'DELETED' && object.kind === 'Pod') last = object as Pod;
    });
    await cluster.delete('pods', 'web');
    await cluster.seconds(29);
    expect(cluster.find('pods', 'web')).toBeDefined();
    await cluster.seconds(2);
    expect(last?.status).toMatchObject({ phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 137 } } }] });
  });

  test('a second deletion may only hasten the first', async () => {
    await start({ steering: { 'stop-seconds': 'never' } });
    await until('Running');
    await cluster.delete('pods', 'web');
    await cluster.delete('pods', 'web', { gracePeriodSeconds: 600 });
    await cluster.delete('pods', 'web', { gracePeriodSeconds: 3 });
    await cluster.seconds(4);
    expect(cluster.find('pods', 'web')).toBeUndefined();
  });

  test('a deletion by force takes it away at once', async () => {
    await start();
    await until('Running');
    await cluster.delete('pods', 'web', { gracePeriodSeconds: 0 });
    expect(cluster.find('pods', 'web')).toBeUndefined();
  });

  test('a pod that has a finalizer stays, ended, until that is gone', async () => {
    await start();
    await until('Running');
    await cluster.edit('pods', 'web', ({ metadata }) => {
      metadata.finalizers = ['example.org/keep'];
    });
    await cluster.delete('pods', 'web');
    await cluster.seconds(60);
    expect(web().status?.phase).toBe('Succeeded');
    await cluster.edit('pods', 'web', ({ metadata }) => {
      metadata.finalizers = [];
    });
    expect(cluster.find('pods', 'web')).toBeUndefined();
  });

  test('a pod that is older than it may get fails', async () => {
    await start({ spec: { activeDeadlineSeconds: 30 } });
    await until('Running');
    await cluster.seconds(32);
    expect(web().status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: expect.stringContaining('longer than the specified deadline'),
    });
  });

  test('pods on the network of their node have its address', async () => {
    await start({ spec: { hostNetwork: true } });
    await until('Running');
    expect(web().status?.podIP).toBe(web().status?.hostIP);
  });

  test('steering for one container wins over that for all', async () => {
    const containers = ['app', 'other'].map((name) => ({ name, image: 'nginx' }));
    await start({ spec: { containers, restartPolicy: 'Never' }, steering: { 'run-seconds': 5, 'exit-code': 0, 'exit-code.other': 4 } });
    await cluster.until('the end', () => web().status?.phase === 'Failed');
    expect([container('app'), container('other')].map(({ state }) => state.terminated?.exitCode)).toEqual([0, 4]);
  });

  test('what cannot be read steers nothing', async () => {
    await start({ steering: { 'crash-after-seconds': 'soon', 'ready-seconds': -5 } });
    await cluster.seconds(60);
    expect(cluster.statusOf('web')).toBe('Running');
    expect(container()).toMatchObject({ restartCount: 0, ready: true });
  });

  test('a secure pod takes longer to start, for its machine', async () => {
    await start();
    await cluster.create({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'kata' }, handler: 'kata-qemu' });
    await cluster.create(pod('secure', { spec: { runtimeClassName: 'kata' } }));
    await cluster.until('an address', () => cluster.get<Pod>('pods', 'secure').status?.podIP !== undefined);
    const sandboxed = condition(cluster.get('pods', 'secure'), 'PodReadyToStartContainers');
    expect(
      Date.parse(String(sandboxed?.lastTransitionTime)) - Date.parse(cluster.get('pods', 'secure').metadata.creationTimestamp),
    ).toBeGreaterThanOrEqual(1000);
  });
});
