import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GatewayError } from '../../../src/errors.js';
import { Turns } from '../../../src/k8s/turns.js';
import { Budget } from '../../../src/schema/budget.js';

const roomy = { maxObjects: 20_000 };
const longTurns = (): Turns => new Turns(60_000);

function codeOf(take: () => unknown): string {
  try {
    take();
  } catch (error) {
    return (error as GatewayError).code;
  }
  return 'none';
}

function keepLoop(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

describe('a budget', () => {
  it('gives values back at once, and counts them', () => {
    const budget = new Budget(longTurns(), roomy);
    const value = {};
    expect(budget.take(3, value)).toBe(value);
    expect(budget.take(0, undefined)).toBeUndefined();
    expect(budget.objects).toBe(3);
  });

  it('is spent by the first object past its limit, with one error for all', () => {
    const budget = new Budget(longTurns(), { ...roomy, maxObjects: 10 });
    void budget.take(10, 'x');
    let first: unknown;
    try {
      void budget.take(1, 'x');
    } catch (error) {
      first = error;
    }
    expect(first).toMatchObject({ code: 'QUERY_TOO_COMPLEX', message: expect.stringContaining('10 objects') as string });
    expect(() => budget.take(0, 'x')).toThrow(first as Error);
    try {
      void budget.take(0, 'x');
    } catch (error) {
      expect(error).toBe(first);
    }
  });

  it('tells once who wants to end the operation, and answers nothing more', async () => {
    const told: GatewayError[] = [];
    const budget = new Budget(new Turns(0), { maxObjects: 2 });
    budget.whenSpent((error) => told.push(error));
    let answers = 0;
    for (let i = 0; i < 5; i++) void Promise.resolve(budget.take(1, 'x')).then(() => answers++);
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(told.map(({ code }) => code)).toEqual(['QUERY_TOO_COMPLEX']);
    expect(answers).toBe(2);
  });

  it('ends with its signal', () => {
    const end = new AbortController();
    const budget = new Budget(longTurns(), roomy, end.signal);
    void budget.take(1, 'x');
    end.abort();
    expect(codeOf(() => budget.take(1, 'x'))).toBe('TIMEOUT');
  });

  it('gives way once the slice is used up', async () => {
    const budget = new Budget(new Turns(5), { maxObjects: 100 });
    expect(budget.take(1, 'first')).toBe('first');
    keepLoop(6);
    const later = budget.take(1, 'second');
    expect(later).toBeInstanceOf(Promise);
    let others = 0;
    setImmediate(() => others++);
    expect(await later).toBe('second');
    await nextTurn();
    expect(others).toBe(1);
    expect(budget.take(1, 'third')).toBe('third');
  });
});

describe('turns of the loop', () => {
  it('shares one slice of a turn between all requests', async () => {
    const turns = new Turns(5);
    const [one, other] = [new Budget(turns, { maxObjects: 9 }), new Budget(turns, { maxObjects: 9 })];
    expect(one.take(1, 'x')).toBe('x');
    keepLoop(6);
    expect(other.take(1, 'x')).toBeInstanceOf(Promise);
    await nextTurn();
    await nextTurn();
    expect(other.take(1, 'x')).toBe('x');
  });

  it('lets those who wait on in their order, and what each sets going in between', async () => {
    const turns = new Turns(5);
    const order: string[] = [];
    const waiting = ['a', 'b', 'c'].map((name) =>
      turns.next().then(async () => {
        order.push(name);
        await Promise.resolve();
        order.push(`${name} goes on`);
      }),
    );
    await Promise.all(waiting);
    expect(order).toEqual(['a', 'a goes on', 'b', 'b goes on', 'c', 'c goes on']);
  });

  it('goes from owner to owner, whoever has more that waits', async () => {
    const turns = new Turns(5);
    const order: string[] = [];
    const wait = (owner: string, name: string): Promise<unknown> => turns.next(owner).then(() => order.push(name));
    await Promise.all([...['a1', 'a2', 'a3', 'a4'].map((name) => wait('a', name)), wait('b', 'b1'), wait('b', 'b2')]);
    expect(order).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
  });

  it('keeps timers and input going while a thousand wait', async () => {
    const turns = new Turns(5);
    let longestMs = 0;
    let lastMs = performance.now();
    let isOver = false;
    const watch = (): void => {
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
      if (!isOver) setTimeout(watch, 1);
    };
    watch();
    await Promise.all(Array.from({ length: 1_000 }, () => turns.next().then(() => keepLoop(0.2))));
    isOver = true;
    expect(longestMs).toBeLessThan(120);
    await turns.next();
  });
});
