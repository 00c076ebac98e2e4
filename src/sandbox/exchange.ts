import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { isObject, type JsonObject } from './json.js';
import { decodeProtobuf, protobufType } from './protobuf.js';
import { drained, maxSliceMs, objectJson } from './serialization.js';
import { badRequest, StatusError } from './status.js';
import type { SandboxObject } from './storage.js';

/** How the client wants objects. */
export type Form = 'object' | 'table' | 'metadata';

/** Bytes of a request's body; the same as Kubernetes'. */
const maxBodyBytes = 3 * 1024 * 1024;
const maxIgnoredBytes = 4 * maxBodyBytes;
/** Nothing that the API knows is nested as deep; what is deeper could exhaust the stack. */
const maxDepth = 500;
/** Lists are written in pieces of about this size. */
const chunkBytes = 64 * 1024;

const bodyTypes = ['application/json', 'application/yaml', protobufType];
const tableTypes = /;as=Table\b/;
const metadataTypes = /;as=PartialObjectMetadata(?:List)?\b/;

/** One request and its answer. */
export class Exchange {
  readonly path: string;
  readonly query: URLSearchParams;
  #form: Form | undefined;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
  ) {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark));
  }

  get method(): string {
    return this.request.method ?? '';
  }

  /** @throws StatusError 406 where nothing that the client accepts can be made. */
  get form(): Form {
    return (this.#form ??= formOf(this.request.headers.accept ?? ''));
  }

  /** The media type of the body; empty where none was named. */
  get contentType(): string {
    return (this.request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  }

  /** @throws StatusError 413 for a body that is too large. */
  async text(): Promise<string> {
    return (await this.#bytes()).toString('utf8');
  }

  async #bytes(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes <= maxBodyBytes) chunks.push(chunk);
      // A client that is cut off while it sends reads no answer: a little more is taken, and thrown away.
      else if (bytes > maxIgnoredBytes) break;
    }
    if (bytes > maxBodyBytes) {
      this.response.setHeader('connection', 'close');
      throw new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
    }
    return Buffer.concat(chunks);
  }

  /**
   * The body as an object; undefined where there is none.
   *
   * @throws StatusError 400 for what is no object, 413, 415.
   */
  async body(what: string): Promise<JsonObject | undefined> {
    const type =
      this.contentType === '' || this.contentType === 'application/x-www-form-urlencoded' ? 'application/json' : this.contentType;
    const bytes = await this.#bytes();
    if (bytes.length === 0) return undefined;
    if (!bodyTypes.includes(type))
      throw new StatusError(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: ${bodyTypes.join(', ')}`,
      );
    const fail = (why: string): StatusError => badRequest(`the object provided is unrecognized (must be of type ${what}): ${why}`);
    if (type === protobufType) {
      try {
        return decodeProtobuf(bytes);
      } catch (error) {
        throw fail((error as Error).message);
      }
    }
    const value = parseBody(bytes.toString('utf8'), type, fail);
    if (!isObject(value)) throw fail('it is not an object');
    return value;
  }

  warn(message: string): void {
    this.response.appendHeader('warning', `299 - ${JSON.stringify(message)}`);
  }

  json(code: number, value: unknown, contentType = 'application/json'): void {
    this.#answer(code, contentType, Buffer.from(`${JSON.stringify(value)}\n`));
  }

  plain(code: number, text: string): void {
    this.#answer(code, 'text/plain; charset=utf-8', Buffer.from(text));
  }

  /** A stored object: its JSON is made once for all who ask. */
  object(code: number, object: SandboxObject): void {
    this.#answer(code, 'application/json', Buffer.concat([...objectJson(object)]));
  }

  fail(error: StatusError): void {
    if (this.response.headersSent) this.response.destroy();
    else this.json(error.code, error.status);
  }

  /** Writes many parts in slices, at the pace of the client; ends without an error when it is gone. */
  async stream(head: string, parts: Iterable<Buffer>, tail: string): Promise<void> {
    const { response } = this;
    response.writeHead(200, { 'content-type': 'application/json' });
    let pending: Buffer[] = [Buffer.from(head)];
    let bytes = 0;
    let sliceEndMs = performance.now() + maxSliceMs;
    for (const part of parts) {
      pending.push(part);
      bytes += part.length;
      const isLate = performance.now() > sliceEndMs;
      if (bytes < chunkBytes && !isLate) continue;
      const isFull = !response.write(Buffer.concat(pending));
      pending = [];
      bytes = 0;
      if (isFull) await drained(response);
      else if (isLate) await new Promise((resolve) => setImmediate(resolve));
      else continue;
      if (response.destroyed) return;
      sliceEndMs = performance.now() + maxSliceMs;
    }
    pending.push(Buffer.from(tail));
    response.end(Buffer.concat(pending));
  }

  #answer(code: number, contentType: string, body: Buffer): void {
    this.response.writeHead(code, { 'content-type': contentType, 'content-length': body.length, 'cache-control': 'no-cache, private' });
    this.response.end(this.method === 'HEAD' ? undefined : body);
  }
}

/** @param fail Makes the error from what is wrong. */
export function parseBody(text: string, type: string, fail: (why: string) => StatusError): unknown {
  if (type !== 'application/yaml') {
    if (isTooDeep(text)) throw fail('exceeded max depth');
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw fail(`json parse error: ${(error as Error).message}`);
    }
  }
  let value: unknown;
  try {
    // Through JSON, so that nothing is left that JSON does not have.
    value = JSON.parse(JSON.stringify(parseYaml(text, { schema: 'core', merge: false })) ?? 'null');
  } catch (error) {
    throw fail(`yaml parse error: ${(error as Error).message}`);
  }
  if (isTooDeep(JSON.stringify(value))) throw fail('exceeded max depth');
  return value;
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (isInString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) isInString = false;
    } else if (code === 0x22) isInString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

function formOf(accept: string): Form {
  if (accept.trim() === '') return 'object';
  for (const range of accept.split(',')) {
    const compact = range.replaceAll(/\s/g, '');
    const type = compact.split(';', 1)[0] ?? '';
    if (type !== 'application/json' && type !== 'application/*' && type !== '*/*') continue;
    if (tableTypes.test(compact)) return 'table';
    if (metadataTypes.test(compact)) return 'metadata';
    if (!compact.includes(';as=')) return 'object';
  }
  throw new StatusError(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/json;stream=watch',
    {},
  );
}
