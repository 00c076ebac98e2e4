import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { buildSchema, GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { unauthenticated, type Authenticator } from '../../../src/auth/access.js';
import { GatewayError } from '../../../src/errors.js';
import { codesOf } from '../../support/clients.js';
import { tokenOf } from '../../support/gateway.js';
import { TestServing, type TestServingOptions } from '../../support/serving.js';

/** Lets requests in, and holds them until they are let go. */
class Gate {
  readonly #waiting: (() => void)[] = [];
  readonly #entered: (() => void)[] = [];
  entered = 0;

  pass(): Promise<string> {
    this.entered += 1;
    for (const tell of this.#entered.splice(0)) tell();
    return new Promise((resolve) => this.#waiting.push(() => resolve('passed')));
  }

  async whenEntered(count: number): Promise<void> {
    while (this.entered < count) await new Promise<void>((resolve) => this.#entered.push(resolve));
  }

  open(): void {
    for (const go of this.#waiting.splice(0)) go();
  }
}

const gate = new Gate();
let changes = 0;
const schema = schemaOf({
  Query: {
    text: () => 'text',
    echo: (_source, { text }) => text,
    large: (_source, { bytes }) => 'x'.repeat(Number(bytes)),
    random: (_source, { bytes }) => randomBytes(Number(bytes) / 2).toString('hex'),
    wait: () => gate.pass(),
    bug: () => {
      throw new Error('connect ECONNREFUSED 10.0.0.1:6443 as system:admin');
    },
    refused: () => {
      throw new GatewayError('FORBIDDEN', 'no');
    },
    invalid: () => {
      throw new GatewayError('INVALID', 'The API server refused it.', {
        field: 'input.name',
        causes: [{ field: 'metadata.name', reason: 'FieldValueInvalid' }],
      });
    },
  },
  Mutation: { change: () => (changes += 1) },
});

function schemaOf(
  resolvers: Readonly<Record<string, Readonly<Record<string, (source: unknown, args: Record<string, unknown>) => unknown>>>>,
): GraphQLSchema {
  const built = buildSchema(`
    type Query {
      text: String
      echo(text: String): String
      large(bytes: Int!): String
      random(bytes: Int!): String
      wait: String
      bug: String
      refused: String
      invalid: String
      list(first: Int = 50): Page
    }
    type Page { nodes: [Page!] }
    type Mutation { change: Int }
    type Subscription { ticks: Int }
  `);
  for (const [typeName, fields] of Object.entries(resolvers)) {
    const type = built.getType(typeName);
    for (const [name, resolve] of Object.entries(fields)) {
      const field = type instanceof GraphQLObjectType ? type.getFields()[name] : undefined;
      if (field === undefined) throw new Error(`There is no field ${name}.`);
      field.resolve = resolve as never;
    }
  }
  return built;
}

let serving: TestServing;
const start = async (options: Partial<TestServingOptions> = {}): Promise<TestServing> => TestServing.start({ schema, ...options });

beforeAll(async () => {
  serving = await start({ config: { maxBodyBytes: 20_000, corsOrigins: ['https://portal.example'] } });
});
afterAll(() => serving.drain());

interface Raw {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A request that no `fetch` would send, or whose answer it would unpack. */
function raw(
  { port }: { readonly port: number },
  {
    method = 'POST',
    path = '/graphql',
    headers = {},
    body,
  }: { method?: string; path?: string; headers?: Record<string, string | string[]>; body?: string | Buffer },
): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: { authorization: `Bearer ${tokenOf('admin')}`, ...headers },
    });
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.end(body);
  });
}

const json = { 'content-type': 'application/json' };
const newMediaType = { accept: 'application/graphql-response+json' };

describe('a request id', () => {
  it('is in every answer, its header and each error', async () => {
    for (const query of ['{ text }', '{ refused bug }', '{', '{ nothing }']) {
      const { errors = [], extensions, headers } = await serving.as('admin').query(query);
      expect(extensions?.['requestId']).toMatch(/^[\w-]{36}$/);
      expect(headers.get('x-request-id')).toBe(extensions?.['requestId']);
      for (const error of errors) expect(error.extensions.requestId).toBe(extensions?.['requestId']);
    }
  });

  it('is the client’s own where it may stand in a log', async () => {
    const ask = async (id: string): Promise<unknown> =>
      (await serving.as('admin').query('{ text }', { headers: { 'x-request-id': id } })).extensions?.['requestId'];
    expect(await ask('portal-7.a_B')).toBe('portal-7.a_B');
    for (const id of ['x'.repeat(65), 'a b', 'a"b', '${jndi}']) expect(await ask(id)).not.toBe(id);
  });

  it('is in the errors of requests that are refused before they are operations, also where it is one letter', async () => {
    for (const body of [{}, { query: 7 }, { query: '{ text }', variables: 'x' }, [], { query: '{ text }', extensions: 3 }]) {
      const { status, errors, extensions } = await serving.as('admin').post(body, { 'x-request-id': 'e' });
      expect(status).toBe(400);
      expect(errors).toEqual([{ message: expect.any(String) as string, extensions: { code: 'BAD_REQUEST', requestId: 'e' } }]);
      expect(extensions).toEqual({ requestId: 'e' });
    }
  });
});

describe('a sign-in', () => {
  const ask = (headers: Record<string, string>) => serving.as(undefined).query('{ text }', { headers });

  it.each([
    ['none', {}],
    ['Bearer nothing', { authorization: 'Bearer nothing' }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['Bearer alone', { authorization: 'Bearer' }],
    ['another scheme', { authorization: `Basic ${tokenOf('admin')}` }],
    ['no scheme', { authorization: tokenOf('admin') }],
    ['the word undefined', { authorization: 'Bearer undefined' }],
    ['a token with another behind it', { authorization: `Bearer ${tokenOf('admin')} ${tokenOf('user')}` }],
    ['the end of a good one', { authorization: `Bearer ${tokenOf('admin').slice(1)}` }],
    ['a long one', { authorization: `Bearer ${'x'.repeat(9_000)}` }],
    ['an empty X-Auth-Token', { 'x-auth-token': '' }],
    ['a wrong X-Auth-Token', { 'x-auth-token': 'nothing' }],
    ['a bad Authorization beside a good X-Auth-Token', { authorization: 'Bearer nothing', 'x-auth-token': tokenOf('admin') }],
  ])('that is %s is answered with 401, always the same', async (_what, headers) => {
    const { status, headers: answered, errors, data } = await ask(headers);
    expect(status).toBe(401);
    expect(answered.get('www-authenticate')).toBe('Bearer');
    expect(data).toBeUndefined();
    expect(errors).toEqual([
      { message: 'A valid token is needed.', extensions: { code: 'UNAUTHENTICATED', requestId: answered.get('x-request-id') } },
    ]);
  });

  it.each([
    ['Authorization', { authorization: `Bearer ${tokenOf('admin')}` }],
    ['Authorization in lower case', { authorization: `bearer ${tokenOf('admin')}` }],
    ['X-Auth-Token', { 'x-auth-token': tokenOf('admin') }],
    ['both', { authorization: `Bearer ${tokenOf('admin')}`, 'x-auth-token': tokenOf('user') }],
  ])('by %s lets in', async (_what, headers) => {
    expect((await ask(headers)).data).toEqual({ text: 'text' });
  });

  it('is asked for before the body is read', async () => {
    const reply = await serving.as(undefined).post('x'.repeat(15_000), { 'content-type': 'text/plain' });
    expect(codesOf(reply)).toEqual(['UNAUTHENTICATED']);
  });

  it('that cannot be checked now is 503', async () => {
    const failing: Authenticator = {
      authenticate: () => Promise.reject(new GatewayError('UNAVAILABLE', 'The identity service does not answer.')),
      projects: { get: () => undefined, all: () => [] },
      close: () => undefined,
    };
    const other = await start({ authenticator: failing });
    const { status, errors } = await other.as('admin').query('{ text }');
    await other.drain();
    expect(status).toBe(503);
    expect(errors?.[0]?.extensions.code).toBe('UNAVAILABLE');
  });

  it('that takes longer than the request may ends with it', async () => {
    const hanging: Authenticator = {
      authenticate: (_token, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })),
      projects: { get: () => undefined, all: () => [] },
      close: () => undefined,
    };
    const other = await start({ authenticator: hanging, config: { requestTimeoutMs: 100 } });
    const { status, errors } = await other.as('admin').query('{ text }');
    await other.drain();
    expect(status).toBe(504);
    expect(errors?.[0]?.extensions.code).toBe('TIMEOUT');
  });
});

