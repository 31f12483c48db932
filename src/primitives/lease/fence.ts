/**
 * Fencing tokens: numbers that rise with each tenure of a name, so that a
 * resource can refuse a writer that has been overtaken (Kleppmann, "How to do
 * distributed locking", 2016).
 *
 * A token is issued by a compare-and-set on one register, the fence, so two
 * tokens are never equal and order needs no clock. The clock only matters when
 * the register was lost: then it keeps new tokens above the old ones.
 */

import { LRUCache } from "lru-cache";
import type { Cache } from "../../cache/contract.ts";
import { OperationError } from "../../cache/errors.ts";
import type { Clock } from "../../runtime/clock.ts";

/** How long the fence is kept after the last grant: 7 days. */
export const FENCE_RETENTION_MS: number = 7 * 24 * 60 * 60 * 1000;

/** How many tokens a grant reserves: the holder's own, and those of 32 hand-overs inside its process. */
export const TOKENS_PER_TURN = 33;

/** Where a fence may stand at most, so that the tokens of another turn are safe integers. */
export const HIGHEST_FENCE: number = Number.MAX_SAFE_INTEGER - TOKENS_PER_TURN;

/**
 * `max(previous + 1, wall clock in microseconds)`: a safe integer until the year 2255.
 *
 * @param key of the fence, for the message
 * @throws OperationError when no turn can begin there. To begin anew would let tokens fall
 */
export function nextToken(previous: number, clock: Clock, key: string): number {
  const token = Math.max(previous + 1, Math.floor(clock.wallMs() * 1_000));
  if (token <= HIGHEST_FENCE + 1) return token;
  throw new OperationError(
    `"${key}": there is no fencing token above ${token - 1}. Somebody has overwritten the fence, or a clock is wrong. ` +
      "Delete the key, once no resource remembers so high a token",
    { key, operation: "acquire", code: "ERR_FENCE_EXHAUSTED" },
  );
}

/** The fence is written as decimal digits, so that a person can read it. */
export function encodeToken(token: number): Uint8Array {
  return Buffer.from(String(token), "latin1");
}

/** A fence that somebody overwrote with something else counts as 0; the clock takes over. */
export function decodeToken(bytes: Uint8Array): number {
  const digits = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const token = /^\d{1,16}$/.test(digits) ? Number(digits) : 0;
  return Number.isSafeInteger(token) ? token : 0;
}

/** A fence as it was last seen. */
export interface Fence {
  readonly token: number;
  readonly bytes: Uint8Array;
}

/** What the store holds for a fence. */
export function readFence(bytes: Uint8Array): Fence {
  return { token: decodeToken(bytes), bytes };
}

/** The last known tokens of fences, per cache: a right guess saves a round trip, a wrong one costs it. */
const REMEMBERED = 10_000;
const memories = new WeakMap<Cache, LRUCache<string, number>>();

export function fenceMemory(cache: Cache): LRUCache<string, number> {
  let memory = memories.get(cache);
  if (memory === undefined) {
    // Bounded by size rather than by `max`, which would allocate for all entries at once.
    memory = new LRUCache({ maxSize: REMEMBERED, sizeCalculation: () => 1 });
    memories.set(cache, memory);
  }
  return memory;
}
