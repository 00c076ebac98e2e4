/** 32 bits that depend on the text alone (FNV-1a, then mixed so that texts that differ little give bits that differ much). */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The letters that Kubernetes makes random names of: none that could spell a word. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';

/** A number as Kubernetes writes a hash in names. */
export function safeEncode(hash: number): string {
  return [...String(hash)].map((digit) => letters[digit.charCodeAt(0) % letters.length]).join('');
}

/** A sequence of numbers that depends on its seed alone (mulberry32). Not for secrets. */
export class Random {
  #state: number;

  constructor(seed: number | string) {
    this.#state = hash32(String(seed));
  }

  /** At least 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A number of that range, the lower end included. */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number of that range, both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** Undefined where there is nothing to choose from. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.next() * items.length)];
  }

  /** Five letters, as generated names end. */
  suffix(length = 5): string {
    let text = '';
    for (let index = 0; index < length; index++) text += letters[Math.floor(this.next() * letters.length)];
    return text;
  }
}