describe('a body', () => {
  it.each([
    ['malformed JSON', '{ "query": '],
    ['a byte order mark', '\uFEFF{"query":"{ text }"}'],
    ['nothing', ''],
    ['NUL', '\u0000'],
  ])('of %s is BAD_USER_INPUT with 400', async (_what, body) => {
    const { status, errors } = await serving.as('admin').post(body);
    expect(status).toBe(400);
    expect(codesOf({ errors: errors ?? [] })).toEqual(['BAD_USER_INPUT']);
  });

  it.each(['[{"query":"{ text }"}]', `[${'{"query":"{ text }"},'.repeat(100)}{"query":"{ text }"}]`, '[]', '"{ text }"', '7', 'null'])(
    'that is no object is 400: a batch would pass by the limits of one operation (%#)',
    async (body) => {
      const { status, errors, data } = await serving.as('admin').post(body);
      expect(status).toBe(400);
      expect(data).toBeUndefined();
      expect(codesOf({ errors: errors ?? [] })).toEqual(['BAD_REQUEST']);
    },
  );

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/graphql',
    'application/json-patch+json',
    'text/plain; application/json',
    '',
  ])('of the type "%s" is 415', async (type) => {
    const { status, body } = await raw(serving, { headers: { 'content-type': type }, body: '{"query":"{ text }"}' });
    expect(status).toBe(415);
    expect(body.toString()).toContain('BAD_USER_INPUT');
  });

  it.each(['utf-16', 'utf-16le', 'utf-7', 'iso-8859-1', 'utf-32', 'utf8x', "utf-8'", 'x'.repeat(1_000)])(
    'of the charset %s is 415 (CVE-2026-23897)',
    async (charset) => {
      const { status } = await raw(serving, {
        headers: { 'content-type': `application/json; charset=${charset}` },
        body: Buffer.from('{"query":"{ text }"}', 'utf16le'),
      });
      expect(status).toBe(415);
    },
  );

  it('of two charsets is 415', async () => {
    const { status } = await raw(serving, {
      headers: { 'content-type': 'application/json; charset=utf-8; charset=utf-16' },
      body: '{"query":"{ text }"}',
    });
    expect(status).toBe(415);
  });

  it.each(['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'Application/JSON'])(
    'of the type %s is read',
    async (type) => {
      const { status } = await raw(serving, { headers: { 'content-type': type }, body: '{"query":"{ text }"}' });
      expect(status).toBe(200);
    },
  );

  it.each(['gzip', 'br', 'deflate', 'compress', 'gzip, gzip', 'identity, gzip', 'x'])(
    'in the encoding %s is 415, and never unfolded',
    async (encoding) => {
      const { status } = await raw(serving, { headers: { ...json, 'content-encoding': encoding }, body: randomBytes(1_000) });
      expect(status).toBe(415);
    },
  );

  it('that says to be too large is 413 before it is read', async () => {
    const { status, headers } = await raw(serving, { headers: { ...json, 'content-length': '1000000000' }, body: '' }).catch(
      () => ({ status: 0, headers: {} }) as Raw,
    );
    expect([status, headers.connection]).toEqual([413, 'close']);
  });

  it('that turns out to be too large is 413, however it comes', async () => {
    const { status, body } = await raw(serving, {
      headers: { ...json, 'transfer-encoding': 'chunked' },
      body: Buffer.alloc(200_000, 0x20),
    });
    expect(status).toBe(413);
    expect(body.toString()).toContain('20000 bytes');
    const fetched = await serving.as('admin').post({ query: '{ text }', padding: 'x'.repeat(3_000_000) });
    expect(fetched.status).toBe(413);
  });

  it('that breaks off is nobody’s failure', async () => {
    const before = serving.logged.length;
    const socket = connect(serving.port, '127.0.0.1');
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenOf('admin')}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n`,
    );
    await once(socket, 'data');
    socket.write('{"query"', () => socket.destroy());
    await once(socket, 'close');
    while (serving.logged.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    const lines = serving.logged.slice(before).map((line) => JSON.parse(line) as { msg: string; status: number });
    expect(lines).toEqual([expect.objectContaining({ msg: 'answered', status: 499 })]);
  });
});

describe('a method', () => {
  it.each(['PUT', 'DELETE', 'PATCH', 'HEAD'])('%s is 405', async (method) => {
    const { status, headers } = await raw(serving, { method });
    expect([status, headers.allow]).toEqual([405, 'GET, POST']);
  });

  it('GET runs queries', async () => {
    const { status, data } = await serving
      .as('admin')
      .query('query ($t: String) { echo(text: $t) }', { method: 'GET', variables: { t: 'ü %2f' } });
    expect([status, data]).toEqual([200, { echo: 'ü %2f' }]);
  });

  it('GET runs no mutation', async () => {
    const { status, errors, headers } = await serving.as('admin').query('mutation { change }', { method: 'GET' });
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('POST');
    expect(errors?.[0]?.extensions.code).toBe('BAD_REQUEST');
    expect(changes).toBe(0);
  });

  it.each(['POST', 'GET'] as const)('%s runs no subscription', async (method) => {
    const { data, errors } = await serving.as('admin').query('subscription { ticks }', { method });
    expect(data).toBeUndefined();
    expect(errors?.[0]).toMatchObject({ message: expect.stringContaining('WebSocket') as string, extensions: { code: 'BAD_USER_INPUT' } });
  });

  it('GET with a parameter twice is 400', async () => {
    const { status } = await serving.as('admin').request('/graphql?query={text}&query={refused}');
    expect(status).toBe(400);
  });
});

describe('an answer that one viewer got', () => {
  it.each(['POST', 'GET'] as const)('by %s is kept by no cache', async (method) => {
    for (const query of ['{ text }', '{ refused }', '{']) {
      const { headers } = await serving.as('admin').query(query, { method });
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('a persisted query', () => {
  it('does not run by its hash in the moment in which it becomes known, unmeasured', async () => {
    const query = 'query ($n: Int) { list(first: $n) { nodes { nodes { nodes { nodes { nodes { __typename } } } } } } }';
    const extensions = { persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') } };
    const post = (body: object): string => {
      const text = JSON.stringify(body);
      return `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenOf('admin')}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    };
    const socket = connect(serving.port, '127.0.0.1');
    let answers = '';
    socket.on('data', (data: Buffer) => (answers += data.toString('utf8')));
    // Both in one piece, so that they are read in the same turn.
    socket.write(post({ variables: { n: 100_000_000 }, extensions }) + post({ query, variables: { n: 1 }, extensions }));
    while (answers.split('HTTP/1.1 200 OK').length < 3) await once(socket, 'data');
    socket.destroy();
    expect(answers.match(/PERSISTED_QUERY_NOT_FOUND|"list":null/g)).toEqual(['PERSISTED_QUERY_NOT_FOUND', '"list":null']);
  });
});

