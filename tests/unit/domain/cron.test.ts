import { cronJobs } from '../../../src/domain/kinds/workloads.js';
import { nextRun } from '../../../src/domain/cron.js';
import { recordOf } from './records.js';

const instant = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z');
const next = (schedule: string, timeZone: string | undefined, now: string, since = now): string | undefined =>
  instant(nextRun(schedule, timeZone, { nowMs: Date.parse(now), sinceMs: Date.parse(since) }));

// What the library of Kubernetes' own controller (1.36.3) answers to the same questions.
describe('the next run of a timetable', () => {
  it.each<[string, string | undefined, string, string | undefined]>([
    ['* * * * *', undefined, '2026-03-01T12:00:00Z', '2026-03-01T12:01:00Z'],
    ['* * * * *', undefined, '2026-03-01T11:59:59.999Z', '2026-03-01T12:00:00Z'],
    ['30 3 * * *', undefined, '2026-03-01T03:30:00Z', '2026-03-02T03:30:00Z'],
    ['5/20 * * * *', undefined, '2026-03-01T12:26:00Z', '2026-03-01T12:45:00Z'],
    ['0 12 1,15 * *', undefined, '2026-03-02T00:00:00Z', '2026-03-15T12:00:00Z'],
    ['0 12 ? JAN,jul ?', undefined, '2026-03-02T00:00:00Z', '2026-07-01T12:00:00Z'],
    ['0 0 29 2 *', undefined, '2026-03-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 0 31 * *', undefined, '2026-04-01T00:00:00Z', '2026-05-31T00:00:00Z'],
    ['  0  0\t31 * * ', undefined, '2026-04-01T00:00:00Z', '2026-05-31T00:00:00Z'],
    ['0 0 30 2 *', undefined, '2026-03-01T00:00:00Z', undefined],
  ])('%s (%s) after %s is %s', (schedule, timeZone, now, wanted) => {
    expect(next(schedule, timeZone, now)).toBe(wanted);
  });

  it.each<[string, string]>([
    ['@hourly', '2026-03-01T13:00:00Z'],
    ['@daily', '2026-03-02T00:00:00Z'],
    ['@midnight', '2026-03-02T00:00:00Z'],
    ['@weekly', '2026-03-08T00:00:00Z'],
    ['@monthly', '2026-04-01T00:00:00Z'],
    ['@yearly', '2027-01-01T00:00:00Z'],
    ['@annually', '2027-01-01T00:00:00Z'],
  ])('%s is %s', (schedule, wanted) => {
    expect(next(schedule, undefined, '2026-03-01T12:30:00Z')).toBe(wanted);
  });

  // 2026-03-02 is a Monday.
  it.each<[string, string, string]>([
    ['a day of the month or a weekday, where both are given', '0 0 13 * 5', '2026-03-06T00:00:00Z'],
    ['a weekday, where the day of the month is a star', '0 0 * * 1', '2026-03-09T00:00:00Z'],
    ['a weekday, where the day of the month is a star with a step of one', '0 0 */1 * 1', '2026-03-09T00:00:00Z'],
    ['a weekday, where a star is among the days of the month', '0 0 *,13 * 1', '2026-03-09T00:00:00Z'],
    ['either, where the star has a step', '0 0 */2 * 1', '2026-03-03T00:00:00Z'],
    ['either, where all days are named', '0 0 1-31 * 1', '2026-03-03T00:00:00Z'],
  ])('is %s', (_, schedule, wanted) => {
    expect(next(schedule, undefined, '2026-03-02T00:00:00Z')).toBe(wanted);
  });

  it.each<[string, string, string, string]>([
    ['0 3 * * *', 'Asia/Shanghai', '2026-03-01T18:59:59Z', '2026-03-01T19:00:00Z'],
    ['0 3 * * *', 'Asia/Shanghai', '2026-03-01T19:00:00Z', '2026-03-02T19:00:00Z'],
    ['0 0 * * *', 'Asia/Kathmandu', '2026-03-01T12:00:00Z', '2026-03-01T18:15:00Z'],
    ['*/15 9-17 * * MON-FRI', 'Europe/Berlin', '2026-02-27T16:50:00Z', '2026-03-02T08:00:00Z'],
    ['@midnight', 'America/New_York', '2026-03-01T12:30:00Z', '2026-03-02T05:00:00Z'],
  ])('goes by its time zone: %s in %s after %s is %s', (schedule, timeZone, now, wanted) => {
    expect(next(schedule, timeZone, now)).toBe(wanted);
  });

  it('goes by the time zone that the schedule names itself before that of the field', () => {
    expect(next('TZ=Asia/Shanghai 0 3 * * *', undefined, '2026-03-01T12:00:00Z')).toBe('2026-03-01T19:00:00Z');
    expect(next('CRON_TZ=Asia/Tokyo 0 3 * * *', 'Asia/Shanghai', '2026-03-01T12:00:00Z')).toBe('2026-03-01T18:00:00Z');
  });

  it.each<[string, string, string, string, string]>([
    ['does not come on the day that skips it', '30 2 * * *', 'America/New_York', '2026-03-08T05:00:00Z', '2026-03-09T06:30:00Z'],
    ['does not come on the day that skips it in Europe', '0 2 * * *', 'Europe/Berlin', '2026-03-29T00:30:00Z', '2026-03-30T00:00:00Z'],
    ['does not come in the half hour that is skipped', '15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00:00Z', '2026-10-04T15:15:00Z'],
    ['goes from hour to hour over the gap', '0 * * * *', 'America/New_York', '2026-03-08T06:00:00Z', '2026-03-08T07:00:00Z'],
    ['comes in the first of two hours', '30 1 * * *', 'America/New_York', '2026-11-01T05:00:00Z', '2026-11-01T05:30:00Z'],
    ['comes in the second of two hours', '30 1 * * *', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z'],
    ['does not come a third time', '30 1 * * *', 'America/New_York', '2026-11-01T06:30:00Z', '2026-11-02T06:30:00Z'],
    ['takes what is left of the first hour first', '10,50 1 * * *', 'America/New_York', '2026-11-01T05:20:00Z', '2026-11-01T05:50:00Z'],
    ['takes the second hour from its beginning', '10,50 1 * * *', 'America/New_York', '2026-11-01T05:50:00Z', '2026-11-01T06:10:00Z'],
    ['comes twice in Europe', '30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
  ])('where the clock is changed %s', (_, schedule, timeZone, now, wanted) => {
    expect(next(schedule, timeZone, now)).toBe(wanted);
  });

  it.each<[string, string, string]>([
    ['@every 1h', '2026-03-01T11:30:20Z', '2026-03-01T12:30:20Z'],
    ['@every 1h30m', '2026-03-01T11:30:00Z', '2026-03-01T13:00:00Z'],
    ['@every 1.5h', '2026-02-01T00:00:00Z', '2026-03-01T13:30:00Z'],
    ['@every 90s', '2026-03-01T11:59:30Z', '2026-03-01T12:01:00Z'],
    ['@every 10ms', '2026-03-01T11:59:30Z', '2026-03-01T12:00:01Z'],
    ['@every 1h', '2026-03-01T12:00:00Z', '2026-03-01T13:00:00Z'],
  ])('of %s counts from the last one: after %s it is %s', (schedule, since, wanted) => {
    expect(next(schedule, undefined, '2026-03-01T12:00:00Z', since)).toBe(wanted);
  });

  it.each([
    ['', '* * * *', '* * * * * *', ', * * * *'],
    ['60 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 13 *', '* * * * 7', '-1 * * * *'],
    ['5-1 * * * *', '*/0 * * * *', '1-2-3 * * * *', '1/2/3 * * * *'],
    ['L * * * *', '* * L * *', '* * * * 5#2', 'H * * * *', 'x * * * *', '* * * foo *'],
    ['@reboot', '@Daily', ' @daily', '@every', '@every x', '@every 1', '@every -1h', '@every 99999999999999h'],
    ['TZ=Asia/Nowhere * * * * *', 'TZ=Asia/Shanghai', 'TZ=+08:00 * * * * *'],
    [`* * * * ${'0,'.repeat(5_000)}1`, '\0', '* * * * \u{1f4a3}'],
  ])('never comes where Kubernetes takes no such schedule (%j and the like)', (...schedules) => {
    expect(schedules.map((schedule) => next(schedule, undefined, '2026-03-01T00:00:00Z'))).toEqual(schedules.map(() => undefined));
  });

  it.each(['Asia/Nowhere', '+08:00', '../etc/passwd', 'x'.repeat(10_000)])(
    'never comes in a time zone that there is not: %.20s',
    (timeZone) => {
      expect(next('* * * * *', timeZone, '2026-03-01T00:00:00Z')).toBeUndefined();
      expect(next('TZ=UTC * * * * *', timeZone, '2026-03-01T00:00:00Z')).toBeUndefined();
    },
  );

  it.each([Number.NaN, Infinity, -Infinity, 8.64e15, -8.64e15, 1e300])(
    'is asked for at the impossible time %p without an error',
    (nowMs) => {
      expect(nextRun('0 3 * * *', 'Asia/Shanghai', { nowMs, sinceMs: nowMs })).toBeUndefined();
      expect(() => nextRun('@every 1h', undefined, { nowMs, sinceMs: nowMs })).not.toThrow();
    },
  );
});

describe('a cron job', () => {
  const nowMs = Date.parse('2026-03-01T12:00:00Z');
  const cronJob = (spec: object, more: object = {}): string | undefined => recordOf(cronJobs, { spec, ...more }).nextScheduledAt(nowMs);

  it('runs next by its schedule and its time zone', () => {
    expect(cronJob({ schedule: '0 3 * * *', timeZone: 'Asia/Shanghai' })).toBe('2026-03-01T19:00:00Z');
    expect(cronJob({ schedule: '0 3 * * *' })).toBe('2026-03-02T03:00:00Z');
  });

  it('counts @every from its last run, or from when it was made', () => {
    expect(cronJob({ schedule: '@every 1h' }, { status: { lastScheduleTime: '2026-03-01T11:10:00Z' } })).toBe('2026-03-01T12:10:00Z');
    expect(cronJob({ schedule: '@every 1h' }, { metadata: { creationTimestamp: '2026-01-01T00:20:00Z' } })).toBe('2026-03-01T12:20:00Z');
  });

  it('does not run next while it is suspended, and never once it is to be deleted', () => {
    expect(cronJob({ schedule: '0 3 * * *', suspend: true })).toBeUndefined();
    expect(cronJob({ schedule: '0 3 * * *' }, { metadata: { deletionTimestamp: '2026-03-01T11:00:00Z' } })).toBeUndefined();
  });

  it.each([{}, { schedule: 5 }, { schedule: ['* * * * *'] }, { schedule: '* * * *' }, { schedule: '* * * * *', timeZone: 'Moon/Base' }])(
    'with %j runs never',
    (spec) => {
      expect(cronJob(spec)).toBeUndefined();
    },
  );
});
