import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

// What comes from clients is checked here, before any resolver runs. What goes out was checked where it was read: `serialize` throws only where the
// gateway itself is wrong, and never an error with a code, because a compiled query would lose it.

const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

function toInstant(text: string): string | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

function parseInstant(text: unknown): string {
  const found = typeof text === 'string' && instant.test(text) ? toInstant(text) : undefined;
  if (found === undefined) throw new GraphQLError('DateTime must be an RFC 3339 instant, such as `2026-01-31T12:00:00Z`.');
  return found;
}

/** Kubernetes writes RFC 3339 in UTC: such text is passed on as it is, whatever its precision. */
const utcText = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;

export const DateTime = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  description: 'RFC 3339 instant in UTC.',
  serialize: (value) => {
    if (typeof value === 'string' && utcText.test(value)) return value;
    const found = typeof value === 'string' ? toInstant(value) : undefined;
    if (found === undefined) throw new TypeError('A DateTime that is no instant was about to be sent.');
    return found;
  },
  parseValue: parseInstant,
  parseLiteral: (node) => parseInstant(node.kind === Kind.STRING ? node.value : undefined),
});

function parseWhole(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new GraphQLError('BigInt must be a whole number between -(2^53-1) and 2^53-1.');
  }
  return value;
}

export const BigInt = new GraphQLScalarType<number, number>({
  name: 'BigInt',
  description: 'Whole number that may exceed 32 bits (bytes); a JSON number, exact up to 2^53-1.',
  serialize: (value) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError('A BigInt that is no number was about to be sent.');
    return Math.trunc(value);
  },
  parseValue: parseWhole,
  parseLiteral: (node) => parseWhole(node.kind === Kind.INT ? Number(node.value) : undefined),
});
