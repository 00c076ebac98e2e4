import { cronJobs, daemonSets, deployments, jobs, statefulSets, workloadKinds } from '../../../src/domain/kinds/workloads.js';
import type { Draft } from '../../support/objects.js';
import { recordOf } from './records.js';

type Metadata = NonNullable<Draft['metadata']>;

const stoppedReplicas = { 'gateway.openstack.org/stopped-replicas': '3' };
const condition = (type: string, status: string, reason = '', message = `${type} because ${reason}`): object => ({
  type,
  status,
  reason,
  message,
});

function told({ status, statusMessage }: { status: string; statusMessage: string | undefined }): [string, string | undefined] {
  return [status, statusMessage];
}

describe('the status of a deployment', () => {
  const rolledOut = condition('Progressing', 'True', 'NewReplicaSetAvailable');
  const counts = {
    observedGeneration: 2,
    replicas: 3,
    readyReplicas: 3,
    updatedReplicas: 3,
    availableReplicas: 3,
    conditions: [rolledOut],
  };
  const deployment = (
    status: object,
    { replicas = 3, metadata = {} }: { replicas?: number; metadata?: Metadata } = {},
  ): [string, string | undefined] =>
    told(
      recordOf(deployments, {
        metadata: { generation: 2, ...metadata },
        spec: { replicas },
        status: { ...counts, ...status },
      }),
    );

  it.each<[string, [string, string | undefined], object, { replicas?: number; metadata?: Metadata }?]>([
    ['all is as it should be', ['RUNNING', undefined], {}],
    ['somebody scaled it to none', ['RUNNING', undefined], { replicas: 0, updatedReplicas: 0, availableReplicas: 0 }, { replicas: 0 }],
    [
      'it was stopped',
      ['STOPPED', undefined],
      { replicas: 0, updatedReplicas: 0, availableReplicas: 0 },
      { replicas: 0, metadata: { annotations: stoppedReplicas } },
    ],
    [
      'it was stopped and its pods are still going',
      ['STOPPED', undefined],
      { conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] },
      { replicas: 0, metadata: { annotations: stoppedReplicas } },
    ],
    ['it was stopped and scaled up by hand', ['RUNNING', undefined], {}, { metadata: { annotations: stoppedReplicas } }],
    [
      'a rollout took too long',
      ['FAILED', 'Progressing because ProgressDeadlineExceeded'],
      { updatedReplicas: 1, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] },
    ],
    [
      'a rollout took too long, though a new one is not observed',
      ['FAILED', 'Progressing because ProgressDeadlineExceeded'],
      { observedGeneration: 1, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] },
    ],
    ['a change is not observed', ['PROGRESSING', undefined], { observedGeneration: 1 }],
    ['nothing is observed', ['PROGRESSING', undefined], { observedGeneration: undefined }],
    [
      'fewer are updated than wanted',
      ['PROGRESSING', 'Progressing because ReplicaSetUpdated'],
      { updatedReplicas: 2, conditions: [condition('Progressing', 'True', 'ReplicaSetUpdated')] },
    ],
    ['old ones are left', ['PROGRESSING', undefined], { replicas: 4 }],
    [
      'the rollout is not done',
      ['PROGRESSING', 'Progressing because ReplicaSetUpdated'],
      { conditions: [condition('Progressing', 'True', 'ReplicaSetUpdated')] },
    ],
    [
      'the rollout is paused',
      ['PROGRESSING', 'Progressing because DeploymentPaused'],
      { conditions: [condition('Progressing', 'Unknown', 'DeploymentPaused')] },
    ],
    [
      'pods cannot be made',
      ['PROGRESSING', 'exceeded quota'],
      { updatedReplicas: 0, replicas: 0, conditions: [rolledOut, condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota')] },
    ],
    ['it has no deadline, and so no condition of progress', ['RUNNING', undefined], { conditions: [] }],
    [
      'fewer are available than wanted',
      ['DEGRADED', 'Available because MinimumReplicasUnavailable'],
      { availableReplicas: 1, conditions: [rolledOut, condition('Available', 'False', 'MinimumReplicasUnavailable')] },
    ],
    [
      'fewer are available than wanted, and enough for its controller',
      ['DEGRADED', undefined],
      { availableReplicas: 2, conditions: [rolledOut, condition('Available', 'True', 'MinimumReplicasAvailable')] },
    ],
  ])('when %s', (...[, wanted, status, more = {}]) => {
    expect(deployment(status, more)).toEqual(wanted);
  });

  it('takes one replica for wanted where none is written down', () => {
    expect(recordOf(deployments, { spec: {} }).replicas.desired).toBe(1);
    expect(recordOf(deployments, { spec: {} }).status).toBe('PROGRESSING');
  });

  it('is not STOPPED by a label with the name of the annotation', () => {
    expect(deployment({}, { replicas: 0, metadata: { labels: { 'gateway.openstack.org/stopped-replicas': '3' } } })[0]).toBe('RUNNING');
  });
});

