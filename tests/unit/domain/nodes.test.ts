import { StoreReader } from '../../../src/k8s/store-reader.js';
import { defaultIsolationPatterns, isolationOf, isolationOfHandler, supportsSecure } from '../../../src/domain/isolation.js';
import { watchedKinds } from '../../../src/domain/kinds/index.js';
import { nodes, type NodeRecord } from '../../../src/domain/kinds/nodes.js';
import { runtimeClasses } from '../../../src/domain/kinds/runtime-classes.js';
import { MemoryCluster, projectLabel } from '../../support/objects.js';
import { recordOf } from './records.js';

const nodeOf = (draft: Parameters<typeof recordOf>[1]): NodeRecord => recordOf(nodes, draft);
const amounts = { cpuCores: 0, memoryBytes: 0, ephemeralStorageBytes: 0, pods: 0, gpus: 0 };

describe('a node', () => {
  it('is read whole', () => {
    const node = nodeOf({
      metadata: { labels: { zone: 'a' } },
      spec: {
        providerID: 'openstack:///6f1c2e6e-0000-4000-8000-000000000001',
        unschedulable: true,
        taints: [
          { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
          { key: 'odd', effect: 'Sometimes' },
        ],
      },
      status: {
        conditions: [
          { type: 'MemoryPressure', status: 'False' },
          { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'posting', lastTransitionTime: '2026-01-01T00:00:00Z' },
        ],
        addresses: [
          { type: 'Hostname', address: 'n1' },
          { type: 'InternalIP', address: '10.0.0.1' },
          { type: 'InternalIP', address: 'fd00::1' },
        ],
        nodeInfo: {
          architecture: 'arm64',
          osImage: 'Ubuntu 24.04 LTS',
          kernelVersion: '6.8.0',
          containerRuntimeVersion: 'containerd://2.1.0',
          kubeletVersion: 'v1.36.3',
        },
        capacity: { cpu: '8', memory: '16Gi', pods: '110', 'nvidia.com/gpu': '2' },
        allocatable: { cpu: '7500m', memory: '15Gi', pods: '110', 'nvidia.com/gpu': '1', 'ephemeral-storage': '100Gi' },
        runtimeHandlers: [{ name: '' }, { name: 'kata-qemu' }],
      },
    });
    expect({ ...node }).toMatchObject({
      roles: ['WORKER'],
      ready: true,
      schedulable: false,
      taints: [
        { key: 'gpu', value: 'yes', effect: 'NO_SCHEDULE' },
        { key: 'odd', value: undefined, effect: undefined },
      ],
      serverId: '6f1c2e6e-0000-4000-8000-000000000001',
      internalIP: '10.0.0.1',
      architecture: 'arm64',
      osImage: 'Ubuntu 24.04 LTS',
      kernelVersion: '6.8.0',
      containerRuntimeVersion: 'containerd://2.1.0',
      kubeletVersion: 'v1.36.3',
      capacity: { ...amounts, cpuCores: 8, memoryBytes: 16 * 2 ** 30, pods: 110, gpus: 2 },
      allocatable: { cpuCores: 7.5, memoryBytes: 15 * 2 ** 30, ephemeralStorageBytes: 100 * 2 ** 30, pods: 110, gpus: 1 },
      runtimeHandlers: ['', 'kata-qemu'],
    });
    expect([node.kind, node.apiVersion, node.hasGpu]).toEqual(['Node', 'v1', true]);
    expect(node.conditions).toEqual([
      { type: 'MemoryPressure', status: 'False', reason: undefined, message: undefined, lastTransitionAt: undefined },
      { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'posting', lastTransitionAt: '2026-01-01T00:00:00Z' },
    ]);
  });

  it('that has only just joined says nothing yet', () => {
    const node = nodeOf({ metadata: { labels: { 'kubernetes.io/arch': 'amd64' } } });
    expect({ ...node }).toMatchObject({
      roles: ['WORKER'],
      ready: false,
      schedulable: true,
      taints: [],
      serverId: undefined,
      internalIP: undefined,
      architecture: 'amd64',
      osImage: '',
      capacity: amounts,
      allocatable: amounts,
      runtimeHandlers: undefined,
    });
  });

  it.each<[string, string | undefined]>([
    ['openstack:///6f1c', '6f1c'],
    ['openstack://region/6f1c', '6f1c'],
    ['kwok://n1', 'n1'],
    ['6f1c', '6f1c'],
    ['openstack:///', undefined],
    ['', undefined],
  ])('of provider id %p is server %p', (providerID, serverId) => {
    expect(nodeOf({ spec: { providerID } }).serverId).toBe(serverId);
  });

  const master = 'node-role.kubernetes.io/control-plane';
  it.each<[string, Record<string, string>, object[], string[]]>([
    ['with no label of a role', {}, [], ['WORKER']],
    ['that is kept free for the control plane', { [master]: '' }, [{ key: master, effect: 'NoSchedule' }], ['MASTER']],
    [
      'of the old label and taint',
      { 'node-role.kubernetes.io/master': '' },
      [{ key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' }],
      ['MASTER'],
    ],
    ['that takes workloads beside', { [master]: '' }, [], ['MASTER', 'WORKER']],
    ['that prefers not to take workloads', { [master]: '' }, [{ key: master, effect: 'PreferNoSchedule' }], ['MASTER', 'WORKER']],
    [
      'that is labelled for both',
      { [master]: '', 'node-role.kubernetes.io/worker': '' },
      [{ key: master, effect: 'NoSchedule' }],
      ['MASTER', 'WORKER'],
    ],
    ['with a taint of another kind', { [master]: '' }, [{ key: 'gpu', effect: 'NoSchedule' }], ['MASTER', 'WORKER']],
  ])('%s has its roles', (_, labels, taints, roles) => {
    expect(nodeOf({ metadata: { labels }, spec: { taints } }).roles).toEqual(roles);
  });

  it.each([
    ['True', true],
    ['False', false],
    ['Unknown', false],
    [undefined, false],
  ])('whose Ready condition is %p is ready: %p', (status, ready) => {
    expect(nodeOf({ status: { conditions: [{ type: 'Ready', status }] } }).ready).toBe(ready);
  });
});

describe('isolation', () => {
  const east = new MemoryCluster('east', watchedKinds);
  const west = new MemoryCluster('west', watchedKinds);
  const reader = new StoreReader([east, west], { projectLabel });
  // The class's own name says nothing.
  east.put(runtimeClasses, { metadata: { name: 'runc' }, handler: 'kata-qemu' });
  east.put(runtimeClasses, { metadata: { name: 'kata' }, handler: 'runc' });
  east.put(runtimeClasses, { metadata: { name: 'wasm' }, handler: 'spin' });
  west.put(runtimeClasses, { metadata: { name: 'kata' }, handler: 'kata-clh' });
  const of = (runtimeClassName: string | undefined, clusterName = 'east'): string =>
    isolationOf({ clusterName, runtimeClassName }, reader, defaultIsolationPatterns);

  it('is that of the handler of its runtime class, in its own cluster', () => {
    expect([of('runc'), of('kata'), of('kata', 'west')]).toEqual(['SECURE', 'STANDARD', 'SECURE']);
  });

  it('is standard without a runtime class, and unknown where the class or its handler is', () => {
    expect([of(undefined), of('wasm'), of('gone'), of('runc', 'west'), of('kata', 'nowhere')]).toEqual([
      'STANDARD',
      'UNKNOWN',
      'UNKNOWN',
      'UNKNOWN',
      'UNKNOWN',
    ]);
  });

  it.each([
    ['kata', 'SECURE'],
    ['kata-qemu-nvidia-gpu', 'SECURE'],
    ['katana', 'UNKNOWN'],
    ['not-kata', 'UNKNOWN'],
    ['runc', 'STANDARD'],
    ['crun', 'STANDARD'],
    ['nvidia', 'STANDARD'],
    ['runsc', 'UNKNOWN'],
    ['', 'UNKNOWN'],
  ])('of handler %p is %s', (handler, isolation) => {
    expect(isolationOfHandler(handler, defaultIsolationPatterns)).toBe(isolation);
  });

  const supports = (runtimeHandlers: readonly string[] | undefined, label?: string, cluster = 'east'): boolean | undefined => {
    const node = recordOf(
      nodes,
      {
        metadata: { labels: label === undefined ? {} : { 'katacontainers.io/kata-runtime': label } },
        status: runtimeHandlers === undefined ? {} : { runtimeHandlers: runtimeHandlers.map((name) => ({ name })) },
      },
      cluster,
    );
    return supportsSecure(node, reader, defaultIsolationPatterns);
  };

  it('can be secure on a node that has the handler of a secure class', () => {
    expect([supports(['', 'runc', 'kata-qemu']), supports(['', 'runc']), supports([])]).toEqual([true, false, false]);
  });

  it('cannot be secure on a node whose secure handlers no class of its cluster names', () => {
    expect([supports(['kata-clh']), supports(['kata-clh'], undefined, 'west')]).toEqual([false, true]);
  });

  it('on a node that tells of no handlers is as the installer labelled it, and else not known', () => {
    expect([supports(undefined, 'true'), supports(undefined, 'false'), supports(undefined, 'yes'), supports(undefined)]).toEqual([
      true,
      false,
      undefined,
      undefined,
    ]);
    expect(supports(['runc'], 'true')).toBe(false);
  });
});

it('a runtime class tells what its pods cost beside their containers, where it declares it', () => {
  const kata = recordOf(runtimeClasses, {
    handler: 'kata-qemu',
    overhead: { podFixed: { cpu: '250m', memory: '320Mi', 'sev-snp.amd.com/esids': '1' } },
  });
  expect([kata.handler, kata.overhead]).toEqual(['kata-qemu', { ...amounts, cpuCores: 0.25, memoryBytes: 320 * 2 ** 20 }]);
  expect(recordOf(runtimeClasses, { handler: 'runc' }).overhead).toBeUndefined();
  expect(recordOf(runtimeClasses).handler).toBe('');
});