describe('a status', () => {
  it.each([
    ['{ text }', 200, 200],
    ['{ refused }', 200, 200],
    ['{', 200, 400],
    ['{ nothing }', 200, 400],
    ['query ($t: Int!) { text }', 200, 400],
    [`{ ${'a: text '.repeat(101)} }`, 200, 400],
    ['query A { text } query B { text }', 200, 400],
  ])('of %s is %i for application/json and %i for application/graphql-response+json', async (query, old, young) => {
    expect((await serving.as('admin').query(query)).status).toBe(old);
    const reply = await serving.as('admin').query(query, { headers: newMediaType });
    expect(reply.status).toBe(young);
    expect(reply.headers.get('content-type')).toBe('application/graphql-response+json; charset=utf-8');
  });

  it('is 406 where the client takes no JSON', async () => {
    for (const accept of ['text/html', 'application/json;q=0', 'image/*']) {
      const { status, headers } = await serving.as('admin').query('{ text }', { headers: { accept } });
      expect([accept, status, headers.get('content-type')]).toEqual([accept, 406, 'application/json; charset=utf-8']);
    }
  });

  it.each([
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['application/json, application/graphql-response+json;q=0.5', 'application/json'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'application/json'],
  ])('for Accept: %s comes with %s', async (accept, type) => {
    const { headers } = await serving.as('admin').query('{ text }', { headers: { accept } });
    expect(headers.get('content-type')).toBe(`${type}; charset=utf-8`);
  });
});

