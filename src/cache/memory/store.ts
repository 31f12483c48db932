import type { Clock } from "../../runtime/clock.ts";
import { copyBytes, equalBytes } from "../bytes.ts";
import type { GetOrSetResult } from "../contract.ts";
import { OperationError } from "../errors.ts";
import { type Expiring, ExpiryQueue } from "./expiry-queue.ts";
import { callersKey } from "./key-space.ts";
import { type Watch, WatchedKeys } from "./watched-keys.ts";

interface Entry extends Expiring {
  readonly key: string;
  value: Uint8Array;
}

/** How many expired entries a new one clears away: more than one, so that clearing outruns filling. */
const PURGED_PER_INSERT = 2;

/**
 * The entries of a memory cache. Every method takes effect at once; arguments
 * have been checked by the caller, and bytes are copied in and out here.
 *
 * Expiry runs on the clock's *monotonic* time. Setting the wall clock can then
 * neither end a lease early nor make one last for ever. While the machine is
 * suspended that clock may stand still, and entries then live on for the time
 * asleep. That is safe: a holder takes the larger of monotonic and wall time, so
 * it considers its lease over no later than this store does.
 */
export class MemoryStore {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #entries = new Map<string, Entry>();
  readonly #expiries = new ExpiryQueue<Entry>();
  readonly #watched: WatchedKeys;

  constructor(clock: Clock, maxEntries: number) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#watched = new WatchedKeys(clock, (key) => this.#live(key)?.expiresAtMs);
  }

  get(key: string): Uint8Array | undefined {
    const entry = this.#live(key);
    return entry && copyBytes(entry.value);
  }

  set(key: string, value: Uint8Array, ttlMs: number): void {
    const entry = this.#live(key);
    if (entry) this.#replace(entry, copyBytes(value), ttlMs);
    else this.#insert("set", key, copyBytes(value), ttlMs);
  }

  delete(key: string): boolean {
    const entry = this.#live(key);
    if (!entry) return false;
    this.#remove(entry);
    return true;
  }

  getOrSet(key: string, value: Uint8Array, ttlMs: number): GetOrSetResult {
    const entry = this.#live(key);
    if (entry) return { value: copyBytes(entry.value), wasSet: false };
    this.#insert("getOrSet", key, copyBytes(value), ttlMs);
    return { value: copyBytes(value), wasSet: true };
  }

  compareAndSet(
    key: string,
    expected: Uint8Array | null,
    next: Uint8Array | null,
    ttlMs: number,
    announce: boolean,
  ): boolean {
    const entry = this.#live(key);
    const current = entry ? entry.value : null;
    if (!sameState(current, expected)) return false;

    const isRenewal = sameState(current, next);
    if (next === null) this.#remove(entry as Entry);
    else if (entry) this.#replace(entry, isRenewal ? entry.value : copyBytes(next), ttlMs);
    else this.#insert("compareAndSet", key, copyBytes(next), ttlMs);

    if (announce && !isRenewal) this.#watched.notify(key);
    return true;
  }

  /** Starts a watch; `watch.end()` ends it. */
  watch(key: string, onChange: () => void): Watch {
    this.#live(key); // What has expired before is no news for this watcher.
    return this.#watched.add(key, onChange);
  }

  /** The entry of a key, unless absent. One found to have expired is removed, and its watchers are told. */
  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#clock.monotonicMs() < entry.expiresAtMs) return entry;
    this.#expire(entry);
    return undefined;
  }

  #insert(operation: string, key: string, value: Uint8Array, ttlMs: number): void {
    this.#purge();
    if (this.#entries.size >= this.#maxEntries) {
      throw new OperationError(
        `${operation} "${callersKey(key)}": the memory cache is full (maxEntries is ${this.#maxEntries}) and nothing in it has ` +
          "expired; nothing was written. Raise maxEntries, shorten TTLs, or delete keys",
        { code: "ERR_CACHE_FULL", key: callersKey(key), operation },
      );
    }
    const entry: Entry = { key, value, expiresAtMs: this.#clock.monotonicMs() + ttlMs, queueIndex: -1 };
    this.#entries.set(key, entry);
    this.#expiries.place(entry);
    this.#watched.rearm(key);
  }

  #replace(entry: Entry, value: Uint8Array, ttlMs: number): void {
    entry.value = value;
    entry.expiresAtMs = this.#clock.monotonicMs() + ttlMs;
    this.#expiries.place(entry);
    this.#watched.rearm(entry.key);
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#expiries.remove(entry);
    this.#watched.rearm(entry.key);
  }

  #expire(entry: Entry): void {
    this.#remove(entry);
    this.#watched.notify(entry.key);
  }

  #purge(): void {
    const now = this.#clock.monotonicMs();
    for (let i = 0; i < PURGED_PER_INSERT; i++) {
      const first = this.#expiries.peek();
      if (first === undefined || now < first.expiresAtMs) return;
      this.#expire(first);
    }
  }
}

/** Whether two states of a key are the same; `null` is "absent". */
function sameState(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equalBytes(a, b);
}
