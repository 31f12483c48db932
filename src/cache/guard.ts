import { checkKey, checkTransition, checkTtl, checkValue, DEFAULT_MAX_VALUE_BYTES, describe } from "./checks.ts";
import type { CacheOperation } from "./contract.ts";
import { ClosedError, ConfigError, OperationError } from "./errors.ts";

/**
 * What stands before every operation of a cache: the contract's checks in the
 * contract's order (closed, key, value, TTL), and the closed state itself.
 * Each check throws; a backend's operations are async, so callers see rejections.
 */
export class OperationGuard {
  readonly maxValueBytes: number;
  #closed = false;

  /** Throws `ConfigError` unless `maxValueBytes` is a whole number of bytes, at least 1. */
  constructor(maxValueBytes: number = DEFAULT_MAX_VALUE_BYTES) {
    this.maxValueBytes = checkMaxValueBytes(maxValueBytes);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** From now on every check throws `ClosedError`. Returns whether it was open. */
  close(): boolean {
    const wasOpen = !this.#closed;
    this.#closed = true;
    return wasOpen;
  }

  /** For operations without a key. */
  open(operation: CacheOperation, key?: unknown): void {
    if (!this.#closed) return;
    throw new ClosedError(`${operation}: the cache is closed`, {
      operation,
      ...(typeof key === "string" ? { key } : {}),
    });
  }

  /** For `get` and `delete`. */
  key(operation: CacheOperation, key: string): void {
    this.open(operation, key);
    checkKey(key, operation);
  }

  /** For `set` and `getOrSet`; returns the TTL in whole milliseconds, or `Infinity`. */
  write(operation: CacheOperation, key: string, value: Uint8Array, ttlMs: number): number {
    this.key(operation, key);
    checkValue(value, key, operation, this.maxValueBytes);
    return checkTtl(ttlMs, key, operation);
  }

  /** Returns the TTL in whole milliseconds, or `Infinity`; of no meaning when `next` is `null`. */
  compareAndSet(key: string, expected: Uint8Array | null, next: Uint8Array | null, ttlMs: number | undefined): number {
    const operation = "compareAndSet";
    this.key(operation, key);
    if (expected !== null) checkValue(expected, key, operation, this.maxValueBytes);
    if (next !== null) checkValue(next, key, operation, this.maxValueBytes);
    checkTransition(expected, next, key);
    if (next === null && ttlMs === undefined) return Number.POSITIVE_INFINITY;
    return checkTtl(ttlMs, key, operation);
  }

  watch(key: string, onChange: () => void): void {
    this.key("watch", key);
    if (typeof onChange === "function") return;
    throw new OperationError(`watch "${key}": onChange is a function, not ${describe(onChange)}`, {
      code: "ERR_INVALID_ARGUMENT",
      key,
      operation: "watch",
    });
  }
}

/** Throws `ConfigError` unless `maxValueBytes` is a whole number of bytes, at least 1. */
export function checkMaxValueBytes(maxValueBytes: number): number {
  if (Number.isSafeInteger(maxValueBytes) && maxValueBytes >= 1) return maxValueBytes;
  throw new ConfigError(`maxValueBytes is ${describe(maxValueBytes)}; it must be a whole number of bytes, at least 1`);
}
