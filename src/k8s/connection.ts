import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { GatewayError } from '../errors.js';
import type { Dial, Endpoint } from './kubeconfig.js';
import { isPlainPath } from './paths.js';
import { statusOf, toGatewayError, toStatusError } from './status-error.js';

export interface ReadOptions {
  /** Ends the read, and the stream that came of it, with the signal's reason. */
  readonly signal: AbortSignal;
  /** Undefined values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Longest wait, retries included: for the whole answer, or where it is a stream for its beginning. Default 30 s. */
  readonly timeoutMs?: number;
  /** How often it is tried again where nothing answers or the server is busy (429, 502, 503, 504). Default 3. */
  readonly maxRetries?: number;
}

export interface StreamOptions extends ReadOptions {
  /** Longest silence within the stream; past it, it ends with `TIMEOUT`. Default 30 s. */
  readonly idleTimeoutMs?: number;
}

export interface ConnectionOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const defaultTimeoutMs = 30_000;
const defaultMaxRetries = 3;
/** First wait before another try, where the server names none; doubled each time. */
const firstRetryMs = 100;
const connectTimeoutMs = 5_000;
/** Longest answer that is held whole. */
const maxAnswerBytes = 32 << 20;
/** Longest answer to a failure that is read. */
const maxFailureBytes = 64 << 10;

/**
 * Reads from one API server. Connections are kept alive and shared; credentials are asked for with each request, so that they may rotate, and
 * once more when they are refused. Whatever fails is a GatewayError with a fixed sentence; its `cause` is for the log.
 */
export class ClusterConnection {
  readonly #endpoint: Endpoint;
  readonly #now: () => number;
  #agent: { readonly dispatcher: Dispatcher; readonly dial: Dial } | undefined;
  #closed = false;

  constructor(endpoint: Endpoint, { now = Date.now }: ConnectionOptions = {}) {
    this.#endpoint = endpoint;
    this.#now = now;
  }

  /**
   * A whole answer, parsed; of an answer that is no JSON the text.
   * @param path From `resourcePath`, or another plain path.
   * @throws GatewayError
   */
  async read(path: string, options: ReadOptions): Promise<unknown> {
    const deadline = new Deadline(options.signal, options.timeoutMs ?? defaultTimeoutMs);
    try {
      const { body, headers } = await this.#retried(path, options, deadline, 0);
      const text = await textOf(body, maxAnswerBytes);
      return /\bjson\b/.test(String(headers['content-type'])) ? parsed(text) : text;
    } catch (error) {
      throw deadline.translate(error);
    } finally {
      deadline.end();
    }
  }

