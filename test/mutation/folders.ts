/** Part of src → the tests that are there for it, which its mutants have to get past. */
export const MUTATED: Readonly<Record<string, readonly string[]>> = {
  "primitives/lease": ["test/unit/lease", "test/unit/lock", "test/property/lock-abort.test.ts"],
  "primitives/lock": ["test/unit/lock", "test/property/lock-abort.test.ts"],
  "primitives/idempotency": ["test/unit/idempotency"],
  "primitives/leader": ["test/unit/leader", "test/property/leader.test.ts"],
  "cache/memory": ["test/unit/memory", "test/property/memory-model.test.ts", "test/property/expiry-queue.test.ts"],
  "cache/codec": ["test/unit/codec", "test/property/codec.test.ts"],
  "cache/redis": ["test/unit/redis", "test/unit/config"],
};
