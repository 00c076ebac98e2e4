import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { HeaderMap, type ApolloServer } from '@apollo/server';
import type { GraphQLFormattedError } from 'graphql';
import type { Authenticator } from '../auth/access.js';
import { GatewayError } from '../errors.js';
import type { Context } from '../schema/context.js';
import type { ContextFactory } from './context.js';
import { checkCost, type Documents } from './documents.js';
import type { Pages } from './graphiql.js';
import { tokenOfHeaders, type Origins } from './sign-in.js';

const toGzip = promisify(gzip);
const toBrotli = promisify(brotliCompress);

export interface FrontOptions {
  readonly apollo: ApolloServer<Context>;
  readonly documents: Documents;
  readonly authenticator: Authenticator;
  readonly contexts: ContextFactory;
  readonly origins: Origins;
  /** What a browser gets on `/`; undefined: nothing. */
  readonly pages: Pages | undefined;
  readonly maxBodyBytes: number;
  readonly maxCost: number;
  readonly requestTimeoutMs: number;
  /** Translates what the front itself refuses. */
  formatError(error: unknown, requestId: string): GraphQLFormattedError;
  /** Told when a request to `/graphql` has been answered. */
  onAnswer(answer: {
    readonly requestId: string;
    readonly method: string;
    readonly status: number;
    readonly durationMs: number;
    readonly bytes: number;
  }): void;
}

/**
 * The HTTP side of the API: authentication before the body is read, limits before the document is validated, then Apollo, then compression. Its own
 * instead of a framework's, because a page should cost little more than writing its bytes.
 */
export class Front {
  readonly server: Server;
  readonly #options: FrontOptions;
  #underWay = 0;
  #draining = false;
  #drained: (() => void) | undefined;

  constructor(options: FrontOptions) {
    this.#options = options;
    this.server = createServer(
      { requestTimeout: options.requestTimeoutMs, headersTimeout: 10_000, maxHeaderSize: 16_384 },
      (request, response) => {
        void this.#answer(request, response);
      },
    );
    this.server.keepAliveTimeout = 65_000;
  }

