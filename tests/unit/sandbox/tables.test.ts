import { parseQuantity, podRequests, toAmounts } from '../../../src/sandbox/controllers/quantities.js';
import { podStatusOf } from '../../../src/sandbox/pod-status.js';
import { canonicalQuantity, compareQuantities } from '../../../src/sandbox/quantity.js';
import { resourceTypes, type ResourceType } from '../../../src/sandbox/resources.js';
import type { SandboxObject } from '../../../src/sandbox/storage.js';
import { durationText, emptyTable, rowOf } from '../../../src/sandbox/table.js';

const now = Date.parse('2026-03-01T12:00:00Z');

describe('quantities of an embedded cluster', () => {
  test.each([
    ['0.5', '500m'],
    ['1000m', '1'],
    ['1024Mi', '1Gi'],
    ['1536Mi', '1536Mi'],
    ['1.5Gi', '1536Mi'],
    ['1e3', '1e3'],
    ['100', '100'],
    ['1000', '1k'],
    ['0', '0'],
    ['-1', '-1'],
    ['0.0000000001', '1n'],
    ['12E', '12E'],
  ])('%s is written as %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  test.each(['', 'x', '1 Gi', '1gi', '--1', '1.2.3', '1e', 'Mi'])('%j is none', (text) => {
    expect(canonicalQuantity(text)).toBeUndefined();
  });

  test('compare across units', () => {
    expect(compareQuantities('1', '1000m')).toBe(0);
    expect(compareQuantities('1Gi', '1G')).toBe(1);
    expect(compareQuantities('999m', '1')).toBe(-1);
  });

  test('become whole amounts, CPU in thousandths', () => {
    expect([parseQuantity('2Ki'), parseQuantity('1500m'), parseQuantity(3), parseQuantity('x')]).toEqual([2048, 1.5, 3, 0]);
    expect(Object.fromEntries(toAmounts({ cpu: '0.1', memory: '1Mi', 'nvidia.com/gpu': '2' }))).toEqual({
      cpu: 100,
      memory: 1_048_576,
      'nvidia.com/gpu': 2,
    });
    expect(toAmounts({ cpu: '0.3' }).get('cpu')).toBe(
      (toAmounts({ cpu: '0.1' }).get('cpu') ?? 0) + (toAmounts({ cpu: '0.2' }).get('cpu') ?? 0),
    );
  });

  test('of a pod follow its init containers, sidecars, own resources and overhead', () => {
    const asking = (cpu: string, more: object = {}): object => ({ name: 'c', resources: { requests: { cpu } }, ...more });
    const cpu = (spec: object): number | undefined => podRequests({ containers: [], ...spec }).get('cpu');
    expect(cpu({ containers: [asking('100m'), asking('200m')] })).toBe(300);
    expect(cpu({ containers: [asking('100m')], initContainers: [asking('500m'), asking('400m')] })).toBe(500);
    expect(cpu({ containers: [asking('300m')], initContainers: [asking('100m', { restartPolicy: 'Always' }), asking('250m')] })).toBe(400);
    expect(cpu({ containers: [asking('100m')], initContainers: [asking('100m', { restartPolicy: 'Always' }), asking('250m')] })).toBe(350);
    expect(cpu({ containers: [{ name: 'c', resources: { limits: { cpu: '2' } } }], overhead: { cpu: '250m' } })).toBe(2_250);
    expect(cpu({ containers: [asking('100m')], resources: { requests: { cpu: '1' } }, overhead: { cpu: '250m' } })).toBe(1_250);
  });
});

