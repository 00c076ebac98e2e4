import { GatewayError } from '../../../src/errors.js';
import { statusOf, StatusError, toGatewayError, toStatusError } from '../../../src/k8s/status-error.js';

const status = (code: number, reason: string, message = 'no', details?: object): object => ({
  kind: 'Status',
  status: 'Failure',
  code,
  reason,
  message,
  details,
});

describe('A Status', () => {
  test.each([
    [400, 'BadRequest', 'BAD_USER_INPUT'],
    [401, 'Unauthorized', 'UNAVAILABLE'],
    [403, 'Forbidden', 'FORBIDDEN'],
    [404, 'NotFound', 'NOT_FOUND'],
    [405, 'MethodNotAllowed', 'UNSUPPORTED'],
    [409, 'AlreadyExists', 'ALREADY_EXISTS'],
    [409, 'Conflict', 'CONFLICT'],
    [410, 'Expired', 'CONFLICT'],
    [413, 'RequestEntityTooLarge', 'BAD_USER_INPUT'],
    [415, 'UnsupportedMediaType', 'UNSUPPORTED'],
    [422, 'Invalid', 'INVALID'],
    [429, 'TooManyRequests', 'RATE_LIMITED'],
    [500, 'InternalError', 'UNAVAILABLE'],
    [503, 'ServiceUnavailable', 'UNAVAILABLE'],
    [504, 'Timeout', 'TIMEOUT'],
    [599, 'Surprise', 'UNAVAILABLE'],
  ])('%i %s becomes %s, in words of the gateway', (code, reason, expected) => {
    const error = toGatewayError(toStatusError(status(code, reason, 'secret words of 10.0.0.1'), 500));
    expect(error).toBeInstanceOf(GatewayError);
    expect(error.code).toBe(expected);
    expect(error.message).not.toContain('secret');
    expect(statusOf(error)).toMatchObject({ status: code, reason, message: 'secret words of 10.0.0.1' });
  });

  test('of a quota is told apart from what is not allowed', () => {
    const error = toGatewayError(
      toStatusError(status(403, 'Forbidden', 'pods "a" is forbidden: exceeded quota: q, requested: cpu=1'), 403),
    );
    expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED', message: 'A quota of the namespace is exceeded.' });
  });

  const causes = [{ field: 'spec.replicas', reason: 'FieldValueInvalid', message: 'must be positive', more: 1 }, 'odd', { field: 5 }];

  test('that refuses an object hands its causes on, as far as they are any', () => {
    const error = toGatewayError(toStatusError(status(422, 'Invalid', 'no', { causes }), 422));
    expect(error.causes).toEqual([{ field: 'spec.replicas', reason: 'FieldValueInvalid', message: 'must be positive' }, {}]);
  });

  test('that fails otherwise keeps its causes to itself', () => {
    expect(toGatewayError(toStatusError(status(500, 'InternalError', 'no', { causes }), 500)).causes).toBeUndefined();
  });

  test('may say how long to wait; the header wins', () => {
    const busy = status(429, 'TooManyRequests', 'no', { retryAfterSeconds: 3 });
    expect(toStatusError(busy, 429).retryAfterMs).toBe(3_000);
    expect(toStatusError(busy, 429, 500).retryAfterMs).toBe(500);
    expect(toStatusError('busy', 429, 500).retryAfterMs).toBe(500);
  });

  test('is not waited for longer than five minutes', () => {
    expect(toStatusError('busy', 429, Date.parse('2099-12-31')).retryAfterMs).toBe(300_000);
    expect(toStatusError(status(429, 'TooManyRequests', 'no', { retryAfterSeconds: 1e300 }), 429).retryAfterMs).toBe(300_000);
  });
});

test.each([
  ['a web page', '<html>'.repeat(1_000)],
  ['nothing', undefined],
  ['a list', []],
  ['an object without a code', { message: 5 }],
])('An answer that is %s goes by its HTTP status', (_, body) => {
  const error = toStatusError(body, 502);
  expect(error).toMatchObject({ status: 502, reason: undefined });
  expect(error.message.length).toBeLessThanOrEqual(500);
});

test('What was no answer has no status', () => {
  expect(statusOf(new GatewayError('UNAVAILABLE', 'x', { cause: new Error('ECONNREFUSED') }))).toBeUndefined();
  expect(statusOf(undefined)).toBeUndefined();
  expect(statusOf(new StatusError(410, 'Expired', ''))).toMatchObject({ status: 410 });
});
