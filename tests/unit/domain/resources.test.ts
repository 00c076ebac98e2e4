import { pods } from '../../../src/domain/kinds/pods.js';
import {
  AmountSum,
  noAmounts,
  podRequests,
  readContainerResources,
  readNodeAmounts,
  sumAmounts,
  sumOfPods,
  toAmounts,
  type ResourceAmounts,
} from '../../../src/domain/resources.js';
import { recordOf } from './records.js';

const resources = (requests: object, limits?: object): object => ({ resources: { requests, ...(limits === undefined ? {} : { limits }) } });
const amounts = (cpuCores: number, memoryBytes = 0, gpus = 0, pods = 1): ResourceAmounts => ({
  cpuCores,
  memoryBytes,
  ephemeralStorageBytes: 0,
  pods,
  gpus,
});
const requestedOf = (spec: object, status: object = {}): ResourceAmounts => recordOf(pods, { spec, status }).requested;

// The same pods were given to `PodRequests` of Kubernetes 1.36.3, with the same results where an API server would have nothing to fill in or refuse.
describe('what a pod asks of its node', () => {
  it('is the sum over its containers', () => {
    const containers = [resources({ cpu: '100m', memory: '64Mi' }), resources({ cpu: '1.5', memory: '1Gi', 'nvidia.com/gpu': '2' }), {}];
    expect(requestedOf({ containers })).toEqual(amounts(1.6, 2 ** 30 + 2 ** 26, 2));
  });

  it('is its largest init container where that asks for more, resource by resource', () => {
    const spec = {
      containers: [resources({ cpu: '1', memory: '1Gi' })],
      initContainers: [resources({ cpu: '3', memory: '256Mi' }), resources({ cpu: '2', memory: '2Gi' })],
    };
    expect(requestedOf(spec)).toEqual(amounts(3, 2 ** 31));
  });

  it('counts sidecars beside its containers, and beside the init containers after them only', () => {
    const sidecar = { restartPolicy: 'Always', ...resources({ cpu: '500m' }) };
    const containers = [resources({ cpu: '1' })];
    expect(requestedOf({ containers, initContainers: [sidecar] })).toEqual(amounts(1.5));
    expect(requestedOf({ containers, initContainers: [sidecar, resources({ cpu: '2' })] })).toEqual(amounts(2.5));
    expect(requestedOf({ containers, initContainers: [resources({ cpu: '2' }), sidecar] })).toEqual(amounts(2));
    expect(requestedOf({ containers: [], initContainers: [sidecar, sidecar] })).toEqual(amounts(1));
  });

  it('takes what the pod as a whole asks for instead, but never for GPUs and disk', () => {
    const spec = {
      containers: [resources({ cpu: '4', memory: '4Gi', 'nvidia.com/gpu': '1', 'ephemeral-storage': '1Gi' })],
      resources: { requests: { cpu: '2', 'nvidia.com/gpu': '8', 'ephemeral-storage': '9Gi' } },
    };
    expect(requestedOf(spec)).toEqual({ cpuCores: 2, memoryBytes: 2 ** 32, ephemeralStorageBytes: 2 ** 30, pods: 1, gpus: 1 });
  });

  it('adds the overhead of its runtime class on top of everything', () => {
    const overhead = { cpu: '250m', memory: '320Mi' };
    expect(requestedOf({ containers: [resources({ cpu: '1' })], overhead })).toEqual(amounts(1.25, 320 * 2 ** 20));
    expect(requestedOf({ containers: [resources({ cpu: '1' })], resources: { requests: { cpu: '3' } }, overhead })).toEqual(
      amounts(3.25, 320 * 2 ** 20),
    );
  });

  it('is the limit where no request is set', () => {
    expect(requestedOf({ containers: [resources({ memory: '1Gi' }, { cpu: '2', memory: '4Gi', 'nvidia.com/gpu': '1' })] })).toEqual(
      amounts(2, 2 ** 30, 1),
    );
    expect(requestedOf({ containers: [{}], resources: { limits: { cpu: '2' } } })).toEqual(amounts(2));
    expect(requestedOf({ containers: [resources({ cpu: '1' })], resources: { limits: { cpu: '2' } } })).toEqual(amounts(1));
  });

  describe('while a container is resized', () => {
    const resized = (requested: string, inEffect: string, promised: string, condition?: object): ResourceAmounts =>
      requestedOf(
        { containers: [{ name: 'app', ...resources({ cpu: requested }) }] },
        {
          containerStatuses: [{ name: 'app', resources: { requests: { cpu: inEffect } }, allocatedResources: { cpu: promised } }],
          ...(condition === undefined ? {} : { conditions: [{ type: 'PodResizePending', status: 'True', ...condition }] }),
        },
      );

    it('is the largest of what it asks for, has and was promised', () => {
      expect([resized('3', '1', '2'), resized('1', '3', '2'), resized('1', '2', '3')]).toEqual([amounts(3), amounts(3), amounts(3)]);
      expect(resized('3', '1', '2', { reason: 'Deferred' })).toEqual(amounts(3));
    });

    it('leaves out what the node can never give', () => {
      expect(resized('3', '1', '2', { reason: 'Infeasible' })).toEqual(amounts(2));
    });

    it('goes for sidecars, not for init containers, and for the pod as a whole', () => {
      const initContainers = [
        { name: 'side', restartPolicy: 'Always', ...resources({ cpu: '1' }) },
        { name: 'init', ...resources({ cpu: '1' }) },
      ];
      const initContainerStatuses = ['side', 'init'].map((name) => ({ name, resources: { requests: { cpu: '2' } } }));
      expect(requestedOf({ containers: [], initContainers }, { initContainerStatuses })).toEqual(amounts(3));
      const whole = { containers: [resources({ cpu: '1' })], resources: { requests: { cpu: '2', memory: '1Gi' } } };
      expect(requestedOf(whole, { resources: { requests: { cpu: '4' } }, allocatedResources: { memory: '2Gi' } })).toEqual(
        amounts(4, 2 ** 31),
      );
    });
  });

  it('leaves out what is no quantity, and what is below zero', () => {
    expect(requestedOf({ containers: [resources({ cpu: 'much', memory: '-1Gi' }), resources({ cpu: '1' })] })).toEqual(amounts(1));
  });

  it('counts devices of every vendor, and no shares of their memory or cores', () => {
    const requests = {
      'nvidia.com/gpu': '1',
      'nvidia.com/gpu.shared': '2',
      'nvidia.com/mig-1g.5gb': '4',
      'nvidia.com/pgpu': '8',
      'baidu.com/xpu': '16',
      'kunlunxin.com/xpu': '32',
      'kunlunxin.com/vxpu': '64',
    };
    const shares = {
      'nvidia.com/gpumem': '3000',
      'nvidia.com/gpucores': '50',
      'kunlunxin.com/vxpu-memory': '24576',
      'example.com/gpu': '5',
      'xnvidia.com/gpu': '5',
    };
    expect(requestedOf({ containers: [resources({ ...requests, ...shares })] })).toEqual(amounts(0, 0, 127));
  });

  it('is one object for all pods that ask for the same', () => {
    const spec = { containers: [resources({ cpu: '123m' })] };
    expect(requestedOf(spec)).toBe(requestedOf(spec));
    expect(Object.isFrozen(requestedOf(spec))).toBe(true);
  });

  it('of a template needs no status', () => {
    expect(toAmounts(podRequests({ containers: [resources({}, { cpu: '2' })] }), 0)).toEqual(amounts(2, 0, 0, 0));
  });
});

