import { SandboxClock } from '../../../src/sandbox/clock.js';
import { EventRecorder } from '../../../src/sandbox/controllers/events.js';
import { WorkLoop, type Controller, type Queue } from '../../../src/sandbox/controllers/work.js';
import { MemoryStorage } from '../../../src/sandbox/memory-storage.js';
import { hash32, Random, safeEncode } from '../../../src/sandbox/random.js';
import { isTimeZone, parseSchedule } from '../../../src/sandbox/schedule.js';
import { badRequest } from '../../../src/sandbox/status.js';

const startAtMs = Date.parse('2026-03-01T12:00:00Z');

describe('the clock of an embedded cluster', () => {
  const make = (options: object = {}): SandboxClock => new SandboxClock({ now: () => startAtMs, ...options });

  test('stands still until it is advanced, and stops at every timer on the way', async () => {
    const clock = make();
    const seen: [string, number][] = [];
    const note = (name: string) => (): void => void seen.push([name, clock.now() - startAtMs]);
    clock.after(500, note('b'));
    clock.after(100, () => {
      note('a')();
      clock.after(50, note('within'));
    });
    clock.after(5_000, note('later'));
    clock.after(200, note('never'))();
    await clock.advance(1_000);
    expect(seen).toEqual([
      ['a', 100],
      ['within', 150],
      ['b', 500],
    ]);
    expect(clock.now()).toBe(startAtMs + 1_000);
    expect(clock.instant(500)).toBe('2026-03-01T12:00:01Z');
  });

  test('keeps the order of timers of one moment', async () => {
    const clock = make();
    const seen: number[] = [];
    for (let index = 0; index < 100; index++) clock.after(10, () => seen.push(index));
    await clock.advance(10);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  test('lets everything come to rest before time passes', async () => {
    let unrest = 3;
    const clock = make({ settle: () => (unrest === 0 ? undefined : Promise.resolve().then(() => void unrest--)) });
    let seen = -1;
    clock.after(1, () => {
      seen = unrest;
      unrest = 0;
    });
    await clock.advance(10);
    expect(seen).toBe(2);
  });

  test('runs at its speed, and cannot be advanced then', async () => {
    let realMs = startAtMs;
    const clock = make({ now: () => realMs, speed: 60 });
    await clock.advance(1_000);
    clock.run();
    realMs += 500;
    expect(clock.now()).toBe(startAtMs + 31_000);
    await expect(clock.advance(1)).rejects.toThrow('cannot be advanced');
    realMs -= 10_000;
    expect(clock.now()).toBeGreaterThanOrEqual(startAtMs + 1_000);
    clock.stop();
  });

  test('fires timers by itself while it runs, and none once it is stopped', async () => {
    const clock = new SandboxClock({ now: () => performance.now(), speed: 1_000 });
    clock.run();
    await new Promise<void>((resolve) => clock.after(5_000, resolve));
    let isLate = false;
    clock.after(10, () => (isLate = true));
    clock.stop();
    const other = new SandboxClock({ now: () => performance.now(), speed: 1_000 });
    other.run();
    await new Promise<void>((resolve) => other.after(5_000, resolve));
    expect(isLate).toBe(false);
  });
});

describe('the work of controllers', () => {
  const make = (sync: (key: string, queue: Queue) => void): { loop: WorkLoop; queue: Queue; clock: SandboxClock; reports: unknown[] } => {
    const reports: unknown[] = [];
    const clock: SandboxClock = new SandboxClock({ now: () => startAtMs, settle: () => loop.settle() });
    const storage = new MemoryStorage({ now: clock.now });
    const loop = new WorkLoop({ storage, clock }, (error, at) => reports.push([(error as Error).message, at]));
    let own: Queue | undefined;
    loop.add((queue): Controller => {
      own = queue;
      return { name: 'test', observe: () => undefined, sync: (key) => sync(key, queue) };
    });
    if (own === undefined) throw new Error('no queue');
    return { loop, queue: own, clock, reports };
  };

  test('looks at each key once, however often it was added', async () => {
    const seen: string[] = [];
    const { queue, clock } = make((key) => seen.push(key));
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
    await clock.advance(0);
    expect(seen).toEqual(['a', 'b']);
  });

  test('of several delays for one key, the shortest counts, and adding it at once ends them all', async () => {
    const seen: number[] = [];
    const { queue, clock } = make(() => seen.push(clock.now() - startAtMs));
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    await clock.advance(1_000);
    expect(seen).toEqual([100]);
    queue.addAfter('a', 500);
    queue.add('a');
    await clock.advance(1_000);
    expect(seen).toEqual([100, 1_000]);
  });

  test('is tried again after failures, later each time; only bugs are reported', async () => {
    const times: number[] = [];
    const { queue, clock, reports } = make((key) => {
      times.push(clock.now() - startAtMs);
      if (key === 'refused') throw badRequest('no');
      if (times.length < 4) throw new Error('a bug');
    });
    queue.add('refused');
    await clock.advance(36);
    expect(times).toEqual([0, 5, 15, 35]);
    expect(reports).toEqual([]);
    queue.add('broken');
    times.length = 0;
    await clock.advance(10);
    expect(reports).toContainEqual(['a bug', { controller: 'test', key: 'broken' }]);
  });

  test('gives way to the event loop when there is much of it', async () => {
    let synced = 0;
    const { loop, queue } = make(() => {
      const endMs = performance.now() + 1;
      while (performance.now() < endMs);
      synced++;
    });
    for (let index = 0; index < 100; index++) queue.add(String(index));
    const rest = loop.settle();
    expect(synced).toBeGreaterThan(0);
    expect(synced).toBeLessThan(30);
    await rest;
    expect(synced).toBe(100);
  });

  test('ends when it is stopped', async () => {
    let synced = 0;
    const { loop, queue, clock } = make(() => synced++);
    loop.stop();
    queue.add('a');
    await clock.advance(1_000);
    expect(synced).toBe(0);
  });
});

describe('events of an embedded cluster', () => {
  const make = (): { storage: MemoryStorage; clock: SandboxClock; record: (message: string, more?: object) => void } => {
    const clock = new SandboxClock({ now: () => startAtMs });
    const storage = new MemoryStorage({ now: clock.now });
    const recorder = new EventRecorder(storage, clock, true);
    const object = storage.create('configmaps', { metadata: { name: 'one', namespace: 'default' } });
    return {
      storage,
      clock,
      record: (message, more = {}) => recorder.record(object, { type: 'Normal', reason: 'Tested', message, component: 'test', ...more }),
    };
  };

  test('say what happened to which object, and count what happens again', async () => {
    const { storage, clock, record } = make();
    record('hello', { host: 'node-1', fieldPath: 'spec.x' });
    await clock.advance(60_000);
    record('hello', { host: 'node-1', fieldPath: 'spec.x' });
    expect(storage.list('events')).toMatchObject([
      {
        metadata: { namespace: 'default', name: expect.stringMatching(/^one\./) },
        involvedObject: { kind: 'ConfigMap', apiVersion: 'v1', name: 'one', namespace: 'default', fieldPath: 'spec.x' },
        reason: 'Tested',
        message: 'hello',
        type: 'Normal',
        count: 2,
        source: { component: 'test', host: 'node-1' },
        firstTimestamp: '2026-03-01T12:00:00Z',
        lastTimestamp: '2026-03-01T12:01:00Z',
      },
    ]);
  });

  test('that are many and alike are told as one', () => {
    const { storage, record } = make();
    for (let index = 0; index < 30; index++) record(`message ${index}`);
    const events = storage.list('events');
    expect(events).toHaveLength(11);
    const combined = events.find(({ message }) => String(message).startsWith('(combined from similar events): '));
    expect(combined).toMatchObject({ message: '(combined from similar events): message 29', count: 20 });
  });

  test('are forgotten after an hour of silence', async () => {
    const { storage, clock, record } = make();
    record('first');
    await clock.advance(1_800_000);
    record('second');
    await clock.advance(1_801_000);
    expect(storage.list('events').map(({ message }) => String(message))).toEqual(['second']);
    await clock.advance(1_801_000);
    expect(storage.list('events')).toEqual([]);
  });

  test('of a namespace that ends are not told, and nothing fails', () => {
    const { storage, record } = make();
    storage.create('namespaces', { metadata: { name: 'shop', finalizers: ['example.org/hold'] } });
    const object = storage.create('configmaps', { metadata: { name: 'one', namespace: 'shop' } });
    storage.delete('namespaces', undefined, 'shop');
    new EventRecorder(storage, new SandboxClock({ now: () => startAtMs }), true).record(object, {
      type: 'Normal',
      reason: 'R',
      message: 'm',
      component: 'c',
    });
    expect(storage.list('events', 'shop')).toEqual([]);
    record('elsewhere');
    expect(storage.list('events')).toHaveLength(1);
  });
});

describe('schedules', () => {
  const at = (text: string): number => Date.parse(text);
  test.each([
    ['*/15 * * * *', undefined, '2026-03-01T12:00:00Z', '2026-03-01T12:15:00Z', '2026-03-01T12:00:00Z'],
    ['*/15 * * * *', undefined, '2026-03-01T12:00:01Z', '2026-03-01T12:15:00Z', '2026-03-01T12:00:00Z'],
    ['@hourly', undefined, '2026-03-01T12:30:00Z', '2026-03-01T13:00:00Z', '2026-03-01T12:00:00Z'],
    ['@midnight', 'Asia/Shanghai', '2026-03-01T12:00:00Z', '2026-03-01T16:00:00Z', '2026-02-28T16:00:00Z'],
    ['30 2 * * MON-FRI', undefined, '2026-03-01T12:00:00Z', '2026-03-02T02:30:00Z', '2026-02-27T02:30:00Z'],
    ['0 0 1 jan ?', undefined, '2026-03-01T12:00:00Z', '2027-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
  ])('%s in %s at %s comes next at %s, and came last at %s', (text, zone, now, next, last) => {
    const schedule = parseSchedule(text, zone);
    expect(new Date(schedule?.next(at(now)) ?? 0).toISOString()).toBe(new Date(next).toISOString());
    expect(new Date(schedule?.last(at(now), 0) ?? 0).toISOString()).toBe(new Date(last).toISOString());
  });

  test('go on from time to time without a gap', () => {
    const schedule = parseSchedule('0 */6 * * *');
    const times: string[] = [];
    for (let now = at('2026-03-01T01:00:00Z'); times.length < 3;)
      times.push(new Date((now = schedule?.next(now) ?? Infinity)).toISOString());
    expect(times).toEqual(['2026-03-01T06:00:00.000Z', '2026-03-01T12:00:00.000Z', '2026-03-01T18:00:00.000Z']);
  });

  test('may count from the last time', () => {
    const schedule = parseSchedule('@every 1h30m');
    expect(schedule?.last(startAtMs + 200 * 60_000, startAtMs)).toBe(startAtMs + 180 * 60_000);
    expect(schedule?.last(startAtMs + 60_000, startAtMs)).toBe(-Infinity);
    expect(schedule?.next(startAtMs)).toBe(startAtMs + 90 * 60_000);
  });

  test('may never come', () => {
    expect(parseSchedule('0 0 31 2 *')?.next(startAtMs)).toBe(Infinity);
  });

  test.each(['', '* * * *', '* * * * * *', '60 * * * *', '* * L * *', 'H * * * *', '@often', '@every soon', '0 0 32 * *', '0 0 * * 1#2'])(
    '%j is none',
    (text) => {
      expect(parseSchedule(text)).toBeUndefined();
    },
  );

  test('have zones of the list alone', () => {
    expect(['UTC', 'Asia/Shanghai', 'Europe/Zurich'].map(isTimeZone)).toEqual([true, true, true]);
    expect(['', 'Local', 'Mars/Base', '+08:00'].map(isTimeZone)).toEqual([false, false, false, false]);
    expect(parseSchedule('* * * * *', 'Mars/Base')).toBeUndefined();
  });
});

describe('chance in an embedded cluster', () => {
  test('depends on its seed alone', () => {
    const draw = (seed: number | string): unknown[] => {
      const random = new Random(seed);
      return [random.next(), random.between(5, 6), random.integer(1, 3), random.pick(['a', 'b']), random.suffix()];
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(new Random(1).pick([])).toBeUndefined();
  });

  test('stays within its bounds', () => {
    const random = new Random('bounds');
    const drawn = new Set(Array.from({ length: 1_000 }, () => random.integer(1, 3)));
    expect([...drawn].sort()).toEqual([1, 2, 3]);
    for (let index = 0; index < 1_000; index++) expect(random.next()).toBeLessThan(1);
  });

  test('hashes make names that are safe', () => {
    expect(hash32('a')).not.toBe(hash32('b'));
    expect(safeEncode(hash32('a'))).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]+$/);
  });
});
