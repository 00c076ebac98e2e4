/** A JSON object whose shape nobody checked yet. */
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A deep copy; what is undefined is left out, as it is in JSON. */
export function cloneJson<T>(value: T): T {
  return clone(value) as T;
}

function clone(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(clone);
  const copy: JsonObject = {};
  for (const key in value) {
    const member = (value as JsonObject)[key];
    if (member === undefined) continue;
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: clone(member), enumerable: true, configurable: true, writable: true });
    else copy[key] = clone(member);
  }
  return copy;
}

/** Whether two JSON values are equal; the order of members does not count, that of items does. */
export function equalJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => equalJson(item, other[index]));
  }
  const left = one as JsonObject;
  const right = other as JsonObject;
  let members = 0;
  for (const key in left) {
    if (left[key] === undefined) continue;
    members++;
    if (!Object.hasOwn(right, key) || !equalJson(left[key], right[key])) return false;
  }
  for (const key in right) if (right[key] !== undefined) members--;
  return members === 0;
}

/** Freezes a value and all below it; what is frozen already is taken to be so all the way down. */
export function freezeJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const key in value) freezeJson(value[key]);
  return Object.freeze(value);
}

/** A value as a message shows it: text as it is, all else as JSON. */
export function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A copy without those members; what is below is shared. */
export function without(object: JsonObject, ...names: string[]): JsonObject {
  const rest = { ...object };
  for (const name of names) delete rest[name];
  return rest;
}
