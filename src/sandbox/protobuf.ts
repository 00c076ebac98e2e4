import { shapeNamed, type Field, type Shape } from './kind-schema.js';
import { isObject, type JsonObject } from './json.js';

/** Media type of Kubernetes' binary form, which kubectl sends for what it makes itself. */
export const protobufType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0');
const empty: Buffer = Buffer.alloc(0);
/** Objects within objects; nothing that the API knows comes near. */
const maxDepth = 100;

/**
 * Numbers that are told apart from what is not set even where they are 0. The binary form writes a 0 for every other number that is not set, and an
 * empty text or false likewise.
 */
const keptZeros = new Set(
  `activeDeadlineSeconds averageUtilization backoffLimit collisionCount completions defaultMode deletionGracePeriodSeconds expirationSeconds
  failedJobsHistoryLimit fsGroup gracePeriodSeconds minReplicas mode parallelism partition priority progressDeadlineSeconds replicas
  revisionHistoryLimit runAsGroup runAsUser stabilizationWindowSeconds startingDeadlineSeconds successfulJobsHistoryLimit
  terminationGracePeriodSeconds tolerationSeconds ttlSecondsAfterFinished`.split(/\s+/),
);
const droppedFlags = new Set(
  'hostIPC hostNetwork hostPID paused publishNotReadyAddresses readOnly stdin stdinOnce tty unschedulable'.split(' '),
);
const keptTexts = new Set(['storageClassName']);

/** Fields by their numbers. */
interface Numbered {
  readonly fields: Map<number, Field>;
  /** Parts that JSON does not show, which have numbers of their own. */
  readonly parts: Map<number, Numbered>;
}

const numbered = new WeakMap<Shape, Numbered>();

/**
 * Reads an object in the binary form.
 *
 * @throws Error for what is none, or is of a kind that the embedded cluster does not know.
 */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, magic.length).equals(magic)) throw new Error('it does not begin as the binary form does');
  let apiVersion = '';
  let kind = '';
  let raw = empty;
  for (const { number, bytes } of new Message(body.subarray(magic.length))) {
    if (number === 2) raw = bytes;
    if (number !== 1) continue;
    for (const part of new Message(bytes)) {
      if (part.number === 1) apiVersion = part.bytes.toString('utf8');
      if (part.number === 2) kind = part.bytes.toString('utf8');
    }
  }
  return { apiVersion, kind, ...readObject(shapeNamed(kind), raw, 0) };
}

interface Entry {
  readonly number: number;
  readonly wire: number;
  /** Of varints. */
  readonly value: bigint;
  /** Of everything else. */
  readonly bytes: Buffer;
}

