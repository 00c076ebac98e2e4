import { buildSchema, execute, GraphQLError, parse, validate, type GraphQLFormattedError } from 'graphql';
import { errorCodes, GatewayError } from '../../../src/errors.js';
import { formatError } from '../../../src/schema/format-error.js';

let failures: unknown[];
beforeEach(() => {
  failures = [];
});

const format = (error: unknown): GraphQLFormattedError =>
  formatError(error, { requestId: 'r-1', onFailure: (failure) => failures.push(failure) });
const codeOf = (error: unknown): unknown => format(error).extensions?.['code'];

const schema = buildSchema('type Query { echo(n: Int, list: [Int!], needed: Int!): String text: String }');

describe('what the gateway means to say', () => {
  it.each(errorCodes.filter((code) => code !== 'INTERNAL'))('with the code %s keeps code and message, and is no failure', (code) => {
    expect(format(new GatewayError(code, 'for the client'))).toEqual({ message: 'for the client', extensions: { code, requestId: 'r-1' } });
    expect(failures).toEqual([]);
  });

  it('is found under the layers that graphql-js and Apollo put around it, with the place of the outermost', () => {
    const meant = new GatewayError('NOT_FOUND', 'There is none.');
    const inner = new GraphQLError('There is none.', { originalError: meant });
    const outer = new GraphQLError('wrapped', { originalError: inner, path: ['pods', 0, 'node'] });
    expect(format(outer)).toEqual({
      message: 'There is none.',
      path: ['pods', 0, 'node'],
      extensions: { code: 'NOT_FOUND', requestId: 'r-1' },
    });
  });

  it('tells field and causes, and never the cause that is for the log', () => {
    const causes = [{ field: 'metadata.name', reason: 'FieldValueInvalid', message: 'no' }];
    const cause = new Error('https://10.0.0.1:6443 said no');
    expect(format(new GatewayError('INVALID', 'no', { field: 'input.name', causes, cause }))).toEqual({
      message: 'no',
      extensions: { code: 'INVALID', requestId: 'r-1', field: 'input.name', causes },
    });
  });
});

describe('a failure', () => {
  const masked = { message: 'Something went wrong inside the gateway.', extensions: { code: 'INTERNAL', requestId: 'r-1' } };

  it.each([
    ['an error', new Error('secret')],
    ['a text', 'secret'],
    ['nothing', undefined],
    ['null', null],
    ['an object', { message: 'secret', extensions: { code: 'FORBIDDEN' } }],
    ['an object without a prototype', Object.create(null) as object],
    ['a symbol', Symbol('secret')],
    ['an INTERNAL of the gateway', new GatewayError('INTERNAL', 'secret')],
    ['an error in a GraphQLError', new GraphQLError('secret', { originalError: new Error('secret') })],
    ['a GraphQLError with a code that is none of ours', new GraphQLError('secret', { extensions: { code: 'DOWNSTREAM' } })],
    ['a GraphQLError with a code that is no text', new GraphQLError('secret', { extensions: { code: { toString: 'x' } } })],
    ['a GraphQLError of a resolver', new GraphQLError('secret', { path: ['a'], originalError: new GraphQLError('secret') })],
    ['an error of many causes', new AggregateError([new GatewayError('FORBIDDEN', 'secret')], 'secret')],
    ['an error whose code is that of a system call', Object.assign(new Error('connect ECONNREFUSED secret'), { code: 'ECONNREFUSED' })],
  ])('that is %s is masked, and told whole to the log', (_what, error) => {
    expect(format(error)).toMatchObject(masked);
    expect(JSON.stringify(format(error))).not.toContain('secret');
    expect(failures).toHaveLength(2);
  });

  it('is logged as what was thrown, not as what was put around it', () => {
    const thrown = new Error('secret');
    format(new GraphQLError('secret', { originalError: thrown, path: ['a'] }));
    expect(failures).toEqual([thrown]);
  });

  it('keeps its place', () => {
    const error = new GraphQLError('secret', { originalError: new Error('secret'), path: ['a', 0] });
    expect(format(error)).toMatchObject({ path: ['a', 0] });
  });

  it('hides one that goes round in a circle', () => {
    const circle = new GraphQLError('secret');
    Object.defineProperty(circle, 'originalError', { value: circle });
    expect(codeOf(circle)).toBe('INTERNAL');
  });
});

describe('what is wrong with a request', () => {
  it.each([
    'GRAPHQL_PARSE_FAILED',
    'GRAPHQL_VALIDATION_FAILED',
    'BAD_REQUEST',
    'BAD_USER_INPUT',
    'OPERATION_RESOLUTION_FAILURE',
    'PERSISTED_QUERY_NOT_FOUND',
    'PERSISTED_QUERY_NOT_SUPPORTED',
  ])('keeps Apollo’s code %s', (code) => {
    expect(format(new GraphQLError('wrong', { extensions: { code } }))).toEqual({
      message: 'wrong',
      extensions: { code, requestId: 'r-1' },
    });
  });

  it('loses whatever else stood in its extensions', () => {
    const error = new GraphQLError('wrong', { extensions: { code: 'BAD_REQUEST', stacktrace: ['at secret'], http: { status: 400 } } });
    expect(format(error).extensions).toEqual({ code: 'BAD_REQUEST', requestId: 'r-1' });
  });

  it('is told apart where graphql-js gives no code', async () => {
    let syntax: unknown;
    try {
      parse('{');
    } catch (error) {
      syntax = error;
    }
    expect(codeOf(syntax)).toBe('GRAPHQL_PARSE_FAILED');
    expect(codeOf(validate(schema, parse('{ nothing }'))[0])).toBe('GRAPHQL_VALIDATION_FAILED');
    const run = async (text: string, variableValues: Record<string, unknown> = {}) =>
      (await execute({ schema, document: parse(text), variableValues })).errors?.[0];
    expect(codeOf(await run('query ($n: Int!) { echo(n: $n, needed: 1) }'))).toBe('BAD_USER_INPUT');
    expect(codeOf(await run('query ($n: Int) { echo(n: $n, needed: 1) }', { n: 'x' }))).toBe('BAD_USER_INPUT');
    expect(codeOf(await run('query ($n: Int) { echo(needed: $n) }', {}))).toBe('BAD_USER_INPUT');
    expect(failures).toEqual([]);
  });
});
