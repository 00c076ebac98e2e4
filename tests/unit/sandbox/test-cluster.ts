import { startSandbox, type Sandbox, type SandboxOptions } from '../../../src/sandbox/cluster.js';
import type { Deployment, Job, Pod } from '../../../src/sandbox/controllers/shapes.js';
import { podStatusOf } from '../../../src/sandbox/pod-status.js';
import type { SandboxObject } from '../../../src/sandbox/storage.js';

export const startMs = Date.parse('2026-03-01T12:00:00Z');

/** A node with room for all that tests make, unless the status says otherwise. */
export function node(
  name: string,
  { labels = {}, taints, status = {} }: { labels?: object; taints?: object[]; status?: object } = {},
): object {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    ...(taints === undefined ? {} : { spec: { taints } }),
    status: { capacity: { cpu: '8', memory: '32Gi', pods: '110' }, ...status },
  };
}

/** Annotations that steer a pod, without their prefix. */
export function steer(values: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`sandbox.openstack.org/${key}`, String(value)]));
}

export interface TemplateOptions {
  readonly steering?: Readonly<Record<string, string | number>>;
  readonly image?: string;
  /** More of the spec. */
  readonly spec?: object;
  readonly labels?: object;
}

export function template({ steering = {}, image = 'nginx:1.27', spec = {}, labels = {} }: TemplateOptions = {}): {
  metadata: object;
  spec: object;
} {
  return {
    metadata: { labels: { app: 'web', ...labels }, annotations: steer(steering) },
    spec: { containers: [{ name: 'app', image }], ...spec },
  };
}

export function pod(name: string, options: TemplateOptions = {}): object {
  const { metadata, spec } = template(options);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, namespace: 'default' }, spec };
}

/** @param spec More of the workload's spec. */
export function workload(
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'ReplicaSet',
  spec: object = {},
  options: TemplateOptions = {},
): object {
  const selector = { matchLabels: { app: 'web' } };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector, template: template(options), ...spec },
  };
}

export function job(spec: object = {}, options: TemplateOptions = {}): object {
  const made = template({ ...options, spec: { restartPolicy: 'Never', ...options.spec } });
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'task', namespace: 'default' }, spec: { template: made, ...spec } };
}

/** An embedded cluster whose time stands still until a test lets it pass. */
export class TestCluster {
  private constructor(
    readonly sandbox: Sandbox,
    readonly errors: unknown[],
  ) {}

  static async start(objects: readonly object[], options: Partial<SandboxOptions> = {}): Promise<TestCluster> {
    const errors: unknown[] = [];
    const onError: SandboxOptions['onError'] = (error, at) => errors.push(error, at);
    return new TestCluster(await startSandbox({ now: () => startMs, paused: true, objects, onError, ...options }), errors);
  }

  /** Fails where a controller or a request ran into a bug. */
  async close(): Promise<void> {
    await this.sandbox.close();
    expect(this.errors).toEqual([]);
  }

  get storage(): Sandbox['storage'] {
    return this.sandbox.storage;
  }

  async seconds(count: number): Promise<void> {
    await this.sandbox.advance(count * 1000);
  }

  /** Lets time pass second by second until it holds. @returns how many seconds that took. */
  async until(what: string, holds: () => boolean, maxSeconds = 300): Promise<number> {
    for (let second = 0; second <= maxSeconds; second++) {
      if (holds()) return second;
      await this.seconds(1);
    }
    throw new Error(`${what}: not within ${maxSeconds} s`);
  }

  async create(...objects: object[]): Promise<void> {
    await this.sandbox.create(objects);
    await this.sandbox.advance(0);
  }

  find<T extends SandboxObject = SandboxObject>(resource: string, name: string): T | undefined {
    const isWhole = resource === 'nodes' || resource === 'namespaces';
    return this.storage.get(resource, isWhole ? undefined : 'default', name) as T | undefined;
  }

  get<T extends SandboxObject = SandboxObject>(resource: string, name: string): T {
    const found = this.find<T>(resource, name);
    if (found === undefined) throw new Error(`no ${resource} ${name}`);
    return found;
  }

  /** Changes an object as a client would, and lets the controllers act on it. */
  async edit(resource: string, name: string, change: (object: SandboxObject) => void): Promise<void> {
    const copy = structuredClone(this.get(resource, name));
    change(copy);
    this.storage.update(resource, copy);
    await this.sandbox.advance(0);
  }

  async delete(resource: string, name: string, options: Parameters<Sandbox['storage']['delete']>[3] = {}): Promise<void> {
    this.storage.delete(resource, 'default', name, options);
    await this.sandbox.advance(0);
  }

  /** In the order of their names. */
  get pods(): Pod[] {
    return this.storage.list('pods', 'default') as Pod[];
  }

  /** Those that are not about to go. */
  get stayingPods(): Pod[] {
    return this.pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** As kubectl shows it: `Running`, `CrashLoopBackOff`. */
  statusOf(name: string): string {
    return podStatusOf(this.get('pods', name)).text;
  }

  /** How many of the pods stand so. */
  count(status: string): number {
    return this.pods.filter((each) => podStatusOf(each).text === status).length;
  }

  events(reason: string): SandboxObject[] {
    return this.storage.list('events').filter((event) => event.reason === reason);
  }
}

export function condition(object: SandboxObject, type: string): Record<string, unknown> | undefined {
  const { conditions = [] } = (object as Deployment | Job).status ?? {};
  return conditions.find((each) => each.type === type) as Record<string, unknown> | undefined;
}
