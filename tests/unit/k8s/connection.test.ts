import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { GatewayError } from '../../../src/errors.js';
import { ClusterConnection } from '../../../src/k8s/connection.js';
import type { Dial, Endpoint } from '../../../src/k8s/kubeconfig.js';
import { CertificateAuthority } from '../../support/certificates.js';
import { FakeKube, json, statusOf, until, type Answer } from '../../support/fake-kube.js';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const plain: Dial = { ca: undefined, certificate: undefined, key: undefined, headers: {} };

function connectTo(server: string, over: Partial<Endpoint> = {}, options: { now?: () => number } = {}): ClusterConnection {
  const connection = new ClusterConnection(
    { server, proxy: undefined, tlsServerName: undefined, unsafeSkipTlsVerify: false, dial: () => Promise.resolve(plain), ...over },
    options,
  );
  stops.push(() => connection.close());
  return connection;
}

/** Answers one after the other; the last one again and again. */
async function serve(...answers: Answer[]): Promise<FakeKube> {
  const kube = await FakeKube.start((...args) => (answers.length > 1 ? answers.shift()! : answers[0]!)(...args));
  stops.push(() => kube.close());
  return kube;
}

const forever = (): AbortSignal => new AbortController().signal;

async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GatewayError);
  return error as GatewayError;
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += Buffer.from(chunk).toString('utf8');
  return text;
}

describe('A read', () => {
  test('gives parsed JSON, or the text of what is none, from below the path of the server', async () => {
    const kube = await serve(json({ a: 1 }), (_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('ok'));
    const connection = connectTo(`${kube.url}/prefix`);
    expect(await connection.read('/version', { signal: forever(), query: { labelSelector: 'a=b&c', limit: 5, not: undefined } })).toEqual({
      a: 1,
    });
    expect(await connection.read('/readyz', { signal: forever() })).toBe('ok');
    expect(kube.asked.map(({ path }) => path)).toEqual(['/prefix/version', '/prefix/readyz']);
    expect([...kube.asked[0]!.query]).toEqual([
      ['labelSelector', 'a=b&c'],
      ['limit', '5'],
    ]);
  });

  test('keeps its connection for the next one', async () => {
    const kube = await serve(json({}));
    const connection = connectTo(kube.url);
    for (let read = 0; read < 10; read += 1) await connection.read('/version', { signal: forever() });
    // A connection is free only in the turn after its answer's last byte was read.
    expect(Math.max(...kube.asked.map(({ connection: number }) => number))).toBeLessThanOrEqual(2);
  });

  test.each(['/../secrets', '/api/v1/pods/..', '/api//v1', 'api', '/api/v1/pods?watch=1', '/api/%2e%2e', '/api/v1/pods/a b', '/a\0'])(
    'of the path %j is refused before anything is asked',
    async (path) => {
      const kube = await serve(json({}));
      expect(await failureOf(connectTo(kube.url).read(path, { signal: forever() }))).toMatchObject({ code: 'BAD_USER_INPUT' });
      expect(kube.asked).toEqual([]);
    },
  );

  test.each([
    [400, 'BadRequest', 'BAD_USER_INPUT'],
    [401, 'Unauthorized', 'UNAVAILABLE'],
    [403, 'Forbidden', 'FORBIDDEN'],
    [404, 'NotFound', 'NOT_FOUND'],
    [410, 'Expired', 'CONFLICT'],
    [500, 'InternalError', 'UNAVAILABLE'],
  ])('that is answered with %i fails at once, with a code and none of the words of the server', async (status, reason, code) => {
    const kube = await serve(json(statusOf(status, reason, 'pods "x" at 10.0.0.1'), status));
    const failure = await failureOf(connectTo(kube.url).read('/version', { signal: forever() }));
    expect(failure).toMatchObject({ code, cause: { status, reason, message: 'pods "x" at 10.0.0.1' } });
    expect(failure.message).not.toMatch(/10\.|"x"/);
    expect(kube.asked).toHaveLength(1);
  });

  test('that leads elsewhere is not followed', async () => {
    const kube = await serve((_, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end());
    expect(await failureOf(connectTo(kube.url).read('/version', { signal: forever() }))).toMatchObject({
      code: 'UNAVAILABLE',
      cause: { status: 302 },
    });
  });

  test('waits as long as a busy server asks, and tries again', async () => {
    const kube = await serve(json(statusOf(429, 'TooManyRequests'), 429, { 'retry-after': '1' }), json({ done: true }));
    const startedAt = performance.now();
    expect(await connectTo(kube.url).read('/version', { signal: forever() })).toEqual({ done: true });
    expect(performance.now() - startedAt).toBeGreaterThan(990);
  });

  test('understands a date to wait for', async () => {
    const kube = await serve(json('', 503, { 'retry-after': 'Thu, 01 Jan 2026 00:00:01 GMT' }), json({ done: true }));
    const connection = connectTo(kube.url, {}, { now: () => Date.parse('2026-01-01T00:00:00.700Z') });
    const startedAt = performance.now();
    expect(await connection.read('/version', { signal: forever() })).toEqual({ done: true });
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });

  test('does not wait beyond its time, nor try more often than it may', async () => {
    const busy = await serve(json('', 503, { 'retry-after': '60' }));
    const startedAt = performance.now();
    expect(await failureOf(connectTo(busy.url).read('/version', { signal: forever(), timeoutMs: 10_000 }))).toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(busy.asked).toHaveLength(1);

    const broken = await serve((_, response) => response.destroy());
    expect(await failureOf(connectTo(broken.url).read('/version', { signal: forever(), maxRetries: 2 }))).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The cluster cannot be reached.',
    });
    expect(broken.asked).toHaveLength(3);
  });

  test('comes through when a broken connection is followed by a good one', async () => {
    const kube = await serve((_, response) => response.destroy(), json({ done: true }));
    expect(await connectTo(kube.url).read('/version', { signal: forever() })).toEqual({ done: true });
  });

  test.each<[string, Answer]>([
    ['answers nothing', () => undefined],
    ['stops half-way', (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"a":')],
  ])('ends with TIMEOUT where a server %s', async (_, answer) => {
    const kube = await serve(answer);
    expect(await failureOf(connectTo(kube.url).read('/version', { signal: forever(), timeoutMs: 150 }))).toMatchObject({
      code: 'TIMEOUT',
      message: 'The cluster did not answer in time.',
    });
  });

  test('fails where the answer breaks off, or is no JSON', async () => {
    const broken = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"a":');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await failureOf(connectTo(broken.url).read('/version', { signal: forever() }))).toMatchObject({
      message: 'The connection to the cluster broke.',
    });
    const garbage = await serve(json('{"a"'));
    expect(await failureOf(connectTo(garbage.url).read('/version', { signal: forever() }))).toMatchObject({
      message: 'The cluster failed to answer.',
    });
  });

  test.each<[string, Answer]>([
    ['while it waits for an answer', () => undefined],
    ['while it waits to try again', json('', 503, { 'retry-after': '5' })],
    ['within the answer', (_, response) => void response.writeHead(200).write('{')],
  ])('ends with the reason of its signal %s', async (_, answer) => {
    const kube = await serve(answer);
    const controller = new AbortController();
    const reason = new Error('the client left');
    const read = connectTo(kube.url).read('/version', { signal: controller.signal });
    await until(() => kube.asked.length === 1);
    setTimeout(() => controller.abort(reason), 30);
    await expect(read).rejects.toBe(reason);
    await expect(connectTo(kube.url).read('/version', { signal: controller.signal })).rejects.toBe(reason);
    expect(kube.asked).toHaveLength(1);
  });
});

