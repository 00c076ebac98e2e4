const chunkSize = 256;
const maxChunkSize = 2 * chunkSize;

/**
 * Items in order, in chunks: an insertion or removal moves a few hundred references at most, a search is two bisections. No two items compare
 * equal. It must not change while it is walked.
 */
export class OrderedIndex<T> {
  readonly #compare: (one: T, other: T) => number;
  #chunks: T[][] = [];

  constructor(compare: (one: T, other: T) => number, items: Iterable<T> = []) {
    this.#compare = compare;
    const sorted = [...items].sort(compare);
    for (let at = 0; at < sorted.length; at += chunkSize) this.#chunks.push(sorted.slice(at, at + chunkSize));
  }

  insert(item: T): void {
    if (this.#chunks.length === 0) {
      this.#chunks.push([item]);
      return;
    }
    const at = Math.min(
      this.#chunkOf((other) => this.#compare(other, item)),
      this.#chunks.length - 1,
    );
    const chunk = this.#chunks[at] ?? [];
    chunk.splice(
      firstNotBefore(chunk, (other) => this.#compare(other, item)),
      0,
      item,
    );
    if (chunk.length > maxChunkSize) this.#chunks.splice(at + 1, 0, chunk.splice(chunkSize));
  }

  /** Removes what compares equal to `item`; nothing where there is none. */
  remove(item: T): void {
    const at = this.#chunkOf((other) => this.#compare(other, item));
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const position = firstNotBefore(chunk, (other) => this.#compare(other, item));
    const found = chunk[position];
    if (found === undefined || this.#compare(found, item) !== 0) return;
    chunk.splice(position, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** In order from the first item that `toPosition` says is behind the position (a positive number); all without one. */
  *forward(toPosition?: (item: T) => number): Generator<T, void, undefined> {
    // What equals the position counts as before it.
    const beyond = toPosition && ((item: T): number => (toPosition(item) > 0 ? 1 : -1));
    let at = beyond === undefined ? 0 : this.#chunkOf(beyond);
    let position = beyond === undefined ? 0 : firstNotBefore(this.#chunks[at] ?? [], beyond);
    for (; at < this.#chunks.length; at += 1, position = 0) {
      const chunk = this.#chunks[at] ?? [];
      for (; position < chunk.length; position += 1) yield chunk[position] as T;
    }
  }

  /** Backwards from the last item that `toPosition` says is before the position (a negative number); all without one. */
  *backward(toPosition?: (item: T) => number): Generator<T, void, undefined> {
    let at = toPosition === undefined ? this.#chunks.length : this.#chunkOf(toPosition);
    let position = toPosition === undefined ? 0 : firstNotBefore(this.#chunks[at] ?? [], toPosition);
    for (;;) {
      const chunk = this.#chunks[at] ?? [];
      for (position -= 1; position >= 0; position -= 1) yield chunk[position] as T;
      at -= 1;
      if (at < 0) return;
      position = this.#chunks[at]?.length ?? 0;
    }
  }

  /** The first chunk whose last item is not before the position. */
  #chunkOf(toPosition: (item: T) => number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const last = this.#chunks[middle]?.at(-1) as T;
      if (toPosition(last) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function firstNotBefore<T>(chunk: readonly T[], toPosition: (item: T) => number): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (toPosition(chunk[middle] as T) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
