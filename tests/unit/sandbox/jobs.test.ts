import type { Job, JobSpec } from '../../../src/sandbox/controllers/shapes.js';
import { condition, job, node, TestCluster, type TemplateOptions } from './test-cluster.js';

describe('jobs of an embedded cluster', () => {
  let cluster: TestCluster;
  const start = async (spec: Partial<JobSpec> = {}, options: TemplateOptions = {}): Promise<void> => {
    cluster = await TestCluster.start([node('one'), node('two'), job(spec, options)]);
  };
  afterEach(() => cluster.close());

  const task = (): Job => cluster.get<Job>('jobs.batch', 'task');
  const isOver = (): boolean => ['Complete', 'Failed'].some((type) => condition(task(), type)?.status === 'True');
  const active = (): number => task().status?.active ?? 0;
  const quick = { steering: { 'run-seconds': 10 } };
  const failing = { steering: { 'run-seconds': 10, 'exit-code': 3 } };

  test('one pod runs to its end, and the job is complete', async () => {
    await start({}, quick);
    await cluster.seconds(8);
    expect(task().status).toMatchObject({ active: 1, ready: 1, terminating: 0, startTime: '2026-03-01T12:00:00Z' });
    await cluster.until('the end', isOver);
    expect(task().status).toMatchObject({ succeeded: 1, ready: 0, uncountedTerminatedPods: {} });
    expect(task().status).not.toHaveProperty('active');
    const completed = { status: 'True', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
    expect(task().status?.conditions).toMatchObject([
      { type: 'SuccessCriteriaMet', ...completed },
      { type: 'Complete', ...completed },
    ]);
    expect(task().status?.completionTime).toBe(condition(task(), 'Complete')?.lastTransitionTime);
    expect(cluster.pods[0]?.metadata).toMatchObject({ labels: { 'batch.kubernetes.io/job-name': 'task' } });
    expect(cluster.pods[0]?.metadata).not.toHaveProperty('finalizers');
    expect(cluster.statusOf(cluster.pods[0]?.metadata.name ?? '')).toBe('Completed');
  });

  test('no more pods run at a time than are wanted, and no more in all than completions', async () => {
    await start({ completions: 5, parallelism: 2 }, quick);
    let most = 0;
    await cluster.until('the end', () => {
      most = Math.max(most, active());
      return isOver();
    });
    expect(most).toBe(2);
    expect(cluster.pods).toHaveLength(5);
    expect(task().status).toMatchObject({ succeeded: 5 });
  });

  test('without a number of completions, one success is enough, and the others finish', async () => {
    await start({ parallelism: 3 }, { steering: { 'run-seconds': 10 } });
    await cluster.until('the end', isOver);
    expect(task().status).toMatchObject({ succeeded: 3 });
    expect(cluster.pods).toHaveLength(3);
  });

  test('a pod that fails is replaced with growing pauses, until the limit', async () => {
    await start({ backoffLimit: 2 }, failing);
    const made: number[] = [];
    await cluster.until('the end', () => {
      if (cluster.pods.length > made.length)
        made.push(
          Date.parse(
            cluster.pods
              .map(({ metadata }) => metadata.creationTimestamp)
              .sort()
              .at(-1) ?? '',
          ),
        );
      return isOver();
    });
    expect(made).toHaveLength(3);
    const [first = 0, second = 0, third = 0] = made.map((time) => time / 1000);
    expect(second - first).toBeGreaterThanOrEqual(20);
    expect(third - second).toBeGreaterThanOrEqual(30);
    const failed = { status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
    expect(task().status?.conditions).toMatchObject([
      { type: 'FailureTarget', ...failed },
      { type: 'Failed', ...failed },
    ]);
    expect(task().status).toMatchObject({ failed: 3 });
    expect(task().status).not.toHaveProperty('completionTime');
  });

  test('a job that failed ends the pods that still run, and counts them as failed', async () => {
    await start({ backoffLimit: 0, parallelism: 3, completions: 3 }, { steering: { 'run-seconds': 60, 'stop-seconds': 4 } });
    await cluster.until('three pods', () => cluster.count('Running') === 3);
    const [first] = cluster.pods;
    if (first === undefined) throw new Error('no pod');
    cluster.storage.update('pods', { ...first, status: { ...first.status, phase: 'Failed' } }, 'status');
    await cluster.seconds(1);
    expect(condition(task(), 'FailureTarget')).toMatchObject({ status: 'True' });
    expect(condition(task(), 'Failed')).toBeUndefined();
    expect(task().status?.terminating).toBeGreaterThan(0);
    await cluster.until('the end', isOver);
    expect(task().status).toMatchObject({ failed: 3, terminating: 0 });
  });

  test('containers that are restarted count towards the limit', async () => {
    await start({ backoffLimit: 2 }, { steering: { 'crash-after-seconds': 1 }, spec: { restartPolicy: 'OnFailure' } });
    await cluster.until('the end', isOver);
    expect(condition(task(), 'Failed')).toMatchObject({ reason: 'BackoffLimitExceeded' });
  });

  test('a crash that passes does not fail a job that restarts its containers', async () => {
    await start({}, { steering: { 'crash-after-seconds': 1, 'crash-times': 2, 'run-seconds': 5 }, spec: { restartPolicy: 'OnFailure' } });
    await cluster.until('the end', isOver);
    expect(condition(task(), 'Complete')).toMatchObject({ status: 'True' });
    expect(cluster.pods[0]?.status?.containerStatuses?.[0]).toMatchObject({ restartCount: 2 });
  });

  test('a deadline ends it', async () => {
    await start({ activeDeadlineSeconds: 30 }, { steering: { 'run-seconds': 'never' } });
    await cluster.seconds(29);
    expect(isOver()).toBe(false);
    await cluster.until('the end', isOver, 40);
    expect(condition(task(), 'Failed')).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Job was active longer than specified deadline',
    });
    await cluster.until('no pods', () => cluster.pods.length === 0);
  });

  test('a suspended one has no pods and no start, and starts when it is resumed', async () => {
    await start({ suspend: true }, quick);
    await cluster.seconds(5);
    expect(cluster.pods).toEqual([]);
    expect(task().status).not.toHaveProperty('startTime');
    expect(condition(task(), 'Suspended')).toMatchObject({ status: 'True', reason: 'JobSuspended' });
    await cluster.edit('jobs.batch', 'task', ({ spec }) => {
      spec.suspend = false;
    });
    expect(task().status?.startTime).toBe('2026-03-01T12:00:05Z');
    expect(condition(task(), 'Suspended')).toMatchObject({ status: 'False', reason: 'JobResumed' });
    await cluster.until('the end', isOver);
  });

  test('suspending it takes its pods away, and none counts as failed', async () => {
    await start({ parallelism: 2, completions: 2 }, { steering: { 'run-seconds': 100 } });
    await cluster.until('two pods', () => cluster.count('Running') === 2);
    await cluster.edit('jobs.batch', 'task', ({ spec }) => {
      spec.suspend = true;
    });
    await cluster.until('no pods', () => cluster.pods.length === 0);
    expect(task().status).not.toHaveProperty('failed');
    expect(task().status).not.toHaveProperty('startTime');
  });

  test('an indexed one has a pod for each index, and tells which are done', async () => {
    await start({ completionMode: 'Indexed', completions: 4, parallelism: 4 }, { steering: { 'run-seconds': 20 } });
    await cluster.seconds(5);
    const key = 'batch.kubernetes.io/job-completion-index';
    const indexes = (): (string | undefined)[] => cluster.pods.map(({ metadata }) => metadata.annotations?.[key]).sort();
    expect(indexes()).toEqual(['0', '1', '2', '3']);
    const second = cluster.pods.find(({ metadata }) => metadata.annotations?.[key] === '1');
    expect(second?.metadata).toMatchObject({ labels: { [key]: '1' }, name: expect.stringMatching(/^task-1-/) });
    expect(second?.spec).toMatchObject({
      hostname: 'task-1',
      containers: [{ env: [{ name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${key}']` } } }] }],
    });
    await cluster.delete('pods', second?.metadata.name ?? '');
    await cluster.until('the first three', () => task().status?.succeeded === 3);
    expect(task().status?.completedIndexes).toBe('0,2,3');
    await cluster.until('the end', isOver);
    expect(task().status).toMatchObject({ succeeded: 4, failed: 1, completedIndexes: '0-3' });
  });

  test('a pod that is deleted counts as failed and is replaced', async () => {
    await start({}, { steering: { 'run-seconds': 30 } });
    await cluster.until('a pod', () => cluster.count('Running') === 1);
    await cluster.delete('pods', cluster.pods[0]?.metadata.name ?? '');
    expect(task().status).toMatchObject({ failed: 1 });
    await cluster.until('the end', isOver);
    expect(task().status).toMatchObject({ failed: 1, succeeded: 1 });
  });

  test('a finished one goes after its time to live, with its pods', async () => {
    await start({ ttlSecondsAfterFinished: 60 }, quick);
    await cluster.until('the end', isOver);
    await cluster.seconds(58);
    expect(cluster.find('jobs.batch', 'task')).toBeDefined();
    await cluster.seconds(5);
    expect(cluster.find('jobs.batch', 'task')).toBeUndefined();
    expect(cluster.pods).toEqual([]);
  });

  test('no pod is left behind when a job is deleted that runs', async () => {
    await start({ parallelism: 2, completions: 2 }, { steering: { 'run-seconds': 'never' } });
    await cluster.until('two pods', () => cluster.count('Running') === 2);
    await cluster.delete('jobs.batch', 'task', { propagationPolicy: 'Background' });
    await cluster.until('no pods', () => cluster.pods.length === 0);
  });

  test('what the embedded cluster cannot do is refused', async () => {
    cluster = await TestCluster.start([]);
    const refused = cluster.create(job({ completionMode: 'Indexed', completions: 1, backoffLimitPerIndex: 1 }));
    await expect(refused).rejects.toThrow('spec.backoffLimitPerIndex: Forbidden: the embedded cluster does not serve it');
    await expect(cluster.create(job({ completionMode: 'Indexed' }))).resolves.toBeUndefined();
  });
});