  /** @returns the port. */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.removeListener('error', reject);
        resolve();
      });
    });
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** Takes no more connections, lets requests that are under way finish for `timeoutMs`, then ends what is left. */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeIdleConnections();
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#drained = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedMs = performance.now();
    const requestId = requestIdOf(request);
    this.#underWay += 1;
    response.setHeader('x-request-id', requestId);
    response.setHeader('x-content-type-options', 'nosniff');
    if (this.#draining) response.setHeader('connection', 'close');
    let bytes = 0;
    const isGraph = pathOf(request) === '/graphql';
    try {
      bytes = isGraph ? await this.#answerGraph(request, response, requestId) : await this.#answerPage(request, response);
    } catch (error) {
      if (!response.headersSent) bytes = await this.#refuse(request, response, error, requestId);
      else response.destroy();
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#drained?.();
      if (isGraph) {
        this.#options.onAnswer({
          requestId,
          method: request.method ?? '',
          status: response.statusCode,
          durationMs: performance.now() - startedMs,
          bytes,
        });
      }
    }
  }

  async #answerPage(request: IncomingMessage, response: ServerResponse): Promise<number> {
    const page =
      request.method === 'GET' || request.method === 'HEAD'
        ? await this.#options.pages?.find(pathOf(request), request.headers.host)
        : undefined;
    request.resume();
    if (page === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
      response.end('Not found. The API is on /graphql.\n');
      return 0;
    }
    response.writeHead(200, page.headers);
    response.end(request.method === 'HEAD' ? undefined : page.body);
    return page.body.length;
  }

  async #answerGraph(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<number> {
    const { origin } = request.headers;
    const isAllowed = this.#options.origins.allows(request);
    response.setHeader('vary', 'Origin, Accept, Accept-Encoding');
    if (origin !== undefined && isAllowed) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', 'x-request-id');
    }
    if (request.method === 'OPTIONS') {
      if (origin !== undefined && isAllowed) {
        response.setHeader('access-control-allow-methods', 'GET, POST');
        response.setHeader(
          'access-control-allow-headers',
          'authorization, x-auth-token, content-type, accept, x-request-id, apollo-require-preflight',
        );
        response.setHeader('access-control-max-age', '600');
      }
      response.writeHead(204, { allow: 'GET, POST' });
      response.end();
      return 0;
    }
    // A page of a stranger's origin cannot read the answer; it is not let ask either.
    if (!isAllowed) throw new HttpRefusal(403, new GatewayError('FORBIDDEN', 'Pages of this origin may not call the API.'));
    if (request.method !== 'POST' && request.method !== 'GET') {
      response.setHeader('allow', 'GET, POST');
      throw new HttpRefusal(405, new GatewayError('BAD_USER_INPUT', 'The API answers GET and POST.'));
    }

    const leaving = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) leaving.abort(new GatewayError('TIMEOUT', 'The client left.'));
    });
    const session = await this.#options.authenticator.authenticate(tokenOfHeaders(request.headers), leaving.signal);
    const search = searchOf(request);
    const body = request.method === 'POST' ? await this.#readJson(request) : undefined;
    const { query, operationName, variables, cost } = request.method === 'POST' ? asked(body) : askedBySearch(search);
    let reckoned: number | undefined;
    if (query !== undefined) {
      const inspection = this.#options.documents.inspect(query);
      if ('refused' in inspection) throw new HttpRefusal(400, inspection.refused);
      if ('good' in inspection) {
        try {
          reckoned = checkCost(inspection.good, operationName, variables, this.#options.maxCost);
        } catch (error) {
          throw new HttpRefusal(400, error);
        }
      }
    }
    const deadline = AbortSignal.timeout(this.#options.requestTimeoutMs);
    const context = this.#options.contexts.create(
      session,
      requestId,
      AbortSignal.any([leaving.signal, deadline]),
      cost ? reckoned : undefined,
    );
    const answer = await this.#options.apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method: request.method, headers: headerMap(request), search, body },
      context: () => Promise.resolve(context),
    });
    for (const [name, value] of answer.headers) response.setHeader(name, value);
    response.statusCode = answer.status ?? 200;
    if (answer.body.kind === 'complete') {
      const { string } = answer.body;
      return send(request, response, response.statusCode >= 400 && !string.includes(requestId) ? withRequestId(string, requestId) : string);
    }
    // Nothing in the schema streams within one answer; Apollo's type allows it all the same.
    let bytes = 0;
    for await (const chunk of answer.body.asyncIterator) {
      bytes += chunk.length;
      response.write(chunk);
    }
    response.end();
    return bytes;
  }

  /** UTF-8 JSON as it is: no other charset, and no encoding that could unfold into more than was sent. */
  async #readJson(request: IncomingMessage): Promise<unknown> {
    const { 'content-type': type = '', 'content-encoding': encoding } = request.headers;
    const [essence = '', ...parameters] = type.split(';').map((part) => part.trim().toLowerCase());
    if (essence !== 'application/json')
      throw new HttpRefusal(415, new GatewayError('BAD_USER_INPUT', 'The body must be application/json.'));
    if (parameters.some((parameter) => parameter.startsWith('charset=') && !/^charset="?utf-8"?$/.test(parameter))) {
      throw new HttpRefusal(415, new GatewayError('BAD_USER_INPUT', 'The body must be UTF-8.'));
    }
    if (encoding !== undefined && encoding !== 'identity')
      throw new HttpRefusal(415, new GatewayError('BAD_USER_INPUT', 'The body must not be encoded.'));
    const tooLarge = () =>
      new HttpRefusal(413, new GatewayError('BAD_USER_INPUT', `The body must be at most ${this.#options.maxBodyBytes} bytes.`));
    if (Number(request.headers['content-length'] ?? 0) > this.#options.maxBodyBytes) throw tooLarge();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > this.#options.maxBodyBytes) throw tooLarge();
      chunks.push(chunk);
    }
    try {
      return JSON.parse(Buffer.concat(chunks).toString('utf8'));
    } catch {
      throw new HttpRefusal(400, new GatewayError('BAD_USER_INPUT', 'The body must be a JSON object with a `query`.'));
    }
  }

  async #refuse(request: IncomingMessage, response: ServerResponse, error: unknown, requestId: string): Promise<number> {
    const cause = error instanceof HttpRefusal ? error.cause : error;
    const status = error instanceof HttpRefusal ? error.status : statusOf(cause);
    if (status === 401) response.setHeader('www-authenticate', 'Bearer');
    // What is left of a body that was refused is not read: the connection cannot be used again.
    if (!request.complete) response.setHeader('connection', 'close');
    const formatted = this.#options.formatError(cause, requestId);
    response.statusCode = status;
    response.setHeader(
      'content-type',
      /application\/graphql-response\+json/.test(request.headers.accept ?? '')
        ? 'application/graphql-response+json; charset=utf-8'
        : 'application/json; charset=utf-8',
    );
    return send(request, response, JSON.stringify({ errors: [formatted], extensions: { requestId } }));
  }
}

