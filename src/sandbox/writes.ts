import type { Exchange } from './exchange.js';
import { parseBody } from './exchange.js';
import { cloneJson, isObject, textOf, type JsonObject } from './json.js';
import { decodeKind, shapeNamed } from './kind-schema.js';
import type { MemoryStorage } from './memory-storage.js';
import { applyJsonPatch, applyMergePatch, applyStrategicPatch } from './patch.js';
import type { Reads } from './reads.js';
import { parseListOptions, parseWriteOptions, readDeleteOptions, type WriteRequest } from './request-options.js';
import type { ResourceType } from './resources.js';
import { scaleOf, withScale } from './scale.js';
import { parseListSelector } from './selectors.js';
import { itemJson, maxSliceMs } from './serialization.js';
import { badRequest, notFound, StatusError } from './status.js';
import type { SandboxObject } from './storage.js';

/** Kinds that a PUT may create. */
const createdByUpdate = new Set(['endpoints', 'events', 'leases.coordination.k8s.io', 'services']);
/** Kinds of which a deletion answers with the object. */
const answeredWhole = new Set(['pods', 'services', 'serviceaccounts', 'persistentvolumeclaims']);

const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json'];

/** More would not fit into the headers that clients take. */
const maxWarnings = 20;

/** Which part of an object is written. */
export type Part = 'status' | 'scale' | undefined;

/** Answers create, update, patch and delete. */
export class Writes {
  readonly #storage: MemoryStorage;
  readonly #reads: Reads;

  constructor(storage: MemoryStorage, reads: Reads) {
    this.#storage = storage;
    this.#reads = reads;
  }

  async create(exchange: Exchange, type: ResourceType, namespace: string | undefined): Promise<void> {
    const options = parseWriteOptions(exchange.query, 'CreateOptions');
    const object = this.#decode(exchange, type, await this.#body(exchange, type.kind), options);
    placeInto(object, type, namespace);
    const created = this.#storage.create(type.resource, object, options);
    this.#reads.answer(exchange, 201, type, created);
  }

  async update(exchange: Exchange, type: ResourceType, namespace: string | undefined, name: string, part: Part): Promise<void> {
    const options = parseWriteOptions(exchange.query, 'UpdateOptions');
    const body = await this.#body(exchange, part === 'scale' ? 'Scale' : type.kind);
    if (part === 'scale') {
      const current = this.#current(type, namespace, name);
      const scaled = this.#storage.update(type.resource, withScale(current, body), undefined, options);
      exchange.json(200, scaleOf(scaled));
      return;
    }
    const object = this.#decode(exchange, type, body, options);
    placeInto(object, type, namespace);
    const given = object.metadata as JsonObject;
    if (given.name === undefined || given.name === '') throw badRequest('name must be provided');
    if (given.name !== name)
      throw badRequest(`the name of the object (${textOf(given.name)}) does not match the name on the URL (${name})`);
    if (part === undefined && createdByUpdate.has(type.resource) && this.#storage.get(type.resource, namespace, name) === undefined) {
      delete given.resourceVersion;
      this.#reads.answer(exchange, 201, type, this.#storage.create(type.resource, object, options));
      return;
    }
    this.#reads.answer(exchange, 200, type, this.#store(type, object as SandboxObject, part, options));
  }

