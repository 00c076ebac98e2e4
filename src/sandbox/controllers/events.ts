import { toInstant, type SandboxClock } from '../clock.js';
import { StatusError } from '../status.js';
import type { SandboxObject, Storage } from '../storage.js';

/** Events are kept for an hour after they last happened, as Kubernetes does. */
const ttlMs = 3_600_000;

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** Such as `Scheduled`. */
  readonly reason: string;
  readonly message: string;
  /** Who tells it, such as `kubelet`. */
  readonly component: string;
  /** Node of a kubelet. */
  readonly host?: string;
  /** Part of the object, such as `spec.containers{app}`. */
  readonly fieldPath?: string;
}

/** Writes Kubernetes' Events: what happens again to one object in the same words is counted, not told twice. */
export class EventRecorder {
  readonly #storage: Storage;
  readonly #clock: SandboxClock;
  /** By what they say; the longest silent first. */
  readonly #recent = new Map<string, { namespace: string; name: string; atMs: number }>();
  #count = 0;
  #isSweeping = false;

  constructor(storage: Storage, clock: SandboxClock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  record(object: SandboxObject, text: EventText): void {
    const key = [object.metadata.uid, text.reason, text.fieldPath ?? '', text.component, text.message].join('\n');
    const atMs = this.#clock.now();
    const recent = this.#recent.get(key);
    const told = recent === undefined ? undefined : this.#storage.get('events', recent.namespace, recent.name);
    try {
      if (recent !== undefined && told !== undefined) {
        this.#storage.update('events', { ...told, count: Number(told.count) + 1, lastTimestamp: toInstant(atMs) });
        this.#recent.delete(key);
        this.#recent.set(key, { ...recent, atMs });
      } else this.#recent.set(key, { ...this.#create(object, text, atMs), atMs });
    } catch (error) {
      // A namespace that ends takes no more events; nobody misses them.
      if (!(error instanceof StatusError)) throw error;
    }
    this.#sweepLater();
  }

  #create(object: SandboxObject, text: EventText, atMs: number): { namespace: string; name: string } {
    const { apiVersion, kind, metadata } = object;
    const { namespace = 'default' } = metadata;
    const name = `${metadata.name}.${(atMs * 1000 + (this.#count++ % 1000)).toString(16)}`;
    const { component, host, fieldPath } = text;
    this.#storage.create('events', {
      metadata: { name, namespace },
      involvedObject: {
        kind,
        ...(metadata.namespace === undefined ? {} : { namespace }),
        name: metadata.name,
        uid: metadata.uid,
        apiVersion,
        resourceVersion: metadata.resourceVersion,
        ...(fieldPath === undefined ? {} : { fieldPath }),
      },
      reason: text.reason,
      message: text.message,
      source: { component, ...(host === undefined ? {} : { host }) },
      firstTimestamp: toInstant(atMs),
      lastTimestamp: toInstant(atMs),
      count: 1,
      type: text.type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance: host ?? '',
    });
    return { namespace, name };
  }

  #sweepLater(): void {
    const [eldest] = this.#recent.values();
    if (this.#isSweeping || eldest === undefined) return;
    this.#isSweeping = true;
    this.#clock.after(Math.max(1000, eldest.atMs + ttlMs - this.#clock.now()), () => {
      this.#isSweeping = false;
      this.#sweep();
    });
  }

  #sweep(): void {
    const oldestMs = this.#clock.now() - ttlMs;
    let slice = 500;
    for (const [key, { namespace, name, atMs }] of this.#recent) {
      if (atMs > oldestMs || slice-- === 0) break;
      this.#recent.delete(key);
      this.#storage.delete('events', namespace, name);
    }
    this.#sweepLater();
  }
}
