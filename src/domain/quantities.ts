const billion = 1_000_000_000n;
/** Kubernetes holds no more than a signed 64-bit number of units. */
const maxNanos = (2n ** 63n - 1n) * billion;

const quantityPattern = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d{1,10})?$/;
const binaryFactors: Readonly<Record<string, bigint>> = {
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
  Ei: 2n ** 60n,
};
const decimalExponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** Longer than any number that means anything; what is longer is no quantity. */
const maxTextLength = 64;
const maxCached = 10_000;
let cache = new Map<string, bigint | null>();

/**
 * A Kubernetes quantity, such as `500m`, `2Gi`, `1e3` or `1.5`, in billionths. As Kubernetes reads it: what is finer than a billionth is
 * rounded away from zero, what is larger than 2^63-1 units is held at that. A JSON number is read as its text.
 *
 * @returns undefined for what is no quantity.
 */
export function parseQuantity(quantity: unknown): bigint | undefined {
  const text = typeof quantity === 'number' ? String(quantity) : quantity;
  if (typeof text !== 'string' || text.length > maxTextLength) return undefined;
  let nanos = cache.get(text);
  if (nanos === undefined) {
    nanos = parse(text) ?? null;
    if (cache.size >= maxCached) cache = new Map();
    cache.set(text, nanos);
  }
  return nanos ?? undefined;
}

function parse(text: string): bigint | undefined {
  const match = quantityPattern.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  const magnitude = digits === 0n ? 0n : scale(digits, fraction.length, suffix);
  return sign === '-' ? -magnitude : magnitude;
}

/** `digits` / 10^`fractionDigits` × `suffix`, in billionths. */
function scale(digits: bigint, fractionDigits: number, suffix: string): bigint {
  const binary = binaryFactors[suffix];
  const exponent = binary === undefined ? (decimalExponents[suffix] ?? (suffix === '' ? 0 : Number(suffix.slice(1)))) : 0;
  const power = 9 + exponent - fractionDigits;
  // Far outside of what is kept either way; an exponent from outside must not make a number of a million digits.
  if (power > 60) return maxNanos;
  if (power < -90) return 1n;
  const factor = binary ?? 1n;
  const nanos = power >= 0 ? digits * factor * 10n ** BigInt(power) : divideUp(digits * factor, 10n ** BigInt(-power));
  return nanos > maxNanos ? maxNanos : nanos;
}

/** Rounds away from zero, as Kubernetes does wherever it has to. `divisor` is positive. */
function divideUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  const rest = value % divisor;
  if (rest === 0n) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

/** Cores, for a quantity in billionths: exact wherever a JSON number can be. */
export function toCores(nanos: bigint): number {
  return Number(nanos) / 1e9;
}

/** Whole units (bytes, devices), rounded away from zero, and held at what a JSON number carries exactly. */
export function toWhole(nanos: bigint): number {
  const whole = Number(divideUp(nanos, billion));
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, whole));
}

const binarySuffixes = ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'] as const;
const decimalSuffixes: readonly (readonly [string, bigint])[] = [
  ['E', 10n ** 27n],
  ['P', 10n ** 24n],
  ['T', 10n ** 21n],
  ['G', 10n ** 18n],
  ['M', 10n ** 15n],
  ['k', 10n ** 12n],
  ['', 10n ** 9n],
  ['m', 10n ** 6n],
  ['u', 10n ** 3n],
  ['n', 1n],
];

/**
 * The canonical text of a quantity in billionths: no fraction, the largest suffix that leaves none. `binary` (memory) takes powers of 1024 where
 * the value is a whole number of at least 1024, as Kubernetes does.
 */
export function formatQuantity(nanos: bigint, format: 'decimal' | 'binary'): string {
  if (nanos === 0n) return '0';
  const magnitude = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? '-' : '';
  if (format === 'binary' && magnitude % billion === 0n) {
    const units = magnitude / billion;
    if (units >= 1024n) {
      for (const suffix of binarySuffixes) {
        const factor = binaryFactors[suffix] ?? 1n;
        if (units % factor === 0n) return `${sign}${units / factor}${suffix}`;
      }
    }
    return `${sign}${units}`;
  }
  for (const [suffix, factor] of decimalSuffixes) {
    if (magnitude % factor === 0n) return `${sign}${magnitude / factor}${suffix}`;
  }
  return `${sign}${magnitude}n`;
}
