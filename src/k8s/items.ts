import type { Kind } from './kind.js';
import type { KubernetesObject, ObjectMeta } from './objects.js';
import type { Item } from './sink.js';
import { turns } from './turns.js';

/** What a list page says of itself. */
export interface PageInfo {
  readonly resourceVersion: string;
  /** Token of the next page; undefined on the last one. */
  readonly continue: string | undefined;
  /** Items on later pages, where the server tells. */
  readonly remainingItemCount: number | undefined;
  /** Items that cannot be used: not JSON, too large, or without a name, uid or version. */
  readonly skipped: number;
}

/** The bytes are no whole list: cut off, or something else altogether. Nothing may be concluded from what was missing. */
export class PageError extends Error {
  override readonly name = 'PageError';
}

/** Where a kind is served, which is all that items need to know of it. */
export type ItemKind = Pick<Kind, 'name' | 'apiVersion'>;

/** An item larger than this is skipped; etcd takes 1.5 MB. */
const maxItemBytes = 32 << 20;
/** Keys and `metadata` of the list itself. */
const maxEnvelopeBytes = 1 << 20;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const newline = 0x0a;

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const keys = {
  metadata: ascii('metadata'),
  kind: ascii('kind'),
  apiVersion: ascii('apiVersion'),
  managedFields: ascii('managedFields'),
  annotations: ascii('annotations'),
  lastApplied: ascii(lastApplied),
  items: ascii('items'),
};

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Whether `bytes` from `from` to `to` are exactly `key`. */
function isKey(bytes: Uint8Array, from: number, to: number, key: Uint8Array): boolean {
  if (to - from !== key.length) return false;
  for (let at = 0; at < key.length; at += 1) if (bytes[from + at] !== key[at]) return false;
  return true;
}

const enum Key {
  Other,
  Metadata,
  Kind,
  ApiVersion,
  ManagedFields,
  Annotations,
  LastApplied,
  Items,
}

/**
 * Finds the end of one object, and on the way what is to be left out of it. It works on bytes, because that makes an item cheaper than its
 * `JSON.parse`: what is left out is never parsed, and the stripped JSON is a copy instead of a `JSON.stringify`. It trusts that the
 * bytes are JSON; `JSON.parse` tells afterwards. All offsets are from the object's first byte, so that the bytes may move between calls.
 */
class ObjectScanner {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #stringStart = 0;
  #candidate = Key.Other;
  #value = Key.Other;
  #inMetadata = false;
  #inAnnotations = false;
  #cutStart = -1;
  #cutDepth = 0;
  /** Start and end of what is left out, in pairs. */
  #cuts: number[] = [];
  #hasKind = false;
  #hasApiVersion = false;

  reset(): void {
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#candidate = Key.Other;
    this.#value = Key.Other;
    this.#inMetadata = false;
    this.#inAnnotations = false;
    this.#cutStart = -1;
    this.#cuts = [];
    this.#hasKind = false;
    this.#hasApiVersion = false;
  }

