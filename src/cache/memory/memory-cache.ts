import type { Clock } from "../../runtime/clock.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { checkKeyPrefix, describe } from "../checks.ts";
import { checkOptions } from "../choices.ts";
import type { Cache, CacheOperation, CacheStats, CompareAndSetOptions, GetOrSetResult, Unwatch } from "../contract.ts";
import { CacheCounters } from "../counters.ts";
import { ConfigError } from "../errors.ts";
import { OperationGuard } from "../guard.ts";
import { entryKey } from "./key-space.ts";
import { openNamedStore, type StoreLease, type StoreOptions } from "./named-stores.ts";
import { MemoryStore } from "./store.ts";
import type { Watch } from "./watched-keys.ts";

export interface MemoryCacheOptions {
  /**
   * The store of that name in this process, shared by every handle that names
   * it and forgotten when the last of them is closed. Default: a store of its own.
   */
  readonly name?: string | undefined;
  /**
   * Kept apart from every other prefix of the same store, and from none: a handle
   * reaches only what was written under its own. Default: none.
   */
  readonly keyPrefix?: string | undefined;
  /**
   * How many entries the store holds at most, expired ones not counted. One more
   * is refused with an `OperationError` of code `ERR_CACHE_FULL`; nothing is ever
   * evicted. From 1 to 16,777,216 (2^24, all that a `Map` takes). Default 1,000,000.
   */
  readonly maxEntries?: number | undefined;
  /** The largest value in bytes, for this handle. Default 1 MiB. */
  readonly maxValueBytes?: number | undefined;
  /** Default: the process's own clock. */
  readonly clock?: Clock | undefined;
}

/** The most entries that a `Map` takes. */
const MAX_ENTRIES_LIMIT = 2 ** 24;

const DEFAULTS: StoreOptions = { clock: systemClock, maxEntries: 1_000_000 };

/**
 * A cache in this process's memory: the embedded store, and the reference for
 * what the contract means.
 *
 * - `ordered`: each operation takes effect when it is called; its result comes
 *   with the promise.
 * - Expiry is exact: from the instant a TTL has passed the entry is absent for
 *   every operation. The TTL runs on the clock's monotonic time.
 * - Nothing is durable, and nothing is shared with another process or worker thread.
 *
 * @throws ConfigError when an option is wrong, or contradicts the options with
 *   which the named store was opened
 */
export function createMemoryCache(options: MemoryCacheOptions = {}): Cache {
  checkOptions(options, "createMemoryCache");
  const { name, keyPrefix = "", maxEntries, maxValueBytes, clock } = options;
  checkName(name);
  checkKeyPrefix(keyPrefix, "keyPrefix");
  checkMaxEntries(maxEntries);
  const guard = new OperationGuard(maxValueBytes);
  const given = { ...(clock && { clock }), ...(maxEntries !== undefined && { maxEntries }) };
  return new MemoryCache(openStore(name, given), guard, keyPrefix);
}

function openStore(name: string | undefined, given: Partial<StoreOptions>): StoreLease {
  if (name !== undefined) return openNamedStore(name, given, DEFAULTS);
  const { clock, maxEntries } = { ...DEFAULTS, ...given };
  return { store: new MemoryStore(clock, maxEntries), release: () => {} };
}

class MemoryCache implements Cache {
  readonly ordered = true;
  readonly #lease: StoreLease;
  readonly #store: MemoryStore;
  readonly #guard: OperationGuard;
  readonly #keyPrefix: string;
  readonly #counters = new CacheCounters();
  readonly #watches = new Set<Watch>();

  constructor(lease: StoreLease, guard: OperationGuard, keyPrefix: string) {
    this.#lease = lease;
    this.#store = lease.store;
    this.#guard = guard;
    this.#keyPrefix = keyPrefix;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#guard.key("get", key);
    const value = this.#perform("get", () => this.#store.get(this.#entry(key)));
    this.#counters.found(value);
    return value;
  }

  async set(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    const ttl = this.#guard.write("set", key, value, ttlMs);
    this.#perform("set", () => this.#store.set(this.#entry(key), value, ttl));
  }

  async delete(key: string): Promise<boolean> {
    this.#guard.key("delete", key);
    return this.#perform("delete", () => this.#store.delete(this.#entry(key)));
  }

  async getOrSet(key: string, value: Uint8Array, ttlMs: number): Promise<GetOrSetResult> {
    const ttl = this.#guard.write("getOrSet", key, value, ttlMs);
    return this.#perform("getOrSet", () => this.#store.getOrSet(this.#entry(key), value, ttl));
  }

  async compareAndSet(
    key: string,
    expected: Uint8Array | null,
    next: Uint8Array | null,
    ttlMs?: number,
    options?: CompareAndSetOptions,
  ): Promise<boolean> {
    const ttl = this.#guard.compareAndSet(key, expected, next, ttlMs);
    const announce = options?.announce !== "none";
    return this.#perform("compareAndSet", () =>
      this.#store.compareAndSet(this.#entry(key), expected, next, ttl, announce),
    );
  }

  async watch(key: string, onChange: () => void): Promise<Unwatch> {
    this.#guard.watch(key, onChange);
    const watch = this.#perform("watch", () => this.#store.watch(this.#entry(key), onChange));
    this.#watches.add(watch);
    return async () => {
      watch.end();
      this.#watches.delete(watch);
    };
  }

  async health(): Promise<void> {
    this.#guard.open("health");
    this.#perform("health", () => {});
  }

  stats(): CacheStats {
    const keys = new Set(Array.from(this.#watches, (watch) => watch.key));
    return {
      backend: "memory",
      state: this.#guard.closed ? "closed" : "ready",
      ...this.#counters.snapshot(),
      watchedKeys: keys.size,
    };
  }

  async close(): Promise<void> {
    if (!this.#guard.close()) return;
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
    this.#lease.release();
  }

  #entry(key: string): string {
    return entryKey(this.#keyPrefix, key);
  }

  #perform<T>(operation: CacheOperation, effect: () => T): T {
    this.#counters.begin(operation);
    try {
      return effect();
    } catch (error) {
      this.#counters.fail(error);
      throw error;
    } finally {
      this.#counters.end();
    }
  }
}

function checkName(name: unknown): void {
  if (name === undefined || (typeof name === "string" && name.isWellFormed())) return;
  throw new ConfigError(`name is ${describe(name)}; it must be a string without lone surrogates`);
}

function checkMaxEntries(value: unknown): void {
  if (value === undefined) return;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_ENTRIES_LIMIT) return;
  throw new ConfigError(`maxEntries is ${describe(value)}; it must be a whole number from 1 to ${MAX_ENTRIES_LIMIT}`);
}