  async patch(exchange: Exchange, type: ResourceType, namespace: string | undefined, name: string, part: Part): Promise<void> {
    const options = parseWriteOptions(exchange.query, 'PatchOptions');
    const { contentType } = exchange;
    if (!patchTypes.includes(contentType))
      throw new StatusError(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: ${patchTypes.join(', ')}`,
      );
    const patch = parseBody(await exchange.text(), 'application/json', (why) => badRequest(`error decoding patch: ${why}`));
    const current = this.#current(type, namespace, name);
    const before = part === 'scale' ? scaleOf(current) : cloneJson(current);
    const after = patched(before, patch, contentType, part === 'scale' ? 'Scale' : type.kind);
    if (!isObject(after)) throw badRequest('the patched object is not an object');
    if (part === 'scale') {
      exchange.json(200, scaleOf(this.#storage.update(type.resource, withScale(current, after), undefined, options)));
      return;
    }
    const object = this.#decode(exchange, type, after, options);
    placeInto(object, type, namespace);
    if ((object.metadata as JsonObject).name !== name) throw badRequest('the name of the object does not match the name on the URL');
    this.#reads.answer(exchange, 200, type, this.#store(type, object as SandboxObject, part, options));
  }

  async delete(exchange: Exchange, type: ResourceType, namespace: string | undefined, name: string): Promise<void> {
    const { options, dryRun } = await readDeleteOptions(exchange);
    const deleted = this.#storage.delete(type.resource, namespace, name, options, { dryRun });
    if (deleted === undefined) throw notFound(type, name);
    const isGone = this.#storage.get(type.resource, namespace, name) === undefined;
    if (!isGone || answeredWhole.has(type.resource)) {
      this.#reads.answer(exchange, 200, type, deleted);
      return;
    }
    exchange.json(200, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name, ...(type.group === '' ? {} : { group: type.group }), kind: type.plural, uid: deleted.metadata.uid },
    });
  }

  async deleteCollection(exchange: Exchange, type: ResourceType, namespace: string | undefined): Promise<void> {
    const { labelSelector, fieldSelector } = parseListOptions(exchange.query);
    const { options, dryRun } = await readDeleteOptions(exchange);
    const { matches } = parseListSelector(type, labelSelector, fieldSelector);
    const { items, resourceVersion } = this.#storage.page(type.resource, { namespace, matches });
    let sliceEndMs = performance.now() + maxSliceMs;
    for (const { metadata } of items) {
      this.#storage.delete(type.resource, metadata.namespace, metadata.name, options, { dryRun });
      if (performance.now() < sliceEndMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      sliceEndMs = performance.now() + maxSliceMs;
    }
    const head = JSON.stringify({
      kind: `${type.kind}List`,
      apiVersion: type.apiVersion,
      metadata: { resourceVersion: String(resourceVersion) },
    });
    await exchange.stream(
      `${head.slice(0, -1)},"items":[`,
      items.map((object, index) => (index === 0 ? itemJson(object) : Buffer.concat([Buffer.from(','), itemJson(object)]))),
      ']}\n',
    );
  }

  #current(type: ResourceType, namespace: string | undefined, name: string): SandboxObject {
    const current = this.#storage.get(type.resource, namespace, name);
    if (current === undefined) throw notFound(type, name);
    return current;
  }

  #store(type: ResourceType, object: SandboxObject, part: Part, options: WriteRequest): SandboxObject {
    return this.#storage.update(type.resource, object, part === 'status' ? 'status' : undefined, options);
  }

  async #body(exchange: Exchange, kind: string): Promise<JsonObject> {
    const body = await exchange.body(kind);
    if (body === undefined) throw badRequest(`the object provided is unrecognized (must be of type ${kind}): the body is empty`);
    return body;
  }

  /** Checks a body against its kind; tells, or refuses, what the kind does not have. @throws StatusError 400. */
  #decode(exchange: Exchange, type: ResourceType, body: JsonObject, { fieldValidation }: WriteRequest): JsonObject {
    const { apiVersion = type.apiVersion, kind = type.kind } = body;
    const wrong = (why: string): StatusError =>
      badRequest(`${textOf(kind)} in version "${textOf(apiVersion).replace(/^.*\//, '')}" cannot be handled as a ${type.kind}: ${why}`);
    if (apiVersion !== type.apiVersion || kind !== type.kind) throw wrong('unknown conversion');
    const { object, unknown } = decodeKind(type, body);
    const complaints = unknown.map((path) => `unknown field "${path}"`);
    if (complaints.length > 0 && fieldValidation === 'Strict') throw wrong(`strict decoding error: ${complaints.join(', ')}`);
    if (fieldValidation === 'Warn') for (const complaint of complaints.slice(0, maxWarnings)) exchange.warn(complaint);
    object.metadata ??= {};
    return object;
  }
}

/** Sets the namespace of the path. @throws StatusError 400 where the object names another. */
function placeInto(object: JsonObject, type: ResourceType, namespace: string | undefined): void {
  const metadata = object.metadata as JsonObject;
  const given = metadata.namespace;
  if (!type.namespaced) {
    if (given !== undefined && given !== '') throw badRequest('namespace may not be set on cluster-scoped objects');
    return;
  }
  if (given !== undefined && given !== '' && given !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  metadata.namespace = namespace;
}

function patched(before: JsonObject, patch: unknown, contentType: string, kind: string): unknown {
  if (contentType === 'application/json-patch+json') return applyJsonPatch(before, patch);
  if (!isObject(patch)) throw badRequest('error decoding patch: it is not an object');
  if (contentType === 'application/merge-patch+json') return applyMergePatch(before, patch);
  return applyStrategicPatch(before, patch, shapeNamed(kind));
}