describe('an error', () => {
  it('that is a bug tells nothing but the request’s id, and is logged whole under it', async () => {
    const { data, errors, extensions, text } = await serving.as('admin').query('{ bug text }');
    expect(data).toEqual({ bug: null, text: 'text' });
    expect(errors).toEqual([
      {
        message: 'Something went wrong inside the gateway.',
        path: ['bug'],
        locations: [{ line: 1, column: 3 }],
        extensions: { code: 'INTERNAL', requestId: extensions?.['requestId'] },
      },
    ]);
    expect(text).not.toContain('10.0.0.1');
    const logged = serving.logged.map((line) => JSON.parse(line) as { requestId?: string; err?: { message: string } });
    expect(logged.find(({ requestId, err }) => requestId === extensions?.['requestId'] && err !== undefined)?.err?.message).toContain(
      '10.0.0.1',
    );
    expect((await serving.metrics.failures.get()).values[0]?.value).toBeGreaterThan(0);
  });

  it('that is meant for the client keeps its code, field and causes', async () => {
    const { errors } = await serving.as('admin').query('{ invalid }');
    expect(errors?.[0]).toMatchObject({
      message: 'The API server refused it.',
      extensions: { code: 'INVALID', field: 'input.name', causes: [{ field: 'metadata.name', reason: 'FieldValueInvalid' }] },
    });
  });

  it.each([
    ['{', 'GRAPHQL_PARSE_FAILED'],
    ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['query ($t: Int!) { text }', 'GRAPHQL_VALIDATION_FAILED'],
    ['query ($t: String!) { echo(text: $t) }', 'BAD_USER_INPUT'],
    ['query A { text } query B { text }', 'OPERATION_RESOLUTION_FAILURE'],
    ['\u0000', 'GRAPHQL_PARSE_FAILED'],
  ])('of %j has the code %s', async (query, code) => {
    const reply = await serving.as('admin').query(query);
    expect(codesOf(reply)).toEqual([code]);
    expect(reply.data).toBeUndefined();
  });
});

