import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { SandboxObject } from './storage.js';

/** How long a long answer may hold the event loop before it gives way. */
export const maxSliceMs = 5;

const cached = new WeakMap<SandboxObject, Buffer>();
const heads = new Map<string, Buffer>();

/**
 * The JSON of a stored object without `kind` and `apiVersion`, as the items of a typed list are written. Stored objects never
 * change, so it is made once, whoever asks.
 */
export function itemJson(object: SandboxObject): Buffer {
  let json = cached.get(object);
  if (json === undefined) {
    const rest: Record<string, unknown> = { ...object };
    delete rest.kind;
    delete rest.apiVersion;
    json = Buffer.from(JSON.stringify(rest));
    cached.set(object, json);
  }
  return json;
}

/** The parts of a stored object's JSON, to be written one after the other. */
export function objectJson(object: SandboxObject): [Buffer, Buffer] {
  const key = `${object.apiVersion} ${object.kind}`;
  let head = heads.get(key);
  if (head === undefined) {
    head = Buffer.from(`{"kind":${JSON.stringify(object.kind)},"apiVersion":${JSON.stringify(object.apiVersion)},`);
    heads.set(key, head);
  }
  return [head, itemJson(object).subarray(1)];
}

/** Resolves once the client took what was written, or is gone. */
export async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const settled = new AbortController();
  await Promise.race([once(response, 'drain', { signal: settled.signal }), once(response, 'close', { signal: settled.signal })]).finally(
    () => settled.abort(),
  );
}
