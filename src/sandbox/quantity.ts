const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?\d{1,3}))?$/;
const decimals = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binaries = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const nano = 1_000_000_000n;

interface Parsed {
  /** Billionths, rounded away from zero. */
  readonly nanos: bigint;
  readonly format: 'decimal' | 'binary' | 'exponent';
}

function parse(text: string): Parsed | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = '', exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  let numerator = BigInt(`${whole}${fraction}`) * nano;
  let denominator = 10n ** BigInt(fraction.length);
  const binary = binaries.indexOf(suffix);
  const power = exponent === undefined ? (decimals.indexOf(suffix) - 3) * 3 : Number(exponent);
  if (binary > 0) numerator *= 1024n ** BigInt(binary);
  else if (power >= 0) numerator *= 10n ** BigInt(power);
  else denominator *= 10n ** BigInt(-power);
  const rounded = (numerator + denominator - 1n) / denominator;
  return { nanos: sign === '-' ? -rounded : rounded, format: binary > 0 ? 'binary' : exponent === undefined ? 'decimal' : 'exponent' };
}

/** A quantity as the API writes it back: `0.5` as `500m`, `1024Mi` as `1Gi`; undefined for what is none. */
export function canonicalQuantity(text: string): string | undefined {
  const parsed = parse(text);
  if (parsed === undefined) return undefined;
  const { format } = parsed;
  let { nanos } = parsed;
  if (nanos === 0n) return '0';
  const sign = nanos < 0n ? '-' : '';
  if (nanos < 0n) nanos = -nanos;
  if (format === 'binary' && nanos % nano === 0n && nanos >= 1024n * nano) {
    let value = nanos / nano;
    let step = 0;
    for (; step < binaries.length - 1 && value % 1024n === 0n; step++) value /= 1024n;
    return `${sign}${value}${binaries[step]}`;
  }
  let step = 0;
  for (; step < decimals.length - 1 && nanos % 1000n === 0n; step++) nanos /= 1000n;
  if (format !== 'exponent') return `${sign}${nanos}${decimals[step]}`;
  const power = (step - 3) * 3;
  return power === 0 ? `${sign}${nanos}` : `${sign}${nanos}e${power}`;
}

/** Less than 0 where `one` is the smaller; both have to be quantities. */
export function compareQuantities(one: string, other: string): number {
  const left = parse(one)?.nanos ?? 0n;
  const right = parse(other)?.nanos ?? 0n;
  return left < right ? -1 : left > right ? 1 : 0;
}
