import { stringify as stringifyYaml } from 'yaml';
import { startApiServer } from './api-server.js';
import { giveWay, SandboxClock } from './clock.js';
import { startControllers } from './controllers/start.js';
import type { ErrorReport } from './controllers/work.js';
import { standardVersion } from './discovery.js';
import { isObject, textOf } from './json.js';
import { decodeKind } from './kind-schema.js';
import { LogBook } from './log-book.js';
import { MemoryStorage } from './memory-storage.js';
import { findKind, type ResourceType } from './resources.js';
import { badRequest } from './status.js';
import type { SandboxObject, Storage } from './storage.js';

export interface SandboxOptions {
  /** The real clock, in milliseconds since the epoch. */
  readonly now: () => number;
  /** What the cluster does by chance depends on it alone: names, places, how long things take. Default 1. */
  readonly seed?: number | string | undefined;
  /** Simulated seconds per real second. Default 1. */
  readonly speed?: number | undefined;
  /** Simulated time to begin at, in milliseconds since the epoch. Default: the real time. */
  readonly startAtMs?: number | undefined;
  /** Time stands still, for `advance`, until `run` is called. Default false: it runs once `objects` were created. */
  readonly paused?: boolean | undefined;
  /** Name of the cluster, its user and its context in the kubeconfig. Default `sandbox`. */
  readonly name?: string | undefined;
  /** Default 0: a free one. The server listens on the loopback address only. */
  readonly port?: number | undefined;
  /** Bearer token that every request must carry. Default none: whoever reaches the port may do everything. */
  readonly token?: string | undefined;
  /** What is created before the first request is answered; see `Sandbox.create`. */
  readonly objects?: readonly object[] | undefined;
  /** Version of Kubernetes that the API server and the nodes tell of, such as `v1.36.3`. */
  readonly version?: string | undefined;
  /** Whether what happens is told as Kubernetes' Events, about five for each pod that starts. Default true. */
  readonly events?: boolean | undefined;
  /** Past writes that watches can resume from, per kind. Default 20,000. */
  readonly maxHistory?: number | undefined;
  /** A failure that is a bug, in a request (`at` is undefined) or in a controller. The cluster goes on. */
  readonly onError: (error: unknown, at?: Parameters<ErrorReport>[1]) => void;
}

/** One embedded cluster. */
export interface Sandbox {
  /** Such as `http://127.0.0.1:34567`. */
  readonly url: string;
  /** YAML, as `KUBECONFIG` would name it. */
  readonly kubeconfig: string;
  readonly storage: Storage;
  /** Simulated time, in milliseconds since the epoch. */
  readonly now: () => number;
  /**
   * Creates objects as a client would by `kubectl create`: what is not namespaced first, else in the order given. Gives way to the event loop.
   *
   * @throws StatusError where one is refused; those before it stay.
   */
  create(objects: readonly object[]): Promise<readonly SandboxObject[]>;
  /** Lets so much simulated time pass as fast as the machine goes; 0 waits until the controllers have nothing to do. Only while paused. */
  advance(byMs: number): Promise<void>;
  /** From here on, time passes by itself. */
  run(): void;
  /** Ends every watch and connection, and stops the controllers. */
  close(): Promise<void>;
}

/** Starts an API server over HTTP with controllers, a scheduler and kubelets behind it. @throws Error where the port is taken; StatusError for an object. */
export async function startSandbox({
  now,
  seed = 1,
  speed,
  startAtMs,
  paused = false,
  name = 'sandbox',
  port,
  token,
  objects = [],
  version = standardVersion,
  events = true,
  maxHistory,
  onError,
}: SandboxOptions): Promise<Sandbox> {
  const clock: SandboxClock = new SandboxClock({
    now,
    ...(speed === undefined ? {} : { speed }),
    ...(startAtMs === undefined ? {} : { startAtMs }),
    settle: () => controllers.settle(),
  });
  const storage = new MemoryStorage({ now: clock.now, ...(maxHistory === undefined ? {} : { maxHistory }) });
  const controllers = startControllers({ storage, clock, seed, version, hasEvents: events, report: onError });
  const stop = (): void => {
    clock.stop();
    controllers.stop();
  };
  try {
    await createAll(storage, objects);
    const server = await startApiServer({
      storage,
      logs: new LogBook(storage, clock),
      now: clock.now,
      port,
      version,
      tokens: token === undefined ? undefined : [token],
      onError: (error) => onError(error),
    });
    const run = (): void => {
      clock.run();
      controllers.run();
    };
    if (!paused) run();
    return {
      url: server.url,
      kubeconfig: kubeconfigFor(name, server.url, token),
      storage,
      now: clock.now,
      create: (more) => createAll(storage, more),
      advance: (byMs) => clock.advance(byMs),
      run,
      close: async () => {
        stop();
        await server.close();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

/** Objects created before the event loop turns. */
const sliceSize = 100;

async function createAll(storage: Storage, objects: readonly object[]): Promise<SandboxObject[]> {
  const drafts = objects.map(readObject).sort((one, other) => Number(one.type.namespaced) - Number(other.type.namespaced));
  const created: SandboxObject[] = [];
  for (const { type, draft } of drafts) {
    created.push(storage.create(type.resource, draft));
    if (created.length % sliceSize === 0) await giveWay();
  }
  return created;
}

function readObject(object: object): { type: ResourceType; draft: Record<string, unknown> } {
  const { apiVersion, kind, metadata } = object as Record<string, unknown>;
  const type = findKind(textOf(apiVersion), textOf(kind));
  if (type === undefined) throw badRequest(`no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`);
  const { object: draft, unknown } = decodeKind(type, object as Record<string, unknown>);
  const [first] = unknown;
  if (first !== undefined)
    throw badRequest(`${type.kind} ${textOf(isObject(metadata) ? metadata.name : '')}: unknown field ${JSON.stringify(first)}`);
  return { type, draft };
}

function kubeconfigFor(name: string, url: string, token: string | undefined): string {
  return stringifyYaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url } }],
    users: [{ name, user: token === undefined ? {} : { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}
