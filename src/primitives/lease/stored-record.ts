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
  write(ttlMs: number): Promise<boolean> {
    const bytes = this.#bytes;
    const previous = this.#previous;
    return previous ? this.#writeOver(previous, bytes, ttlMs) : this.#swap(bytes, bytes, ttlMs);
  }

  /** Deletes the record. `false`: the store held something else. */
  remove(): Promise<boolean> {
    const previous = this.#previous;
    return previous ? this.#removeEither(previous, this.#bytes) : this.#swap(this.#bytes, null);
  }

  // Another write may make the replacement in between, so the new record has the last word.

  async #writeOver(previous: Uint8Array, bytes: Uint8Array, ttlMs: number): Promise<boolean> {
    const written =
      (await this.#swap(bytes, bytes, ttlMs)) ||
      (await this.#swap(previous, bytes, ttlMs)) ||
      (await this.#swap(bytes, bytes, ttlMs));
    if (written && this.#bytes === bytes) this.#previous = undefined;
    return written;
  }

  async #removeEither(previous: Uint8Array, bytes: Uint8Array): Promise<boolean> {
    return (await this.#swap(bytes, null)) || (await this.#swap(previous, null)) || (await this.#swap(bytes, null));
  }

  #swap(from: Uint8Array, to: Uint8Array | null, ttlMs?: number): Promise<boolean> {
    return this.#cache.compareAndSet(this.#key, from, to, ttlMs);
  }
}
