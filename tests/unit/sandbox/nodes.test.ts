import { condition, node, pod, TestCluster, workload } from './test-cluster.js';

describe('nodes of an embedded cluster', () => {
  let cluster: TestCluster;
  const start = async (...objects: object[]): Promise<void> => {
    cluster = await TestCluster.start(objects);
    await cluster.seconds(0);
  };
  afterEach(() => cluster.close());

  const setState = (name: string, state: string | undefined): Promise<void> =>
    cluster.edit('nodes', name, ({ metadata }) => {
      metadata.annotations = state === undefined ? {} : { 'sandbox.openstack.org/state': state };
    });
  const taints = (name: string): string[] =>
    ((cluster.get('nodes', name).spec?.taints ?? []) as { key: string; effect: string }[])
      .map(({ key, effect }) => `${key}:${effect}`)
      .sort();

  test('a kubelet fills in what the object does not say', async () => {
    await start({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'one' } });
    expect(cluster.get('nodes', 'one')).toMatchObject({
      metadata: { labels: { 'kubernetes.io/hostname': 'one', 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' } },
      status: {
        capacity: { cpu: '8', memory: '32Gi', pods: '110' },
        allocatable: { cpu: '8', memory: '32Gi', pods: '110' },
        nodeInfo: { kubeletVersion: 'v1.36.3+sandbox', architecture: 'amd64', containerRuntimeVersion: 'containerd://2.1.4' },
        addresses: [{ type: 'InternalIP' }, { type: 'Hostname', address: 'one' }],
      },
    });
    expect(condition(cluster.get('nodes', 'one'), 'Ready')).toMatchObject({ status: 'True', reason: 'KubeletReady' });
    expect(taints('one')).toEqual([]);
    expect(cluster.storage.get('leases.coordination.k8s.io', 'kube-node-lease', 'one')?.spec).toMatchObject({ holderIdentity: 'one' });
  });

  test('a kubelet that was not listened to while time passed says how it is once time runs', async () => {
    await start(node('one'));
    await cluster.seconds(3600);
    cluster.sandbox.run();
    const heard = condition(cluster.get('nodes', 'one'), 'Ready')?.lastHeartbeatTime;
    expect(heard).toBe('2026-03-01T13:00:00Z');
  });

  test('what the object says stays', async () => {
    const status = {
      capacity: { cpu: '2', 'nvidia.com/gpu': '4' },
      allocatable: { cpu: '1' },
      nodeInfo: { architecture: 'arm64', kernelVersion: '5.10' },
    };
    await start(node('one', { status: { ...status, addresses: [{ type: 'InternalIP', address: '10.0.0.9' }] } }));
    expect(cluster.get('nodes', 'one')).toMatchObject({
      metadata: { labels: { 'kubernetes.io/arch': 'arm64' } },
      status: {
        capacity: { cpu: '2', 'nvidia.com/gpu': '4', pods: '110' },
        allocatable: { cpu: '1' },
        nodeInfo: { architecture: 'arm64', kernelVersion: '5.10' },
      },
    });
    await cluster.create(pod('web'));
    expect(condition(cluster.get('pods', 'web'), 'PodScheduled')?.message).toContain('Too many pods');
  });

  test('one that is not ready is tainted, and its pods go when they no longer tolerate that', async () => {
    await start(node('one'), node('two', { taints: [{ key: 'kept', effect: 'NoSchedule' }] }), pod('web'));
    await cluster.until('it runs', () => cluster.statusOf('web') === 'Running');
    await setState('one', 'not-ready');
    expect(condition(cluster.get('nodes', 'one'), 'Ready')).toMatchObject({ status: 'False', reason: 'KubeletNotReady' });
    expect(taints('one')).toEqual(['node.kubernetes.io/not-ready:NoExecute', 'node.kubernetes.io/not-ready:NoSchedule']);
    await cluster.seconds(298);
    expect(cluster.find('pods', 'web')?.metadata.deletionTimestamp).toBeUndefined();
    await cluster.seconds(10);
    expect(cluster.find('pods', 'web')).toBeUndefined();
    await setState('one', undefined);
    expect(taints('one')).toEqual([]);
    expect(taints('two')).toEqual(['kept:NoSchedule']);
  });

  test('pods of one that nobody hears from are marked, and end only once it is heard again', async () => {
    await start(node('one'), node('two'), workload('Deployment', { replicas: 2 }));
    await cluster.until('both run', () => cluster.count('Running') === 2);
    await setState('one', 'unreachable');
    expect(condition(cluster.get('nodes', 'one'), 'Ready')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown' });
    expect(taints('one')).toEqual(['node.kubernetes.io/unreachable:NoExecute', 'node.kubernetes.io/unreachable:NoSchedule']);
    await cluster.seconds(400);
    expect(cluster.pods.map(({ spec }) => spec.nodeName).sort()).toEqual(['one', 'two', 'two']);
    expect(cluster.count('Terminating')).toBe(1);
    await setState('one', undefined);
    await cluster.until('it is gone', () => cluster.pods.length === 2);
    expect(cluster.count('Running')).toBe(2);
  });

  test('a NoExecute taint drives pods away at once, or after as long as they tolerate it', async () => {
    const tolerations = [{ key: 'flood', operator: 'Exists', tolerationSeconds: 60 }];
    await start(
      node('one'),
      pod('a'),
      pod('b', { spec: { tolerations } }),
      pod('c', { spec: { tolerations: [{ key: 'flood', operator: 'Exists' }] } }),
    );
    await cluster.until('they run', () => cluster.count('Running') === 3);
    await cluster.edit('nodes', 'one', (object) => {
      object.spec = {
        ...object.spec,
        taints: [{ key: 'flood', effect: 'NoExecute', timeAdded: new Date(cluster.sandbox.now()).toISOString() }],
      };
    });
    await cluster.seconds(5);
    expect(cluster.pods.map(({ metadata }) => metadata.name)).toEqual(['b', 'c']);
    await cluster.seconds(60);
    expect(cluster.pods.map(({ metadata }) => metadata.name)).toEqual(['c']);
    expect(cluster.events('TaintManagerEviction')).toHaveLength(2);
  });

  test('pods of a node that is gone are gone soon', async () => {
    await start(node('one'), pod('web'));
    await cluster.until('it runs', () => cluster.statusOf('web') === 'Running');
    cluster.storage.delete('nodes', undefined, 'one');
    await cluster.seconds(30);
    expect(cluster.find('pods', 'web')).toBeDefined();
    await cluster.seconds(15);
    expect(cluster.find('pods', 'web')).toBeUndefined();
    expect(cluster.storage.get('leases.coordination.k8s.io', 'kube-node-lease', 'one')).toBeUndefined();
  });

  test('its runtime class gives a pod overhead, a place and tolerations', async () => {
    const kata = {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'kata' },
      handler: 'kata-qemu',
      overhead: { podFixed: { cpu: '250m', memory: '160Mi' } },
      scheduling: { nodeSelector: { kata: 'true' }, tolerations: [{ key: 'secure', operator: 'Exists' }] },
    };
    await start(kata, node('plain'), node('secure', { labels: { kata: 'true' }, taints: [{ key: 'secure', effect: 'NoSchedule' }] }));
    await cluster.create(pod('web', { spec: { runtimeClassName: 'kata', nodeSelector: { 'kubernetes.io/os': 'linux' } } }));
    const { spec } = cluster.get('pods', 'web');
    expect(spec).toMatchObject({
      overhead: { cpu: '250m', memory: '160Mi' },
      nodeSelector: { kata: 'true', 'kubernetes.io/os': 'linux' },
      nodeName: 'secure',
    });
    expect(spec.tolerations).toContainEqual({ key: 'secure', operator: 'Exists' });
    await expect(cluster.create(pod('b', { spec: { runtimeClassName: 'runsc' } }))).rejects.toMatchObject({
      code: 403,
      message: 'pods "b" is forbidden: pod rejected: RuntimeClass "runsc" not found',
    });
    await expect(cluster.create(pod('c', { spec: { runtimeClassName: 'kata', nodeSelector: { kata: 'false' } } }))).rejects.toMatchObject({
      code: 403,
    });
    await expect(cluster.create(pod('d', { spec: { runtimeClassName: 'kata', overhead: { cpu: '1' } } }))).rejects.toMatchObject({
      code: 403,
    });
    await expect(cluster.create(pod('e', { spec: { overhead: { cpu: '1' } } }))).rejects.toMatchObject({ code: 403 });
  });
});
