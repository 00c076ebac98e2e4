import type { Pod } from '../../../src/sandbox/controllers/shapes.js';
import { condition, node, pod, TestCluster, workload } from './test-cluster.js';

function asking(requests: object, spec: object = {}): { spec: object } {
  return { spec: { containers: [{ name: 'app', image: 'nginx', resources: { requests, ...limitsOf(requests) } }], ...spec } };
}

/** What is not shared has to be limited by as much as it asks for. */
function limitsOf(requests: object): object {
  const limits = Object.fromEntries(Object.entries(requests).filter(([name]) => name.includes('/')));
  return Object.keys(limits).length === 0 ? {} : { limits };
}

describe('the scheduler of an embedded cluster', () => {
  let cluster: TestCluster;
  const start = async (...objects: object[]): Promise<void> => {
    cluster = await TestCluster.start(objects);
    await cluster.seconds(0);
  };
  afterEach(() => cluster.close());

  const nodeOf = (name: string): string | undefined => cluster.get<Pod>('pods', name).spec.nodeName;
  const why = (name: string): unknown => condition(cluster.get('pods', name), 'PodScheduled')?.message;

  test('a cluster without nodes says so', async () => {
    await start(pod('web'));
    expect(condition(cluster.get('pods', 'web'), 'PodScheduled')).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message: 'no nodes available to schedule pods',
    });
    expect(cluster.statusOf('web')).toBe('Pending');
    await cluster.create(node('one'));
    await cluster.seconds(2);
    expect(nodeOf('web')).toBe('one');
    expect(condition(cluster.get('pods', 'web'), 'PodScheduled')).toMatchObject({ status: 'True' });
    expect(condition(cluster.get('pods', 'web'), 'PodScheduled')).not.toHaveProperty('reason');
    expect(cluster.events('FailedScheduling')).toHaveLength(1);
    expect(cluster.events('Scheduled').map(({ message }) => String(message))).toEqual(['Successfully assigned default/web to one']);
  });

  test('pods fill a node up to what can be allocated, and wait for room', async () => {
    const small = node('one', {
      status: { capacity: { cpu: '4', memory: '8Gi', pods: '110' }, allocatable: { cpu: '1', memory: '8Gi', pods: '110' } },
    });
    await start(small, pod('a', asking({ cpu: '600m' })), pod('b', asking({ cpu: '0.4' })), pod('c', asking({ cpu: '1m' })));
    expect([nodeOf('a'), nodeOf('b'), nodeOf('c')]).toEqual(['one', 'one', undefined]);
    expect(why('c')).toBe(
      '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    );
    await cluster.delete('pods', 'a');
    await cluster.seconds(10);
    expect(nodeOf('c')).toBe('one');
  });

  test('finished pods take no room', async () => {
    const small = node('one', { status: { capacity: { cpu: '1', memory: '8Gi', pods: '110' } } });
    await start(
      small,
      pod('a', { ...asking({ cpu: '1' }, { restartPolicy: 'Never' }), steering: { 'run-seconds': 5 } }),
      pod('b', asking({ cpu: '1' })),
    );
    expect(nodeOf('b')).toBeUndefined();
    await cluster.until('the end of the first', () => cluster.statusOf('a') === 'Completed');
    await cluster.seconds(2);
    expect(nodeOf('b')).toBe('one');
  });

  test('requests follow the arithmetic of Kubernetes', async () => {
    const resources = (cpu: string): object => ({ image: 'nginx', resources: { requests: { cpu } } });
    const many = {
      containers: [
        { name: 'a', ...resources('500m') },
        { name: 'b', ...resources('500m') },
      ],
      initContainers: [
        { name: 'side', restartPolicy: 'Always', ...resources('200m') },
        { name: 'big', ...resources('1500m') },
      ],
    };
    const kata = {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'kata' },
      handler: 'kata-qemu',
      overhead: { podFixed: { cpu: '250m', memory: '160Mi' } },
    };
    // The largest init container beside the sidecar, and the machine: 1.5 + 0.2 + 0.25.
    const fits = (name: string, cpu: string): object => node(name, { status: { capacity: { cpu, memory: '8Gi', pods: '110' } } });
    await start(kata, fits('tight', '1949m'), pod('web', { spec: { ...many, runtimeClassName: 'kata' } }));
    expect(nodeOf('web')).toBeUndefined();
    await cluster.create(fits('exact', '1950m'));
    await cluster.seconds(2);
    expect(nodeOf('web')).toBe('exact');
  });

  test('devices are counted, and not shared', async () => {
    const gpus = node('gpu', { status: { capacity: { cpu: '8', memory: '32Gi', pods: '110', 'nvidia.com/gpu': '2' } } });
    await start(
      node('plain'),
      gpus,
      pod('a', asking({ 'nvidia.com/gpu': '1' })),
      pod('b', asking({ 'nvidia.com/gpu': '2' })),
      pod('c', asking({ 'nvidia.com/gpu': '1' })),
    );
    expect([nodeOf('a'), nodeOf('b'), nodeOf('c')]).toEqual(['gpu', undefined, 'gpu']);
    expect(why('b')).toBe(
      '0/2 nodes are available: 2 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
    );
  });

  test('a node takes no more pods than it says', async () => {
    await start(node('one', { status: { capacity: { cpu: '8', memory: '32Gi', pods: '2' } } }), pod('a'), pod('b'), pod('c'));
    expect(why('c')).toContain('1 Too many pods.');
  });

  test.each([
    ['a node selector', { nodeSelector: { disk: 'ssd' } }],
    [
      'node affinity',
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'disk', operator: 'In', values: ['tape'] }] },
                {
                  matchExpressions: [
                    { key: 'disk', operator: 'NotIn', values: ['hdd'] },
                    { key: 'cores', operator: 'Gt', values: ['8'] },
                  ],
                },
              ],
            },
          },
        },
      },
    ],
    [
      'the name of a node',
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['fast'] }] }],
            },
          },
        },
      },
    ],
  ])('%s chooses the node', async (_what, spec) => {
    await start(
      node('slow', { labels: { disk: 'hdd', cores: '16' } }),
      node('small', { labels: { disk: 'flash', cores: '4' } }),
      pod('web', { spec }),
    );
    expect(why('web')).toContain("2 node(s) didn't match Pod's node affinity/selector.");
    await cluster.create(node('fast', { labels: { disk: 'ssd', cores: '16' } }));
    await cluster.seconds(2);
    expect(nodeOf('web')).toBe('fast');
  });

  test('a node that becomes fit takes pods that wait', async () => {
    await start(node('one'), pod('web', { spec: { nodeSelector: { disk: 'ssd' } } }));
    await cluster.edit('nodes', 'one', ({ metadata }) => {
      metadata.labels = { ...metadata.labels, disk: 'ssd' };
    });
    await cluster.seconds(2);
    expect(nodeOf('web')).toBe('one');
  });

  test('a preference decides between nodes that fit', async () => {
    const affinity = {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
        ],
      },
    };
    await start(
      node('a'),
      node('b', { labels: { disk: 'ssd' } }),
      node('c'),
      ...['x', 'y', 'z'].map((name) => pod(name, { spec: { affinity } })),
    );
    expect(['x', 'y', 'z'].map(nodeOf)).toEqual(['b', 'b', 'b']);
  });

  test('taints keep pods away that do not tolerate them', async () => {
    const taints = [{ key: 'gpu', value: 'v100', effect: 'NoSchedule' }];
    await start(node('one', { taints }), pod('web'), pod('other', { spec: { tolerations: [{ key: 'gpu', value: 't4' }] } }));
    expect(why('web')).toBe(
      '0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    );
    expect(nodeOf('other')).toBeUndefined();
    await cluster.create(pod('exact', { spec: { tolerations: [{ key: 'gpu', value: 'v100', effect: 'NoSchedule' }] } }));
    await cluster.create(pod('any', { spec: { tolerations: [{ operator: 'Exists' }] } }));
    expect([nodeOf('exact'), nodeOf('any')]).toEqual(['one', 'one']);
  });

  test('PreferNoSchedule only makes others better', async () => {
    await start(node('a', { taints: [{ key: 'old', effect: 'PreferNoSchedule' }] }), node('b'), pod('web'), pod('more'));
    expect([nodeOf('web'), nodeOf('more')]).toEqual(['b', 'b']);
    await cluster.create(pod('there', { spec: { nodeSelector: { 'kubernetes.io/hostname': 'a' } } }));
    expect(nodeOf('there')).toBe('a');
  });

  test('a cordoned node takes none', async () => {
    await start(node('one'));
    await cluster.edit('nodes', 'one', (object) => {
      object.spec = { ...object.spec, unschedulable: true };
    });
    expect(cluster.get('nodes', 'one').spec.taints).toMatchObject([{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }]);
    await cluster.create(pod('web'));
    expect(why('web')).toContain('1 node(s) were unschedulable.');
    await cluster.edit('nodes', 'one', ({ spec }) => delete spec.unschedulable);
    await cluster.seconds(2);
    expect(cluster.get('nodes', 'one').spec).not.toHaveProperty('taints');
    expect(nodeOf('web')).toBe('one');
  });

  test('pods that want a host port each want a node each', async () => {
    const spec = { containers: [{ name: 'app', image: 'nginx', ports: [{ containerPort: 80, hostPort: 80 }] }] };
    await start(node('a'), node('b'), pod('x', { spec }), pod('y', { spec }), pod('z', { spec }));
    expect([nodeOf('x'), nodeOf('y')].sort()).toEqual(['a', 'b']);
    expect(why('z')).toContain("2 node(s) didn't have free ports for the requested pod ports.");
  });

  const near = (key: string, labelSelector: object, topologyKey = 'kubernetes.io/hostname'): object => ({
    affinity: { [key]: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector, topologyKey }] } },
  });

  test('pods may keep apart, also from those that do not mind', async () => {
    const apart = near('podAntiAffinity', { matchLabels: { app: 'web' } });
    await start(node('a'), node('b'), pod('x', { spec: apart }), pod('y', { spec: apart }), pod('z', { spec: apart }));
    expect([nodeOf('x'), nodeOf('y')].sort()).toEqual(['a', 'b']);
    expect(why('z')).toContain("2 node(s) didn't match pod anti-affinity rules.");
    await cluster.create(pod('careless'));
    expect(why('careless')).toContain("2 node(s) didn't satisfy existing pods anti-affinity rules.");
    await cluster.create(pod('other', { labels: { app: 'db' } }));
    expect(nodeOf('other')).toBeDefined();
  });

  test('pods may want to be near others, in the same zone', async () => {
    const zone = (name: string, where: string): object => node(name, { labels: { zone: where } });
    const near42 = near('podAffinity', { matchLabels: { app: 'db' } }, 'zone');
    await start(zone('a', '1'), zone('b', '2'), zone('c', '2'), pod('early', { spec: near42 }));
    expect(why('early')).toContain("3 node(s) didn't match pod affinity rules.");
    await cluster.create(pod('db', { labels: { app: 'db' }, spec: { nodeSelector: { 'kubernetes.io/hostname': 'b' } } }));
    await cluster.create(...['x', 'y', 'z'].map((name) => pod(name, { spec: near42 })));
    for (const name of ['x', 'y', 'z']) expect(['b', 'c']).toContain(nodeOf(name));
  });

  test('a group that wants to be near itself may start', async () => {
    const together = near('podAffinity', { matchLabels: { app: 'web' } });
    await start(node('a'), node('b'), pod('x', { spec: together }), pod('y', { spec: together }));
    expect(nodeOf('x')).toBeDefined();
    expect(nodeOf('y')).toBe(nodeOf('x'));
  });

  test('a gated pod waits for its gates', async () => {
    await start(node('one'), pod('web', { spec: { schedulingGates: [{ name: 'example.org/wait' }] } }));
    expect(cluster.statusOf('web')).toBe('SchedulingGated');
    await cluster.edit('pods', 'web', ({ spec }) => delete spec.schedulingGates);
    expect(nodeOf('web')).toBe('one');
  });

  test('pods of another scheduler are left to it', async () => {
    await start(node('one'), pod('web', { spec: { schedulerName: 'mine' } }));
    expect(condition(cluster.get('pods', 'web'), 'PodScheduled')).toBeUndefined();
    cluster.storage.bind('default', 'web', 'one');
    await cluster.until('it runs', () => cluster.statusOf('web') === 'Running');
  });

  test('pods spread over nodes that are alike', async () => {
    await start(...Array.from({ length: 5 }, (_, index) => node(`n${index}`)), workload('Deployment', { replicas: 20 }));
    await cluster.seconds(1);
    const counts = new Map<string | undefined, number>();
    for (const { spec } of cluster.pods) counts.set(spec.nodeName, (counts.get(spec.nodeName) ?? 0) + 1);
    expect([...counts.values()]).toEqual([4, 4, 4, 4, 4]);
  });

  test('thousands of pods cost a few writes each, and none takes what another has', async () => {
    const nodes = Array.from({ length: 40 }, (_, index) =>
      node(`n${index}`, { status: { capacity: { cpu: '11', memory: '64Gi', pods: '110' } } }),
    );
    const { spec } = asking({ cpu: '100m', memory: '64Mi' });
    const made = Array.from({ length: 8 }, (_, index) => {
      const labels = { app: `app-${index}` };
      return {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: `app-${index}`, namespace: 'default' },
        spec: { replicas: 500, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      };
    });
    cluster = await TestCluster.start(nodes, { events: false });
    await cluster.create(...made);
    await cluster.seconds(30);
    const running = cluster.pods.filter(({ status }) => status?.phase === 'Running');
    expect(running).toHaveLength(4_000);
    // Made, bound, given an address, begun and ready; the rest is the workloads' and the nodes' own.
    expect(cluster.storage.resourceVersion).toBeLessThan(6 * 4_000);
    const used = new Map<string | undefined, number>();
    for (const each of running) used.set(each.spec.nodeName, (used.get(each.spec.nodeName) ?? 0) + 1);
    expect(Math.max(...used.values())).toBeLessThanOrEqual(110);
    expect(used.size).toBe(40);
    expect(new Set(running.map(({ status }) => status?.podIP)).size).toBe(4_000);
  }, 60_000);
});