describe('A stream', () => {
  test('gives bytes as they come', async () => {
    const kube = await serve((_, response) => {
      response.writeHead(200).write('one ');
      setTimeout(() => response.end('two'), 30);
    });
    expect(await all(await connectTo(kube.url).stream('/api/v1/pods', { signal: forever(), timeoutMs: 5_000 }))).toBe('one two');
  });

  test('is not bound by the time that its beginning may take', async () => {
    const kube = await serve((_, response) => {
      response.writeHead(200).write('one ');
      setTimeout(() => response.end('two'), 300);
    });
    expect(await all(await connectTo(kube.url).stream('/api/v1/pods', { signal: forever(), timeoutMs: 150 }))).toBe('one two');
  });

  test('ends with TIMEOUT when it falls silent', async () => {
    const kube = await serve((_, response) => void response.writeHead(200).write('one '));
    const chunks = await connectTo(kube.url).stream('/api/v1/pods', { signal: forever(), idleTimeoutMs: 100 });
    expect(await failureOf(all(chunks))).toMatchObject({ code: 'TIMEOUT', message: 'The cluster fell silent.' });
  });

  test('ends with the reason of its signal, and lets go of its connection', async () => {
    let closed = false;
    const kube = await serve((_, response) => {
      response
        .on('close', () => (closed = true))
        .writeHead(200)
        .write('one ');
    });
    const controller = new AbortController();
    const reason = new Error('enough');
    const reading = all(await connectTo(kube.url).stream('/api/v1/pods', { signal: controller.signal }));
    setTimeout(() => controller.abort(reason), 20);
    await expect(reading).rejects.toBe(reason);
    await until(() => closed);
  });

  test('lets go of its connection when its reader stops', async () => {
    let closed = false;
    const kube = await serve((_, response) => {
      response
        .on('close', () => (closed = true))
        .writeHead(200)
        .write('one ');
    });
    for await (const chunk of await connectTo(kube.url).stream('/api/v1/pods', { signal: forever() })) {
      expect(Buffer.from(chunk).toString()).toBe('one ');
      break;
    }
    await until(() => closed);
  });

  test('leaves nothing behind on a signal that lives longer', async () => {
    const kube = await serve(json({}));
    const connection = connectTo(kube.url);
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
    await connection.read('/version', { signal });
    await all(await connection.stream('/version', { signal }));
    expect(listeners).toBe(0);
  });
});