describe('a sum of amounts', () => {
  it('does not drift: a tenth, ten thousand times, is a thousand', () => {
    expect(sumAmounts(Array.from({ length: 10_000 }, () => amounts(0.1)))).toEqual(amounts(1_000, 0, 0, 10_000));
  });

  it('of nothing is nothing', () => {
    expect(sumAmounts([])).toEqual(noAmounts);
    expect(new AmountSum().total()).toEqual(noAmounts);
  });

  it('is held at what a JSON number carries exactly', () => {
    const huge = amounts(0, Number.MAX_SAFE_INTEGER);
    expect(sumAmounts([huge, huge]).memoryBytes).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('over pods leaves those out that are finished', () => {
    const pod = (phase: string): ReturnType<typeof recordOf<ReturnType<(typeof pods)['record']>>> =>
      recordOf(pods, { spec: { containers: [resources({ cpu: '1', memory: '1Gi' })] }, status: { phase } });
    expect(sumOfPods([pod('Running'), pod('Succeeded'), pod('Pending'), pod('Failed'), pod('Unknown')])).toEqual(
      amounts(3, 3 * 2 ** 30, 0, 3),
    );
  });
});

describe('what a container asks for', () => {
  it('tells apart what is not set and what is zero', () => {
    expect(readContainerResources({ cpu: '0' })).toEqual({
      cpuCores: 0,
      memoryBytes: undefined,
      ephemeralStorageBytes: undefined,
      gpus: [],
    });
    expect(readContainerResources(undefined)).toEqual({
      cpuCores: undefined,
      memoryBytes: undefined,
      ephemeralStorageBytes: undefined,
      gpus: [],
    });
  });

  it('lists GPUs by the name of their resource', () => {
    expect(readContainerResources({ 'nvidia.com/mig-1g.5gb': '1', 'baidu.com/xpu': '2', 'nvidia.com/gpu': '3', cpu: '1' }).gpus).toEqual([
      { vendor: 'KUNLUN', resourceName: 'baidu.com/xpu', count: 2 },
      { vendor: 'NVIDIA', resourceName: 'nvidia.com/gpu', count: 3 },
      { vendor: 'NVIDIA', resourceName: 'nvidia.com/mig-1g.5gb', count: 1 },
    ]);
  });
});

it('a node has the pods that it says it has', () => {
  expect(readNodeAmounts({ cpu: '8', memory: '16Gi', pods: '110', 'ephemeral-storage': '100Gi', 'nvidia.com/gpu': '4' })).toEqual({
    cpuCores: 8,
    memoryBytes: 16 * 2 ** 30,
    ephemeralStorageBytes: 100 * 2 ** 30,
    pods: 110,
    gpus: 4,
  });
});
