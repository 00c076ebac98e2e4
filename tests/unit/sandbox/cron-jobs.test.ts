import type { CronJob, Job } from '../../../src/sandbox/controllers/shapes.js';
import { node, template, TestCluster } from './test-cluster.js';

describe('cron jobs of an embedded cluster', () => {
  let cluster: TestCluster;
  const start = async (spec: object, steering: Record<string, string | number> = { 'run-seconds': 5 }): Promise<void> => {
    cluster = await TestCluster.start([
      node('one'),
      {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: { name: 'tick', namespace: 'default' },
        spec: {
          schedule: '*/10 * * * *',
          jobTemplate: {
            metadata: { labels: { made: 'by-tick' } },
            spec: { template: template({ steering, spec: { restartPolicy: 'Never' } }) },
          },
          ...spec,
        },
      },
    ]);
  };
  afterEach(() => cluster.close());

  const tick = (): CronJob => cluster.get<CronJob>('cronjobs.batch', 'tick');
  const jobs = (): Job[] => cluster.storage.list('jobs.batch') as Job[];
  const minutes = (count: number): Promise<void> => cluster.seconds(count * 60);

  test('a job is made at each of its times', async () => {
    await start({});
    await cluster.seconds(599);
    expect(jobs()).toEqual([]);
    await cluster.seconds(3);
    const minute = Date.parse('2026-03-01T12:10:00Z') / 60_000;
    expect(jobs().map(({ metadata }) => metadata)).toMatchObject([
      {
        name: `tick-${minute}`,
        labels: { made: 'by-tick' },
        annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-03-01T12:10:00Z' },
        ownerReferences: [{ kind: 'CronJob', name: 'tick', controller: true }],
      },
    ]);
    expect(tick().status).toMatchObject({ lastScheduleTime: '2026-03-01T12:10:00Z', active: [{ kind: 'Job', name: `tick-${minute}` }] });
    await minutes(1);
    expect(tick().status).not.toHaveProperty('active');
    expect(tick().status?.lastSuccessfulTime).toBe(jobs()[0]?.status?.completionTime);
    await minutes(9);
    expect(jobs()).toHaveLength(2);
  });

  test('its times are those of its time zone', async () => {
    await start({ schedule: '30 20 * * *', timeZone: 'Asia/Shanghai' });
    await minutes(29);
    expect(jobs()).toEqual([]);
    await minutes(2);
    expect(jobs()[0]?.metadata.annotations).toEqual({ 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-03-01T20:30:00+08:00' });
  });

  test.each([
    ['Allow', 3],
    ['Forbid', 1],
    ['Replace', 1],
  ])('with %s, %d jobs run side by side after three times', async (concurrencyPolicy, count) => {
    await start({ concurrencyPolicy }, { 'run-seconds': 'never' });
    await minutes(11);
    const [first] = jobs().map(({ metadata }) => metadata.name);
    await minutes(20);
    expect(jobs()).toHaveLength(count);
    expect(tick().status?.active).toHaveLength(count);
    expect(jobs().some(({ metadata }) => metadata.name === first)).toBe(concurrencyPolicy !== 'Replace');
  });

  test('a job that was forbidden for its time is made as soon as the one before has ended', async () => {
    await start({ concurrencyPolicy: 'Forbid' }, { 'run-seconds': 660 });
    await minutes(22);
    expect(jobs().map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'])).toEqual([
      '2026-03-01T12:10:00Z',
      '2026-03-01T12:20:00Z',
    ]);
  });

  test('the history is kept as long as it is wanted', async () => {
    await start({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 });
    await minutes(52);
    expect(jobs().map(({ status }) => status?.startTime)).toEqual(['2026-03-01T12:40:00Z', '2026-03-01T12:50:00Z']);
    expect(cluster.pods).toHaveLength(2);
  });

  test('failed jobs have a history of their own', async () => {
    await start({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 }, { 'run-seconds': 1, 'exit-code': 1 });
    await cluster.edit('cronjobs.batch', 'tick', ({ spec }) => {
      spec.jobTemplate.spec.backoffLimit = 0;
    });
    await minutes(52);
    expect(jobs()).toHaveLength(1);
    expect(tick().status).not.toHaveProperty('lastSuccessfulTime');
  });

  test('a suspended one makes none, and makes up for the last time that it missed', async () => {
    await start({ suspend: true });
    await minutes(35);
    expect(jobs()).toEqual([]);
    await cluster.edit('cronjobs.batch', 'tick', ({ spec }) => {
      spec.suspend = false;
    });
    expect(jobs().map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'])).toEqual([
      '2026-03-01T12:30:00Z',
    ]);
  });

  test('a time that was missed by more than its deadline is left out', async () => {
    await start({ suspend: true, startingDeadlineSeconds: 60 });
    await minutes(35);
    await cluster.edit('cronjobs.batch', 'tick', ({ spec }) => {
      spec.suspend = false;
    });
    expect(jobs()).toEqual([]);
    await minutes(6);
    expect(jobs()).toHaveLength(1);
  });

  test('a job of its name that exists already is not made again', async () => {
    await start({});
    const name = `tick-${Date.parse('2026-03-01T12:10:00Z') / 60_000}`;
    const mine = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace: 'default' },
      spec: { template: template({ spec: { restartPolicy: 'Never' } }) },
    };
    await cluster.create(mine);
    await minutes(11);
    expect(jobs().map(({ metadata }) => metadata.name)).toEqual([name]);
    expect(tick().status?.lastScheduleTime).toBe('2026-03-01T12:10:00Z');
  });

  test('its jobs and their pods go with it', async () => {
    await start({}, { 'run-seconds': 'never' });
    await minutes(11);
    await cluster.delete('cronjobs.batch', 'tick', { propagationPolicy: 'Background' });
    await cluster.until('nothing left', () => jobs().length + cluster.pods.length === 0);
  });

  test.each([
    [{ schedule: '61 * * * *' }, 'spec.schedule: Invalid value: "61 * * * *"'],
    [{ schedule: '* * * *' }, 'spec.schedule: Invalid value'],
    [{ schedule: 'TZ=UTC * * * * *' }, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'],
    [{ timeZone: 'Mars/Base' }, 'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base'],
    [{ schedule: '' }, 'spec.schedule: Required value'],
  ])('%j is refused', async (spec, message) => {
    await expect(start(spec)).rejects.toThrow(message);
    cluster = await TestCluster.start([]);
  });
});
