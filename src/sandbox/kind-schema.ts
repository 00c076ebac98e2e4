import { cloneJson, isObject, without, type JsonObject } from './json.js';
import { kindFields } from './kind-fields.js';
import type { MergeShape } from './patch.js';
import { canonicalQuantity } from './quantity.js';
import { resourceTypes } from './resources.js';
import { badRequest } from './status.js';

export type Scalar = 'string' | 'int' | 'long' | 'bool' | 'float' | 'bytes' | 'quantity' | 'intOrString' | 'time' | 'microTime' | 'any';

export interface Field {
  readonly name: string;
  /** Numbers of the binary form, the outermost first. */
  readonly numbers: readonly number[];
  readonly isRequired: boolean;
  readonly scalar: Scalar | undefined;
  /** Of the value, or of what the list or map holds; undefined for scalars. */
  readonly shape: Shape | undefined;
  readonly form: 'one' | 'list' | 'map';
  readonly isMerged: boolean;
  /** Empty for lists of plain values. */
  readonly mergeKey: string;
  readonly retainsKeys: boolean;
}

const scalars = new Set<string>(['string', 'int', 'long', 'bool', 'float', 'bytes', 'quantity', 'intOrString', 'time', 'microTime', 'any']);
const fieldPattern = /^(\w+)(!?)=([\d.]+):(\w+)(\[\]|\{\})?(?:(~)(\w*))?(\^?)$/;

/** The fields of one type of the API. */
export class Shape implements MergeShape {
  #fields: ReadonlyMap<string, Field> | undefined;
  readonly #text: string;

  /** @param packageName Such as `io.k8s.api.core.v1`. */
  constructor(
    readonly name: string,
    readonly packageName: string,
    text: string,
  ) {
    this.#text = text;
  }