describe('tables of an embedded cluster', () => {
  test.each([
    [0, '0s'],
    [-500, '0s'],
    [-5_000, '<invalid>'],
    [119_000, '119s'],
    [120_000, '2m'],
    [150_000, '2m30s'],
    [600_000, '10m'],
    [179 * 60_000, '179m'],
    [3 * 3_600_000, '3h'],
    [7.5 * 3_600_000, '7h30m'],
    [47 * 3_600_000, '47h'],
    [50 * 3_600_000, '2d2h'],
    [30 * 86_400_000, '30d'],
    [800 * 86_400_000, '2y70d'],
    [4_000 * 86_400_000, '10y'],
  ])('tell %d ms as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  const object = (kind: string, spec: object, status: object, more: object = {}): SandboxObject =>
    ({
      apiVersion: 'v1',
      kind,
      metadata: { name: 'one', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-03-01T11:00:00Z' },
      spec,
      status,
      ...more,
    }) as SandboxObject;
  const row = (resource: string, of: SandboxObject): Record<string, unknown> => {
    const type = resourceTypes.find((each) => each.resource === resource) as ResourceType;
    const { columnDefinitions } = emptyTable(type, {});
    const { cells } = rowOf(type, of, { now, include: 'None' });
    return Object.fromEntries((columnDefinitions ?? []).map(({ name }, index) => [name, cells[index]]));
  };

  test.each([
    [
      'deployments.apps',
      { replicas: 3 },
      { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
      { Ready: '2/3', 'Up-to-date': 1, Available: 2, Age: '60m' },
    ],
    ['statefulsets.apps', { replicas: 3 }, {}, { Ready: '0/3' }],
    ['replicasets.apps', { replicas: 3 }, { replicas: 2, readyReplicas: 1 }, { Desired: 3, Current: 2, Ready: 1 }],
    [
      'daemonsets.apps',
      { template: { spec: { nodeSelector: { disk: 'ssd' } } } },
      { desiredNumberScheduled: 2, numberReady: 1 },
      { Desired: 2, Ready: 1, 'Node Selector': 'disk=ssd' },
    ],
    [
      'jobs.batch',
      { completions: 3 },
      { succeeded: 1, startTime: '2026-03-01T11:59:00Z' },
      { Status: 'Running', Completions: '1/3', Duration: '60s' },
    ],
    [
      'jobs.batch',
      { completions: 1 },
      {
        succeeded: 1,
        startTime: '2026-03-01T11:00:00Z',
        completionTime: '2026-03-01T11:00:30Z',
        conditions: [{ type: 'Complete', status: 'True' }],
      },
      { Status: 'Complete', Completions: '1/1', Duration: '30s' },
    ],
    ['jobs.batch', { parallelism: 3 }, {}, { Completions: '0/1 of 3' }],
    [
      'cronjobs.batch',
      { schedule: '* * * * *', suspend: true },
      { lastScheduleTime: '2026-03-01T11:59:30Z', active: [{}] },
      { Schedule: '* * * * *', Suspend: 'True', Active: 1, 'Last Schedule': '30s', Timezone: '<none>' },
    ],
    ['namespaces', {}, { phase: 'Active' }, { Status: 'Active' }],
    [
      'nodes',
      { unschedulable: true },
      { conditions: [{ type: 'Ready', status: 'Unknown' }], nodeInfo: { kubeletVersion: 'v1' } },
      { Status: 'NotReady,SchedulingDisabled', Version: 'v1', Roles: '<none>' },
    ],
    [
      'services',
      { type: 'ClusterIP', clusterIP: '10.96.0.1', ports: [{ port: 80, protocol: 'TCP' }] },
      {},
      { Type: 'ClusterIP', 'Port(s)': '80/TCP', 'External-IP': '<none>' },
    ],
  ])('of %s show what matters', (resource, spec, status, expected) => {
    expect(row(resource, object('Any', spec, status))).toMatchObject(expected);
  });

  test('of nodes show their roles', () => {
    const node = object('Node', {}, { conditions: [{ type: 'Ready', status: 'True' }] });
    node.metadata.labels = { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' };
    expect(row('nodes', node)).toMatchObject({ Status: 'Ready', Roles: 'control-plane,worker' });
  });

  const ended = (exitCode: number, more: object = {}): object => ({
    state: { terminated: { exitCode, finishedAt: '2026-03-01T11:50:00Z', ...more } },
  });
  const waiting = (reason: string): object => ({ state: { waiting: { reason } } });
  const running = { state: { running: {} }, ready: true };
  const spec = { containers: [{ name: 'a' }, { name: 'b' }] };
  const both = (a: object, b: object): object => ({
    containerStatuses: [
      { name: 'a', restartCount: 0, ...a },
      { name: 'b', restartCount: 0, ...b },
    ],
  });
  test.each([
    [{ phase: 'Pending' }, {}, 'Pending', '0/2'],
    [{ phase: 'Running', ...both(running, running) }, {}, 'Running', '2/2'],
    [{ phase: 'Pending', ...both(waiting('ContainerCreating'), waiting('ContainerCreating')) }, {}, 'ContainerCreating', '0/2'],
    [{ phase: 'Running', ...both(running, waiting('CrashLoopBackOff')) }, {}, 'CrashLoopBackOff', '1/2'],
    [{ phase: 'Failed', ...both(ended(1, { reason: 'Error' }), ended(0, { reason: 'Completed' })) }, {}, 'Error', '0/2'],
    [{ phase: 'Failed', ...both(ended(2), ended(0)) }, {}, 'ExitCode:2', '0/2'],
    [{ phase: 'Failed', ...both(ended(0, { signal: 9 }), ended(0)) }, {}, 'Signal:9', '0/2'],
    [{ phase: 'Succeeded', ...both(ended(0, { reason: 'Completed' }), ended(0, { reason: 'Completed' })) }, {}, 'Completed', '0/2'],
    [
      { phase: 'Running', ...both(ended(0, { reason: 'Completed' }), running), conditions: [{ type: 'Ready', status: 'False' }] },
      {},
      'NotReady',
      '1/2',
    ],
    [{ phase: 'Failed', reason: 'Evicted' }, {}, 'Evicted', '0/2'],
    [{ phase: 'Running', ...both(running, running) }, { deletionTimestamp: '2026-03-01T12:00:00Z' }, 'Terminating', '2/2'],
    [{ phase: 'Running', reason: 'NodeLost' }, { deletionTimestamp: '2026-03-01T12:00:00Z' }, 'Unknown', '0/2'],
    [
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      {},
      'SchedulingGated',
      '0/2',
    ],
  ])('of pods with %j and %j show %s, %s', (status, metadata, text, ready) => {
    const pod = object('Pod', spec, status);
    Object.assign(pod.metadata, metadata);
    expect(podStatusOf(pod)).toMatchObject({ text, ready });
  });

  test.each([
    [[waiting('PodInitializing'), waiting('PodInitializing')], 'Init:0/2'],
    [[ended(0), { state: { running: {} } }], 'Init:1/2'],
    [[ended(0), waiting('CrashLoopBackOff')], 'Init:CrashLoopBackOff'],
    [[ended(1, { reason: 'Error' })], 'Init:Error'],
    [[ended(3)], 'Init:ExitCode:3'],
  ])('of pods whose init containers are %j show %s', (initContainerStatuses, text) => {
    const inits = { ...spec, initContainers: [{ name: 'x' }, { name: 'y' }] };
    expect(
      podStatusOf(
        object('Pod', inits, { phase: 'Pending', initContainerStatuses, ...both(waiting('PodInitializing'), waiting('PodInitializing')) }),
      ).text,
    ).toBe(text);
  });

  test('of pods count restarts, and tell of the last', () => {
    const restarted = { restartCount: 3, lastState: { terminated: { finishedAt: '2026-03-01T11:58:00Z' } } };
    const pod = object('Pod', spec, { phase: 'Running', ...both({ ...running, ...restarted }, { ...running, restartCount: 1 }) });
    expect(row('pods', pod)).toMatchObject({ Restarts: '4 (2m ago)', Status: 'Running', Ready: '2/2', IP: '<none>', Node: '<none>' });
  });
});