  /**
   * A long answer as it arrives. It must be iterated, or its signal aborted, to let go of its connection.
   * @throws GatewayError from here, or from the iteration where the stream breaks; `TIMEOUT` where it is silent for too long.
   */
  async stream(path: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>> {
    const deadline = new Deadline(options.signal, options.timeoutMs ?? defaultTimeoutMs);
    try {
      const { body } = await this.#retried(path, options, deadline, options.idleTimeoutMs ?? defaultTimeoutMs);
      deadline.lift();
      return chunksOf(body, deadline);
    } catch (error) {
      deadline.end();
      throw deadline.translate(error);
    }
  }

  /** Ends everything that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#agent?.dispatcher.destroy();
  }

  async #retried(path: string, options: ReadOptions, deadline: Deadline, idleTimeoutMs: number): Promise<Dispatcher.ResponseData> {
    const query = queryOf(options.query);
    const target = isPlainPath(path) ? path + query : undefined;
    if (target === undefined) throw new GatewayError('BAD_USER_INPUT', 'This is no path that the cluster serves.');
    const maxRetries = options.maxRetries ?? defaultMaxRetries;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#signedIn(target, deadline, idleTimeoutMs);
      } catch (error) {
        const waitMs = attempt < maxRetries && !this.#closed ? retryAfterMs(error, attempt) : undefined;
        if (waitMs === undefined || waitMs >= deadline.leftMs()) throw error;
        await sleep(waitMs, undefined, { signal: deadline.signal });
      }
    }
  }

  async #signedIn(target: string, deadline: Deadline, idleTimeoutMs: number): Promise<Dispatcher.ResponseData> {
    let dial = await this.#dial(false);
    try {
      return await this.#once(target, dial, deadline, idleTimeoutMs);
    } catch (error) {
      // A token or a certificate may have rotated since it was read; whoever was refused before may have renewed it already.
      if (!isRefusal(error)) throw error;
      let renewed = await this.#dial(false);
      if (isSameDial(dial, renewed)) renewed = await this.#dial(true);
      if (isSameDial(dial, renewed)) throw this.#sharpened(error, dial);
      dial = renewed;
    }
    try {
      return await this.#once(target, dial, deadline, idleTimeoutMs);
    } catch (error) {
      throw this.#sharpened(error, dial);
    }
  }

  async #dial(refused: boolean): Promise<Dial> {
    try {
      return await this.#endpoint.dial(refused);
    } catch (cause) {
      throw new GatewayError('UNAVAILABLE', 'The gateway cannot obtain its credentials for the cluster.', { cause });
    }
  }

  async #once(target: string, dial: Dial, { signal }: Deadline, idleTimeoutMs: number): Promise<Dispatcher.ResponseData> {
    const { server } = this.#endpoint;
    const url = new URL(server + target);
    let response: Dispatcher.ResponseData;
    try {
      response = await this.#dispatcher(dial).request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: { accept: 'application/json', 'user-agent': 'secure-container-gateway', ...dial.headers },
        signal,
        headersTimeout: 0,
        bodyTimeout: idleTimeoutMs,
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw noAnswer(error);
    }
    if (response.statusCode >= 200 && response.statusCode < 300) return response;
    const text = await textOf(response.body, maxFailureBytes).catch(() => '');
    let body: unknown = text;
    try {
      body = JSON.parse(text);
    } catch {
      // A proxy's web page, say.
    }
    throw toGatewayError(toStatusError(body, response.statusCode, retryAfterHeaderMs(response.headers['retry-after'], this.#now())));
  }

  /** An agent holds its certificates for good: when they change, another takes its place, and the old one ends with its last stream. */
  #dispatcher(dial: Dial): Dispatcher {
    if (this.#closed) throw new Error('the connection is closed');
    const current = this.#agent;
    if (current !== undefined && hasSameCertificates(current.dial, dial)) return current.dispatcher;
    const { tlsServerName, unsafeSkipTlsVerify, proxy } = this.#endpoint;
    const tls = {
      ...(dial.ca !== undefined && { ca: dial.ca }),
      ...(dial.certificate !== undefined && { cert: dial.certificate }),
      ...(dial.key !== undefined && { key: dial.key }),
      ...(tlsServerName !== undefined && { servername: tlsServerName }),
      rejectUnauthorized: !unsafeSkipTlsVerify,
    };
    const common = { keepAliveTimeout: 30_000, headersTimeout: 0, bodyTimeout: 0 };
    const socket = { timeout: connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: 30_000 };
    const dispatcher =
      proxy === undefined
        ? new Agent({ ...common, connect: { ...socket, ...tls } })
        : new ProxyAgent({ ...common, uri: proxy, requestTls: tls, connect: socket });
    this.#agent = { dispatcher, dial };
    current?.dispatcher.close().catch(() => undefined);
    return dispatcher;
  }

  /** Says so where credentials were refused because their time is over. */
  #sharpened(error: unknown, dial: Dial): unknown {
    if (!isRefusal(error) || !(error instanceof GatewayError) || expiryMs(dial) > this.#now()) return error;
    return new GatewayError('UNAVAILABLE', 'The credentials of the gateway for the cluster have expired.', { cause: error.cause });
  }
}

const hasSameCertificates = (one: Dial, other: Dial): boolean =>
  one.ca === other.ca && one.certificate === other.certificate && one.key === other.key;

const isSameDial = (one: Dial, other: Dial): boolean =>
  hasSameCertificates(one, other) && one.headers['authorization'] === other.headers['authorization'];

/** When a client certificate or a JSON web token ends; infinity where they do not tell. */
function expiryMs({ certificate, headers }: Dial): number {
  const ends: number[] = [];
  try {
    if (certificate !== undefined) ends.push(Date.parse(new X509Certificate(certificate).validTo));
    const payload = /^Bearer [\w-]+\.([\w-]+)\./.exec(String(headers['authorization']))?.[1];
    const claims: unknown = payload === undefined ? undefined : JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const exp = (claims as { exp?: unknown } | undefined)?.exp;
    if (typeof exp === 'number') ends.push(exp * 1000);
  } catch {
    // Not ours to judge: the server refused it, and says why.
  }
  return Math.min(...ends.filter((end) => !Number.isNaN(end)));
}

/** A signal that also ends after a time, without what `AbortSignal.any` holds on to while a long-lived signal lives. */
class Deadline {
  readonly #outer: AbortSignal;
  readonly #controller = new AbortController();
  readonly #endsAtMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(outer: AbortSignal, timeoutMs: number) {
    outer.throwIfAborted();
    this.#outer = outer;
    this.#endsAtMs = performance.now() + timeoutMs;
    outer.addEventListener('abort', this.#onAbort, { once: true });
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#controller.abort();
    }, timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  leftMs(): number {
    return this.#endsAtMs - performance.now();
  }