/** A request that is refused before there is an operation to run. */
class HttpRefusal extends Error {
  constructor(
    readonly status: number,
    cause: unknown,
  ) {
    super('refused', { cause });
  }
}

function statusOf(error: unknown): number {
  if (!(error instanceof GatewayError)) return 500;
  return (
    (
      { UNAUTHENTICATED: 401, FORBIDDEN: 403, UNAVAILABLE: 503, TIMEOUT: 504, RATE_LIMITED: 429, INTERNAL: 500 } as Readonly<
        Record<string, number>
      >
    )[error.code] ?? 400
  );
}

interface Asked {
  readonly query: string | undefined;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  readonly cost: boolean;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What Apollo refuses before there is an operation carries no request id yet. */
function withRequestId(answer: string, requestId: string): string {
  const { errors = [] } = JSON.parse(answer) as { errors?: readonly GraphQLFormattedError[] };
  return JSON.stringify({
    errors: errors.map((error) => ({ ...error, extensions: { ...error.extensions, requestId } })),
    extensions: { requestId },
  });
}

/** What the limits need of a body. Whether the body is right is Apollo's to say. */
function asked(body: unknown): Asked {
  const { query, operationName, variables, extensions } = isRecord(body) ? body : ({} as Readonly<Record<string, unknown>>);
  return {
    query: typeof query === 'string' ? query : undefined,
    operationName: typeof operationName === 'string' ? operationName : undefined,
    variables: isRecord(variables) ? variables : undefined,
    cost: isRecord(extensions) && extensions['cost'] === true,
  };
}

function askedBySearch(search: string): Asked {
  const parameters = new URLSearchParams(search);
  const json = (name: string): unknown => {
    try {
      return JSON.parse(parameters.get(name) ?? 'null');
    } catch {
      return undefined;
    }
  };
  return asked({
    query: parameters.get('query') ?? undefined,
    operationName: parameters.get('operationName') ?? undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

const compressFromBytes = 1_024;

async function send(request: IncomingMessage, response: ServerResponse, text: string): Promise<number> {
  let body: Buffer = Buffer.from(text, 'utf8');
  if (body.length > compressFromBytes) {
    const encoding = encodingFor(request.headers['accept-encoding']);
    if (encoding === 'br') {
      body = await toBrotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } });
    } else if (encoding === 'gzip') {
      body = await toGzip(body, { level: 5 });
    }
    if (encoding !== undefined) response.setHeader('content-encoding', encoding);
  }
  response.setHeader('content-length', body.length);
  response.end(request.method === 'HEAD' ? undefined : body);
  return body.length;
}

/** `br` before `gzip`, whichever the client does not refuse by `q=0`. */
function encodingFor(accepted: string | undefined): 'br' | 'gzip' | undefined {
  if (accepted === undefined) return undefined;
  const offers = new Map(
    accepted.split(',').map((offer) => {
      const [name = '', ...parameters] = offer.trim().toLowerCase().split(';');
      return [name.trim(), !parameters.some((parameter) => /^\s*q=0(\.0*)?\s*$/.test(parameter))] as const;
    }),
  );
  if (offers.get('br') === true) return 'br';
  return offers.get('gzip') === true ? 'gzip' : undefined;
}

function headerMap(request: IncomingMessage): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0] ?? '/';

const searchOf = (request: IncomingMessage): string => {
  const at = request.url?.indexOf('?') ?? -1;
  return at < 0 ? '' : (request.url?.slice(at) ?? '');
};

/** The client's own, where it is one that may stand in a log; else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}