describe('the cost', () => {
  it('is told on request', async () => {
    for (const method of ['POST', 'GET'] as const) {
      const { extensions } = await serving
        .as('admin')
        .query('{ list(first: 7) { nodes { nodes { __typename } } } }', { method, extensions: { cost: true } });
      expect(extensions?.['cost']).toBe(1 + 7 * 5 * (1 + 5));
    }
    expect((await serving.as('admin').query('{ text }')).extensions).not.toHaveProperty('cost');
  });
});

describe('an answer', () => {
  const ask = (bytes: number, accept: string | undefined, field = 'large') =>
    raw(serving, {
      headers: { ...json, ...(accept === undefined ? {} : { 'accept-encoding': accept }) },
      body: JSON.stringify({ query: `{ ${field}(bytes: ${bytes}) }` }),
    });

  it.each([
    ['br', 'br'],
    ['gzip', 'gzip'],
    ['gzip, deflate, br', 'br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip'],
    ['br;q=0, gzip;q=0.1', 'gzip'],
    ['br;q=0.0, *;q=0.5', 'gzip'],
    ['*', 'br'],
    ['BR', 'br'],
    ['identity', undefined],
    ['deflate', undefined],
    ['br;q=0, gzip;q=0', undefined],
    ['*;q=0', undefined],
    ['br;q=nonsense', 'br'],
    ['', undefined],
    [undefined, undefined],
  ])('for Accept-Encoding: %s is packed by %s', async (accept, encoding) => {
    const { headers, body } = await ask(5_000, accept);
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers['content-length']).toBe(String(body.length));
    expect(headers.vary).toContain('Accept-Encoding');
    const unpacked = encoding === 'br' ? brotliDecompressSync(body) : encoding === 'gzip' ? gunzipSync(body) : body;
    expect(JSON.parse(unpacked.toString('utf8'))).toMatchObject({ data: { large: 'x'.repeat(5_000) } });
    if (encoding !== undefined) expect(body.length).toBeLessThan(500);
  });

  it('of less than a kilobyte is not packed', async () => {
    expect((await ask(500, 'br')).headers['content-encoding']).toBeUndefined();
  });
});

