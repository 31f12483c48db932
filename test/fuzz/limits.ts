import assert from "node:assert/strict";
import { getHeapStatistics } from "node:v8";

/** What decoding may allocate besides a multiple of its input: far less than what a false length claims. */
const FLOOR_BYTES = 1024 * 1024;
const FACTOR = 300;

/** Calls `decode`, which must take memory in proportion to its input, and leave the input and all prototypes alone. */
export function decoding<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T): T {
  const before = Buffer.from(bytes);
  const usedBefore = used();
  try {
    return decode(bytes);
  } finally {
    const taken = used() - usedBefore;
    assert(taken < FLOOR_BYTES + FACTOR * bytes.length, `${bytes.length} bytes made it take ${taken}`);
    assert(before.equals(bytes), "the input was changed");
    assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), PROTOTYPE);
    assert.deepEqual(Object.getOwnPropertyNames(Array.prototype), ARRAY_PROTOTYPE);
  }
}

const PROTOTYPE = Object.getOwnPropertyNames(Object.prototype);
const ARRAY_PROTOTYPE = Object.getOwnPropertyNames(Array.prototype);

/** Less than it was after a garbage collection, which is no reason to complain. */
function used(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