describe('the status of a stateful set', () => {
  const counts = { observedGeneration: 1, replicas: 3, readyReplicas: 3, updatedReplicas: 3, availableReplicas: 3 };
  const statefulSet = (status: object, spec: object = {}, metadata: Metadata = {}): string =>
    recordOf(statefulSets, {
      metadata: { generation: 1, ...metadata },
      spec: { replicas: 3, updateStrategy: { type: 'RollingUpdate' }, ...spec },
      status: { ...counts, ...status },
    }).status;

  it.each<[string, string, object, object?, Metadata?]>([
    ['all is as it should be', 'RUNNING', {}],
    ['it was stopped', 'STOPPED', { replicas: 1 }, { replicas: 0 }, { annotations: stoppedReplicas }],
    ['somebody scaled it to none', 'RUNNING', { replicas: 0, updatedReplicas: 0, availableReplicas: 0 }, { replicas: 0 }],
    ['a change is not observed', 'PROGRESSING', { observedGeneration: 0 }],
    ['fewer are updated than wanted', 'PROGRESSING', { updatedReplicas: 2 }],
    ['it grows', 'PROGRESSING', {}, { replicas: 5 }],
    [
      'a partition holds the rest back',
      'RUNNING',
      { updatedReplicas: 1 },
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
    ],
    [
      'a partition holds back fewer than are old',
      'PROGRESSING',
      { updatedReplicas: 1 },
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
    ],
    [
      'a partition counts from the first ordinal',
      'PROGRESSING',
      { updatedReplicas: 1 },
      { ordinals: { start: 5 }, updateStrategy: { rollingUpdate: { partition: 6 } } },
    ],
    ['pods are replaced only when they are deleted', 'RUNNING', { updatedReplicas: 0 }, { updateStrategy: { type: 'OnDelete' } }],
    ['fewer are available than wanted', 'DEGRADED', { availableReplicas: 2 }],
  ])('when %s is %s', (...[, wanted, status, spec, metadata]) => {
    expect(statefulSet(status, spec, metadata)).toBe(wanted);
  });
});

describe('the status of a daemon set', () => {
  const counts = {
    observedGeneration: 1,
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    numberReady: 3,
    updatedNumberScheduled: 3,
    numberAvailable: 3,
  };
  const daemonSet = (status: object, spec: object = {}): string =>
    recordOf(daemonSets, { metadata: { generation: 1 }, spec, status: { ...counts, ...status } }).status;

  it('is never STOPPED, whatever its annotations', () => {
    const status = { desiredNumberScheduled: 0 };
    expect(recordOf(daemonSets, { metadata: { annotations: stoppedReplicas }, status }).status).toBe('RUNNING');
  });

  it.each<[string, string, object, object?]>([
    ['all is as it should be', 'RUNNING', {}],
    [
      'no node takes it',
      'RUNNING',
      { desiredNumberScheduled: 0, currentNumberScheduled: 0, updatedNumberScheduled: 0, numberAvailable: 0 },
    ],
    ['a change is not observed', 'PROGRESSING', { observedGeneration: undefined }],
    ['fewer are updated than wanted', 'PROGRESSING', { updatedNumberScheduled: 1 }],
    ['pods are replaced only when they are deleted', 'RUNNING', { updatedNumberScheduled: 0 }, { updateStrategy: { type: 'OnDelete' } }],
    ['fewer are available than wanted', 'DEGRADED', { numberAvailable: 2 }],
  ])('when %s is %s', (...[, wanted, status, spec]) => {
    expect(daemonSet(status, spec)).toBe(wanted);
  });
});

