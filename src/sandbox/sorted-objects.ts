import type { SandboxObject } from './storage.js';

const maxChunk = 512;

interface Chunk {
  items: SandboxObject[];
  /** Forks hold it too: it is copied before it changes. */
  isShared: boolean;
}

/**
 * Objects in the order of their names. An insertion moves a few hundred neighbours at most, and a fork copies references to
 * chunks only, so that 100,000 objects can be written one by one while lists of their past states are being read.
 */
export class SortedObjects {
  #chunks: Chunk[];
  #size: number;
  #flat: readonly SandboxObject[] | undefined;

  constructor(origin?: SortedObjects) {
    this.#chunks = origin === undefined ? [] : origin.#chunks.map(({ items }) => ({ items, isShared: true }));
    this.#size = origin === undefined ? 0 : origin.#size;
    if (origin !== undefined) for (const chunk of origin.#chunks) chunk.isShared = true;
  }

  get size(): number {
    return this.#size;
  }

  /** The same objects; what is put here or there later does not show on the other side. */
  fork(): SortedObjects {
    return new SortedObjects(this);
  }

  put(object: SandboxObject): void {
    const { name } = object.metadata;
    const index = this.#chunkFor(name);
    const items = this.#own(index);
    const place = placeOf(items, name, nameOf);
    const isNew = items[place]?.metadata.name !== name;
    if (isNew) this.#size++;
    items.splice(place, isNew ? 0 : 1, object);
    // The last chunk is cut at its end, so that names that ascend leave full chunks behind.
    if (items.length > maxChunk) {
      const half = index === this.#chunks.length - 1 ? maxChunk : maxChunk / 2;
      this.#chunks.splice(index + 1, 0, { items: items.splice(half), isShared: false });
    }
    this.#flat = undefined;
  }

  remove(name: string): void {
    const index = this.#chunkFor(name);
    const items = this.#own(index);
    const place = placeOf(items, name, nameOf);
    if (items[place]?.metadata.name !== name) return;
    items.splice(place, 1);
    if (items.length === 0) this.#chunks.splice(index, 1);
    this.#size--;
    this.#flat = undefined;
  }

  /** How many names come before that one, it included. */
  countUpTo(name: string): number {
    let count = 0;
    for (const { items } of this.#chunks) {
      const last = items.at(-1)?.metadata.name;
      if (last !== undefined && last > name) {
        const place = placeOf(items, name, nameOf);
        return count + place + (items[place]?.metadata.name === name ? 1 : 0);
      }
      count += items.length;
    }
    return count;
  }

  /** @param start How many to leave out. */
  *from(start: number): Generator<SandboxObject> {
    let skip = start;
    for (const { items } of this.#chunks) {
      for (let index = skip; index < items.length; index++) yield items[index] as SandboxObject;
      skip = Math.max(0, skip - items.length);
    }
  }

  toArray(): readonly SandboxObject[] {
    return (this.#flat ??= this.#chunks.flatMap(({ items }) => items));
  }

  #chunkFor(name: string): number {
    if (this.#chunks.length === 0) this.#chunks.push({ items: [], isShared: false });
    return Math.min(
      placeOf(this.#chunks, name, ({ items }) => items.at(-1)?.metadata.name ?? ''),
      this.#chunks.length - 1,
    );
  }

  #own(index: number): SandboxObject[] {
    const chunk = this.#chunks[index] as Chunk;
    if (chunk.isShared) this.#chunks[index] = { items: chunk.items.slice(), isShared: false };
    return (this.#chunks[index] as Chunk).items;
  }
}

/** Where an item with this key is, or would be. */
export function placeOf<T, K extends string | number>(sorted: readonly T[], key: K, keyOf: (item: T) => K): number {
  let low = 0;
  let high = sorted.length;
  // Most things are made in order, and so belong at the end.
  if (high > 0 && keyOf(sorted[high - 1] as T) < key) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyOf(sorted[middle] as T) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nameOf(object: SandboxObject): string {
  return object.metadata.name;
}