describe('other web pages', () => {
  const from = (origin: string, method = 'POST', headers: Record<string, string> = {}) =>
    raw(serving, { method, headers: { ...json, origin, ...headers }, body: method === 'POST' ? '{"query":"mutation { change }"}' : '' });

  it('of the list may ask', async () => {
    const before = changes;
    const { status, headers } = await from('https://portal.example');
    expect(status).toBe(200);
    expect(headers['access-control-allow-origin']).toBe('https://portal.example');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    expect(headers.vary).toContain('Origin');
    expect(changes).toBe(before + 1);
  });

  it('of the same origin may ask', async () => {
    expect((await from(`http://127.0.0.1:${serving.port}`)).status).toBe(200);
  });

  it.each(['https://evil.example', 'http://portal.example', 'https://portal.example.evil.example', 'https://portal.example:8443', 'null'])(
    'such as %s may not, and nothing is run for them',
    async (origin) => {
      const before = changes;
      const { status, headers, body } = await from(origin);
      expect(status).toBe(403);
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(body.toString()).toContain('FORBIDDEN');
      expect(changes).toBe(before);
    },
  );

  it('ask beforehand, and are told what they may', async () => {
    const allowed = await from('https://portal.example', 'OPTIONS', { 'access-control-request-method': 'POST' });
    expect(allowed.status).toBe(204);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://portal.example',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': expect.stringContaining('authorization') as string,
    });
    const refused = await from('https://evil.example', 'OPTIONS', { 'access-control-request-method': 'POST' });
    expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
    expect(refused.headers).not.toHaveProperty('access-control-allow-headers');
  });

  it('can send nothing that needs no leave and would be run: a form, a picture, a link', async () => {
    const before = changes;
    const form = await raw(serving, {
      headers: { authorization: '', 'content-type': 'text/plain' },
      body: '{"query":"mutation { change }"}',
    });
    expect(form.status).toBe(401);
    const link = await raw(serving, { method: 'GET', path: '/graphql?query=mutation{change}', headers: { authorization: '' } });
    expect(link.status).toBe(401);
    expect(changes).toBe(before);
  });
});

