import { buildSchema, execute, GraphQLSchema, parse, parseValue, validate, type GraphQLScalarType } from 'graphql';
import { BigInt, DateTime } from '../../../src/schema/scalars.js';

const literal = (scalar: GraphQLScalarType, text: string): unknown => scalar.parseLiteral(parseValue(text), {});

describe('DateTime', () => {
  it.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00.123456789Z', '2026-01-31T12:00:00.123Z'],
    ['2026-01-31T20:00:00+08:00', '2026-01-31T12:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('takes %s as an instant in UTC, from variables and literals', (text, instant) => {
    expect(DateTime.parseValue(text)).toBe(instant);
    expect(literal(DateTime, JSON.stringify(text))).toBe(instant);
  });

  it.each([
    '',
    'now',
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-13-01T12:00:00Z',
    '2026-01-31T25:00:00Z',
    '2026-01-31 12:00:00Z',
    '2026-01-31T12:00:00Z\u0000',
    '2026-01-31T12:00:00Z\n',
    '2026-01-31T12:00:00z; DROP',
    '+102026-01-31T12:00:00Z',
    `2026-01-31T12:00:00.${'1'.repeat(10_000)}Z`,
  ])('refuses %j', (text) => {
    expect(() => DateTime.parseValue(text)).toThrow('RFC 3339');
    expect(() => literal(DateTime, JSON.stringify(text))).toThrow('RFC 3339');
  });

  it.each([0, 1_769_860_800_000, true, null, {}, [], new Date(0)])('refuses %p, which is no text', (value) => {
    expect(() => DateTime.parseValue(value)).toThrow('RFC 3339');
  });

  it('sends what Kubernetes wrote as it is, whatever its precision', () => {
    for (const text of ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.123456Z']) expect(DateTime.serialize(text)).toBe(text);
  });

  it('sends other instants in UTC', () => {
    expect(DateTime.serialize('2026-01-31T20:00:00+08:00')).toBe('2026-01-31T12:00:00.000Z');
  });

  it.each(['yesterday', '', 7, null, undefined, {}])('never sends %p', (value) => {
    expect(() => DateTime.serialize(value)).toThrow(TypeError);
  });
});

describe('BigInt', () => {
  it.each([0, -1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1)])('takes and sends %d exactly', (value) => {
    expect(BigInt.parseValue(value)).toBe(value);
    expect(literal(BigInt, String(value))).toBe(value);
    expect(BigInt.serialize(value)).toBe(value);
  });

  it.each([2 ** 53, 1.5, NaN, Infinity, '7', true, null, {}, [7]])('refuses %p', (value) => {
    expect(() => BigInt.parseValue(value)).toThrow('whole number');
  });

  it.each(['9007199254740992', '1.0', '"7"', 'true', 'SEVEN', '[7]', `1${'0'.repeat(400)}`])('refuses the literal %s', (text) => {
    expect(() => literal(BigInt, text)).toThrow('whole number');
  });

  it('sends the whole part of what a sum came to', () => {
    expect(BigInt.serialize(1_500.75)).toBe(1_500);
    expect(BigInt.serialize(2 ** 60)).toBe(2 ** 60);
  });

  it.each([NaN, Infinity, '7', null, undefined])('never sends %p', (value) => {
    expect(() => BigInt.serialize(value)).toThrow(TypeError);
  });
});

it('tells the client which argument is none, before any resolver runs', async () => {
  const built = buildSchema('scalar DateTime scalar BigInt type Query { at(since: DateTime, bytes: BigInt): String }').toConfig();
  const schema = new GraphQLSchema(built);
  Object.assign(schema.getType('DateTime') as object, { parseValue: DateTime.parseValue, parseLiteral: DateTime.parseLiteral });
  Object.assign(schema.getType('BigInt') as object, { parseValue: BigInt.parseValue, parseLiteral: BigInt.parseLiteral });
  expect(validate(schema, parse('{ at(since: "x", bytes: 1.5) }')).map(({ message }) => message)).toEqual([
    expect.stringContaining('DateTime must be') as string,
    expect.stringContaining('BigInt must be') as string,
  ]);
  const document = parse('query ($since: DateTime) { at(since: $since) }');
  const { data, errors } = await execute({ schema, document, variableValues: { since: 'x' } });
  expect(data).toBeUndefined();
  expect(errors?.[0]?.message).toContain('"$since"');
});