describe('Credentials', () => {
  const guarded =
    (isGood: (authorization: string | undefined) => boolean): Answer =>
    (asked, response, request) =>
      json(
        isGood(asked.headers.authorization) ? { in: true } : statusOf(401, 'Unauthorized'),
        isGood(asked.headers.authorization) ? 200 : 401,
      )(asked, response, request);
  const dialing = (tokens: string[]): Pick<Endpoint, 'dial'> => {
    let token = tokens.shift()!;
    return {
      dial: (refused = false) => {
        if (refused) token = tokens.shift() ?? token;
        return Promise.resolve({ ...plain, headers: { authorization: `Bearer ${token}` } });
      },
    };
  };

  test('that are refused are renewed once', async () => {
    const kube = await serve(guarded((authorization) => authorization === 'Bearer new'));
    expect(await connectTo(kube.url, dialing(['old', 'new'])).read('/version', { signal: forever() })).toEqual({ in: true });
    expect(kube.asked).toHaveLength(2);
  });

  test('that are refused late are not renewed again, for who was refused before has done it', async () => {
    const late: (() => void)[] = [];
    const isGood = guarded((authorization) => authorization === 'Bearer new');
    const kube = await serve((asked, response, request) => {
      const isOld = asked.headers.authorization === 'Bearer old';
      if (isOld && asked.path === '/late') late.push(() => isGood(asked, response, request));
      else isGood(asked, response, request);
    });
    const connection = connectTo(kube.url, dialing(['old', 'new', 'one-too-many']));
    const slow = connection.read('/late', { signal: forever() });
    await until(() => late.length === 1);
    expect(await connection.read('/version', { signal: forever() })).toEqual({ in: true });
    late[0]!();
    expect(await slow).toEqual({ in: true });
  });

  test('that are refused and cannot be renewed are a failure', async () => {
    const kube = await serve(guarded(() => false));
    expect(await failureOf(connectTo(kube.url, dialing(['old'])).read('/version', { signal: forever() }))).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The cluster refuses the credentials of the gateway.',
    });
    expect(kube.asked).toHaveLength(1);
    expect(await failureOf(connectTo(kube.url, dialing(['a', 'b', 'c', 'd'])).read('/version', { signal: forever() }))).toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(kube.asked).toHaveLength(3);
  });

  test('that have expired are said to have', async () => {
    const claims = Buffer.from(JSON.stringify({ exp: Date.parse('2026-01-01T00:00:00Z') / 1000 })).toString('base64url');
    const kube = await serve(guarded(() => false));
    const at = async (instant: string): Promise<string> =>
      (
        await failureOf(
          connectTo(kube.url, dialing([`head.${claims}.sign`]), { now: () => Date.parse(instant) }).read('/version', { signal: forever() }),
        )
      ).message;
    expect(await at('2026-01-01T00:00:01Z')).toBe('The credentials of the gateway for the cluster have expired.');
    expect(await at('2025-12-31T00:00:00Z')).toBe('The cluster refuses the credentials of the gateway.');
  });

  test('that cannot be had are a failure that tells nothing of why', async () => {
    const kube = await serve(json({}));
    const cause = new Error('the exec plugin ended with status 1: secret');
    const connection = connectTo(kube.url, { dial: () => Promise.reject(cause) });
    expect(await failureOf(connection.read('/version', { signal: forever() }))).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The gateway cannot obtain its credentials for the cluster.',
      cause,
    });
    expect(kube.asked).toEqual([]);
  });
});

