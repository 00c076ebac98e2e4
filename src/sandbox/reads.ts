import type { Exchange } from './exchange.js';
import type { MemoryStorage, ObjectPage, PageQuery } from './memory-storage.js';
import { parseListOptions, versionOf, type ListOptions } from './request-options.js';
import type { ResourceType } from './resources.js';
import { scaleOf } from './scale.js';
import { parseListSelector } from './selectors.js';
import { itemJson } from './serialization.js';
import { badRequest, expired, notFound, StatusError } from './status.js';
import type { SandboxObject } from './storage.js';
import { emptyTable, metadataOf, rowOf, type Table, type TableOptions } from './table.js';
import type { WatchHub } from './watch-hub.js';

const minWatchSeconds = 1_800;

interface Token {
  /** -1: whatever is there now. */
  readonly resourceVersion: number;
  readonly namespace: string;
  readonly name: string;
}

function encodeToken({ resourceVersion, namespace, name }: Token): string {
  return Buffer.from(JSON.stringify({ v: 'sandbox/v1', rv: resourceVersion, start: `${namespace}/${name}` })).toString('base64url');
}

function decodeToken(text: string): Token {
  const fail = (): StatusError => badRequest('invalid continue token: continue key is not valid');
  let value: { v?: unknown; rv?: unknown; start?: unknown } | null;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as typeof value;
  } catch {
    throw fail();
  }
  if (value?.v !== 'sandbox/v1' || !Number.isSafeInteger(value.rv) || Number(value.rv) < -1 || typeof value.start !== 'string')
    throw fail();
  const slash = value.start.indexOf('/');
  if (slash < 0) throw fail();
  return { resourceVersion: Number(value.rv), namespace: value.start.slice(0, slash), name: value.start.slice(slash + 1) };
}

/** Answers get, list and watch. */
export class Reads {
  readonly #storage: MemoryStorage;
  readonly #watches: WatchHub;
  readonly #now: () => number;

  /** @param now Milliseconds since the epoch; tables tell ages by it. */
  constructor(storage: MemoryStorage, watches: WatchHub, now: () => number) {
    this.#storage = storage;
    this.#watches = watches;
    this.#now = now;
  }

  get(exchange: Exchange, type: ResourceType, namespace: string | undefined, name: string): void {
    this.#checkVersion(versionOf(exchange.query));
    const object = this.#storage.get(type.resource, namespace, name);
    if (object === undefined) throw notFound(type, name);
    this.answer(exchange, 200, type, object);
  }

  scale(exchange: Exchange, type: ResourceType, namespace: string | undefined, name: string): void {
    const object = this.#storage.get(type.resource, namespace, name);
    if (object === undefined) throw notFound(type, name);
    exchange.json(200, scaleOf(object));
  }

