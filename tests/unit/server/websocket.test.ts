import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { buildSchema, GraphQLObjectType } from 'graphql';
import { WebSocket } from 'ws';
import type { Authenticator } from '../../../src/auth/access.js';
import { GatewayError } from '../../../src/errors.js';
import type { Context } from '../../../src/schema/context.js';
import { ApiSocket, codesOf, type Answer } from '../../support/clients.js';
import { tokenOf } from '../../support/gateway.js';
import { TestServing, type TestServingOptions } from '../../support/serving.js';
import { cloudAdminAccess, TestSession } from '../../support/viewers.js';

/** A source of events that the test feeds: it keeps the latest only, as the sources of state do. */
class Source {
  #latest: number | undefined;
  readonly #sleeping = new Set<() => void>();
  #failure: Error | undefined;
  /** Times that an event was asked for, streams that are open, and those that were ended properly. */
  pulls = 0;
  open = 0;
  ended = 0;

  push(value: number): void {
    this.#latest = value;
    this.#wake();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  async *stream(signal: AbortSignal): AsyncGenerator<{ ticks: number }, void, undefined> {
    this.open += 1;
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        if (this.#failure !== undefined) throw this.#failure;
        const value = this.#latest;
        if (value === undefined) {
          await new Promise<void>((resolve) => this.#sleeping.add(resolve));
          continue;
        }
        this.#latest = undefined;
        this.pulls += 1;
        yield { ticks: value };
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.open -= 1;
      this.ended += 1;
    }
  }

  #wake(): void {
    for (const wake of this.#sleeping) wake();
    this.#sleeping.clear();
  }
}

let source = new Source();
let runs = 0;
let pending: (() => void)[] = [];
/** Of the queries that wait. */
let signals: AbortSignal[] = [];

const refused = (context: Context): never => {
  throw context.refusals.refuse('WORKLOAD_VIEW', 'p-a', () => 'ticks');
};

const schema = buildSchema(`
  type Query { text: String large(bytes: Int!): String wait: String bug: String refused: String list(first: Int = 50): [String] }
  type Subscription { ticks: Int endless(bytes: Int!): String refusedTicks: Int costly: Int bug: Int forbidden: Int }
`);
const large = (_source: unknown, { bytes }: { bytes: number }): string => 'x'.repeat(bytes);
const bug = (): never => {
  throw new Error('secret of the machine');
};
Object.assign(fieldOf('Query', 'text'), { resolve: () => `text ${(runs += 1)}` });
Object.assign(fieldOf('Query', 'large'), { resolve: large });
Object.assign(fieldOf('Query', 'wait'), {
  resolve: (_source: unknown, _args: unknown, { signal }: Context) => {
    signals.push(signal);
    return new Promise<void>((resolve) => pending.push(resolve));
  },
});
Object.assign(fieldOf('Query', 'bug'), { resolve: bug });
Object.assign(fieldOf('Query', 'refused'), { resolve: (_source: unknown, _args: unknown, context: Context) => refused(context) });
const ticks = (_source: unknown, _args: unknown, { signal }: Context) => source.stream(signal);
Object.assign(fieldOf('Subscription', 'ticks'), { subscribe: ticks });
Object.assign(fieldOf('Subscription', 'endless'), { subscribe: ticks, resolve: large });
Object.assign(fieldOf('Subscription', 'refusedTicks'), {
  subscribe: ticks,
  resolve: (_source: unknown, _args: unknown, context: Context) => refused(context),
});
Object.assign(fieldOf('Subscription', 'costly'), {
  subscribe: ticks,
  resolve: ({ ticks: count }: { ticks: number }, _args: unknown, { budget }: Context) => budget.take(count, count),
});
Object.assign(fieldOf('Subscription', 'bug'), { subscribe: bug });
Object.assign(fieldOf('Subscription', 'forbidden'), {
  subscribe: (_source: unknown, _args: unknown, context: Context) => refused(context),
});

function fieldOf(typeName: string, name: string): object {
  const type = schema.getType(typeName);
  const field = type instanceof GraphQLObjectType ? type.getFields()[name] : undefined;
  if (field === undefined) throw new Error(`There is no field ${typeName}.${name}.`);
  return field;
}

const opened: TestServing[] = [];
async function start(options: Partial<TestServingOptions> = {}): Promise<TestServing> {
  const serving = await TestServing.start({ schema, ...options });
  opened.push(serving);
  return serving;
}

/** Waits for what no event tells of. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

beforeEach(() => {
  source = new Source();
  runs = 0;
  pending = [];
  signals = [];
});
afterEach(async () => {
  for (const serving of opened.splice(0)) await serving.drain(100);
});

describe('a handshake', () => {
  it.each(['graphql-ws', 'graphql-transport-ws-legacy', 'x'])(
    'by the sub-protocol %s is closed before anything is heard',
    async (protocols) => {
      const serving = await start();
      const socket = new WebSocket(`${serving.url.replace('http', 'ws')}/graphql`, protocols);
      // No protocol that the client offered is taken, so a client that keeps the rules ends it itself.
      const [error] = (await once(socket, 'error')) as [Error];
      expect(error.message).toMatch(/subprotocol/i);
    },
  );

  it('without a sub-protocol is closed with 4406', async () => {
    const serving = await start();
    const socket = await ApiSocket.open(serving.url, { protocols: [] });
    socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${tokenOf('admin')}` } });
    expect(await socket.closed).toEqual({ code: 4406, reason: 'Subprotocol not acceptable' });
  });

  it.each(['https://evil.example', 'null'])('from a page of %s is refused with 403', async (origin) => {
    const serving = await start({ config: { corsOrigins: ['https://portal.example'] } });
    await expect(ApiSocket.open(serving.url, { origin })).rejects.toThrow('403');
  });

  it('from a page of the list, or of its own, is taken', async () => {
    const serving = await start({ config: { corsOrigins: ['https://portal.example'] } });
    for (const origin of ['https://portal.example', serving.url]) await (await serving.as('admin').socket({ origin })).close();
  });

  it('at another path is refused with 404', async () => {
    const serving = await start();
    const socket = new WebSocket(`${serving.url.replace('http', 'ws')}/terminal`, 'graphql-transport-ws');
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('404');
  });

  it('that is refused and reset at once ends nothing but itself', async () => {
    const serving = await start();
    for (let i = 0; i < 20; i++) {
      const socket = connect(serving.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write('GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', () => socket.resetAndDestroy());
      await once(socket, 'close');
    }
    expect((await serving.as('admin').query('{ text }')).status).toBe(200);
  });
});

describe('before connection_init is acknowledged', () => {
  it.each(['{ text }', 'subscription { ticks }'])('%s closes the socket with 4401 and runs nothing (CVE-2026-35523)', async (query) => {
    const serving = await start();
    const socket = await ApiSocket.open(serving.url);
    socket.send({ id: '1', type: 'subscribe', payload: { query } });
    expect(await socket.closed).toEqual({ code: 4401, reason: 'Unauthorized' });
    expect([runs, source.open]).toEqual([0, 0]);
  });

  it('the old sub-protocol’s `start` closes the socket, and runs nothing (CVE-2026-35523)', async () => {
    const serving = await start();
    const socket = await ApiSocket.open(serving.url);
    socket.send({ id: '1', type: 'start', payload: { query: '{ text }' } });
    expect((await socket.closed).code).toBe(4400);
    expect(runs).toBe(0);
  });

  it('a message behind an init that is still being looked at closes the socket with 4401', async () => {
    const slow: Authenticator = {
      authenticate: () => new Promise(() => undefined),
      projects: { get: () => undefined, all: () => [] },
      close: () => undefined,
    };
    const serving = await start({ authenticator: slow });
    const socket = await ApiSocket.open(serving.url);
    socket.send({ type: 'connection_init', payload: { authorization: 'Bearer x' } });
    socket.send({ id: '1', type: 'subscribe', payload: { query: '{ text }' } });
    expect((await socket.closed).code).toBe(4401);
    expect(runs).toBe(0);
  });

  it('silence closes the socket with 4408', async () => {
    const serving = await start({ initTimeoutMs: 50 });
    const socket = await ApiSocket.open(serving.url);
    expect(await socket.closed).toEqual({ code: 4408, reason: 'Connection initialisation timeout' });
  });
});

describe('a sign-in', () => {
  it.each([
    ['none', undefined],
    ['empty', {}],
    ['Bearer nothing', { authorization: 'Bearer nothing' }],
    ['the token alone', { authorization: tokenOf('admin') }],
    ['of the headers’ own spelling', { Authorization: `Bearer ${tokenOf('admin')}` }],
    ['a list', { authorization: [`Bearer ${tokenOf('admin')}`] }],
    ['an object', { 'x-auth-token': { toString: 'x' } }],
    ['a bad one beside a good one', { authorization: 'Bearer nothing', 'x-auth-token': tokenOf('admin') }],
    ['a list for a payload', [{ authorization: `Bearer ${tokenOf('admin')}` }]],
  ])('that is %s closes the socket with 4403', async (_what, payload) => {
    const serving = await start();
    const socket = await ApiSocket.open(serving.url);
    socket.send({ type: 'connection_init', payload });
    const { code } = await socket.closed;
    expect([4400, 4403]).toContain(code);
    if (!Array.isArray(payload)) expect(code).toBe(4403);
    expect(serving.logged.join('')).not.toContain('socket failed');
  });

  it('by a header alone is none: pages cannot send one, and what they cannot send must not be needed', async () => {
    const serving = await start();
    const socket = await ApiSocket.open(serving.url, { headers: { authorization: `Bearer ${tokenOf('admin')}` } });
    socket.send({ type: 'connection_init' });
    expect((await socket.closed).code).toBe(4403);
  });

  it.each([{ authorization: `Bearer ${tokenOf('admin')}` }, { 'x-auth-token': tokenOf('admin') }])(
    'by %j is acknowledged',
    async (payload) => {
      const serving = await start();
      const socket = await ApiSocket.open(serving.url);
      socket.send({ type: 'connection_init', payload });
      expect(await socket.next()).toEqual({ type: 'connection_ack' });
      await socket.close();
    },
  );

  it('that cannot be checked now closes the socket with 1013', async () => {
    const serving = await start({
      authenticator: {
        authenticate: () => Promise.reject(new GatewayError('UNAVAILABLE', 'later')),
        projects: { get: () => undefined, all: () => [] },
        close: () => undefined,
      },
    });
    const socket = await ApiSocket.open(serving.url);
    socket.send({ type: 'connection_init', payload: { authorization: 'Bearer x' } });
    expect(await socket.closed).toEqual({ code: 1013, reason: 'Try again later' });
  });

  it('that ends closes the socket with 4403 and the reason, and every stream with it', async () => {
    const session = new TestSession(cloudAdminAccess());
    const serving = await start({
      authenticator: {
        authenticate: () => Promise.resolve(session),
        projects: { get: () => undefined, all: () => [] },
        close: () => undefined,
      },
    });
    const socket = await serving.as('admin').socket();
    socket.subscribe('subscription { ticks }');
    await until(() => source.open === 1);
    session.end();
    expect(await socket.closed).toEqual({ code: 4403, reason: 'A valid token is needed.' });
    await until(() => source.open === 0);
    expect(source.ended).toBe(1);
  });

  it('may be made once', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    socket.send({ type: 'connection_init', payload: {} });
    expect((await socket.closed).code).toBe(4429);
  });
});

describe('a message', () => {
  it.each([
    '{',
    '7',
    'null',
    '[]',
    '{}',
    '{"type":"x"}',
    '{"id":7,"type":"subscribe","payload":{"query":"{text}"}}',
    '{"id":"","type":"subscribe","payload":{"query":"{text}"}}',
    '{"id":"1","type":"subscribe","payload":{"query":7}}',
    '{"id":"1","type":"subscribe"}',
    '{"type":"connection_ack"}',
    '{"id":"1","type":"next","payload":{}}',
    '\u0000',
  ])('such as %s closes the socket with 4400', async (text) => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    socket.send(text);
    expect(await socket.closed).toEqual({ code: 4400, reason: 'Invalid message received' });
    expect(serving.logged.join('')).not.toContain('socket failed');
  });

  it('larger than a body may be closes the socket with 1009', async () => {
    const serving = await start({ config: { maxBodyBytes: 2_000 } });
    const socket = await serving.as('admin').socket();
    socket.send({ id: '1', type: 'subscribe', payload: { query: '{ text }', padding: 'x'.repeat(3_000) } });
    expect((await socket.closed).code).toBe(1009);
    expect(runs).toBe(0);
  });

  it('with the id of an operation that is under way closes the socket with 4409', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    for (let i = 0; i < 2; i++) socket.send({ id: 'same', type: 'subscribe', payload: { query: 'subscription { ticks }' } });
    expect((await socket.closed).code).toBe(4409);
    await until(() => source.open === 0);
  });
});

describe('an answer', () => {
  it('carries the socket’s request id and the operation’s own, and its cost on request', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket({ headers: { 'x-request-id': 'portal-1' } });
    expect(await socket.query('{ list(first: 7) }', { extensions: { cost: true } })).toEqual({
      data: { list: null },
      extensions: { requestId: 'portal-1.op-1', cost: 0 },
    });
    socket.send({ id: 'a b\n', type: 'subscribe', payload: { query: '{ text }' } });
    expect(await socket.next()).toMatchObject({ id: 'a b\n', type: 'next', payload: { extensions: { requestId: 'portal-1' } } });
    await socket.close();
  });

  it.each([
    ['{ bug }', 'next', 'INTERNAL'],
    ['subscription { bug }', 'next', 'INTERNAL'],
    ['subscription { forbidden }', 'next', 'FORBIDDEN'],
    ['{', 'error', 'GRAPHQL_PARSE_FAILED'],
    ['{ nothing }', 'error', 'GRAPHQL_VALIDATION_FAILED'],
    ['query A { text } query B { text }', 'error', 'OPERATION_RESOLUTION_FAILURE'],
    ['query ($n: Int!) { large(bytes: $n) }', 'next', 'BAD_USER_INPUT'],
  ])('to %s is translated in the frame `%s`: %s with a request id, and no raw message', async (query, type, code) => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    const message = await socket.subscribe(query).message();
    expect(message.type).toBe(type);
    const errors = type === 'error' ? (message.payload as Answer['errors']) : (message.payload as Answer).errors;
    expect(codesOf({ errors: errors ?? [] })).toEqual([code]);
    expect(errors?.[0]?.extensions.requestId).toMatch(/^[\w-]{36}\.op-1$/);
    expect(JSON.stringify(message)).not.toContain('secret');
    await socket.close();
  });

  it('to a stream whose source breaks is translated too, and the other operations go on', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    const stream = socket.subscribe('subscription { ticks }');
    await until(() => source.open === 1);
    source.fail(new Error('secret of the machine'));
    const message = await stream.message();
    expect(message).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'INTERNAL' } }] });
    expect(JSON.stringify(message)).not.toContain('secret');
    expect((await socket.query('{ text }')).data).toEqual({ text: 'text 1' });
    await socket.close();
  });

  it('to a stream that is refused while it runs has its code', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    const stream = socket.subscribe('subscription { ticks }');
    await until(() => source.open === 1);
    source.fail(new GatewayError('FORBIDDEN', 'The role held here does not have the function.'));
    expect(codesOf(await stream.answer())).toEqual(['FORBIDDEN']);
    await socket.close();
  });

  it('to a query that takes too long is TIMEOUT, while streams go on', async () => {
    const serving = await start({ config: { requestTimeoutMs: 100 } });
    const socket = await serving.as('admin').socket();
    const stream = socket.subscribe('subscription { ticks }');
    expect(codesOf(await socket.query('{ wait }'))).toEqual(['TIMEOUT']);
    source.push(1);
    expect((await stream.answer()).data).toEqual({ ticks: 1 });
    await socket.close();
  });
});

describe('a stream', () => {
  it.each(['waits for an event', 'waits to be asked for one'])('whose client has enough ends its source, where that %s', async (where) => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    const stream = socket.subscribe('subscription { ticks }');
    await until(() => source.open === 1);
    if (where !== 'waits for an event') {
      source.push(1);
      await stream.answer();
    }
    stream.stop();
    await until(() => source.ended === 1);
    await socket.close();
  });

  it('of which one event comes to too much goes on with the next', async () => {
    const serving = await start({ maxObjects: 100 });
    const socket = await serving.as('admin').socket();
    const stream = socket.subscribe('subscription { costly }');
    source.push(101);
    expect(await stream.answer()).toMatchObject({ errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }] });
    for (const ticks of [60, 70]) {
      source.push(ticks);
      expect((await stream.answer()).data).toEqual({ costly: ticks });
    }
    await socket.close();
  });

  it('ends with its socket', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    socket.subscribe('subscription { ticks }');
    await until(() => source.open === 1);
    socket.socket.terminate();
    await until(() => source.ended === 1);
  });

  it('is refused where the user holds as many as one may, on whatever sockets, until one ends', async () => {
    const serving = await start({ config: { maxStreamsPerUser: 2 } });
    const [one, two, ofOther] = await Promise.all([
      serving.as('admin').socket(),
      serving.as('admin').socket(),
      serving.as('user').socket(),
    ]);
    const first = one.subscribe('subscription { ticks }');
    two.subscribe('subscription { ticks }');
    await until(() => source.open === 2);
    for (const socket of [one, two]) expect(codesOf(await socket.query('subscription { ticks }'))).toEqual(['RATE_LIMITED']);
    ofOther.subscribe('subscription { ticks }');
    await until(() => source.open === 3);
    first.stop();
    await until(() => source.open === 2);
    one.subscribe('subscription { ticks }');
    await until(() => source.open === 3);
    for (const socket of [one, two, ofOther]) await socket.close();
    await until(() => source.open === 0);
    const metrics = await serving.metrics.registry.metrics();
    expect(metrics).toMatch(/gateway_subscriptions 0/);
    expect(metrics).toMatch(/gateway_sockets 0/);
  });

  it('that fails to begin does not count', async () => {
    const serving = await start({ config: { maxStreamsPerUser: 1 } });
    const socket = await serving.as('admin').socket();
    for (let i = 0; i < 3; i++) expect(codesOf(await socket.query('subscription { bug }'))).toEqual(['INTERNAL']);
    await socket.close();
  });
});

describe('a client that does not read', () => {
  it('holds up its own stream, which takes no memory meanwhile, and then gets the latest state', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    const stream = socket.subscribe('subscription { endless(bytes: 100000) }');
    await until(() => source.open === 1);
    socket.socket.pause();
    let pushed = 0;
    let pulls = -1;
    // Until nothing more goes out: the buffers of both ends are full.
    for (let still = 0; still < 50; still = source.pulls === pulls ? still + 1 : 0) {
      pulls = source.pulls;
      source.push((pushed += 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (let i = 0; i < 10_000; i++) source.push((pushed += 1));
    await nextTurn();
    expect(source.pulls).toBe(pulls);
    socket.socket.resume();
    await until(() => source.pulls > pulls);
    await stream.answer();
    await socket.close();
    expect(pulls).toBeLessThan(pushed / 10);
  });

  it('and asks on is not heard any more, until it reads', async () => {
    const serving = await start({ config: { maxBodyBytes: 1_000_000 } });
    const socket = await serving.as('admin').socket();
    socket.socket.pause();
    // Answers ten times as long as the questions, none of which is read.
    const ask = (id: number): void =>
      socket.send({ id: `flood-${id}`, type: 'subscribe', payload: { query: '{ large(bytes: 1000000) }' } });
    for (let id = 0; id < 60; id++) ask(id);
    for (let id = 0; id < 200; id++) socket.send({ type: 'ping', payload: { padding: 'x'.repeat(50_000) } });
    // What the gateway does not read stays with the client.
    let before = -1;
    for (let still = 0; still < 100; still = socket.socket.bufferedAmount === before ? still + 1 : 0) {
      before = socket.socket.bufferedAmount;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(before).toBeGreaterThan(1_000_000);
    socket.socket.resume();
    await until(() => socket.socket.bufferedAmount === 0);
    expect((await serving.as('admin').query('{ text }')).status).toBe(200);
    socket.socket.terminate();
  });

  it('may have a hundred queries under way, and no more', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    const streams = Array.from({ length: 101 }, () => socket.subscribe('{ wait }'));
    expect(codesOf((await streams[100]?.answer()) ?? {})).toEqual(['RATE_LIMITED']);
    for (const go of pending) go();
    for (const stream of streams.slice(0, 100)) expect((await stream.answer()).data).toEqual({ wait: null });
    expect((await socket.query('{ text }')).data).toEqual({ text: 'text 1' });
    await socket.close();
  });

  it('may give up a query, which ends it, and is told nothing more of it', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    const received: string[] = [];
    socket.socket.on('message', (data: Buffer) => received.push(data.toString('utf8')));
    for (let index = 0; index < 150; index += 1) {
      socket.send({ id: 'again', type: 'subscribe', payload: { query: '{ wait }' } });
      await until(() => pending.length === index + 1);
      expect(signals[index]?.aborted).toBe(false);
      socket.send({ id: 'again', type: 'complete' });
      await until(() => signals[index]?.aborted === true);
    }
    expect((await socket.query('{ text }')).data).toEqual({ text: 'text 1' });
    expect(received.filter((text) => text.includes('again'))).toEqual([]);
    await socket.close();
  });
});

describe('a heartbeat', () => {
  it('ends a socket that answers no ping, and keeps one that does', async () => {
    const serving = await start({ heartbeatMs: 30 });
    const [deaf, alive] = await Promise.all([serving.as('admin').socket({ autoPong: false }), serving.as('admin').socket()]);
    let pings = 0;
    alive.socket.on('ping', () => (pings += 1));
    expect((await deaf.closed).code).toBe(1006);
    await until(() => pings >= 5);
    expect(alive.socket.readyState).toBe(WebSocket.OPEN);
    await alive.close();
  });
});

describe('draining', () => {
  it('closes sockets with 1001, ends their streams, and takes no new ones', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    socket.subscribe('subscription { ticks }');
    await until(() => source.open === 1);
    const drained = serving.drain();
    expect(await socket.closed).toEqual({ code: 1001, reason: 'Going away' });
    await drained;
    await until(() => source.open === 0);
    await expect(ApiSocket.open(serving.url)).rejects.toThrow();
  });

  it('lets a query that is under way be answered first, and begins no new operation', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    const answer = socket.query('{ wait }');
    await until(() => pending.length === 1);
    const drained = serving.drain(5_000);
    for (const query of ['{ text }', 'subscription { ticks }']) expect(codesOf(await socket.query(query))).toEqual(['UNAVAILABLE']);
    for (const go of pending) go();
    expect((await answer).data).toEqual({ wait: null });
    expect(await socket.closed).toEqual({ code: 1001, reason: 'Going away' });
    await drained;
  });

  it('does not wait for a query for longer than it may', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    socket.subscribe('{ wait }');
    await until(() => pending.length === 1);
    await serving.drain(50);
    expect((await socket.closed).code).toBe(1001);
  });

  it('does not wait for a client that does not answer', async () => {
    const serving = await start();
    const socket = await serving.as('admin').socket();
    socket.socket.pause();
    const startedMs = performance.now();
    await serving.drain();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    socket.socket.terminate();
  });
});

describe('what was refused', () => {
  const lines = (serving: TestServing): unknown[] => serving.audited.map((line) => JSON.parse(line) as unknown);
  const line = (requestId: unknown, count: number): unknown => ({
    audit: 'refused',
    at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    requestId,
    userId: 'user',
    userName: 'user',
    function: 'WORKLOAD_VIEW',
    project: 'p-a',
    count,
    path: 'ticks',
  });

  it('by a query is one line, over HTTP and over the socket', async () => {
    const serving = await start();
    const { extensions } = await serving.as('user').query('{ refused a: refused b: refused }');
    const socket = await serving.as('user').socket({ headers: { 'x-request-id': 's' } });
    await socket.query('{ refused }');
    await socket.query('{ text }');
    await socket.close();
    expect(lines(serving)).toEqual([line(extensions?.['requestId'], 3), line('s.op-1', 1)]);
    expect(serving.audited.every((text) => text.endsWith('}\n') && text.indexOf('\n') === text.length - 1)).toBe(true);
    expect((await serving.metrics.refusals.get()).values).toEqual([{ labels: { function: 'WORKLOAD_VIEW' }, value: 2 }]);
  });

  it('by a stream is told at once, then from time to time, and at its end: not once per event', async () => {
    const serving = await start({ reportMs: 60_000 });
    const socket = await serving.as('user').socket({ headers: { 'x-request-id': 's' } });
    const stream = socket.subscribe('subscription { refusedTicks }');
    for (let i = 0; i < 10; i++) {
      source.push(i);
      expect(codesOf(await stream.answer())).toEqual(['FORBIDDEN']);
    }
    expect(lines(serving)).toEqual([line('s.op-1', 1)]);
    stream.stop();
    await until(() => serving.audited.length === 2);
    expect(lines(serving)[1]).toEqual(line('s.op-1', 9));
    await socket.close();
  });

  it('by a stream that does not begin is told', async () => {
    const serving = await start();
    const socket = await serving.as('user').socket({ headers: { 'x-request-id': 's' } });
    await socket.query('subscription { forbidden }');
    await socket.close();
    expect(lines(serving)).toEqual([line('s.op-1', 1)]);
  });

  it('is nothing where nothing was', async () => {
    const serving = await start();
    await serving.as('user').query('{ text }');
    expect(serving.audited).toEqual([]);
  });
});
