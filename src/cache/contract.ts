import { describe } from "./checks.ts";
import { ConfigError } from "./errors.ts";

/**
 * The Cache contract: the one interface that every backend implements and the
 * only thing that a primitive may touch.
 *
 * Terminology
 * - **absent**: the key was never written, was deleted, or has expired. An
 *   expired entry is absent for every operation, from the instant it expires.
 *   `null` stands for "absent" on both sides of a compare-and-set; an empty
 *   value (zero bytes) is a value like any other.
 * - **TTL**: time to live in milliseconds, more than 0, rounded up to a whole
 *   number; `Infinity` means no expiry.
 * - **unknown outcome**: the operation failed and may have been executed zero,
 *   one or (when a client re-sends) several times.
 *
 * Every backend checks, before any round trip and in this order: closed, key,
 * value, TTL. Faults of input reject with a typed error (`ClosedError`,
 * `OperationError` with `ERR_INVALID_KEY`, `ERR_INVALID_VALUE` or
 * `ERR_INVALID_ARGUMENT`, `InvalidTtlError`), they never throw synchronously.
 *
 * Every operation is bounded in time. Past the bound it rejects with an
 * `OperationError` of code `ERR_CACHE_TIMEOUT` and its outcome is unknown.
 */
export interface Cache {
  /**
   * True when operations that are called one after the other, without awaiting
   * each, on keys of one hash tag take effect in that order. One connection
   * gives this; a cluster, which may redirect one of them, does not.
   */
  readonly ordered: boolean;

  /** The value of `key`, or `undefined` when absent. The bytes are the caller's own copy. */
  get(key: string): Promise<Uint8Array | undefined>;

  /** Stores `value` under `key` for `ttlMs`, whatever was there before. */
  set(key: string, value: Uint8Array, ttlMs: number): Promise<void>;

  /** Removes `key`; resolves to whether something was there. Never a way to release a lock. */
  delete(key: string): Promise<boolean>;

  /** Stores `value` only if `key` is absent. The TTL of an existing value is not touched. */
  getOrSet(key: string, value: Uint8Array, ttlMs: number): Promise<GetOrSetResult>;

  /**
   * Replaces the value of `key` if it equals `expected` byte for byte.
   *
   * @param expected the value that must be there now; `null`: the key must be absent
   * @param next the value to store; `null`: the key is deleted
   * @param ttlMs the new TTL on success; may be left out when `next` is `null`
   * @returns `true` when this execution replaced the value; `false` proves that
   *   it wrote nothing. `null → null` is rejected with `ERR_INVALID_ARGUMENT`.
   */
  compareAndSet(
    key: string,
    expected: Uint8Array | null,
    next: Uint8Array | null,
    ttlMs?: number,
    options?: CompareAndSetOptions,
  ): Promise<boolean>;

  /**
   * Calls `onChange` when `key` was changed by a compare-and-set or expired.
   *
   * **A hint only**: a call may be late, spurious or missing, so correctness
   * must never rest on it. Resolves once the watch is active: whatever changes
   * afterwards is reported, so "watch, then try again" loses no wake-up.
   */
  watch(key: string, onChange: () => void): Promise<Unwatch>;

  /** Resolves when the store answers in time, otherwise rejects with a `ConnectionError`. */
  health(): Promise<void>;

  /** Counters since the cache was made, and the state of its connection. */
  stats(): CacheStats;

  /**
   * Asks for the connection to be kept until the function that this returns is
   * called: something is held that rests on it, such as a lease. To call it twice
   * is harmless. Only for caches that disconnect by themselves when nobody uses
   * them; others do not have it.
   */
  retain?(): () => void;

  /**
   * Lets the operations in flight finish, then lets go of everything that this
   * cache opened. Idempotent. Every later operation rejects with `ClosedError`.
   */
  close(): Promise<void>;
}

/** The outcome of {@link Cache.getOrSet}. */
export interface GetOrSetResult {
  /** What the key holds now: the value given if `wasSet`, otherwise the one that was there. */
  readonly value: Uint8Array;
  readonly wasSet: boolean;
}

export interface CompareAndSetOptions {
  /**
   * `"none"`: nobody watches this key, so the change need not be announced,
   * which saves work on every write. Default `"watchers"`. Writing the same
   * bytes again (a renewal) is never announced.
   */
  readonly announce?: "watchers" | "none" | undefined;
}

/** Ends a watch. Idempotent; `onChange` is not called after the call to it. */
export type Unwatch = () => Promise<void>;

/** What {@link Cache.stats} tells; plain data. */
export interface CacheStats {
  /** `memory`, `redis`, or the name that another backend gives itself. */
  readonly backend: string;
  readonly state: "connecting" | "ready" | "closed";
  /** Operations called, by name. */
  readonly operations: Readonly<Record<CacheOperation, number>>;
  /** `get` that found a value, and that did not. A failed `get` is neither. */
  readonly hits: number;
  readonly misses: number;
  /** Operations that failed after they passed the checks of their input. */
  readonly errors: number;
  /** Those of them that ran into the time limit. */
  readonly timeouts: number;
  /** Operations that were called and have not settled yet. */
  readonly inFlight: number;
  /** Keys that are being watched. */
  readonly watchedKeys: number;
}

export type CacheOperation = "get" | "set" | "delete" | "getOrSet" | "compareAndSet" | "watch" | "health";

/** Where a primitive gets its cache: the cache, or a function that finds one for each call. */
export type CacheSource = Cache | (() => Cache | Promise<Cache>);

/** The cache behind a {@link CacheSource}. Rejects with a `ConfigError` when that is none. */
export function resolveCache(source: CacheSource): Cache | Promise<Cache> {
  const cache = typeof source === "function" ? source() : source;
  return isCache(cache) ? cache : later(cache);
}

async function later(found: Promise<Cache>): Promise<Cache> {
  const cache = await found;
  if (isCache(cache)) return cache;
  throw new ConfigError(`the cache is ${describe(cache)}; it must be a Cache, or a function that gives one`);
}

/** Whether it looks like one. */
export function isCache(value: unknown): value is Cache {
  return typeof (value as Partial<Cache> | null | undefined)?.compareAndSet === "function";
}
