import assert from "node:assert/strict";
import type { Cache, CacheOperation } from "../../cache/contract.ts";
import { HoldfastError } from "../../cache/errors.ts";
import { bytes, HOUR } from "./scene.ts";

const value = bytes("value");

/** A well-formed call of an operation on a key. */
export type KeyedCall = (cache: Cache, key: string) => Promise<unknown>;

/** Every operation that takes a key, called as it should be. */
export const keyedCalls: ReadonlyArray<readonly [string, KeyedCall]> = [
  ["get", (cache, key) => cache.get(key)],
  ["set", (cache, key) => cache.set(key, value, HOUR)],
  ["delete", (cache, key) => cache.delete(key)],
  ["getOrSet", (cache, key) => cache.getOrSet(key, value, HOUR)],
  ["compareAndSet (create)", (cache, key) => cache.compareAndSet(key, null, value, HOUR)],
  ["compareAndSet (replace)", (cache, key) => cache.compareAndSet(key, value, value, HOUR)],
  ["compareAndSet (delete)", (cache, key) => cache.compareAndSet(key, value, null)],
  ["watch", (cache, key) => cache.watch(key, () => {})],
];

/** Every operation that stores a value, with that value and TTL. */
export const writeCalls: ReadonlyArray<
  readonly [CacheOperation, (cache: Cache, key: string, value: Uint8Array, ttlMs: number) => Promise<unknown>]
> = [
  ["set", (cache, key, value, ttlMs) => cache.set(key, value, ttlMs)],
  ["getOrSet", (cache, key, value, ttlMs) => cache.getOrSet(key, value, ttlMs)],
  ["compareAndSet", (cache, key, value, ttlMs) => cache.compareAndSet(key, null, value, ttlMs)],
];

/** The call gives a promise, which rejects with this library's error of that code. */
export async function rejectsWith(code: string, call: () => Promise<unknown>): Promise<void> {
  let result: Promise<unknown>;
  try {
    result = call();
  } catch (error) {
    assert.fail(`threw instead of rejecting: ${error}`);
  }
  await assert.rejects(result, (error: unknown) => {
    assert.ok(error instanceof HoldfastError, `rejected with ${error}, which is not a HoldfastError`);
    assert.equal(error.code, code, error.message);
    return true;
  });
}
