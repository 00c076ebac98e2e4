import { toInstant, type SandboxClock } from '../clock.js';
import { StatusError } from '../status.js';
import type { SandboxObject, Storage } from '../storage.js';

/** Of one reason, an object has so many different messages told within ten minutes; all further ones are told as one that is counted. */
const maxSimilar = 10;
const similarMs = 600_000;
const combinedHead = '(combined from similar events): ';
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
  readonly #recent = new Map<string, { namespace: string; name: string; atMs: number; group: string }>();
  /** By object, reason and source. */
  readonly #similar = new Map<string, { messages: number; sinceMs: number }>();
  readonly #isOn: boolean;
  #count = 0;
  #isSweeping = false;

  /** @param isOn Whether anything is written at all. */
  constructor(storage: Storage, clock: SandboxClock, isOn: boolean) {
    this.#isOn = isOn;
    this.#storage = storage;
    this.#clock = clock;
  }

  record(object: SandboxObject, text: EventText): void {
    if (!this.#isOn) return;
    const group = [object.metadata.uid, text.reason, text.fieldPath ?? '', text.component].join('\n');
    const atMs = this.#clock.now();
    const own = `${group}\n${text.message}`;
    const isCombined = !this.#recent.has(own) && this.#hasMany(group, atMs);
    const key = isCombined ? `${group}\n${combinedHead}` : own;
    const message = isCombined ? combinedHead + text.message : text.message;
    const recent = this.#recent.get(key);
    const told = recent === undefined ? undefined : this.#storage.get('events', recent.namespace, recent.name);
    try {
      if (recent !== undefined && told !== undefined) {
        this.#storage.update('events', { ...told, message, count: Number(told.count) + 1, lastTimestamp: toInstant(atMs) });
        this.#recent.delete(key);
        this.#recent.set(key, { ...recent, atMs });
      } else this.#recent.set(key, { ...this.#create(object, { ...text, message }, atMs), atMs, group });
    } catch (error) {
      // A namespace that ends takes no more events; nobody misses them.
      if (!(error instanceof StatusError)) throw error;
    }
    this.#sweepLater();
  }

  /** Counts one more message of the group. */
  #hasMany(group: string, atMs: number): boolean {
    const similar = this.#similar.get(group);
    if (similar === undefined || atMs - similar.sinceMs > similarMs) {
      this.#similar.set(group, { messages: 1, sinceMs: atMs });
      return false;
    }
    return ++similar.messages > maxSimilar;
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
    for (const [key, { namespace, name, atMs, group }] of this.#recent) {
      if (atMs > oldestMs || slice-- === 0) break;
      this.#recent.delete(key);
      this.#similar.delete(group);
      this.#storage.delete('events', namespace, name);
    }
    this.#sweepLater();
  }
}
