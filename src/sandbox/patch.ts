import { cloneJson, equalJson, isObject, type JsonObject } from './json.js';
import { badRequest, StatusError } from './status.js';

/** How lists merge in a strategic merge patch. */
export interface ListRule {
  /** The member that tells items apart; empty for lists of plain values. */
  readonly mergeKey: string;
}

/** What a strategic merge patch has to know of a kind. */
export interface MergeShape {
  /** Undefined where the list is replaced as a whole. */
  rule(field: string): ListRule | undefined;
  /** The shape of a member, or of the items of a list. */
  member(field: string): MergeShape;
}

/** As RFC 7386 says. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else set(merged, key, applyMergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value));
  }
  return merged;
}

/** Plain assignment would call the setter of `__proto__`. */
function set(object: JsonObject, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

const maxOperations = 10_000;

function wrong(why: string): StatusError {
  return new StatusError(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`, {});
}

/** As RFC 6902 says. @throws StatusError 400 for what is no patch, 413 for too long a one, 422 where it does not fit. */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch) || !patch.every(isObject)) throw badRequest('error decoding patch: it is not a list of operations');
  if (patch.length > maxOperations)
    throw new StatusError(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    );
  let document = cloneJson(target);
  for (const { op, path, from, value } of patch) {
    const to = pointer(path);
    if (op === 'add') document = put(document, to, cloneJson(value), true);
    else if (op === 'replace') {
      read(document, to);
      document = put(document, to, cloneJson(value), false);
    } else if (op === 'remove') document = remove(document, to);
    else if (op === 'test') {
      if (!equalJson(find(document, to), value)) throw wrong(`testing value ${String(path)} failed`);
    } else if (op === 'copy') document = put(document, to, cloneJson(read(document, pointer(from))), true);
    else if (op === 'move') {
      const source = pointer(from);
      const moved = read(document, source);
      document = put(remove(document, source), to, moved, true);
    } else throw wrong(`unexpected kind of operation: ${String(op)}`);
  }
  return document;
}

function pointer(path: unknown): string[] {
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) throw wrong('a path of the patch is no JSON pointer');
  return path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function placeIn(part: string): number {
  if (!/^(?:0|[1-9]\d{0,9})$/.test(part)) throw wrong(`invalid index ${JSON.stringify(part)}`);
  return Number(part);
}

/** Undefined where there is nothing. */
function find(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const part of path) {
    if (Array.isArray(value)) value = value[placeIn(part)] as unknown;
    else if (isObject(value) && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}

function read(document: unknown, path: readonly string[]): unknown {
  const value = find(document, path);
  if (value === undefined) throw wrong(`nothing is at /${path.join('/')}`);
  return value;
}

function put(document: unknown, path: readonly string[], value: unknown, isNew: boolean): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = read(document, path.slice(0, -1));
  if (Array.isArray(parent)) {
    const index = last === '-' && isNew ? parent.length : placeIn(last);
    if (index > parent.length) throw wrong(`index ${index} is out of bounds`);
    parent.splice(index, isNew ? 0 : 1, value);
  } else if (isObject(parent)) set(parent, last, value);
  else throw wrong(`nothing can be put at /${path.join('/')}`);
  return document;
}

function remove(document: unknown, path: readonly string[]): unknown {
  read(document, path);
  const last = path.at(-1);
  if (last === undefined) return null;
  const parent = find(document, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(placeIn(last), 1);
  else delete (parent as JsonObject)[last];
  return document;
}

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/** As kubectl's strategic merge patches say; `shape` tells which lists merge, and by what. @throws StatusError 400 where the patch makes no sense. */
export function applyStrategicPatch(target: JsonObject, patch: unknown, shape: MergeShape): JsonObject {
  if (!isObject(patch)) throw badRequest('error decoding patch: it is not an object');
  return mergeObjects(target, patch, shape);
}

function mergeObjects(target: JsonObject, patch: JsonObject, shape: MergeShape): JsonObject {
  const directive = patch.$patch;
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'replace' && directive !== 'merge')
    throw badRequest(`Unknown patch type found: ${JSON.stringify(directive)}`);
  const merged: JsonObject = directive === 'replace' ? {} : { ...target };
  const kept = patch.$retainKeys;
  if (kept !== undefined) {
    if (!Array.isArray(kept)) throw badRequest('$retainKeys is not a list');
    for (const key of Object.keys(merged)) if (!kept.includes(key)) delete merged[key];
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$patch' || key === '$retainKeys' || key.startsWith(orderPrefix)) continue;
    if (key.startsWith(deletePrefix)) {
      const field = key.slice(deletePrefix.length);
      const current = merged[field];
      if (!Array.isArray(value)) throw badRequest(`${key} is not a list`);
      if (Array.isArray(current))
        set(
          merged,
          field,
          current.filter((item) => !value.includes(item)),
        );
    } else if (value === null) delete merged[key];
    else set(merged, key, mergeMember(Object.hasOwn(merged, key) ? merged[key] : undefined, value, key, shape));
  }
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(orderPrefix)) continue;
    const field = key.slice(orderPrefix.length);
    const rule = shape.rule(field);
    const order = patch[key];
    if (rule === undefined || !Array.isArray(order)) throw badRequest(`${key} does not fit the kind`);
    const list = merged[field];
    if (Array.isArray(list)) set(merged, field, inOrder(list, order, Array.isArray(target[field]) ? target[field] : [], rule));
  }
  return merged;
}

function mergeMember(current: unknown, value: unknown, field: string, shape: MergeShape): unknown {
  if (isObject(value)) return mergeObjects(isObject(current) ? current : {}, value, shape.member(field));
  if (!Array.isArray(value)) return value;
  const rule = shape.rule(field);
  if (rule === undefined) return cloneJson(value);
  return mergeLists(Array.isArray(current) ? current : [], value, rule, shape.member(field));
}

function mergeLists(current: readonly unknown[], patch: readonly unknown[], { mergeKey }: ListRule, shape: MergeShape): unknown[] {
  if (mergeKey === '') return [...current, ...patch.filter((item, index) => !current.includes(item) && patch.indexOf(item) === index)];
  const isReplaced = patch.some((item) => isObject(item) && item.$patch === 'replace' && item[mergeKey] === undefined);
  const merged: unknown[] = isReplaced ? [] : [...current];
  for (const item of patch) {
    if (!isObject(item)) throw badRequest('error decoding patch: an item of a merged list is not an object');
    if (item.$patch === 'replace' && item[mergeKey] === undefined) continue;
    const key = item[mergeKey];
    if (key === undefined || key === null) throw badRequest(`an item of a merged list does not contain declared merge key: ${mergeKey}`);
    const place = merged.findIndex((each) => isObject(each) && each[mergeKey] === key);
    if (item.$patch === 'delete') {
      if (place >= 0) merged.splice(place, 1);
      continue;
    }
    const before = merged[place];
    const next = mergeObjects(isObject(before) ? before : {}, item, shape);
    if (place >= 0) merged[place] = next;
    else merged.push(next);
  }
  return merged;
}

/** Items that `order` names, in its order; the others stay where they stood among them. */
function inOrder(list: readonly unknown[], order: readonly unknown[], before: readonly unknown[], { mergeKey }: ListRule): unknown[] {
  const keyOf = (item: unknown): unknown => (mergeKey === '' ? item : isObject(item) ? item[mergeKey] : undefined);
  const wanted = order.map(keyOf);
  const named = list.filter((item) => wanted.includes(keyOf(item))).sort((a, b) => wanted.indexOf(keyOf(a)) - wanted.indexOf(keyOf(b)));
  const others = list.filter((item) => !wanted.includes(keyOf(item)));
  const places = before.map(keyOf);
  const ordered: unknown[] = [];
  while (named.length > 0 || others.length > 0) {
    const left = places.indexOf(keyOf(others[0]));
    const right = places.indexOf(keyOf(named[0]));
    const isOther = named.length === 0 || (others.length > 0 && left >= 0 && right >= 0 && left < right);
    ordered.push(isOther ? others.shift() : named.shift());
  }
  return ordered;
}