  /** Time no longer matters; the outer signal does. */
  lift(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#onAbort);
  }

  /** What a failure under this deadline is to be told as. */
  translate(error: unknown): unknown {
    if (this.#outer.aborted) return this.#outer.reason;
    if (this.#isOver) return new GatewayError('TIMEOUT', 'The cluster did not answer in time.', { cause: error });
    return error instanceof GatewayError ? error : broken(error);
  }

  readonly #onAbort = (): void => this.#controller.abort();
}

async function* chunksOf(body: Dispatcher.ResponseData['body'], deadline: Deadline): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } catch (error) {
    throw deadline.translate(error);
  } finally {
    deadline.end();
    // An error of a body that nobody reads any more must not end the process.
    body.on('error', () => undefined).destroy();
  }
}

async function textOf(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) throw new GatewayError('UNAVAILABLE', 'The cluster answered with more than the gateway takes.');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GatewayError('UNAVAILABLE', 'The cluster failed to answer.', { cause });
  }
}

function queryOf(query: ReadOptions['query']): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
};

/** Nothing came back at all: the `cause` tells the log why. */
function noAnswer(cause: unknown): GatewayError {
  const code = codeOf(cause);
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code) && !code.startsWith('ERR_SSL'))
    return new GatewayError('UNAVAILABLE', 'The certificate of the cluster is not trusted.', { cause });
  // The server's own alerts: it wants a certificate, or another one.
  if (/^ERR_SSL_(SSLV3|TLSV1|TLSV13).*(CERTIFICATE|ACCESS_DENIED|UNKNOWN_CA)/.test(code))
    return new GatewayError('UNAVAILABLE', 'The cluster refuses the credentials of the gateway.', { cause });
  return new GatewayError('UNAVAILABLE', 'The cluster cannot be reached.', { cause });
}

/** An answer began and did not end. */
function broken(cause: unknown): GatewayError {
  if (codeOf(cause) === 'UND_ERR_BODY_TIMEOUT') return new GatewayError('TIMEOUT', 'The cluster fell silent.', { cause });
  return new GatewayError('UNAVAILABLE', 'The connection to the cluster broke.', { cause });
}

/** Whether the server did not take the credentials, as an answer or while the connection was made. */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined) return status.status === 401;
  return error instanceof GatewayError && codeOf(error.cause).startsWith('ERR_SSL_') && /CERTIFICATE|UNKNOWN_CA/.test(codeOf(error.cause));
}

/** How long to wait before another try; undefined where that would be of no use. */
function retryAfterMs(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof GatewayError) || isRefusal(error)) return undefined;
  const backoffMs = firstRetryMs * 2 ** attempt * (0.5 + Math.random());
  const status = statusOf(error);
  if (status !== undefined) {
    if (![429, 502, 503, 504].includes(status.status)) return undefined;
    return status.retryAfterMs ?? backoffMs;
  }
  return /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|UND_ERR_SOCKET)/.test(codeOf(error.cause))
    ? backoffMs
    : undefined;
}

/** Seconds, or a date. */
function retryAfterHeaderMs(header: string | string[] | undefined, nowMs: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d{1,6}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
