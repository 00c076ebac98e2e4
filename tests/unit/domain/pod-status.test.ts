import { pods } from '../../../src/domain/kinds/pods.js';
import { recordOf } from './records.js';

type Status = Readonly<Record<string, unknown>>;

const waiting = (reason?: string): Status => ({ state: { waiting: reason === undefined ? {} : { reason } } });
const running = (ready = true): Status => ({ ready, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } });
const ended = (exitCode: number, reason?: string, signal?: number): Status => ({
  state: { terminated: { exitCode, ...(reason === undefined ? {} : { reason }), ...(signal === undefined ? {} : { signal }) } },
});
const ready = { type: 'Ready', status: 'True' };
const initialized = { type: 'Initialized', status: 'True' };

interface PodDraft {
  readonly phase?: string;
  readonly reason?: string;
  readonly deleted?: boolean;
  readonly conditions?: readonly Status[];
  /** Statuses of the containers, in their order; one without a status has not been heard of. */
  readonly containers?: readonly Status[];
  readonly inits?: readonly Status[];
  /** Which of the init containers are sidecars. */
  readonly sidecars?: readonly number[];
  /** Init containers of the spec, where more than have a status. */
  readonly initCount?: number;
}

/** STATUS, READY and RESTARTS of `kubectl get pods`. */
function columnsOf({ phase = 'Running', reason, deleted = false, conditions = [], containers = [running()], ...more }: PodDraft): string {
  const { inits = [], sidecars = [], initCount = inits.length } = more;
  const named = (prefix: string) => (status: Status, at: number) => ({ restartCount: 0, ready: false, ...status, name: `${prefix}${at}` });
  const record = recordOf(pods, {
    metadata: deleted ? { deletionTimestamp: '2026-01-02T00:00:00Z' } : {},
    spec: {
      containers: containers.map((_, at) => ({ name: `c${at}`, image: 'nginx' })),
      initContainers: Array.from({ length: initCount }, (_, at) => ({
        name: `i${at}`,
        image: 'busybox',
        ...(sidecars.includes(at) ? { restartPolicy: 'Always' } : {}),
      })),
    },
    status: {
      phase,
      ...(reason === undefined ? {} : { reason }),
      conditions,
      initContainerStatuses: inits.map(named('i')),
      containerStatuses: containers.map(named('c')),
    },
  });
  return `${record.status} ${record.readyContainers}/${record.totalContainers} ${record.restarts}`;
}

