import { formatQuantity, parseQuantity, toCores, toWhole } from '../../../src/domain/quantities.js';
import { seededRandom } from './records.js';

const billion = 1_000_000_000n;

describe('a quantity', () => {
  it.each<[string | number, bigint]>([
    ['0', 0n],
    ['1', billion],
    ['500m', 500_000_000n],
    ['0.5', 500_000_000n],
    ['.5', 500_000_000n],
    ['5.', 5n * billion],
    ['+2', 2n * billion],
    ['-1', -billion],
    ['100n', 100n],
    ['7u', 7_000n],
    ['1k', 1_000n * billion],
    ['1M', 1_000_000n * billion],
    ['1e3', 1_000n * billion],
    ['1E3', 1_000n * billion],
    ['1E', 10n ** 18n * billion],
    ['12e-1', 1_200_000_000n],
    ['1Ki', 1_024n * billion],
    ['1.5Gi', (3n * 2n ** 30n * billion) / 2n],
    ['8Ei', (2n ** 63n - 1n) * billion],
    [2, 2n * billion],
    [0.25, 250_000_000n],
  ])('reads %s', (text, nanos) => {
    expect(parseQuantity(text)).toBe(nanos);
  });

  it('rounds what is finer than a billionth away from zero, so that something is never nothing', () => {
    expect([parseQuantity('0.0000000001'), parseQuantity('-0.0000000001'), parseQuantity('1.0000000001'), parseQuantity('1e-99')]).toEqual([
      1n,
      -1n,
      billion + 1n,
      1n,
    ]);
  });

  it('holds what is larger than 64 bits at that', () => {
    const largest = (2n ** 63n - 1n) * billion;
    expect([parseQuantity('1e30'), parseQuantity('99999999999999999999999'), parseQuantity('100E')]).toEqual([largest, largest, largest]);
    expect(parseQuantity('9'.repeat(60))).toBe(largest);
  });

  it.each<unknown>([
    '',
    ' ',
    '1 ',
    'm',
    '.',
    '+',
    'e3',
    '1K',
    '1ki',
    '1Mi2',
    '1e',
    '1e3k',
    '0x10',
    '1_000',
    'Infinity',
    'NaN',
    '１',
    '9'.repeat(65),
    '1e99999999999',
    null,
    undefined,
    true,
    {},
    ['1'],
    Number.NaN,
    Infinity,
  ])('is none: %p', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it('with an enormous exponent takes no time', () => {
    const startedAt = performance.now();
    expect([parseQuantity('1e9999999999'), parseQuantity('1e-9999999999')]).toEqual([(2n ** 63n - 1n) * billion, 1n]);
    expect(performance.now() - startedAt).toBeLessThan(100);
  });

  it.each<[string, 'decimal' | 'binary', string]>([
    ['0', 'decimal', '0'],
    ['1000m', 'decimal', '1'],
    ['1500m', 'decimal', '1500m'],
    ['1000', 'decimal', '1k'],
    ['1e6', 'decimal', '1M'],
    ['0.000001', 'decimal', '1u'],
    ['1024', 'binary', '1Ki'],
    ['1023', 'binary', '1023'],
    ['1536', 'binary', '1536'],
    ['1.5Gi', 'binary', '1536Mi'],
    ['-2Mi', 'binary', '-2Mi'],
    ['0.5', 'binary', '500m'],
  ])('%s (%s) is written %s, as Kubernetes writes it', (text, format, wanted) => {
    expect(formatQuantity(parseQuantity(text) ?? -1n, format)).toBe(wanted);
  });

  it('that was written is read as it was', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 2_000; round += 1) {
      const digits = Array.from({ length: 1 + Math.floor(random() * 24) }, () => Math.floor(random() * 10)).join('');
      const nanos = BigInt(digits) * (random() < 0.2 ? -1n : 1n);
      if (nanos > (2n ** 63n - 1n) * billion || nanos < -(2n ** 63n - 1n) * billion) continue;
      expect([nanos, parseQuantity(formatQuantity(nanos, 'decimal')), parseQuantity(formatQuantity(nanos, 'binary'))]).toEqual([
        nanos,
        nanos,
        nanos,
      ]);
    }
  });

  it('is the sum of its digits, its point and its suffix, whatever they are', () => {
    const random = seededRandom(11);
    const factors: readonly (readonly [string, bigint, bigint])[] = [
      ['n', 1n, billion],
      ['u', 1n, 1_000_000n],
      ['m', 1n, 1_000n],
      ['', 1n, 1n],
      ['k', 1_000n, 1n],
      ['G', 10n ** 9n, 1n],
      ['Ki', 1_024n, 1n],
      ['Ti', 2n ** 40n, 1n],
      ['e2', 100n, 1n],
      ['E-2', 1n, 100n],
    ];
    for (let round = 0; round < 2_000; round += 1) {
      const whole = BigInt(Math.floor(random() * 1e6));
      const fraction = Math.floor(random() * 1_000);
      const [suffix, factor, divisor] = factors[Math.floor(random() * factors.length)] ?? ['', 1n, 1n];
      const thousandths = (whole * 1_000n + BigInt(fraction)) * factor * billion;
      const exact = 1_000n * divisor;
      const wanted = thousandths / exact + (thousandths % exact === 0n ? 0n : 1n);
      const text = `${whole}.${String(fraction).padStart(3, '0')}${suffix}`;
      expect([text, parseQuantity(text)]).toEqual([text, wanted]);
    }
  });

  it('is cores to the billionth, and whole bytes rounded up', () => {
    expect([toCores(100_000_000n), toCores(1n), toCores(3n * billion)]).toEqual([0.1, 1e-9, 3]);
    expect([toWhole(1n), toWhole(billion), toWhole(billion + 1n), toWhole(-1n), toWhole(10n ** 30n)]).toEqual([
      1,
      1,
      2,
      -1,
      Number.MAX_SAFE_INTEGER,
    ]);
  });
});
