import type { Mutant } from "./mutant.ts";

const CHECKS = "cache/checks.ts";
const GUARD = "cache/guard.ts";
const BYTES = "cache/bytes.ts";
const STORE = "cache/memory/store.ts";
const WATCHED = "cache/memory/watched-keys.ts";

/** Bugs in what stands before every operation of a cache. */
export const checks: readonly Mutant[] = [
  {
    name: "a TTL of less than a millisecond becomes 0, which means for ever",
    file: CHECKS,
    search: "Math.ceil(ttlMs);",
    replace: "Math.floor(ttlMs);",
  },
  { name: "a TTL of 0 passes", file: CHECKS, search: "ttlMs > 0) {", replace: "ttlMs >= 0) {" },
  {
    name: "the length of a key is counted in characters",
    file: CHECKS,
    search: "if (key.length * 3 > MAX_KEY_BYTES) {",
    replace: "if (key.length > MAX_KEY_BYTES) {",
  },
  {
    name: "a key that cannot be written as UTF-8 passes",
    file: CHECKS,
    search: "if (!key.isWellFormed()) {",
    replace: "if (key.length < 1) {",
  },
  {
    name: "a value of one byte more than allowed passes",
    file: CHECKS,
    search: "if (value.byteLength > maxBytes) {",
    replace: "if (value.byteLength > maxBytes + 1) {",
  },
  {
    name: "a compare-and-set from absent to absent passes",
    file: CHECKS,
    search: "if (expected === null && next === null) {",
    replace: "if (expected === null && next === undefined) {",
  },
  {
    name: "a compare-and-set without a TTL writes for ever",
    file: GUARD,
    search: "if (next === null && ttlMs === undefined) return",
    replace: "if (ttlMs === undefined) return",
  },
  {
    name: "a key is judged before the cache is found closed",
    file: GUARD,
    search: "this.open(operation, key);\n    checkKey(key, operation);",
    replace: "checkKey(key, operation);\n    this.open(operation, key);",
  },
  {
    name: "a compare-and-set expects what no key can hold",
    file: GUARD,
    search: "if (expected !== null) checkValue(expected, key, operation, this.maxValueBytes);",
    replace: "",
  },
  {
    name: "bytes are shared with the caller",
    file: BYTES,
    search: "return new Uint8Array(bytes);",
    replace: "return bytes;",
  },
  {
    name: "a value is the same as its beginning",
    file: BYTES,
    search: "return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;",
    replace: "return Buffer.compare(a.subarray(0, b.byteLength), b) === 0;",
  },
];

/** Bugs of the memory store. */
export const memory: readonly Mutant[] = [
  {
    name: "a value lives a moment longer than its TTL",
    file: STORE,
    search: "this.#clock.monotonicMs() < entry.expiresAtMs) return entry;",
    replace: "this.#clock.monotonicMs() <= entry.expiresAtMs) return entry;",
  },
  {
    name: "a renewal wakes watchers",
    file: STORE,
    search: "if (announce && !isRenewal)",
    replace: "if (announce)",
  },
  {
    name: "a change that is not to be announced wakes watchers",
    file: STORE,
    search: "if (announce && !isRenewal)",
    replace: "if (!isRenewal)",
  },
  {
    name: "a renewal leaves the TTL as it was",
    file: STORE,
    search: "else if (entry) this.#replace(",
    replace: "else if (entry && isRenewal) return true;\n    else if (entry) this.#replace(",
  },
  {
    name: "a value that is replaced keeps its place among the expiries",
    file: STORE,
    search: "this.#expiries.place(entry);\n    this.#watched.rearm(entry.key);",
    replace: "this.#watched.rearm(entry.key);",
  },
  {
    name: "a value that is deleted keeps its place among the expiries",
    file: STORE,
    search: "this.#expiries.remove(entry);\n",
    replace: "",
  },
  {
    name: "getOrSet renews what is there",
    file: STORE,
    search: "if (entry) return { value: copyBytes(entry.value), wasSet: false };",
    replace:
      "if (entry) this.#replace(entry, entry.value, ttlMs);\n    if (entry) return { value: copyBytes(entry.value), wasSet: false };",
  },
  {
    name: "getOrSet gives the stored bytes away",
    file: STORE,
    search: "if (entry) return { value: copyBytes(entry.value), wasSet: false };",
    replace: "if (entry) return { value: entry.value, wasSet: false };",
  },
  {
    name: "an empty value counts as absent",
    file: STORE,
    search: "return a === null || b === null ? a === b : equalBytes(a, b);",
    replace: "return equalBytes(a ?? new Uint8Array(), b ?? new Uint8Array());",
  },
  {
    name: "an expiry that an operation finds is told to nobody",
    file: STORE,
    search: "#expire(entry: Entry): void {\n    this.#remove(entry);\n    this.#watched.notify(entry.key);",
    replace: "#expire(entry: Entry): void {\n    this.#remove(entry);",
  },
  {
    name: "expired entries are never cleared away",
    file: STORE,
    search: "const PURGED_PER_INSERT = 2;",
    replace: "const PURGED_PER_INSERT = 0;",
  },
  {
    name: "clearing away takes what has not expired",
    file: STORE,
    search: "if (first === undefined || now < first.expiresAtMs) return;",
    replace: "if (first === undefined || now < first.expiresAtMs - 1) return;",
  },
  {
    name: "the expiry of a key that was not there when the watch began is missed",
    file: STORE,
    search: "this.#expiries.place(entry);\n    this.#watched.rearm(key);",
    replace: "this.#expiries.place(entry);",
  },
  {
    name: "the queue of expiries forgets to sink what was renewed",
    file: "cache/memory/expiry-queue.ts",
    search: "this.#rise(entry);\n    this.#sink(entry);",
    replace: "this.#rise(entry);",
  },
  {
    name: "a timer that runs early tells of an expiry that is none",
    file: WATCHED,
    search: "this.#clock.setTimer(() => this.rearm(key), delayMs);",
    replace: "this.#clock.setTimer(() => this.notify(key), delayMs);",
  },
  {
    name: "a watcher is called inside the operation",
    file: WATCHED,
    search: "queueMicrotask(() => (watch as KeyWatch).call());",
    replace: "(watch as KeyWatch).call();",
  },
  {
    name: "a watcher is called after its end",
    file: WATCHED,
    search: "if (this.active) this.#onChange();",
    replace: "this.#onChange();",
  },
  {
    name: "the last watcher of a key leaves its timer",
    file: WATCHED,
    search: "if (watched.watches.size > 0) return;\n    this.#disarm(watched);",
    replace: "if (watched.watches.size > 0) return;",
  },
  {
    name: "closing one handle forgets the store of all",
    file: "cache/memory/named-stores.ts",
    search: "if (named.handles === 0) stores.delete(name);",
    replace: "stores.delete(name);",
  },
  {
    name: "prefix and key run together",
    file: "cache/memory/key-space.ts",
    search: "keyPrefix + SEPARATOR + key;",
    replace: "keyPrefix + key;",
  },
];
