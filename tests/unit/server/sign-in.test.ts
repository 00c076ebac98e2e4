import type { IncomingMessage } from 'node:http';
import { createLog } from '../../../src/server/log.js';
import { isLoopbackHost, Origins, tokenOfHeaders, tokenOfPayload } from '../../../src/server/sign-in.js';

const request = (headers: Record<string, string>): IncomingMessage => ({ headers }) as unknown as IncomingMessage;

it.each([
  [{ authorization: 'Bearer abc' }, 'abc'],
  [{ authorization: 'bearer   abc' }, 'abc'],
  [{ 'x-auth-token': ' abc ' }, 'abc'],
  [{ authorization: 'Bearer abc', 'x-auth-token': 'other' }, 'abc'],
])('finds a token in %j', (headers, token) => {
  expect(tokenOfHeaders(headers)).toBe(token);
  expect(tokenOfPayload(headers)).toBe(token);
});

it.each([
  {},
  { authorization: '' },
  { authorization: 'Bearer' },
  { authorization: 'Bearer ' },
  { authorization: 'Bearer a b' },
  { authorization: 'Basic YTpi' },
  { authorization: 'abc' },
  { authorization: ' Bearer abc' },
  { authorization: `Bearer ${'x'.repeat(8_193)}` },
  { 'x-auth-token': '' },
  { 'x-auth-token': '   ' },
  { 'x-auth-token': 'x'.repeat(8_193) },
  { authorization: 'nonsense', 'x-auth-token': 'good' },
])('finds none in %j, and says the same of each', (headers: Record<string, string>) => {
  const refusal = expect.objectContaining({ code: 'UNAUTHENTICATED', message: 'A valid token is needed.' }) as Error;
  expect(() => tokenOfHeaders(headers)).toThrow(refusal);
  expect(() => tokenOfPayload(headers)).toThrow(refusal);
});

it('finds none in a payload that is no map of texts', () => {
  for (const payload of [undefined, { authorization: 7 }, { authorization: ['Bearer abc'] }, { 'x-auth-token': { length: 3 } }]) {
    expect(() => tokenOfPayload(payload)).toThrow();
  }
});

describe('origins', () => {
  const origins = new Origins(['https://portal.example']);

  it.each([
    [{}, true],
    [{ origin: 'https://portal.example' }, true],
    [{ origin: 'https://portal.example', host: 'api.example' }, true],
    [{ origin: 'https://api.example', host: 'api.example' }, true],
    [{ origin: 'http://api.example:4000', host: 'api.example:4000' }, true],
    [{ origin: 'http://api.example:4000', host: 'api.example' }, false],
    [{ origin: 'https://evil.example', host: 'api.example' }, false],
    [{ origin: 'https://portal.example.evil.example' }, false],
    [{ origin: 'https://xportal.example' }, false],
    [{ origin: 'http://portal.example' }, false],
    [{ origin: 'https://portal.example/' }, false],
    [{ origin: 'null' }, false],
    [{ origin: '' }, false],
    [{ origin: 'http://' }, false],
  ])('of %j: %s', (headers: Record<string, string>, allowed) => {
    expect(origins.allows(request(headers))).toBe(allowed);
  });
});

it.each([
  ['localhost', true],
  ['localhost:4000', true],
  ['127.0.0.1:4000', true],
  ['127.1.2.3', true],
  ['[::1]:4000', true],
  ['localhost.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['evil.example', false],
  ['localhost:4000@evil.example', false],
  ['', false],
  [undefined, false],
])('takes the host %s for this machine: %s', (host, is) => {
  expect(isLoopbackHost(host)).toBe(is);
});

describe('the log', () => {
  function logged(write: (log: ReturnType<typeof createLog>) => void): string {
    let text = '';
    write(createLog('info', (line) => (text += line)));
    return text;
  }

  it('is lines of JSON, with the time and without the machine', () => {
    const line = JSON.parse(logged((log) => log.info({ requestId: 'r' }, 'answered'))) as Record<string, unknown>;
    expect(line).toEqual({ level: 30, time: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T.*Z$/) as string, requestId: 'r', msg: 'answered' });
  });

  it('cuts out tokens, in fields and in the texts of others’ errors', () => {
    const canary = 'eyJhbGciOi.canary-token_123';
    const error = Object.assign(new Error(`GET / failed, sent "authorization: Bearer ${canary}", X-Auth-Token: ${canary}`), {
      headers: { authorization: `Bearer ${canary}`, 'x-auth-token': canary },
      token: canary,
    });
    const text = logged((log) => {
      log.error({ err: error }, 'internal error');
      log.error({ err: Object.assign(new Error('x'), { request: { headers: { authorization: canary } } }) }, 'internal error');
      log.error({ authorization: canary, token: canary, headers: { authorization: canary } }, 'bad');
      log.error({ request: { headers: { authorization: canary, 'x-auth-token': canary } } }, 'bad');
      log.info(`Bearer ${canary}`);
    });
    expect(text).not.toContain(canary);
    expect(text).toContain('failed, sent');
    for (const line of text.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });
});
