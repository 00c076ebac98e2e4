import { equalJson } from '../json.js';
import type { StorageEvent } from '../storage.js';
import { PodMachine, type Host } from './pod-machine.js';
import { isFinished, isTerminating } from './pods.js';
import { keyOf, resourceOf, splitKey, type ClusterNode, type Pod } from './shapes.js';
import { nodeStateOf } from './steering.js';
import type { Controller, Queue, World } from './work.js';

/** Pods have addresses of 10.128.0.0/10, each another until 4 million were given. */
const addressCount = 2 ** 22;

/** Plays the kubelets of all nodes: runs the pods that are bound to them, tells how they are, and lets go of those that have ended. */
export class Kubelet implements Controller {
  readonly name = 'kubelet';
  readonly #world: World;
  readonly #queue: Queue;
  readonly #machines = new Map<string, PodMachine>();
  /** Images that each node has. */
  readonly #images = new Map<string, Set<string>>();
  #addresses = 0;
  /** While it writes a status itself, which is no news to it. */
  #isWriting = false;

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
  }

  observe(event: StorageEvent): void {
    const { type, object, previous } = event;
    const resource = resourceOf(event);
    if (resource === 'pods') {
      if (type === 'DELETED') this.#machines.delete(object.metadata.uid);
      else if (!this.#isWriting && ((object as Pod).spec.nodeName ?? '') !== '') this.#queue.add(keyOf(object.metadata));
    }
    if (resource !== 'nodes') return;
    const { name } = object.metadata;
    if (type === 'DELETED') this.#images.delete(name);
    const isChanged = previous === undefined || nodeStateOf(previous) !== nodeStateOf(object);
    if (type !== 'DELETED' && isChanged) for (const pod of this.#world.index.podsOn(name)) this.#queue.add(keyOf(pod.metadata));
  }

  sync(key: string): void {
    const { storage, clock } = this.#world;
    const { namespace, name } = splitKey(key);
    const pod = storage.get('pods', namespace, name) as Pod | undefined;
    if (pod === undefined) return;
    const node = storage.get('nodes', undefined, pod.spec.nodeName ?? '') as ClusterNode | undefined;
    // A node that is gone or cannot be heard tells nothing of its pods.
    if (node === undefined || nodeStateOf(node) === 'unreachable') return;
    const { uid, deletionGracePeriodSeconds = 0 } = pod.metadata;
    if (isFinished(pod)) {
      // For good, whoever said so.
      this.#machines.delete(uid);
      if (isTerminating(pod) && deletionGracePeriodSeconds > 0)
        storage.delete('pods', namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
      return;
    }
    let machine = this.#machines.get(uid);
    const nowMs = clock.now();
    if (machine === undefined) this.#machines.set(uid, (machine = new PodMachine(pod, this.#hostOf(pod, node), nowMs)));
    if (isTerminating(pod)) machine.stop(nowMs, deletionGracePeriodSeconds);
    machine.advance(nowMs);
    const status = machine.status(pod, nowMs);
    if (!equalJson(pod.status, status)) this.#write({ ...pod, status });
    if (machine.isStopped) {
      storage.delete('pods', namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
      return;
    }
    if (status.phase === 'Succeeded' || status.phase === 'Failed') this.#machines.delete(uid);
    else if (machine.nextMs !== Infinity) this.#queue.addAfter(key, Math.max(1, machine.nextMs - nowMs));
  }

  #write(pod: Pod): void {
    this.#isWriting = true;
    try {
      this.#world.storage.update('pods', pod, 'status');
    } finally {
      this.#isWriting = false;
    }
  }

  #hostOf(pod: Pod, node: ClusterNode): Host {
    const { name } = node.metadata;
    const { events, random } = this.#world;
    const images = (): Set<string> => {
      let found = this.#images.get(name);
      if (found === undefined) this.#images.set(name, (found = new Set()));
      return found;
    };
    return {
      name,
      address: node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '127.0.0.1',
      random,
      hasImage: (image) => images().has(image),
      keepImage: (image) => void images().add(image),
      assignAddress: () => {
        const number = 1 + (this.#addresses++ % (addressCount - 2));
        return `10.${128 + (number >> 16)}.${(number >> 8) & 0xff}.${number & 0xff}`;
      },
      tell: (text) => events.record(pod, { ...text, component: 'kubelet', host: name }),
    };
  }
}