describe('TLS', () => {
  const authority = new CertificateAuthority('cluster');
  const server = authority.issue({ commonName: 'kube-apiserver', hosts: ['127.0.0.1', 'kubernetes'] });
  const admin = authority.issue({ commonName: 'admin' });
  const viewer = authority.issue({ commonName: 'viewer' });
  const who: Answer = (asked, response, request) => {
    const certificate = (request.socket as TLSSocket).getPeerCertificate();
    json({ user: certificate.subject?.CN ?? null })(asked, response, request);
  };
  const serveTls = async (answer: Answer, options: object = {}): Promise<FakeKube> => {
    const tls = {
      key: server.key,
      cert: server.certificate,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
      ...options,
    };
    const kube = await FakeKube.start(answer, { tls });
    stops.push(() => kube.close());
    return kube;
  };
  const trusting: Dial = { ...plain, ca: authority.certificate };

  test('checks the server and shows the certificate of the client', async () => {
    const kube = await serveTls(who);
    const dial = (): Promise<Dial> => Promise.resolve({ ...trusting, certificate: admin.certificate, key: admin.key });
    expect(await connectTo(kube.url, { dial }).read('/version', { signal: forever() })).toEqual({ user: 'admin' });
  });

  test('takes a certificate that rotated on the next connection, while a stream goes on with the old one', async () => {
    let finish: () => void = () => undefined;
    const kube = await serveTls((asked, response, request) => {
      if (asked.path === '/version') who(asked, response, request);
      else {
        response.writeHead(200).write('one ');
        finish = () => response.end('two');
      }
    });
    let own = admin;
    const connection = connectTo(kube.url, { dial: () => Promise.resolve({ ...trusting, certificate: own.certificate, key: own.key }) });
    const stream = await connection.stream('/api/v1/pods', { signal: forever() });
    own = viewer;
    expect(await connection.read('/version', { signal: forever() })).toEqual({ user: 'viewer' });
    finish();
    expect(await all(stream)).toBe('one two');
  });

  test('refuses a server that another authority vouches for, unless it is told not to check', async () => {
    const kube = await serveTls(who);
    const stranger = (): Promise<Dial> => Promise.resolve({ ...plain, ca: new CertificateAuthority('another').certificate });
    expect(await failureOf(connectTo(kube.url, { dial: stranger }).read('/version', { signal: forever() }))).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The certificate of the cluster is not trusted.',
    });
    expect(await connectTo(kube.url, { dial: stranger, unsafeSkipTlsVerify: true }).read('/version', { signal: forever() })).toEqual({
      user: null,
    });
  });

  test('refuses a server of another name, unless that is the one to expect', async () => {
    const named = authority.issue({ commonName: 'kube-apiserver', hosts: ['kubernetes'] });
    const kube = await serveTls(who, { key: named.key, cert: named.certificate });
    const dial = (): Promise<Dial> => Promise.resolve(trusting);
    expect(await failureOf(connectTo(kube.url, { dial }).read('/version', { signal: forever() }))).toMatchObject({
      message: 'The certificate of the cluster is not trusted.',
    });
    expect(await connectTo(kube.url, { dial, tlsServerName: 'kubernetes' }).read('/version', { signal: forever() })).toEqual({
      user: null,
    });
  });

  test('refuses a server whose certificate has expired', async () => {
    const old = authority.issue({
      commonName: 'kube-apiserver',
      hosts: ['127.0.0.1'],
      notBefore: new Date('2020-01-01'),
      notAfter: new Date('2021-01-01'),
    });
    const kube = await serveTls(who, { key: old.key, cert: old.certificate });
    expect(
      await failureOf(connectTo(kube.url, { dial: () => Promise.resolve(trusting) }).read('/version', { signal: forever() })),
    ).toMatchObject({
      message: 'The certificate of the cluster is not trusted.',
    });
  });

  test('says so where the certificate of the client has expired', async () => {
    const kube = await serveTls(json(statusOf(401, 'Unauthorized'), 401));
    const old = authority.issue({ commonName: 'admin', notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') });
    const dial = (): Promise<Dial> => Promise.resolve({ ...trusting, certificate: old.certificate, key: old.key });
    expect(await failureOf(connectTo(kube.url, { dial }).read('/version', { signal: forever() }))).toMatchObject({
      message: 'The credentials of the gateway for the cluster have expired.',
    });
  });

  test('goes through a proxy', async () => {
    const kube = await serveTls(who);
    const tunnels: string[] = [];
    const proxy = createServer().on('connect', (request, socket) => {
      tunnels.push(request.url ?? '');
      const [host, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      for (const end of [upstream, socket]) end.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    stops.push(() => new Promise((resolve) => proxy.close(resolve)));
    const dial = (): Promise<Dial> => Promise.resolve({ ...trusting, certificate: admin.certificate, key: admin.key });
    const connection = connectTo(kube.url, { dial, proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    expect(await connection.read('/version', { signal: forever() })).toEqual({ user: 'admin' });
    expect(tunnels).toEqual([new URL(kube.url).host]);
  });
});

test('A closed connection ends what is under way', async () => {
  const kube = await serve(() => undefined);
  const connection = connectTo(kube.url);
  const read = failureOf(connection.read('/version', { signal: forever() }));
  await until(() => kube.asked.length === 1);
  await connection.close();
  expect(await read).toMatchObject({ code: 'UNAVAILABLE' });
  expect(await failureOf(connection.read('/version', { signal: forever() }))).toMatchObject({ code: 'UNAVAILABLE' });
});
