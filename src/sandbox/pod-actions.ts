import { containersOf } from './defaults.js';
import type { Exchange } from './exchange.js';
import { isObject, textOf, type JsonObject } from './json.js';
import { decodeKind } from './kind-schema.js';
import type { PodLogs } from './logs.js';
import type { MemoryStorage } from './memory-storage.js';
import { deleteOptionsFrom, flagOf, integerOf, parseWriteOptions } from './request-options.js';
import { findResource, type ResourceType } from './resources.js';
import { drained } from './serialization.js';
import { badRequest, notFound, StatusError } from './status.js';
import type { SandboxObject } from './storage.js';

const pods = findResource('pods') as ResourceType;
const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

/** What is done to pods beside reading and writing them: logs, binding, eviction. */
export class PodActions {
  readonly #storage: MemoryStorage;
  readonly #logs: PodLogs | undefined;
  readonly #now: () => number;

  constructor(storage: MemoryStorage, logs: PodLogs | undefined, now: () => number) {
    this.#storage = storage;
    this.#logs = logs;
    this.#now = now;
  }

  /** Streams lines at the pace of the client. */
  async log(exchange: Exchange, namespace: string | undefined, name: string): Promise<void> {
    const { query, response } = exchange;
    const pod = this.#pod(namespace, name);
    const tailLines = countOf(query, 'tailLines', 0);
    const sinceSeconds = countOf(query, 'sinceSeconds', 1);
    const limitBytes = countOf(query, 'limitBytes', 1);
    const sinceTime = query.get('sinceTime') ?? '';
    if (sinceTime !== '' && sinceSeconds !== undefined) throw badRequest('at most one of sinceTime or sinceSeconds may be specified');
    if (sinceTime !== '' && Number.isNaN(Date.parse(sinceTime)))
      throw badRequest(`parsing time ${JSON.stringify(sinceTime)}: cannot parse it`);
    const container = containerOf(pod, query.get('container') ?? '');
    if (textOf(specOf(pod).nodeName) === '') throw badRequest(`pod ${name} does not have a host assigned`);
    if (this.#logs === undefined) throw new StatusError(501, 'NotImplemented', 'this cluster keeps no logs');
    const abort = new AbortController();
    response.once('close', () => abort.abort());
    const lines = this.#logs
      .read(pod, container, {
        follow: flagOf(query, 'follow'),
        previous: flagOf(query, 'previous'),
        tailLines,
        sinceMs: sinceTime !== '' ? Date.parse(sinceTime) : sinceSeconds === undefined ? undefined : this.#now() - sinceSeconds * 1000,
        signal: abort.signal,
      })
      [Symbol.asyncIterator]();
    try {
      // The first line is awaited before the answer begins, unless it may take long: until then a refusal can still be told.
      const first = lines.next();
      const isSlow = await Promise.race([first.then(() => false), later()]);
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
      if (isSlow) response.flushHeaders();
      let left = limitBytes ?? Infinity;
      for (let next = await first; next.done !== true; next = await lines.next()) {
        const { timestamp, text } = next.value;
        const line = Buffer.from(`${flagOf(query, 'timestamps') ? `${timestamp} ` : ''}${text}\n`);
        if (response.destroyed || left <= 0) break;
        const isFull = !response.write(line.subarray(0, Math.min(left, line.length)));
        left -= line.length;
        if (isFull) await drained(response);
      }
      response.end();
    } finally {
      abort.abort();
      await lines.return?.();
    }
  }

  /** Takes the pod away as `kubectl drain` asks; no disruption budget can refuse it, since there are none. */
  async evict(exchange: Exchange, namespace: string | undefined, name: string): Promise<void> {
    const { dryRun } = parseWriteOptions(exchange.query, 'CreateOptions');
    const body = await exchange.body('Eviction');
    const pod = this.#pod(namespace, name);
    const given = body?.deleteOptions;
    const asked = deleteOptionsFrom(isObject(given) ? given : {});
    this.#storage.delete('pods', namespace, pod.metadata.name, asked.options, { dryRun: dryRun || asked.dryRun });
    exchange.json(201, success);
  }

  /** Puts a pod onto a node, as a scheduler does. @param name Empty: the one that the body names. */
  async bind(exchange: Exchange, namespace: string | undefined, name: string): Promise<void> {
    const { dryRun } = parseWriteOptions(exchange.query, 'CreateOptions');
    const body = await exchange.body('Binding');
    if (body === undefined) throw badRequest('the object provided is unrecognized (must be of type Binding): the body is empty');
    const { object } = decodeKind({ kind: 'Binding', apiVersion: 'v1' }, body);
    const metadata = isObject(object.metadata) ? object.metadata : {};
    const target = isObject(object.target) ? object.target : {};
    const podName = name === '' ? textOf(metadata.name) : name;
    const node = textOf(target.name);
    if (node === '' || (target.kind !== undefined && target.kind !== 'Node'))
      throw badRequest('a binding has to name a node as its target');
    this.#storage.bind(namespace, podName, node, { dryRun });
    exchange.json(201, success);
  }

  #pod(namespace: string | undefined, name: string): SandboxObject {
    const pod = this.#storage.get('pods', namespace, name);
    if (pod === undefined) throw notFound(pods, name);
    return pod;
  }
}

function specOf(pod: SandboxObject): JsonObject {
  return isObject(pod.spec) ? pod.spec : {};
}

/** The container that is meant; without a name there may only be one. */
function containerOf(pod: SandboxObject, asked: string): string {
  const { name } = pod.metadata;
  const spec = specOf(pod);
  const names = containersOf(spec).map((container) => textOf(container.name));
  if (asked !== '') {
    if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  const own = Array.isArray(spec.containers) ? spec.containers.filter(isObject).map((container) => textOf(container.name)) : [];
  const [only, ...others] = own;
  if (only === undefined || others.length > 0) {
    const inits = names.filter((each) => !own.includes(each));
    const more = inits.length === 0 ? '' : ` or one of the init containers: [${inits.join(' ')}]`;
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${own.join(' ')}]${more}`);
  }
  return only;
}

function countOf(query: URLSearchParams, name: string, least: number): number | undefined {
  const count = integerOf(query, name);
  if (count === undefined || count >= least) return count;
  throw new StatusError(
    422,
    'Invalid',
    `PodLogOptions "" is invalid: ${name}: Invalid value: ${count}: must be greater than or equal to ${least}`,
    {
      kind: 'PodLogOptions',
      causes: [{ reason: 'FieldValueInvalid', message: `Invalid value: ${count}: must be greater than or equal to ${least}`, field: name }],
    },
  );
}

function later(): Promise<true> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(true), 50).unref();
  });
}
