/** The checks of input that every backend makes before any round trip. */

import { types } from "node:util";
import { ConfigError, InvalidTtlError, OperationError } from "./errors.ts";

/** The longest key, in UTF-8 bytes, without the store's own prefix. */
export const MAX_KEY_BYTES = 1_024;

/** The default of `maxValueBytes`: 1 MiB. */
export const DEFAULT_MAX_VALUE_BYTES: number = 1024 * 1024;

/** Throws unless `key` is a non-empty, well-formed string of at most 1,024 UTF-8 bytes. */
export function checkKey(key: unknown, operation: string): asserts key is string {
  if (typeof key !== "string") throw invalidKey(`a key is a string, not ${describe(key)}`, operation);
  if (key.length === 0) throw invalidKey("the key is empty", operation, key);
  // A UTF-16 unit is at most 3 bytes of UTF-8, so short keys need no counting.
  if (key.length * 3 > MAX_KEY_BYTES) {
    const bytes = Buffer.byteLength(key);
    if (bytes > MAX_KEY_BYTES) {
      throw invalidKey(`the key has ${bytes} bytes; at most ${MAX_KEY_BYTES} are allowed`, operation, key.slice(0, 64));
    }
  }
  if (!key.isWellFormed()) {
    throw invalidKey("the key has a lone surrogate and cannot be written as UTF-8", operation, key);
  }
}

/** Throws `ConfigError` unless `keyPrefix`, which messages call `what`, can stand before any key. */
export function checkKeyPrefix(keyPrefix: unknown, what: string): asserts keyPrefix is string {
  if (typeof keyPrefix !== "string" || !keyPrefix.isWellFormed()) {
    throw new ConfigError(`${what} is ${describe(keyPrefix)}; it must be a string without lone surrogates`);
  }
  // Braces that begin in the prefix and end in the key would put keys of one hash tag into different slots.
  const open = keyPrefix.indexOf("{");
  if (open < 0 || keyPrefix.indexOf("}", open) > open + 1) return;
  throw new ConfigError(
    `${what} is ${describe(keyPrefix)}, which has a "{" without a "}" after at least one character: ` +
      "only a complete {tag} leaves the hash tags of the keys intact",
  );
}

/** Throws unless `value` is a `Uint8Array` of at most `maxBytes`. */
export function checkValue(
  value: unknown,
  key: string,
  operation: string,
  maxBytes: number,
): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) {
    const found = types.isUint8Array(value)
      ? "one of another realm, such as a vm's: copy it into one of this"
      : describe(value);
    throw new OperationError(`${operation} "${key}": a value is a Uint8Array, not ${found}`, {
      code: "ERR_INVALID_VALUE",
      key,
      operation,
    });
  }
  if (value.byteLength > maxBytes) {
    throw new OperationError(
      `${operation} "${key}": the value has ${value.byteLength} bytes; maxValueBytes is ${maxBytes}`,
      { code: "ERR_INVALID_VALUE", key, operation },
    );
  }
}

/** The largest TTL that is sent as a number: past it (some 285,000 years) a value never expires. */
const MAX_TTL_MS: number = Number.MAX_SAFE_INTEGER;

/** A TTL as whole milliseconds (rounded up) or `Infinity`; throws `InvalidTtlError` otherwise. */
export function checkTtl(ttlMs: unknown, key: string, operation: string): number {
  if (typeof ttlMs === "number" && ttlMs > 0) {
    return ttlMs > MAX_TTL_MS ? Number.POSITIVE_INFINITY : Math.ceil(ttlMs);
  }
  throw new InvalidTtlError(
    `${operation} "${key}": ttlMs is ${describe(ttlMs)}; it must be a number of milliseconds above 0, or Infinity`,
    { key, operation },
  );
}

/** Throws when both sides of a compare-and-set are "absent". */
export function checkTransition(expected: unknown, next: unknown, key: string): void {
  if (expected === null && next === null) {
    throw new OperationError(`compareAndSet "${key}": null → null changes nothing and is not allowed`, {
      code: "ERR_INVALID_ARGUMENT",
      key,
      operation: "compareAndSet",
    });
  }
}

function invalidKey(problem: string, operation: string, key?: string): OperationError {
  return new OperationError(`${operation}: ${problem}`, {
    code: "ERR_INVALID_KEY",
    operation,
    ...(key === undefined ? {} : { key }),
  });
}

/** A short description of a bad argument for an error message. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "object") return classOf(value);
  return value === undefined ? "undefined" : `a ${typeof value}`;
}

/** What was decoded may have a property called "constructor" that holds anything. */
function classOf(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === "string" ? name : "an object";
}