  /** One object, in the form that the client asked for. */
  answer(exchange: Exchange, code: number, type: ResourceType, object: SandboxObject): void {
    if (exchange.form === 'object') exchange.object(code, object);
    else if (exchange.form === 'metadata') exchange.json(code, metadataOf(object));
    else exchange.json(code, this.#tableWith(exchange, type, object));
  }

  async list(exchange: Exchange, type: ResourceType, namespace: string | undefined): Promise<void> {
    const options = parseListOptions(exchange.query);
    const { matches } = parseListSelector(type, options.labelSelector, options.fieldSelector);
    if (options.watch) {
      this.#watch(exchange, type, namespace, options, matches);
      return;
    }
    const form = exchange.form;
    const page = this.#page(type, { ...this.#place(options), namespace, limit: options.limit, matches });
    const last = page.items.at(-1);
    const metadata = {
      resourceVersion: String(page.resourceVersion),
      ...(page.hasMore && last !== undefined ? { continue: this.#tokenAfter(page.resourceVersion, last) } : {}),
      ...(page.hasMore && page.remaining !== undefined && page.remaining > 0 ? { remainingItemCount: page.remaining } : {}),
    };
    if (form === 'table') {
      const options: TableOptions = { now: this.#now(), include: includeOf(exchange) };
      const encode = (object: SandboxObject): Buffer => Buffer.from(JSON.stringify(rowOf(type, object, options)));
      await exchange.stream(JSON.stringify(emptyTable(type, metadata)).slice(0, -2), separated(page.items, encode), ']}\n');
      return;
    }
    if (form === 'metadata') {
      const head = JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata });
      await exchange.stream(
        `${head.slice(0, -1)},"items":[`,
        separated(page.items, (object) => Buffer.from(JSON.stringify(metadataOf(object)))),
        ']}\n',
      );
      return;
    }
    const head = JSON.stringify({ kind: `${type.kind}List`, apiVersion: type.apiVersion, metadata });
    await exchange.stream(`${head.slice(0, -1)},"items":[`, separated(page.items, itemJson), ']}\n');
  }

  /** Where a list starts, and the version that it shows. */
  #place({ resourceVersion, match, limit, continueToken }: ListOptions): Pick<PageQuery, 'resourceVersion' | 'after'> {
    if (continueToken !== '') {
      const token = decodeToken(continueToken);
      const after = { namespace: token.namespace, name: token.name };
      if (token.resourceVersion === -1) return { after };
      this.#checkVersion(token.resourceVersion);
      return { resourceVersion: token.resourceVersion, after };
    }
    this.#checkVersion(resourceVersion);
    const isExact = match === 'Exact' || (match === undefined && limit !== undefined && resourceVersion !== 0);
    return isExact && resourceVersion !== undefined ? { resourceVersion } : {};
  }

  #page(type: ResourceType, query: PageQuery): ObjectPage {
    try {
      return this.#storage.page(type.resource, query);
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 410 || query.after === undefined) throw error;
      const late = expired('The continue parameter is too old for a consistent list: start again, or go on with the token of this answer.');
      // With this token the client may go on, and see what is there by then.
      late.status.metadata = { continue: encodeToken({ resourceVersion: -1, ...query.after }) };
      throw late;
    }
  }

  #tokenAfter(resourceVersion: number, { metadata }: SandboxObject): string {
    return encodeToken({ resourceVersion, namespace: metadata.namespace ?? '', name: metadata.name });
  }

  #tableWith(exchange: Exchange, type: ResourceType, object: SandboxObject): Table {
    const table = emptyTable(type, { resourceVersion: object.metadata.resourceVersion });
    table.rows.push(rowOf(type, object, { now: this.#now(), include: includeOf(exchange) }));
    return table;
  }

  #watch(exchange: Exchange, type: ResourceType, namespace: string | undefined, options: ListOptions, matches: PageQuery['matches']): void {
    const { form } = exchange;
    includeOf(exchange);
    let isFirst = true;
    const table = (object: SandboxObject): unknown => {
      const made = this.#tableWith(exchange, type, object);
      // Columns are told once.
      if (isFirst) isFirst = false;
      else made.columnDefinitions = null;
      return made;
    };
    // Without a timeout, watches end at different times, so that their clients do not all come back at once.
    const timeoutSeconds = options.timeoutSeconds ?? minWatchSeconds * (1 + Math.random());
    this.#watches.serve(
      {
        type,
        namespace,
        matches,
        resourceVersion: options.resourceVersion,
        sendInitialEvents: options.sendInitialEvents,
        allowBookmarks: options.allowBookmarks,
        timeoutMs: Math.min(Math.max(timeoutSeconds, 1) * 1000, 2 ** 31 - 1),
        transform: form === 'table' ? table : form === 'metadata' ? metadataOf : undefined,
      },
      exchange.response,
    );
  }

  #checkVersion(resourceVersion: number | undefined): void {
    const current = this.#storage.resourceVersion;
    if (resourceVersion === undefined || resourceVersion <= current) return;
    throw new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${resourceVersion}, current: ${current}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
  }
}

function includeOf({ query }: Exchange): 'None' | 'Metadata' | 'Object' {
  const include = query.get('includeObject') ?? '';
  if (include === '' || include === 'Metadata') return 'Metadata';
  if (include === 'None' || include === 'Object') return include;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(include)}`);
}

function* separated(objects: readonly SandboxObject[], encode: (object: SandboxObject) => Buffer): Generator<Buffer> {
  const comma = Buffer.from(',');
  let isFirst = true;
  for (const object of objects) {
    if (!isFirst) yield comma;
    isFirst = false;
    yield encode(object);
  }
}
