/**
 * Reads JSON that came from outside: whatever is missing or of another type than expected reads as absent, and nothing here throws.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** A key and its value, as the contract's `KeyValue`. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export const noObject: JsonObject = Object.freeze(Object.create(null) as Record<string, unknown>);
export const noTexts: readonly string[] = Object.freeze([]);
const noObjects: readonly JsonObject[] = Object.freeze([]);

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object under that path of keys; an empty one where there is none. */
export function objectAt(value: unknown, ...path: readonly string[]): JsonObject {
  let found: unknown = value;
  for (const key of path) {
    if (!isObject(found)) return noObject;
    found = found[key];
  }
  return isObject(found) ? found : noObject;
}

/** As {@link objectAt}, where it matters whether there is one. */
export function optionalObjectAt(value: JsonObject, key: string): JsonObject | undefined {
  const found = value[key];
  return isObject(found) ? found : undefined;
}

/** The objects of a list; entries of another type are left out. */
export function objectsAt(value: JsonObject, key: string): readonly JsonObject[] {
  const found = value[key];
  if (!Array.isArray(found) || found.length === 0) return noObjects;
  return found.every(isObject) ? found : found.filter(isObject);
}

/** Undefined for an empty text too: Kubernetes writes none where a value is not set. */
export function textAt(value: JsonObject, key: string): string | undefined {
  const found = value[key];
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** The texts of a list; entries of another type are left out. */
export function textsAt(value: JsonObject, key: string): readonly string[] {
  const found = value[key];
  if (!Array.isArray(found) || found.length === 0) return noTexts;
  return (found as readonly unknown[]).filter((entry) => typeof entry === 'string');
}

export function flagAt(value: JsonObject, key: string): boolean | undefined {
  const found = value[key];
  return typeof found === 'boolean' ? found : undefined;
}

/** A whole number of 32 bits, which is what Kubernetes' counts and GraphQL's `Int` are. */
export function intAt(value: JsonObject, key: string): number | undefined {
  const found = value[key];
  return typeof found === 'number' && found === (found | 0) ? found : undefined;
}

/** A whole number that JSON carries exactly. */
export function longAt(value: JsonObject, key: string): number | undefined {
  const found = value[key];
  return Number.isSafeInteger(found) ? (found as number) : undefined;
}

/** Seconds, which Kubernetes holds in 64 bits and GraphQL's `Int` in 32: what is longer than 68 years is read as that. */
export function secondsAt(value: JsonObject, key: string): number | undefined {
  const seconds = longAt(value, key);
  return seconds === undefined ? undefined : Math.max(-0x8000_0000, Math.min(0x7fff_ffff, seconds));
}

/** A count or a name, such as a port or `25%`, as text. */
export function intOrTextAt(value: JsonObject, key: string): string | undefined {
  const found = intAt(value, key);
  return found === undefined ? textAt(value, key) : String(found);
}

const instantPattern = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** An RFC 3339 instant, as it is written there. */
export function instantAt(value: JsonObject, key: string): string | undefined {
  const found = value[key];
  return typeof found === 'string' && instantPattern.test(found) && !Number.isNaN(Date.parse(found)) ? found : undefined;
}

/** The first entry of a list whose field has that value. */
export function findBy(list: readonly JsonObject[], key: string, value: string): JsonObject | undefined {
  return list.find((entry) => entry[key] === value);
}

/** A map of texts as pairs in the order of their keys. Numbers and flags, which only an object that no API server validated has, become text. */
export function keyValues(map: JsonObject | undefined): KeyValue[] {
  if (map === undefined) return [];
  const pairs: KeyValue[] = [];
  for (const [key, value] of Object.entries(map)) {
    if (typeof value === 'string') pairs.push({ key, value });
    else if (typeof value === 'number' || typeof value === 'boolean') pairs.push({ key, value: String(value) });
  }
  return pairs.sort(byKey);
}

function byKey(a: KeyValue, b: KeyValue): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** Looks names of Kubernetes up in names of the contract. Undefined for what the contract does not know. */
export function nameIn<T extends string>(names: ReadonlyMap<string, T>, value: unknown): T | undefined {
  return typeof value === 'string' ? names.get(value) : undefined;
}

const maxShared = 20_000;
/** What is longer is not repeated much, and would be kept beyond the life of its record. */
const maxSharedLength = 512;
let shared = new Map<string, string>();

/** One string for all that are equal, while they keep coming: what thousands of records repeat is held once. */
export function share(text: string): string;
export function share(text: string | undefined): string | undefined;
export function share(text: string | undefined): string | undefined {
  if (text === undefined || text.length > maxSharedLength) return text;
  const found = shared.get(text);
  if (found !== undefined) return found;
  if (shared.size >= maxShared) shared = new Map();
  shared.set(text, text);
  return text;
}

const maxSharedLists = 5_000;
const maxSharedListLength = 4_096;
let sharedLists = new Map<string, readonly string[]>();

/** As {@link share}, for a list of texts: the pods of a workload run the same images. The list that is given back is frozen. */
export function shareList(list: string[]): readonly string[] {
  if (list.length === 0) return noTexts;
  const key = JSON.stringify(list);
  if (key.length > maxSharedListLength) return Object.freeze(list);
  let found = sharedLists.get(key);
  if (found === undefined) {
    found = Object.freeze(list);
    if (sharedLists.size >= maxSharedLists) sharedLists = new Map();
    sharedLists.set(key, found);
  }
  return found;
}