// Every line was compared with what the printers of Kubernetes 1.36.3 make of the same pod; only the one without a phase they leave empty.
describe('the status of a pod is what kubectl shows', () => {
  it.each<[string, string, PodDraft]>([
    ['runs', 'Running 1/1 0', { conditions: [ready] }],
    ['is not heard of yet', 'Pending 0/1 0', { phase: 'Pending', containers: [{}] }],
    ['is being made', 'ContainerCreating 0/1 0', { phase: 'Pending', containers: [waiting('ContainerCreating')] }],
    ['crashes again and again', 'CrashLoopBackOff 0/1 7', { containers: [{ ...waiting('CrashLoopBackOff'), restartCount: 7 }] }],
    ['finds no image', 'ImagePullBackOff 0/1 0', { phase: 'Pending', containers: [waiting('ImagePullBackOff')] }],
    ['waits without a reason', 'Running 0/1 0', { containers: [waiting()] }],
    ['is done', 'Completed 0/1 0', { phase: 'Succeeded', containers: [ended(0, 'Completed')] }],
    ['failed', 'Error 0/1 0', { phase: 'Failed', containers: [ended(1, 'Error')] }],
    ['ran out of memory', 'OOMKilled 0/1 2', { containers: [{ ...ended(137, 'OOMKilled'), restartCount: 2 }] }],
    ['ended without a reason', 'ExitCode:3 0/1 0', { containers: [ended(3)] }],
    ['ended by a signal without a reason', 'Signal:9 0/1 0', { containers: [ended(137, undefined, 9)] }],
    ['was evicted', 'Evicted 0/1 0', { phase: 'Failed', reason: 'Evicted', containers: [{}] }],
    [
      'is held back',
      'SchedulingGated 0/1 0',
      { phase: 'Pending', containers: [{}], conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    ],
    [
      'cannot be placed',
      'Pending 0/1 0',
      { phase: 'Pending', containers: [{}], conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
    ],
    ['runs a part and is ready', 'Running 1/2 0', { containers: [ended(0, 'Completed'), running()], conditions: [ready] }],
    ['runs a part and is not ready', 'NotReady 1/2 0', { containers: [ended(0, 'Completed'), running()] }],
    ['runs a part while another failed', 'Error 1/3 0', { containers: [ended(0, 'Completed'), ended(1, 'Error'), running()] }],
    [
      'tells of the first container that has something to say',
      'CrashLoopBackOff 1/3 0',
      { containers: [waiting('CrashLoopBackOff'), running(), ended(1, 'Error')] },
    ],
    ['runs but is not ready', 'Running 0/1 0', { containers: [running(false)] }],
    [
      'counts the restarts of all containers',
      'Running 2/2 5',
      {
        containers: [
          { ...running(), restartCount: 2 },
          { ...running(), restartCount: 3 },
        ],
      },
    ],
    ['has no phase', 'Unknown 0/1 0', { phase: '', containers: [{}] }],
  ])('that %s', (_, wanted, draft) => {
    expect(columnsOf(draft)).toBe(wanted);
  });

  it.each<[string, string, PodDraft]>([
    [
      'the first init container runs',
      'Init:0/2 0/1 0',
      { phase: 'Pending', inits: [{ state: { running: {} } }, waiting('PodInitializing')], containers: [waiting('PodInitializing')] },
    ],
    [
      'the second init container runs',
      'Init:1/2 0/1 0',
      { phase: 'Pending', inits: [ended(0, 'Completed'), { state: { running: {} } }], containers: [waiting('PodInitializing')] },
    ],
    [
      'an init container failed',
      'Init:Error 0/1 0',
      { phase: 'Pending', inits: [ended(1, 'Error')], containers: [waiting('PodInitializing')] },
    ],
    [
      'an init container failed without a reason',
      'Init:ExitCode:2 0/1 0',
      { phase: 'Pending', inits: [ended(2)], containers: [waiting('PodInitializing')] },
    ],
    [
      'an init container was killed',
      'Init:Signal:15 0/1 0',
      { phase: 'Pending', inits: [ended(143, undefined, 15)], containers: [waiting('PodInitializing')] },
    ],
    [
      'an init container crashes',
      'Init:CrashLoopBackOff 0/1 4',
      { phase: 'Pending', inits: [{ ...waiting('CrashLoopBackOff'), restartCount: 4 }], containers: [waiting('PodInitializing')] },
    ],
    [
      'an init container finds no image',
      'Init:ErrImagePull 0/1 0',
      { phase: 'Pending', inits: [waiting('ErrImagePull')], containers: [waiting('PodInitializing')] },
    ],
    [
      'init containers are done',
      'PodInitializing 0/1 0',
      { phase: 'Pending', inits: [ended(0, 'Completed')], containers: [waiting('PodInitializing')] },
    ],
    [
      'restarts of init containers are forgotten once they are done',
      'Running 1/1 1',
      { inits: [{ ...ended(0, 'Completed'), restartCount: 5 }], containers: [{ ...running(), restartCount: 1 }] },
    ],
    [
      'an init container runs again in a pod that was initialized',
      'Init:0/1 1/1 1',
      {
        inits: [{ ...waiting('PodInitializing'), restartCount: 5 }],
        containers: [{ ...running(), restartCount: 1 }],
        conditions: [initialized],
      },
    ],
  ])('while it begins: %s', (_, wanted, draft) => {
    expect(columnsOf(draft)).toBe(wanted);
  });

  it.each<[string, string, PodDraft]>([
    ['has started', 'Running 2/2 0', { inits: [{ ...running(), started: true }], sidecars: [0] }],
    ['has started and is not ready', 'Running 1/2 0', { inits: [{ ...running(false), started: true }], sidecars: [0] }],
    [
      'has not started',
      'Init:0/1 0/2 0',
      { phase: 'Pending', inits: [{ ...running(false), started: false }], sidecars: [0], containers: [waiting('PodInitializing')] },
    ],
    [
      'goes before an init container',
      'Init:1/2 1/2 0',
      {
        phase: 'Pending',
        inits: [{ ...running(), started: true }, { state: { running: {} } }],
        sidecars: [0],
        containers: [waiting('PodInitializing')],
      },
    ],
    [
      'keeps its restarts',
      'Running 2/2 9',
      {
        inits: [
          { ...running(), started: true, restartCount: 6 },
          { ...ended(0, 'Completed'), restartCount: 2 },
        ],
        sidecars: [0],
        containers: [{ ...running(), restartCount: 3 }],
      },
    ],
    [
      'was stopped',
      'Completed 0/2 0',
      { phase: 'Succeeded', inits: [{ ...ended(0, 'Completed') }], sidecars: [0], containers: [ended(0, 'Completed')] },
    ],
  ])('with a sidecar that %s', (_, wanted, draft) => {
    expect(columnsOf(draft)).toBe(wanted);
  });

  it.each<[string, string, PodDraft]>([
    ['runs', 'Terminating 1/1 0', {}],
    ['crashes', 'Terminating 0/1 1', { containers: [{ ...waiting('CrashLoopBackOff'), restartCount: 1 }] }],
    ['was on a node that is lost', 'Unknown 1/1 0', { reason: 'NodeLost' }],
    ['is done already', 'Completed 0/1 0', { phase: 'Succeeded', containers: [ended(0, 'Completed')] }],
    ['failed already', 'Error 0/1 0', { phase: 'Failed', containers: [ended(1, 'Error')] }],
  ])('once it is to be deleted and %s', (_, wanted, draft) => {
    expect(columnsOf({ ...draft, deleted: true })).toBe(wanted);
  });

  it('of a node that is lost is the reason until the pod is to be deleted', () => {
    expect(columnsOf({ reason: 'NodeLost' })).toBe('NodeLost 1/1 0');
  });

  it('counts init containers of the spec, whether or not the kubelet has told of them', () => {
    expect(
      columnsOf({ phase: 'Pending', inits: [{ state: { running: {} } }], initCount: 3, containers: [waiting('PodInitializing')] }),
    ).toBe('Init:0/3 0/1 0');
  });
});

describe('a pod', () => {
  it.each([
    ['Pending', 'PENDING', false],
    ['Running', 'RUNNING', false],
    ['Succeeded', 'SUCCEEDED', true],
    ['Failed', 'FAILED', true],
    ['Unknown', 'UNKNOWN', false],
    ['Sleeping', 'UNKNOWN', false],
    [undefined, 'UNKNOWN', false],
  ])('of phase %s is %s, finished: %s', (phase, wanted, finished) => {
    const pod = recordOf(pods, { status: { phase } });
    expect([pod.phase, pod.finished]).toEqual([wanted, finished]);
  });

  it('gets traffic when its Ready condition holds, whatever its containers say', () => {
    const withCondition = (status: string): boolean => recordOf(pods, { status: { conditions: [{ type: 'Ready', status }] } }).ready;
    expect([withCondition('True'), withCondition('False'), withCondition('Unknown')]).toEqual([true, false, false]);
  });

  it('has the addresses of every family, the first of them as its own', () => {
    const pod = recordOf(pods, { status: { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }, {}], hostIP: '192.0.2.1' } });
    expect([pod.podIP, pod.podIPs, pod.hostIP]).toEqual(['10.0.0.1', ['10.0.0.1', 'fd00::1'], '192.0.2.1']);
    expect(recordOf(pods, { status: { podIP: '10.0.0.1' } }).podIPs).toEqual(['10.0.0.1']);
    expect(recordOf(pods).podIPs).toEqual([]);
  });

  it('names each image of its containers once', () => {
    const pod = recordOf(pods, {
      spec: { containers: [{ image: 'b' }, { image: 'a' }, { image: 'b' }], initContainers: [{ image: 'c' }] },
    });
    expect(pod.images).toEqual(['b', 'a']);
  });

  it('tells its containers, init containers first, as they are and as they should be', () => {
    const pod = recordOf(pods, {
      spec: {
        initContainers: [{ name: 'proxy', image: 'envoy', restartPolicy: 'Always' }],
        containers: [
          {
            name: 'app',
            image: 'shop:2',
            resources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { cpu: '1', 'nvidia.com/gpu': '2' } },
          },
          { name: 'log', image: 'log:1' },
        ],
      },
      status: {
        initContainerStatuses: [
          { name: 'proxy', ready: true, restartCount: 0, started: true, state: { running: { startedAt: '2026-01-01T00:00:01Z' } } },
        ],
        containerStatuses: [
          {
            name: 'app',
            ready: false,
            restartCount: 3,
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
            lastState: {
              terminated: {
                exitCode: 137,
                signal: 9,
                reason: 'OOMKilled',
                startedAt: '2026-01-01T00:00:02Z',
                finishedAt: '2026-01-01T00:00:03Z',
              },
            },
          },
        ],
      },
    });
    const noResources = { cpuCores: undefined, memoryBytes: undefined, ephemeralStorageBytes: undefined, gpus: [] };
    const nothing = {
      ready: false,
      reason: undefined,
      message: undefined,
      exitCode: undefined,
      restarts: 0,
      startedAt: undefined,
      finishedAt: undefined,
      lastTermination: undefined,
    };
    expect(pod.containers).toEqual([
      {
        ...nothing,
        name: 'proxy',
        image: 'envoy',
        init: true,
        sidecar: true,
        ready: true,
        state: 'RUNNING',
        startedAt: '2026-01-01T00:00:01Z',
        requests: noResources,
        limits: noResources,
      },
      {
        ...nothing,
        name: 'app',
        image: 'shop:2',
        init: false,
        sidecar: false,
        state: 'WAITING',
        reason: 'CrashLoopBackOff',
        message: 'back-off 40s',
        restarts: 3,
        lastTermination: {
          reason: 'OOMKilled',
          message: undefined,
          exitCode: 137,
          signal: 9,
          startedAt: '2026-01-01T00:00:02Z',
          finishedAt: '2026-01-01T00:00:03Z',
        },
        requests: { ...noResources, cpuCores: 0.25, memoryBytes: 2 ** 30 },
        limits: { ...noResources, cpuCores: 1, gpus: [{ vendor: 'NVIDIA', resourceName: 'nvidia.com/gpu', count: 2 }] },
      },
      {
        ...nothing,
        name: 'log',
        image: 'log:1',
        init: false,
        sidecar: false,
        state: 'WAITING',
        requests: noResources,
        limits: noResources,
      },
    ]);
  });
});