  get fields(): ReadonlyMap<string, Field> {
    return (this.#fields ??= new Map(this.#text.split(/\s+/).map((text) => [text.slice(0, text.search(/[!=]/)), parseField(text)])));
  }

  rule(field: string): { mergeKey: string } | undefined {
    const found = this.fields.get(field);
    return found?.form === 'list' && found.isMerged ? { mergeKey: found.mergeKey } : undefined;
  }

  member(field: string): MergeShape {
    return this.fields.get(field)?.shape ?? openShape;
  }
}

/** What may hold anything: lists in it are replaced as a whole. */
const openShape: MergeShape = { rule: () => undefined, member: () => openShape };

function parseField(text: string): Field {
  const match = fieldPattern.exec(text);
  if (match === null) throw new Error(`not a field: ${text}`);
  const [, name = '', required, numbers = '', type = '', form, merged, mergeKey = '', retains] = match;
  const isScalar = scalars.has(type);
  return {
    name,
    numbers: numbers.split('.').map(Number),
    isRequired: required === '!',
    scalar: isScalar ? (type as Scalar) : undefined,
    shape: isScalar ? undefined : shapeNamed(type),
    form: form === '[]' ? 'list' : form === '{}' ? 'map' : 'one',
    isMerged: merged !== undefined,
    mergeKey,
    retainsKeys: retains === '^',
  };
}

const shapes = new Map<string, Shape>();
for (const [packageName, text] of Object.entries(kindFields)) {
  for (const entry of text.trim().split(/\n(?! )/)) {
    const colon = entry.indexOf(':');
    const name = entry.slice(0, colon);
    shapes.set(name, new Shape(name, packageName, entry.slice(colon + 1).trim()));
  }
}

/** All types, in the order of their packages. */
export const allShapes: readonly Shape[] = [...shapes.values()];

/** The type of that name; kinds are types as well. @throws Error where there is none. */
export function shapeNamed(name: string): Shape {
  const shape = shapes.get(name);
  if (shape === undefined) throw new Error(`no type ${name}`);
  return shape;
}

export interface Decoded {
  readonly object: JsonObject;
  /** Paths of members that the kind does not have, such as `spec.containers[0].imge`; the object is without them. */
  readonly unknown: readonly string[];
}

/**
 * Checks that members have the types of the kind, and writes values as the API does: quantities and times in their canonical form, without nulls,
 * without lists and maps that are empty.
 *
 * @throws StatusError 400 where a value has the wrong type.
 */
export function decodeKind({ kind, apiVersion }: { kind: string; apiVersion: string }, body: JsonObject): Decoded {
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  const unknown: string[] = [];
  const decoder = new Decoder(unknown, (why) => badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`));
  return { object: { kind, apiVersion, ...decoder.object(shapeNamed(kind), without(body, 'kind', 'apiVersion'), '') }, unknown };
}

const kinds = new Set(resourceTypes.map(({ kind }) => kind));

class Decoder {
  readonly #unknown: string[];
  readonly #fail: (why: string) => Error;

  constructor(unknown: string[], fail: (why: string) => Error) {
    this.#unknown = unknown;
    this.#fail = fail;
  }

  object(shape: Shape, value: JsonObject, path: string): JsonObject {
    const decoded: JsonObject = {};
    for (const [name, member] of Object.entries(value)) {
      const field = shape.fields.get(name);
      const place = path === '' ? name : `${path}.${name}`;
      if (field === undefined) {
        // An object within another says what it is, too, such as the claims of a stateful set.
        if (kinds.has(shape.name) && (name === 'kind' || name === 'apiVersion')) decoded[name] = member;
        else this.#unknown.push(place);
        continue;
      }
      if (member === null || member === undefined) continue;
      const read = this.#field(shape, field, member, place);
      if (read !== undefined) decoded[name] = read;
    }
    return decoded;
  }

  #field(shape: Shape, field: Field, value: unknown, path: string): unknown {
    if (field.form === 'one') return this.#value(shape, field, value, path);
    if (field.form === 'list') {
      if (!Array.isArray(value)) throw this.#mismatch(shape, value, path, '[]');
      if (value.length === 0 && !field.isRequired) return undefined;
      return value.map((item: unknown, index) => this.#value(shape, field, item, `${path}[${index}]`));
    }
    if (!isObject(value)) throw this.#mismatch(shape, value, path, 'map');
    const entries = Object.entries(value);
    if (entries.length === 0 && !field.isRequired) return undefined;
    const map: JsonObject = {};
    for (const [key, item] of entries) {
      const decoded = this.#value(shape, field, item, `${path}.${key}`);
      Object.defineProperty(map, key, { value: decoded, enumerable: true, configurable: true, writable: true });
    }
    return map;
  }

  #value(shape: Shape, field: Field, value: unknown, path: string): unknown {
    if (field.shape !== undefined) {
      if (value === null) return {};
      if (!isObject(value)) throw this.#mismatch(shape, value, path, field.shape.name);
      return this.object(field.shape, value, path);
    }
    switch (field.scalar) {
      case 'string':
        if (value === null) return '';
        if (typeof value !== 'string') throw this.#mismatch(shape, value, path, 'string');
        return value;
      case 'bool':
        if (typeof value !== 'boolean') throw this.#mismatch(shape, value, path, 'bool');
        return value;
      case 'int':
      case 'long':
        if (!Number.isSafeInteger(value) || (field.scalar === 'int' && Math.abs(value as number) > 2 ** 31))
          throw this.#mismatch(shape, value, path, field.scalar === 'int' ? 'int32' : 'int64');
        return value;
      case 'float':
        if (typeof value !== 'number') throw this.#mismatch(shape, value, path, 'float64');
        return value;
      case 'intOrString':
        if (typeof value !== 'string' && !Number.isSafeInteger(value)) throw this.#mismatch(shape, value, path, 'intstr.IntOrString');
        return value;
      case 'bytes':
        if (value === null) return '';
        if (typeof value !== 'string') throw this.#mismatch(shape, value, path, '[]uint8');
        return this.#bytes(value);
      case 'quantity':
        return this.#quantity(value);
      case 'time':
      case 'microTime':
        return this.#time(value, field.scalar);
      default:
        return cloneJson(value);
    }
  }

  #bytes(text: string): string {
    const compact = text.replaceAll(/[\r\n]/g, '');
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) throw this.#fail('illegal base64 data');
    return compact;
  }

  #quantity(value: unknown): string {
    if (value === null) return '0';
    const canonical = typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(String(value)) : undefined;
    if (canonical === undefined)
      throw this.#fail("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    return canonical;
  }

  #time(value: unknown, scalar: 'time' | 'microTime'): string {
    const isTime = typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(value);
    const instant = isTime ? Date.parse(value) : NaN;
    if (Number.isNaN(instant)) throw this.#fail(`parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse it`);
    const seconds = new Date(instant).toISOString().slice(0, 19);
    if (scalar === 'time') return `${seconds}Z`;
    const fraction = /\.(\d+)/.exec(String(value))?.[1] ?? '';
    return `${seconds}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
  }

  #mismatch(shape: Shape, value: unknown, path: string, wanted: string): Error {
    const given = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value;
    return this.#fail(`json: cannot unmarshal ${given} into Go struct field ${shape.name}.${path} of type ${wanted}`);
  }
}