  /**
   * Goes on at `from` with the object that began at `start`.
   * @returns the index behind the object, or -1 where it goes on beyond these bytes.
   */
  scan(bytes: Uint8Array, start: number, from: number): number {
    const end = bytes.length;
    let at = from;
    let depth = this.#depth;
    let inString = this.#inString;
    let stringStart = this.#stringStart + start;
    // Keys matter in the object itself, in its metadata and in its annotations.
    let keyed = depth === 1 || (depth === 2 && this.#inMetadata) || (depth === 3 && this.#inAnnotations);
    if (this.#escaped && at < end) {
      this.#escaped = false;
      at += 1;
    }
    while (at < end) {
      if (inString) {
        let byte = bytes[at++];
        while (byte !== quote) {
          if (byte === backslash) {
            if (at >= end) {
              this.#escaped = true;
              break;
            }
            at += 1;
          }
          if (at >= end) break;
          byte = bytes[at++];
        }
        if (byte !== quote) break;
        inString = false;
        if (keyed) this.#candidate = this.#match(bytes, stringStart + 1, at - 1, depth);
        continue;
      }
      switch (bytes[at]) {
        case quote:
          inString = true;
          stringStart = at;
          break;
        case colon:
          if (keyed) this.#enter(stringStart - start, depth);
          break;
        case comma:
          if (this.#cutStart >= 0 && this.#cutDepth === depth) {
            this.#cuts.push(this.#cutStart, at + 1 - start);
            this.#cutStart = -1;
          }
          break;
        case openBrace:
          if (keyed && this.#value === Key.Metadata) this.#inMetadata = true;
          else if (keyed && this.#value === Key.Annotations) this.#inAnnotations = true;
          this.#value = Key.Other;
          depth += 1;
          keyed = depth === 1 || (depth === 2 && this.#inMetadata) || (depth === 3 && this.#inAnnotations);
          break;
        case openBracket:
          this.#value = Key.Other;
          depth += 1;
          keyed = false;
          break;
        case closeBrace:
        case closeBracket:
          if (this.#cutStart >= 0 && this.#cutDepth === depth) {
            this.#cuts.push(this.#cutStart, at - start);
            this.#cutStart = -1;
          }
          if (depth === 3) this.#inAnnotations = false;
          if (depth === 2) this.#inMetadata = false;
          depth -= 1;
          if (depth === 0) return at + 1;
          keyed = depth === 1 || (depth === 2 && this.#inMetadata) || (depth === 3 && this.#inAnnotations);
          break;
        default:
      }
      at += 1;
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#stringStart = stringStart - start;
    return -1;
  }

  /** The object that `scan` found; undefined where it cannot be used. */
  finish(bytes: Uint8Array, start: number, end: number, head: ItemHead): Item | undefined {
    const prefix = head.prefix(this.#hasKind, this.#hasApiVersion);
    const kept = this.#kept(bytes, start, end);
    let size = prefix.length;
    for (let at = 0; at < kept.length; at += 2) size += (kept[at + 1] ?? 0) - (kept[at] ?? 0);
    // Not from Node's pool: the bytes live as long as the object, and would pin 8 KB of others'.
    const json = Buffer.allocUnsafeSlow(size);
    json.set(prefix);
    let to = prefix.length;
    for (let at = 0; at < kept.length; at += 2) {
      const piece = bytes.subarray(kept[at], kept[at + 1]);
      json.set(piece, to);
      to += piece.length;
    }
    let object: unknown;
    try {
      object = JSON.parse(json.toString('utf8'));
    } catch {
      return undefined;
    }
    if (!isUsable(object)) return undefined;
    // A key written with escapes is not seen by the scan.
    const { metadata } = object;
    if ('managedFields' in metadata || metadata.annotations?.[lastApplied] !== undefined) return itemOf(object, head);
    return { object, json };
  }

  /** What stays, behind the opening brace, as pairs of indexes; the comma before a last member that goes, goes with it. */
  #kept(bytes: Uint8Array, start: number, end: number): number[] {
    const kept: number[] = [];
    let from = start + 1;
    for (let at = 0; at < this.#cuts.length; at += 2) {
      const cutStart = start + (this.#cuts[at] ?? 0);
      const cutEnd = start + (this.#cuts[at + 1] ?? 0);
      if (cutStart > from) kept.push(from, cutStart);
      if (bytes[cutEnd - 1] !== comma) dropTrailingComma(bytes, kept);
      from = cutEnd;
    }
    kept.push(from, end);
    return kept;
  }

  #match(bytes: Uint8Array, from: number, to: number, depth: number): Key {
    switch (to - from) {
      case 4:
        return depth === 1 && isKey(bytes, from, to, keys.kind) ? Key.Kind : Key.Other;
      case 8:
        return depth === 1 && isKey(bytes, from, to, keys.metadata) ? Key.Metadata : Key.Other;
      case 10:
        return depth === 1 && isKey(bytes, from, to, keys.apiVersion) ? Key.ApiVersion : Key.Other;
      case 11:
        return depth === 2 && isKey(bytes, from, to, keys.annotations) ? Key.Annotations : Key.Other;
      case 13:
        return depth === 2 && isKey(bytes, from, to, keys.managedFields) ? Key.ManagedFields : Key.Other;
      case lastApplied.length:
        return depth === 3 && isKey(bytes, from, to, keys.lastApplied) ? Key.LastApplied : Key.Other;
      default:
        return Key.Other;
    }
  }

  /** A colon outside of strings follows a key: the last string was one. */
  #enter(keyStart: number, depth: number): void {
    const key = this.#candidate;
    this.#candidate = Key.Other;
    this.#value = key;
    if (key === Key.Kind) this.#hasKind = true;
    else if (key === Key.ApiVersion) this.#hasApiVersion = true;
    else if ((key === Key.ManagedFields || key === Key.LastApplied) && this.#cutStart < 0) {
      this.#cutStart = keyStart;
      this.#cutDepth = depth;
    }
  }
}

function dropTrailingComma(bytes: Uint8Array, kept: number[]): void {
  while (kept.length > 0) {
    const from = kept[kept.length - 2] ?? 0;
    let to = kept[kept.length - 1] ?? 0;
    while (to > from && isSpace(bytes[to - 1])) to -= 1;
    if (to > from) {
      kept[kept.length - 1] = bytes[to - 1] === comma ? to - 1 : to;
      return;
    }
    kept.length -= 2;
  }
}

/** Items of a typed list name neither kind nor API version; this is what goes in front. */
class ItemHead {
  readonly kind: ItemKind;
  readonly #prefixes: readonly Uint8Array[];

  constructor(kind: ItemKind) {
    this.kind = kind;
    const kindPart = `"kind":${JSON.stringify(kind.name)},`;
    const versionPart = `"apiVersion":${JSON.stringify(kind.apiVersion)},`;
    this.#prefixes = [`{${kindPart}${versionPart}`, `{${versionPart}`, `{${kindPart}`, '{'].map((text) => Buffer.from(text, 'utf8'));
  }

  prefix(hasKind: boolean, hasApiVersion: boolean): Uint8Array {
    return this.#prefixes[(hasKind ? 1 : 0) + (hasApiVersion ? 2 : 0)] ?? new Uint8Array();
  }
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTextMap = (value: unknown): boolean =>
  value === undefined || (isMap(value) && Object.values(value).every((text) => typeof text === 'string'));

/** Everything above relies on `metadata` being what it is said to be, so that is checked here, once. */
function isUsable(value: unknown): value is KubernetesObject {
  if (!isMap(value)) return false;
  const metadata = value['metadata'];
  if (!isMap(metadata)) return false;
  const owners = metadata['ownerReferences'];
  return (
    isText(metadata['name']) &&
    isText(metadata['uid']) &&
    isText(metadata['resourceVersion']) &&
    isText(metadata['creationTimestamp']) &&
    (metadata['namespace'] === undefined || isText(metadata['namespace'])) &&
    isTextMap(metadata['labels']) &&
    isTextMap(metadata['annotations']) &&
    (owners === undefined || (Array.isArray(owners) && owners.every((owner) => isMap(owner) && isText(owner['uid'])))) &&
    (metadata['deletionTimestamp'] === undefined || isText(metadata['deletionTimestamp']))
  );
}

const without = (map: object, key: string): object => Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));

function itemOf(value: KubernetesObject, { kind }: ItemHead): Item {
  const { annotations, ...metadata } = without(value.metadata, 'managedFields') as ObjectMeta;
  const object: KubernetesObject = {
    ...value,
    kind: isText(value.kind) ? value.kind : kind.name,
    apiVersion: isText(value.apiVersion) ? value.apiVersion : kind.apiVersion,
    metadata:
      annotations === undefined ? metadata : { ...metadata, annotations: without(annotations, lastApplied) as Record<string, string> },
  };
  const text = JSON.stringify(object);
  const json = Buffer.allocUnsafeSlow(Buffer.byteLength(text, 'utf8'));
  json.write(text, 'utf8');
  return { object, json };
}

const enum Mode {
  /** In the list object, outside of `items`. */
  Envelope,
  /** In `items`, between two of them. */
  Items,
  Item,
  Done,
}

/** Takes a list page in pieces and gives its items one by one. Holds no more than one item and one piece. */
class PageScanner {
  readonly #head: ItemHead;
  readonly #object = new ObjectScanner();
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  /** First byte that is still needed; -1 where none is. */
  #keep = -1;
  #mode = Mode.Envelope;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #candidate = Key.Other;
  #value = Key.Other;
  #metadata: unknown;
  #inMetadata = false;
  #itemsSeen = false;
  #oversized = false;
  #straySeen = false;
  #skipped = 0;

  constructor(kind: ItemKind) {
    this.#head = new ItemHead(kind);
  }

  /** Only when `next` has given everything of the piece before. */
  push(chunk: Uint8Array): void {
    if (this.#keep < 0) {
      this.#bytes = chunk;
      this.#at = 0;
      return;
    }
    const rest = this.#bytes.subarray(this.#keep);
    const joined = Buffer.allocUnsafe(rest.length + chunk.length);
    joined.set(rest);
    joined.set(chunk, rest.length);
    this.#bytes = joined;
    this.#at = rest.length;
    this.#keep = 0;
  }

  /** Undefined when the piece is used up. @throws PageError for what is no list. */
  next(): Item | undefined {
    while (this.#at < this.#bytes.length) {
      if (this.#mode === Mode.Envelope) this.#envelope();
      else if (this.#mode === Mode.Items) this.#between();
      else if (this.#mode === Mode.Item) {
        const item = this.#item();
        if (item !== undefined) return item;
      } else return undefined;
    }
    return undefined;
  }

  /** @throws PageError where the list is not whole. */
  end(): PageInfo {
    if (this.#mode !== Mode.Done) throw new PageError('the list was cut off');
    const metadata = isMap(this.#metadata) ? this.#metadata : {};
    const { resourceVersion, continue: next, remainingItemCount } = metadata;
    // An answer without `items` must never pass for an empty list: that would delete everything.
    if (!this.#itemsSeen || !isText(resourceVersion)) throw new PageError('the answer is no list');
    return {
      resourceVersion,
      continue: isText(next) ? next : undefined,
      remainingItemCount: typeof remainingItemCount === 'number' ? remainingItemCount : undefined,
      skipped: this.#skipped,
    };
  }

  #item(): Item | undefined {
    const start = Math.max(this.#keep, 0);
    const end = this.#object.scan(this.#bytes, start, this.#at);
    if (end < 0) {
      this.#at = this.#bytes.length;
      if (this.#bytes.length - start > maxItemBytes) this.#oversized = true;
      if (this.#oversized) this.#keep = -1;
      return undefined;
    }
    this.#at = end;
    this.#keep = -1;
    this.#mode = Mode.Items;
    const item = this.#oversized ? undefined : this.#object.finish(this.#bytes, start, end, this.#head);
    this.#oversized = false;
    if (item === undefined) this.#skipped += 1;
    return item;
  }

  #between(): void {
    const byte = this.#bytes[this.#at];
    if (this.#inString) {
      this.#skipString();
      return;
    }
    if (byte === openBrace) {
      this.#mode = Mode.Item;
      this.#keep = this.#at;
      this.#object.reset();
      return;
    }
    if (byte === comma || byte === closeBracket) {
      if (this.#straySeen) this.#skipped += 1;
      this.#straySeen = false;
      if (byte === closeBracket) this.#mode = Mode.Envelope;
    } else if (byte === openBracket) throw new PageError('the items are no objects');
    else if (byte === quote) {
      this.#straySeen = true;
      this.#inString = true;
    } else if (!isSpace(byte)) this.#straySeen = true;
    this.#at += 1;
  }

  #skipString(): void {
    while (this.#at < this.#bytes.length) {
      const byte = this.#bytes[this.#at++];
      if (this.#escaped) this.#escaped = false;
      else if (byte === backslash) this.#escaped = true;
      else if (byte === quote) {
        this.#inString = false;
        return;
      }
    }
  }

  #envelope(): void {
    const bytes = this.#bytes;
    while (this.#at < bytes.length) {
      if (this.#inString) {
        this.#skipString();
        if (this.#inString) break;
        if (this.#depth === 1) {
          const start = this.#keep + 1;
          const end = this.#at - 1;
          if (isKey(bytes, start, end, keys.items)) this.#candidate = Key.Items;
          else if (isKey(bytes, start, end, keys.metadata)) this.#candidate = Key.Metadata;
          else this.#candidate = Key.Other;
          this.#keep = -1;
        }
        continue;
      }
      const byte = bytes[this.#at];
      if (this.#depth === 0 && byte !== openBrace && !isSpace(byte)) throw new PageError('the answer is no list');
      if (this.#depth === 1 && this.#value === Key.Items && (byte === openBrace || byte === quote))
        throw new PageError('the items are no array');
      switch (byte) {
        case quote:
          this.#inString = true;
          if (this.#depth === 1) this.#keep = this.#at;
          break;
        case colon:
          if (this.#depth !== 1) break;
          this.#value = this.#candidate;
          this.#candidate = Key.Other;
          if (this.#value === Key.Items) this.#itemsSeen = true;
          break;
        case comma:
          if (this.#depth === 1) this.#value = Key.Other;
          break;
        case openBracket:
          if (this.#depth === 1 && this.#value === Key.Items) {
            this.#value = Key.Other;
            this.#mode = Mode.Items;
            this.#at += 1;
            return;
          }
          this.#depth += 1;
          break;
        case openBrace:
          if (this.#depth === 1 && this.#value === Key.Metadata) {
            this.#inMetadata = true;
            this.#keep = this.#at;
          }
          this.#depth += 1;
          break;
        case closeBrace:
        case closeBracket:
          this.#depth -= 1;
          if (this.#depth === 1 && this.#inMetadata) this.#readMetadata();
          if (this.#depth === 0) {
            this.#mode = Mode.Done;
            return;
          }
          break;
        default:
      }
      this.#at += 1;
    }
    if (this.#keep >= 0 && bytes.length - this.#keep > maxEnvelopeBytes) throw new PageError('the list says too much of itself');
  }

  #readMetadata(): void {
    try {
      this.#metadata = JSON.parse(Buffer.from(this.#bytes.subarray(this.#keep, this.#at + 1)).toString('utf8'));
    } catch (cause) {
      throw new PageError('the metadata of the list is not JSON', { cause });
    }
    this.#inMetadata = false;
    this.#keep = -1;
  }
}

/**
 * Reads one page of a list as it arrives, item by item, and gives way to the event loop. Neither the page nor any string of it is ever
 * held whole, so it may be of any size.
 *
 * @param onItem Called in the order of the list; what it throws ends the reading.
 * @throws PageError where the list is not whole; items before that have been told.
 */
export async function readPage(chunks: AsyncIterable<Uint8Array>, kind: ItemKind, onItem: (item: Item) => void): Promise<PageInfo> {
  const scanner = new PageScanner(kind);
  for await (const chunk of chunks) {
    if (turns.spent()) await turns.next();
    scanner.push(chunk);
    for (let item = scanner.next(); item !== undefined; item = scanner.next()) {
      onItem(item);
      if (turns.spent()) await turns.next();
    }
  }
  return scanner.end();
}

/** One line of a watch. */
export type WatchLine =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly item: Item }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  /** A Kubernetes `Status`. */
  | { readonly type: 'ERROR'; readonly status: unknown }
  /** Not JSON, of no known type, or about an object that cannot be used. */
  | { readonly type: 'UNUSABLE' };

const unusable: WatchLine = { type: 'UNUSABLE' };
const lineHead = ascii('{"type":"');
const lineMiddle = ascii('","object":');

function startsWith(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  return isKey(bytes, at, Math.min(at + text.length, bytes.length), text);
}

/** Parses lines of watches of one kind. */
class LineParser {
  readonly #head: ItemHead;
  readonly #object = new ObjectScanner();

  constructor(kind: ItemKind) {
    this.#head = new ItemHead(kind);
  }

  parse(line: Uint8Array): WatchLine {
    return this.#asWritten(line) ?? this.#asParsed(line);
  }

  /** As every API server writes it: the type first, no blanks; undefined for anything else. */
  #asWritten(line: Uint8Array): WatchLine | undefined {
    if (!startsWith(line, 0, lineHead)) return undefined;
    const typeEnd = line.indexOf(quote, lineHead.length);
    if (typeEnd < 0 || typeEnd > lineHead.length + 8 || !startsWith(line, typeEnd, lineMiddle)) return undefined;
    const start = typeEnd + lineMiddle.length;
    if (line[start] !== openBrace) return undefined;
    const type = Buffer.from(line.subarray(lineHead.length, typeEnd)).toString('latin1');
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return undefined;
    this.#object.reset();
    const end = this.#object.scan(line, start, start);
    if (end < 0 || line[end] !== closeBrace) return undefined;
    for (let at = end + 1; at < line.length; at += 1) if (!isSpace(line[at])) return undefined;
    const item = this.#object.finish(line, start, end, this.#head);
    return item && { type, item };
  }

  #asParsed(line: Uint8Array): WatchLine {
    let event: unknown;
    try {
      event = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'));
    } catch {
      return unusable;
    }
    if (!isMap(event)) return unusable;
    const { type, object } = event;
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        return isUsable(object) ? { type, item: itemOf(object, this.#head) } : unusable;
      case 'BOOKMARK': {
        const metadata = isMap(object) ? object['metadata'] : undefined;
        const resourceVersion = isMap(metadata) ? metadata['resourceVersion'] : undefined;
        return isText(resourceVersion) ? { type, resourceVersion } : unusable;
      }
      case 'ERROR':
        return { type, status: object };
      default:
        return unusable;
    }
  }
}

/**
 * Reads the lines of a watch as they arrive, in order, and gives way to the event loop. A last line without its end is dropped: the
 * connection broke within it, and the next watch tells it again. A line of more than 32 MB is unusable.
 *
 * @param onLine Called once per line; ends the reading by returning false.
 */
export async function readLines(chunks: AsyncIterable<Uint8Array>, kind: ItemKind, onLine: (line: WatchLine) => boolean): Promise<void> {
  const parser = new LineParser(kind);
  let pieces: Uint8Array[] = [];
  let pending = 0;
  let oversized = false;
  for await (const chunk of chunks) {
    if (turns.spent()) await turns.next();
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      pieces.push(chunk.subarray(from, end));
      from = end + 1;
      const line = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
      const dropped = oversized;
      pieces = [];
      pending = 0;
      oversized = false;
      if (!dropped && line.every(isSpace)) continue;
      if (!onLine(dropped ? unusable : parser.parse(line))) return;
      if (turns.spent()) await turns.next();
    }
    if (from === chunk.length) continue;
    pending += chunk.length - from;
    if (pending > maxItemBytes) {
      oversized = true;
      pieces = [];
    } else if (!oversized) pieces.push(chunk.subarray(from));
  }
}