describe('the status of a job', () => {
  const job = (status: object, spec: object = {}): [string, string | undefined] => told(recordOf(jobs, { spec, status }));

  it.each<[string, [string, string | undefined], object, object?]>([
    ['its controller has not seen it', ['RUNNING', undefined], {}],
    [
      'it is suspended',
      ['SUSPENDED', 'Job suspended'],
      { conditions: [condition('Suspended', 'True', 'JobSuspended', 'Job suspended')] },
      { suspend: true },
    ],
    ['it is suspended and was done before', ['SUSPENDED', undefined], { conditions: [condition('Complete', 'True')] }, { suspend: true }],
    [
      'it failed',
      ['FAILED', 'Job has reached the specified backoff limit'],
      {
        failed: 7,
        conditions: [
          condition('FailureTarget', 'True'),
          condition('Failed', 'True', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
        ],
      },
    ],
    ['it is about to fail', ['PROGRESSING', undefined], { active: 1, conditions: [condition('FailureTarget', 'True')] }],
    [
      'it is done',
      ['COMPLETED', 'Complete because CompletionsReached'],
      { succeeded: 1, conditions: [condition('Suspended', 'False'), condition('Complete', 'True', 'CompletionsReached')] },
    ],
    ['pods of it run', ['PROGRESSING', undefined], { active: 2 }],
    ['it was resumed', ['PROGRESSING', undefined], { active: 2, conditions: [condition('Suspended', 'False', 'JobResumed')] }],
  ])('when %s', (...[, wanted, status, spec]) => {
    expect(job(status, spec)).toEqual(wanted);
  });
});

it('a cron job runs, or is suspended, whatever its jobs do', () => {
  const cronJob = (spec: object): string => recordOf(cronJobs, { spec, status: { active: [{ name: 'job' }] } }).status;
  expect([cronJob({}), cronJob({ suspend: false }), cronJob({ suspend: true })]).toEqual(['RUNNING', 'RUNNING', 'SUSPENDED']);
});

describe('a workload', () => {
  it('is of one of five kinds, in the order of the contract', () => {
    expect(workloadKinds.map((kind) => [kind.name, kind.apiVersion, kind.plural, kind.namespaced, recordOf(kind).workloadKind])).toEqual([
      ['Deployment', 'apps/v1', 'deployments', true, 'DEPLOYMENT'],
      ['StatefulSet', 'apps/v1', 'statefulsets', true, 'STATEFUL_SET'],
      ['DaemonSet', 'apps/v1', 'daemonsets', true, 'DAEMON_SET'],
      ['Job', 'batch/v1', 'jobs', true, 'JOB'],
      ['CronJob', 'batch/v1', 'cronjobs', true, 'CRON_JOB'],
    ]);
    for (const kind of workloadKinds) expect([recordOf(kind).kind, recordOf(kind).apiVersion]).toEqual([kind.name, kind.apiVersion]);
  });

  it('has the images and the runtime class of its template', () => {
    const template = {
      spec: { runtimeClassName: 'kata', containers: [{ image: 'b' }, { image: 'a' }, { image: 'b' }], initContainers: [{ image: 'c' }] },
    };
    for (const kind of workloadKinds) {
      const spec = kind === cronJobs ? { jobTemplate: { spec: { template } } } : { template };
      const workload = recordOf(kind, { spec });
      expect([kind.name, workload.images, workload.runtimeClassName, workload.template.runtimeClassName]).toEqual([
        kind.name,
        ['b', 'a'],
        'kata',
        'kata',
      ]);
    }
  });

  it('knows its pods by labels, in their order; a cron job by none', () => {
    const selector = { matchLabels: { tier: 'front', app: 'web' } };
    const wanted = [
      { key: 'app', value: 'web' },
      { key: 'tier', value: 'front' },
    ];
    for (const kind of workloadKinds) if (kind !== cronJobs) expect(recordOf(kind, { spec: { selector } }).selector).toEqual(wanted);
    expect(recordOf(cronJobs, { spec: { jobTemplate: { spec: { selector } } } }).selector).toEqual([]);
  });

  it('counts its replicas', () => {
    const status = { replicas: 4, readyReplicas: 3, updatedReplicas: 2, availableReplicas: 1 };
    const wanted = { desired: 5, current: 4, ready: 3, updated: 2, available: 1 };
    expect(recordOf(deployments, { spec: { replicas: 5 }, status }).replicas).toEqual(wanted);
    expect(recordOf(statefulSets, { spec: { replicas: 5 }, status }).replicas).toEqual(wanted);
    const ofNodes = { desiredNumberScheduled: 5, currentNumberScheduled: 4, numberReady: 3, updatedNumberScheduled: 2, numberAvailable: 1 };
    expect(recordOf(daemonSets, { status: ofNodes }).replicas).toEqual(wanted);
  });

  it('tells how its pods are replaced', () => {
    const rolling = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } };
    expect(recordOf(deployments, { spec: { strategy: rolling, minReadySeconds: 5 } }).updateStrategy).toEqual({
      type: 'ROLLING_UPDATE',
      maxSurge: '25%',
      maxUnavailable: '1',
      partition: undefined,
      minReadySeconds: 5,
    });
    expect(recordOf(deployments, { spec: { strategy: { type: 'Recreate' } } }).updateStrategy.type).toBe('RECREATE');
    expect(
      recordOf(statefulSets, { spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } } }).updateStrategy,
    ).toEqual({ type: 'ROLLING_UPDATE', maxSurge: undefined, maxUnavailable: undefined, partition: 2, minReadySeconds: 0 });
    expect(recordOf(daemonSets, { spec: { updateStrategy: { type: 'OnDelete' } } }).updateStrategy.type).toBe('ON_DELETE');
    expect(recordOf(daemonSets, { spec: { updateStrategy: { type: 'BlueGreen' } } }).updateStrategy.type).toBeUndefined();
  });

  it("tells what is its kind's own", () => {
    expect([true, false, undefined].map((paused) => recordOf(deployments, { spec: { paused } }).paused)).toEqual([true, false, false]);
    expect(recordOf(statefulSets, { spec: { serviceName: 'db' } }).serviceName).toBe('db');
    expect(recordOf(statefulSets).serviceName).toBeUndefined();

    const job = recordOf(jobs, {
      metadata: { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: 'uid-c', controller: true }] },
      spec: { completions: 5, parallelism: 2, suspend: false },
      status: { active: 1, succeeded: 2, failed: 3, startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T01:00:00Z' },
    });
    const { completions, parallelism, active, succeeded, failed, suspended, startedAt, completedAt, controllerKind, controllerUid } = job;
    expect([completions, parallelism, active, succeeded, failed, suspended]).toEqual([5, 2, 1, 2, 3, false]);
    expect([startedAt, completedAt, controllerKind, controllerUid]).toEqual([
      '2026-01-01T00:00:00Z',
      '2026-01-01T01:00:00Z',
      'CronJob',
      'uid-c',
    ]);
    expect([recordOf(jobs).completions, recordOf(jobs).parallelism, recordOf(jobs, { spec: { parallelism: 0 } }).parallelism]).toEqual([
      undefined,
      1,
      0,
    ]);

    const cronJob = recordOf(cronJobs, {
      spec: { schedule: '0 3 * * *', timeZone: 'Asia/Shanghai', suspend: true, concurrencyPolicy: 'Forbid' },
      status: { lastScheduleTime: '2026-01-01T03:00:00Z' },
    });
    expect([cronJob.schedule, cronJob.timeZone, cronJob.suspended, cronJob.concurrencyPolicy, cronJob.lastScheduledAt]).toEqual([
      '0 3 * * *',
      'Asia/Shanghai',
      true,
      'FORBID',
      '2026-01-01T03:00:00Z',
    ]);
    const policies = ['Allow', 'Replace', 'Queue', undefined].map(
      (concurrencyPolicy) => recordOf(cronJobs, { spec: { concurrencyPolicy } }).concurrencyPolicy,
    );
    expect(policies).toEqual(['ALLOW', 'REPLACE', undefined, undefined]);
  });
});