/** The entries of one message. @throws Error where it is cut off. */
class Message implements Iterable<Entry> {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  *[Symbol.iterator](): Generator<Entry> {
    while (this.#at < this.#bytes.length) {
      const tag = Number(this.varint());
      const number = Math.floor(tag / 8);
      const wire = tag % 8;
      if (wire === 0) yield { number, wire, value: this.varint(), bytes: empty };
      else if (wire === 1) yield { number, wire, value: 0n, bytes: this.#take(8) };
      else if (wire === 2) yield { number, wire, value: 0n, bytes: this.#take(Number(this.varint())) };
      else if (wire === 5) yield { number, wire, value: 0n, bytes: this.#take(4) };
      else throw new Error(`an entry is of the unknown type ${wire}`);
    }
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new Error('a number is cut off');
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (!(length >= 0) || end > this.#bytes.length) throw new Error('a value is cut off');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}

function numbersOf(shape: Shape): Numbered {
  const known = numbered.get(shape);
  if (known !== undefined) return known;
  const root: Numbered = { fields: new Map(), parts: new Map() };
  for (const field of shape.fields.values()) {
    let level = root;
    for (const number of field.numbers.slice(0, -1)) {
      const part = level.parts.get(number) ?? { fields: new Map(), parts: new Map() };
      level.parts.set(number, part);
      level = part;
    }
    level.fields.set(field.numbers.at(-1) ?? 0, field);
  }
  numbered.set(shape, root);
  return root;
}

function readObject(shape: Shape, bytes: Buffer, depth: number): JsonObject {
  if (depth > maxDepth) throw new Error('it is nested too deep');
  const object: JsonObject = {};
  readInto(object, numbersOf(shape), bytes, depth);
  return object;
}

function readInto(object: JsonObject, { fields, parts }: Numbered, bytes: Buffer, depth: number): void {
  for (const entry of new Message(bytes)) {
    const field = fields.get(entry.number);
    const part = parts.get(entry.number);
    if (field !== undefined) readField(object, field, entry, depth);
    else if (part !== undefined) readInto(object, part, entry.bytes, depth + 1);
  }
}

function readField(object: JsonObject, field: Field, entry: Entry, depth: number): void {
  const { name, form } = field;
  if (form === 'map') {
    const [key, value] = readPair(field, entry.bytes, depth);
    const map = isObject(object[name]) ? object[name] : (object[name] = {});
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  } else if (form === 'list') {
    const list = Array.isArray(object[name]) ? (object[name] as unknown[]) : [];
    object[name] = list;
    const isPacked = entry.wire === 2 && (field.scalar === 'int' || field.scalar === 'long' || field.scalar === 'bool');
    if (!isPacked) list.push(readValue(field, entry, depth));
    else
      for (const packed = new Message(entry.bytes); !packed.isAtEnd;)
        list.push(readValue(field, { ...entry, value: packed.varint() }, depth));
  } else {
    const value = readValue(field, entry, depth);
    if (!isUnset(field, value)) object[name] = value;
  }
}

function readPair(field: Field, bytes: Buffer, depth: number): [string, unknown] {
  let key = '';
  let value: unknown = field.shape === undefined ? '' : {};
  for (const entry of new Message(bytes)) {
    if (entry.number === 1) key = entry.bytes.toString('utf8');
    if (entry.number === 2) value = readValue(field, entry, depth);
  }
  return [key, value];
}

function isUnset({ name, isRequired }: Field, value: unknown): boolean {
  if (value === undefined) return true;
  if (value === '') return !isRequired && !keptTexts.has(name);
  if (value === 0) return !isRequired && !keptZeros.has(name);
  return value === false && droppedFlags.has(name);
}

function readValue({ scalar, shape }: Field, { value, bytes }: Entry, depth: number): unknown {
  if (shape !== undefined) return readObject(shape, bytes, depth + 1);
  switch (scalar) {
    case 'string':
      return bytes.toString('utf8');
    case 'bytes':
      return bytes.toString('base64');
    case 'int':
    case 'long':
      return Number(value);
    case 'bool':
      return value !== 0n;
    case 'float':
      return bytes.readDoubleLE(0);
    case 'quantity':
      return textAt(bytes, 1) ?? '0';
    case 'intOrString':
      return readIntOrString(bytes);
    case 'time':
    case 'microTime':
      return readTime(bytes, scalar);
    default:
      return JSON.parse(textAt(bytes, 1) ?? 'null') ?? undefined;
  }
}

function textAt(bytes: Buffer, number: number): string | undefined {
  for (const entry of new Message(bytes)) if (entry.number === number && entry.wire === 2) return entry.bytes.toString('utf8');
  return undefined;
}

function readIntOrString(bytes: Buffer): number | string {
  let isText = false;
  let whole = 0;
  for (const { number, value } of new Message(bytes)) {
    if (number === 1) isText = value === 1n;
    if (number === 2) whole = Number(value);
  }
  return isText ? (textAt(bytes, 3) ?? '') : whole;
}

/** Undefined for no time. */
function readTime(bytes: Buffer, scalar: 'time' | 'microTime'): string | undefined {
  let seconds = 0;
  let nanos = 0;
  for (const { number, value } of new Message(bytes)) {
    if (number === 1) seconds = Number(value);
    if (number === 2) nanos = Number(value);
  }
  // Year 1 is how Go writes that there is none.
  if (seconds <= 0 || seconds > 253_402_300_799) return undefined;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return scalar === 'time' ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}
