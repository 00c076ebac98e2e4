import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { HeaderMap, type ApolloServer } from '@apollo/server';
import { GraphQLError, OperationTypeNode, type GraphQLFormattedError } from 'graphql';
import type { Authenticator } from '../auth/access.js';
import { GatewayError, type ErrorCode } from '../errors.js';
import type { ApolloContext, HttpOperation } from './apollo.js';
import type { ContextFactory, RequestContext } from './context.js';
import { checkCost, resolveOperation, type Documents, type GoodDocument } from './documents.js';
import type { Pages } from './graphiql.js';
import { choose } from './negotiation.js';
import { credentialHeaders, tokenOfHeaders, type Origins } from './sign-in.js';

const toGzip = promisify(gzip);
const toBrotli = promisify(brotliCompress);

/** Time that a client may take to send the headers of a request. */
const headersTimeoutMs = 10_000;

export interface FrontOptions {
  readonly apollo: ApolloServer<ApolloContext>;
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
  /** Told when an operation is over. */
  onOver(context: RequestContext): void;
  /** Told when a request to `/graphql` has been answered, or its client has left. */
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
  #isDraining = false;
  #drained: (() => void) | undefined;

  constructor(options: FrontOptions) {
    this.#options = options;
    const requestTimeout = Math.max(options.requestTimeoutMs, headersTimeoutMs);
    this.server = createServer(
      { requestTimeout, headersTimeout: headersTimeoutMs, connectionsCheckingInterval: 5_000, maxHeaderSize: 16_384 },
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
    this.#isDraining = true;
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
    const isGraph = pathOf(request) === '/graphql';
    let bytes = 0;
    this.#underWay += 1;
    // Only now are the bytes out, or the client gone.
    response.once('close', () => {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#drained?.();
      if (isGraph) {
        const durationMs = performance.now() - startedMs;
        const status = response.writableFinished ? response.statusCode : statusOfLeft;
        this.#options.onAnswer({ requestId, method: request.method ?? '', status, durationMs, bytes });
      }
    });
    response.setHeader('x-request-id', requestId);
    response.setHeader('x-content-type-options', 'nosniff');
    if (this.#isDraining) response.setHeader('connection', 'close');
    try {
      bytes = isGraph ? await this.#answerGraph(request, response, requestId) : await this.#answerPage(request, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else bytes = await this.#refuse(request, response, error, requestId);
    }
    this.#endUnread(response);
  }

  /** A client has as long to read its answer as the answer had to be made: what nobody reads is not kept for ever. */
  #endUnread(response: ServerResponse): void {
    if (response.closed) return;
    const timer = setTimeout(() => response.destroy(), this.#options.requestTimeoutMs);
    response.once('close', () => clearTimeout(timer));
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
    // One viewer's answer, by a header that caches do not know as a credential.
    response.setHeader('cache-control', 'no-store');
    if (origin !== undefined && isAllowed) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', 'x-request-id');
    }
    if (request.method === 'OPTIONS') {
      if (origin !== undefined && isAllowed) {
        response.setHeader('access-control-allow-methods', 'GET, POST');
        response.setHeader(
          'access-control-allow-headers',
          [...credentialHeaders, 'content-type', 'accept', 'x-request-id', 'apollo-require-preflight'].join(', '),
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

    const mediaType = mediaTypeFor(request);
    if (mediaType === undefined) {
      throw new HttpRefusal(406, new GatewayError('BAD_USER_INPUT', `The API answers ${mediaTypes.join(' or ')}.`));
    }
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(new GatewayError('TIMEOUT', 'The request took too long.')), this.#options.requestTimeoutMs);
    response.once('close', () => {
      clearTimeout(timer);
      if (!response.writableFinished) end.abort(new GatewayError('TIMEOUT', 'The client left.'));
    });
    const session = await this.#options.authenticator.authenticate(tokenOfHeaders(request.headers), end.signal);
    const search = searchOf(request);
    const body = request.method === 'POST' ? await this.#readJson(request) : undefined;
    const asked = request.method === 'POST' ? askedOf(body) : askedOfSearch(search);
    const good = this.#inspected(asked);
    const operation: HttpOperation = {
      context: this.#options.contexts.create(session, requestId, end.signal),
      cost: good === undefined ? undefined : this.#reckoned(good, asked),
      hasRun: false,
      failure: undefined,
      isFormatted: false,
    };
    try {
      const answer = await this.#options.apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: { method: request.method, headers: headerMap(request), search, body },
        context: () => Promise.resolve({ operation }),
      });
      if (answer.body.kind !== 'complete') throw new Error('An answer came in parts, which no schema of the gateway has.');
      for (const [name, value] of answer.headers) response.setHeader(name, value);
      response.setHeader('content-type', contentType(mediaType));
      response.statusCode = statusOfAnswer(operation, answer.status ?? 200, mediaType);
      const { string } = answer.body;
      // Apollo's own words, too, where it could not put the answer together.
      const isOurs = operation.isFormatted && answer.status !== 500;
      return await send(request, response, isOurs ? string : this.#formatted(string, requestId));
    } finally {
      this.#options.onOver(operation.context);
    }
  }

  /**
   * The document that is meant, by its text or by its hash. Undefined where the request names none, which Apollo has the words for.
   * @throws HttpRefusal for what may not be run.
   */
  #inspected({ query, hash }: Asked): GoodDocument | undefined {
    if (query === undefined) {
      const known = hash === undefined ? undefined : this.#options.documents.byHash(hash);
      // Not left to Apollo, which may find it a moment later: what was not measured must not run.
      if (hash !== undefined && known === undefined) throw persistedQueryNotFound();
      return known;
    }
    const inspection = this.#options.documents.inspect(query);
    if ('good' in inspection) {
      if (hash !== undefined && hash !== inspection.good.hash) throw badPersistedQuery('`sha256Hash` is not that of the query.');
      return inspection.good;
    }
    throw new RequestRefusal('refused' in inspection ? [inspection.refused] : inspection.invalid);
  }

  /** @returns the cost where it was asked for. */
  #reckoned(good: GoodDocument, { operationName, variables, cost }: Asked): number | undefined {
    try {
      if (resolveOperation(good, operationName).operation === OperationTypeNode.SUBSCRIPTION) {
        throw new GatewayError('BAD_USER_INPUT', 'Subscriptions run over the WebSocket at this path.');
      }
      const reckoned = checkCost(good, operationName, variables, this.#options.maxCost);
      return cost ? reckoned : undefined;
    } catch (error) {
      throw new RequestRefusal([error]);
    }
  }

  /** What Apollo refuses before there is an operation knows of no request yet. */
  #formatted(answer: string, requestId: string): string {
    const { errors = [] } = JSON.parse(answer) as { errors?: readonly GraphQLFormattedError[] };
    return JSON.stringify({
      errors: errors.map(({ message, extensions = {} }) => this.#options.formatError(new GraphQLError(message, { extensions }), requestId)),
      extensions: { requestId },
    });
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
    const content = await contentOf(request, this.#options.maxBodyBytes);
    if (content === undefined) throw tooLarge();
    try {
      return JSON.parse(content.toString('utf8'));
    } catch {
      throw new HttpRefusal(400, new GatewayError('BAD_USER_INPUT', 'The body must be a JSON object with a `query`.'));
    }
  }

  async #refuse(request: IncomingMessage, response: ServerResponse, error: unknown, requestId: string): Promise<number> {
    const mediaType = mediaTypeFor(request) ?? 'application/json';
    const errors = error instanceof RequestRefusal ? error.errors : [error instanceof HttpRefusal ? error.cause : error];
    const status =
      error instanceof HttpRefusal ? error.status : error instanceof RequestRefusal ? statusOfRefusal(mediaType) : statusOf(errors[0]);
    if (status === 401) response.setHeader('www-authenticate', 'Bearer');
    // What is left of a body that was refused is not read: the connection cannot be used again.
    if (!request.complete) response.setHeader('connection', 'close');
    response.statusCode = status;
    response.setHeader('content-type', contentType(mediaType));
    const formatted = errors.map((each) => this.#options.formatError(each, requestId));
    return send(request, response, JSON.stringify({ errors: formatted, extensions: { requestId } }));
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

/** A well-formed request whose operation may not, or cannot, be run. */
class RequestRefusal extends Error {
  constructor(readonly errors: readonly unknown[]) {
    super('refused');
  }
}

const statuses: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  UNAVAILABLE: 503,
  TIMEOUT: 504,
  RATE_LIMITED: 429,
  INTERNAL: 500,
};

/** In logs and metrics alone: nobody was there to be answered. */
const statusOfLeft = 499;

function statusOf(error: unknown): number {
  return error instanceof GatewayError ? (statuses[error.code] ?? 400) : 500;
}

/** Clients of `application/json` take any other code for a proxy's word, and do not look into the body. */
const statusOfRefusal = (mediaType: MediaType): number => (mediaType === 'application/json' ? 200 : 400);

function statusOfAnswer({ hasRun, failure }: HttpOperation, status: number, mediaType: MediaType): number {
  const found = failure === undefined ? status : statusOf(failure);
  return hasRun && found === 400 ? statusOfRefusal(mediaType) : found;
}

const mediaTypes = ['application/json', 'application/graphql-response+json'] as const;

type MediaType = (typeof mediaTypes)[number];

/** The newer one only where it is named. Undefined where the client takes neither. */
function mediaTypeFor({ headers: { accept } }: IncomingMessage): MediaType | undefined {
  if (accept === undefined) return 'application/json';
  return choose<MediaType>(accept, accept.includes('application/graphql-response+json') ? mediaTypes.toReversed() : mediaTypes);
}

const contentType = (mediaType: MediaType): string => `${mediaType}; charset=utf-8`;

/** What the limits need of a request. Whether it is right is Apollo's to say. */
interface Asked {
  readonly query: string | undefined;
  /** Of a persisted query. */
  readonly hash: string | undefined;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  /** Whether the client wants to be told what it costs. */
  readonly cost: boolean;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const badPersistedQuery = (message: string): HttpRefusal => new HttpRefusal(400, new GatewayError('BAD_USER_INPUT', message));

/** As Apollo words it: clients then send the query itself. */
const persistedQueryNotFound = (): HttpRefusal =>
  new HttpRefusal(200, new GraphQLError('PersistedQueryNotFound', { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }));

/** @throws HttpRefusal for what is neither one nor nothing. */
function hashOf(persistedQuery: unknown): string | undefined {
  if (persistedQuery === undefined || persistedQuery === null) return undefined;
  const { version, sha256Hash }: Readonly<Record<string, unknown>> = isRecord(persistedQuery) ? persistedQuery : {};
  if (version === 1 && typeof sha256Hash === 'string' && /^[0-9a-f]{64}$/.test(sha256Hash)) return sha256Hash;
  throw badPersistedQuery('`persistedQuery` must have `version` 1 and `sha256Hash`, the SHA-256 of the query in lower-case hexadecimal.');
}

/** @throws HttpRefusal for what says of no query which it is. */
function askedOf(body: unknown): Asked {
  const { query, operationName, variables, extensions }: Readonly<Record<string, unknown>> = isRecord(body) ? body : {};
  const { cost, persistedQuery }: Readonly<Record<string, unknown>> = isRecord(extensions) ? extensions : {};
  return {
    query: textOf(query),
    hash: hashOf(persistedQuery),
    operationName: textOf(operationName),
    variables: isRecord(variables) ? variables : undefined,
    cost: cost === true,
  };
}

function askedOfSearch(search: string): Asked {
  const parameters = new URLSearchParams(search);
  const json = (name: string): unknown => {
    try {
      return JSON.parse(parameters.get(name) ?? 'null');
    } catch {
      return undefined;
    }
  };
  return askedOf({
    query: parameters.get('query') ?? undefined,
    operationName: parameters.get('operationName') ?? undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

/**
 * Undefined where it is longer than `maxBytes`; the rest of it then flows into nothing, so that the client comes to read the answer.
 * @throws GatewayError `TIMEOUT` where the client leaves in the middle.
 */
function contentOf(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
      } else {
        chunks.length = 0;
        resolve(undefined);
      }
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', (cause) => reject(new GatewayError('TIMEOUT', 'The client left.', { cause })));
  });
}

const compressFromBytes = 1_024;

async function send(request: IncomingMessage, response: ServerResponse, text: string): Promise<number> {
  let body: Buffer = Buffer.from(text, 'utf8');
  if (body.length > compressFromBytes) {
    const encoding = choose(request.headers['accept-encoding'] ?? '', ['br', 'gzip']);
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
