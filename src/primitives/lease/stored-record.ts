import type { Cache } from "../../cache/contract.ts";

/**
 * The record that stands for a lease in the store. While it is being replaced by
 * another one (an `extend` to another TTL), and as long as the outcome of that is
 * unknown, the store may hold either.
 *
 * The bytes of a replacement must be new. A renewal of the old record that is
 * still under way, with the old TTL, then cannot succeed after the replacement.
 */
export class StoredRecord {
  readonly #cache: Cache;
  readonly #key: string;
  #bytes: Uint8Array;
  #previous: Uint8Array | undefined;

  constructor(cache: Cache, key: string, bytes: Uint8Array) {
    this.#cache = cache;
    this.#key = key;
    this.#bytes = bytes;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Whether the store can hold nothing else of ours than `bytes`. */
  get isSettled(): boolean {
    return this.#previous === undefined;
  }

  /** From the next write on the record is `bytes`. Only once the last replacement has settled. */
  replace(bytes: Uint8Array): void {
    this.#previous = this.#bytes;
    this.#bytes = bytes;
  }

  /** Writes the record again, which starts its TTL anew. `false`: the store holds something else. */
  async write(ttlMs: number): Promise<boolean> {
    const bytes = this.#bytes;
    const previous = this.#previous;
    const written =
      (await this.#swap(bytes, bytes, ttlMs)) ||
      // Another write may make the replacement in between: the new record has the last word.
      (previous !== undefined &&
        ((await this.#swap(previous, bytes, ttlMs)) || (await this.#swap(bytes, bytes, ttlMs))));
    if (written && this.#bytes === bytes) this.#previous = undefined;
    return written;
  }

  /** Deletes the record. `false`: the store held something else. */
  async remove(): Promise<boolean> {
    if (await this.#swap(this.#bytes, null)) return true;
    if (this.#previous === undefined) return false;
    return (await this.#swap(this.#previous, null)) || (await this.#swap(this.#bytes, null));
  }

  #swap(from: Uint8Array, to: Uint8Array | null, ttlMs?: number): Promise<boolean> {
    return this.#cache.compareAndSet(this.#key, from, to, ttlMs);
  }
}