describe('what is not the API', () => {
  it.each(['/', '/graphql/', '/graphql/x', '//graphql', '/GRAPHQL', '/graphql%2f', '/metrics', '/../graphql', '/healthz'])(
    'at %s is 404',
    async (path) => {
      const { status } = await raw(serving, { method: 'GET', path });
      expect(status).toBe(404);
    },
  );
});

describe('a time limit', () => {
  it('ends a query that takes longer with one error', async () => {
    const other = await start({ config: { requestTimeoutMs: 100 } });
    const { status, data, errors } = await other.as('admin').query('{ text wait }');
    await other.drain();
    expect(status).toBe(504);
    expect(data).toBeUndefined();
    expect(codesOf({ errors: errors ?? [] })).toEqual(['TIMEOUT']);
  });
});

describe('draining', () => {
  it('lets what is under way finish, to the last byte, and takes nothing new', async () => {
    const other = await start();
    const entered = gate.entered;
    const query = JSON.stringify({ query: '{ wait random(bytes: 4000000) }' });
    const answer = raw(other, { headers: json, body: query });
    await gate.whenEntered(entered + 1);
    const drained = other.drain(5_000);
    await expect(raw(other, { headers: json, body: query })).rejects.toThrow();
    gate.open();
    const { status, body } = await answer;
    expect(status).toBe(200);
    expect((JSON.parse(body.toString()) as { data: { random: string } }).data.random).toHaveLength(4_000_000);
    await drained;
  });

  it('ends what takes longer than it may', async () => {
    const other = await start();
    const entered = gate.entered;
    const answer = raw(other, { headers: json, body: '{"query":"{ wait }"}' });
    const failed = expect(answer).rejects.toThrow();
    await gate.whenEntered(entered + 1);
    await other.drain(50);
    await failed;
  });
});

describe('what is written down', () => {
  it('holds no token, whatever goes wrong with a request', async () => {
    const canary = `canary-${randomBytes(8).toString('hex')}`;
    const leaky: Authenticator = {
      authenticate: (token) => {
        if (token.startsWith('bad')) throw unauthenticated();
        // As clients of other services put what they were asked into their errors.
        throw Object.assign(new Error(`403 for Authorization: Bearer ${token}`), {
          request: { headers: { authorization: `Bearer ${token}`, 'x-auth-token': token } },
          headers: { authorization: token, 'x-auth-token': token },
          token,
        });
      },
      projects: { get: () => undefined, all: () => [] },
      close: () => undefined,
    };
    const other = await start({ authenticator: leaky });
    const texts: string[] = [];
    for (const headers of [
      { authorization: `Bearer ${canary}` },
      { 'x-auth-token': canary },
      { authorization: `Bearer bad-${canary}` },
      { authorization: canary },
      { authorization: `Bearer ${canary}`, 'x-request-id': canary + '"' },
    ]) {
      const { text, headers: answered } = await other.as(undefined).query('{ text }', { headers });
      texts.push(text, JSON.stringify([...answered]));
    }
    await other.drain();
    expect(other.logged.length).toBeGreaterThanOrEqual(5);
    for (const text of [...texts, ...other.logged, ...other.audited]) expect(text).not.toContain(canary);
  });
});

describe('metrics', () => {
  it('count requests by status and runs by engine, and name nobody', async () => {
    await serving.as('user').query('{ text }');
    const text = await serving.metrics.registry.metrics();
    expect(text).toMatch(/gateway_http_request_duration_seconds_count\{status="200"\} \d+/);
    expect(text).toMatch(/gateway_operations_total\{engine="interpreted"\} \d+/);
    for (const name of ['user', 'admin', 'p-a', 'token-of']) expect(text).not.toMatch(new RegExp(`"${name}"`));
  });
});
