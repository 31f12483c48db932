import type { Mutant } from "./mutant.ts";

const ACQUISITION = "primitives/lease/acquisition.ts";
const LEASE = "primitives/lease/lease.ts";
const LINE = "primitives/lease/line.ts";
const RECORD = "primitives/lease/stored-record.ts";
const FENCE = "primitives/lease/fence.ts";

/** Known bugs of lock libraries, and subtle ones of our own. */
export const locks: readonly Mutant[] = [
  // Acquire and confirm
  {
    name: "a lost reply makes the holder wait for its own orphan",
    file: ACQUISITION,
    search: "if (record && equalBytes(record.nonce, this.#nonce)) return this.#confirm(value, undefined);",
    replace: "",
  },
  {
    name: "own record is taken for granted, without a new token and without confirming",
    file: ACQUISITION,
    search: "if (record && equalBytes(record.nonce, this.#nonce)) return this.#confirm(value, undefined);",
    replace:
      "if (record && equalBytes(record.nonce, this.#nonce)) return this.#handOut({ bytes: value, record, sentAt: now(this.#options.clock) });",
  },
  {
    name: "the lease is not confirmed after its token was issued",
    file: ACQUISITION,
    search: "if (!(await this.#rewrite(mine, draft.bytes))) break;",
    replace: "await this.#rewrite(mine, draft.bytes);",
  },
  {
    name: "the token is handed out whether or not it was issued",
    file: ACQUISITION,
    search: "if (!fencing || (isIssued && isFresh)) {",
    replace: "if (!fencing || isFresh) {",
  },
  {
    name: "confirming hands out a token whose issuing failed",
    file: ACQUISITION,
    search: "if (await issuing) return this.#handOut({ bytes: draft.bytes, record: draft.record, sentAt });\n    }",
    replace: "await issuing;\n      return this.#handOut({ bytes: draft.bytes, record: draft.record, sentAt });\n    }",
  },
  {
    name: "the token comes from the clock alone",
    file: FENCE,
    search: "Math.max(previous + 1, Math.floor(clock.wallMs() * 1_000));",
    replace: "Math.floor(clock.wallMs() * 1_000);",
  },
  {
    name: "the token comes from a counter alone, which data loss resets",
    file: FENCE,
    search: "Math.max(previous + 1, Math.floor(clock.wallMs() * 1_000));",
    replace: "previous + 1;",
  },
  {
    name: "the next token is the previous one",
    file: FENCE,
    search: "Math.max(previous + 1,",
    replace: "Math.max(previous,",
  },
  {
    name: "the fence is overwritten instead of compared",
    file: ACQUISITION,
    search:
      "const issued = await cache.compareAndSet(keys.fence, seen, encodeToken(lastToken), FENCE_RETENTION_MS, QUIET);",
    replace:
      "await cache.set(keys.fence, encodeToken(lastToken), FENCE_RETENTION_MS);\n    const issued = seen !== undefined;",
  },
  {
    name: "the fence is kept no longer than a second",
    file: FENCE,
    search: "export const FENCE_RETENTION_MS: number = 7 * 24 * 60 * 60 * 1000;",
    replace: "export const FENCE_RETENTION_MS: number = 1000;",
  },
  {
    name: "the fence is kept for ever",
    file: FENCE,
    search: "export const FENCE_RETENTION_MS: number = 7 * 24 * 60 * 60 * 1000;",
    replace: "export const FENCE_RETENTION_MS: number = Number.POSITIVE_INFINITY;",
  },
  {
    name: "a lock is handed out after its deadline",
    file: ACQUISITION,
    search: "if (elapsedMs(clock, grant.sentAt) >= timing.ttlMs - timing.marginMs) {",
    replace: "if (elapsedMs(clock, grant.sentAt) >= 10 * timing.ttlMs) {",
  },
  {
    name: "the deadline of an acquisition counts from the reply",
    file: ACQUISITION,
    search:
      "return this.#handOut({ bytes: draft.bytes, record: draft.record, sentAt });\n    }\n    return this.#confirm(",
    replace:
      "return this.#handOut({ bytes: draft.bytes, record: draft.record, sentAt: now(clock) });\n    }\n    return this.#confirm(",
  },
  {
    name: "a record that a late command may replace is sent again",
    file: ACQUISITION,
    search: "this.#draft = undefined;\n    let mine = held;",
    replace: "let mine = held;",
  },
  {
    name: "an inherited lease keeps the token of the one before",
    file: ACQUISITION,
    search: "const token = fencing ? from.record.fencingToken + 1 : 0;",
    replace: "const token = fencing ? from.record.fencingToken : 0;",
  },
  {
    name: "leases are inherited with tokens that nobody has reserved",
    file: ACQUISITION,
    search: "return !this.#options.fencing || from.fencingToken < from.lastToken;",
    replace: "return true;",
  },
  {
    name: "what an acquisition of unknown outcome has left is not taken back",
    file: ACQUISITION,
    search: "return this.#sent.length > 0;",
    replace: "return false;",
  },
  // Renew and self-fence
  {
    name: "the valid time counts from the reply of a renewal",
    file: LEASE,
    search: "(renewed) => this.#renewed(renewed, sentAt, timing),",
    replace: "(renewed) => this.#renewed(renewed, now(clock), timing),",
  },
  {
    name: "only the monotonic clock counts, which stands still while the machine sleeps",
    file: "runtime/instant.ts",
    search: "return Math.max(clock.monotonicMs() - since.monotonicMs, clock.wallMs() - since.wallMs);",
    replace: "return clock.monotonicMs() - since.monotonicMs;",
  },
  {
    name: "only the wall clock counts, which can be set back",
    file: "runtime/instant.ts",
    search: "return Math.max(clock.monotonicMs() - since.monotonicMs, clock.wallMs() - since.wallMs);",
    replace: "return clock.wallMs() - since.wallMs;",
  },
  {
    name: "there is no margin for clocks that differ",
    file: LEASE,
    search: "return ttlMs - marginMs;",
    replace: "return ttlMs;",
  },
  {
    name: "a renewal that comes back after the deadline revives the lease",
    file: LEASE,
    search: "if (!this.#check() || timing !== this.#timing) return;",
    replace: 'if (timing !== this.#timing) return;\n    if (renewed && this.#state === "lost") this.#state = "held";',
  },
  {
    name: "the signal fires when a renewal comes back, not when the time is over",
    file: LEASE,
    search: "const endMs = nowMs + this.#validForMs();",
    replace: "const endMs = Number.POSITIVE_INFINITY;",
  },
  {
    name: "one failed renewal ends renewing",
    file: LEASE,
    search: "this.#renewAtMs = clock.monotonicMs() + backoffMs * (1 - JITTER * clock.random());",
    replace: "this.#renewAtMs = Number.POSITIVE_INFINITY;",
  },
  {
    name: "a failed renewal is an unhandled rejection",
    file: LEASE,
    search: 'if (this.#state !== "held") return;\n        const backoffMs',
    replace: 'if (this.#state !== "held") throw error;\n        const backoffMs',
  },
  {
    name: "a hanging renewal is waited for",
    file: LEASE,
    search: "this.#renewAtMs = sentAt.monotonicMs + timing.attemptLimitMs;",
    replace: "this.#renewAtMs = Number.POSITIVE_INFINITY;",
  },
  {
    name: "renewing spins",
    file: LEASE,
    search: "return this.#sentAt.monotonicMs + this.#timing.renewEveryMs * (1 - JITTER * clock.random());",
    replace: "return this.#sentAt.monotonicMs + 1;",
  },
  {
    name: "a refused renewal is tried again",
    file: LEASE,
    search: 'if (!renewed) return this.#lose("taken");\n    this.#failures = 0;',
    replace: "if (!renewed) return this.#arm();\n    this.#failures = 0;",
  },
  {
    name: "renewing overwrites whatever the key holds",
    file: RECORD,
    search: "return previous ? this.#writeOver(previous, bytes, ttlMs) : this.#swap(bytes, bytes, ttlMs);",
    replace: "return this.#cache.set(this.#key, bytes, ttlMs).then(() => true);",
  },
  {
    name: "an extension by a shorter time believes in the longer one",
    file: LEASE,
    search: "if (spanOf(timing) < this.#validForMs()) {",
    replace: "if (spanOf(timing) < 0) {",
  },
  {
    name: "an extension to an earlier time writes an earlier record again",
    file: LEASE,
    search: "this.#revision += 1;",
    replace: "",
  },
  {
    name: "a renewal from before an extension counts after it",
    file: LEASE,
    search: "if (!this.#check() || timing !== this.#timing) return;",
    replace: "if (!this.#check()) return;",
  },
  {
    name: "an extension of unknown outcome is forgotten",
    file: RECORD,
    search: "this.#previous = this.#bytes;\n    this.#bytes = bytes;",
    replace: "this.#bytes = bytes;",
  },
  {
    name: "a lost lock can come back",
    file: LEASE,
    search: "isHeld(): boolean {\n    return this.#check();",
    replace: 'isHeld(): boolean {\n    return this.#state !== "ended" && this.#validForMs() > 0;',
  },
  {
    name: "a suspended machine is noticed only when it would renew",
    file: "runtime/clock-jumps.ts",
    search: "const LOOK_EVERY_MS = 1_000;",
    replace: "const LOOK_EVERY_MS = 1_000_000;",
  },
  {
    name: "maxHoldMs is not looked at",
    file: LEASE,
    search: "return maxHoldMs - elapsedMs(clock, this.#heldSince);",
    replace: "return maxHoldMs;",
  },
  {
    name: "a lost lock goes on looking for jumps of the clock",
    file: LEASE,
    search: "this.#jumps.delete(this);\n    this.#options.clock.clearTimer(this.#timer);",
    replace: "this.#options.clock.clearTimer(this.#timer);",
  },
  {
    name: "a token is handed out that may have been drawn before a fail-over",
    file: ACQUISITION,
    search: "if (!fencing || (isIssued && isFresh)) {",
    replace: "if (!fencing || isIssued) {",
  },
  {
    name: "a lost lock leaves its timer",
    file: LEASE,
    search: "this.#jumps.delete(this);\n    this.#options.clock.clearTimer(this.#timer);",
    replace: "this.#jumps.delete(this);",
  },
  // Release
  {
    name: "releasing deletes whatever the key holds",
    file: RECORD,
    search: "return previous ? this.#removeEither(previous, this.#bytes) : this.#swap(this.#bytes, null);",
    replace: "return this.#cache.delete(this.#key);",
  },
  {
    name: "a release that failed is not repeated",
    file: LEASE,
    search: "void this.#keepRemoving(first, () => untilMs - elapsedMs(clock, startedAt));",
    replace: "first.catch(() => {});",
  },
  {
    name: "a release that is not answered fails the work",
    file: LEASE,
    search: "elapsedMs(clock, startedAt));\n    return held;",
    replace: "elapsedMs(clock, startedAt));\n    return false;",
  },
  {
    name: "the error of a release replaces that of the work",
    file: "primitives/lock/with-lock.ts",
    search: "await held.release();\n    throw error;",
    replace: "if (!(await held.release())) throw held.lossError();\n    throw error;",
  },
  {
    name: "work that has lost its lock succeeds",
    file: "primitives/lock/with-lock.ts",
    search: "if (await held.release()) return result;",
    replace: "await held.release();\n  if (result !== undefined) return result;",
  },
  {
    name: "closing takes the lock away under the work",
    file: "primitives/lease/job.ts",
    search: "leftMs > 0 && !this.#isDone;",
    replace: "leftMs > 10 && !this.#isDone;",
  },
  // Wait and pass
  {
    name: "try once waits a little",
    file: "primitives/lock/acquire-lock.ts",
    search: "return settings.waitMs > 0 ? seeker.wait()",
    replace: "return settings.waitMs >= 0 ? seeker.wait()",
  },
  {
    name: "waiters are served in any order",
    file: LINE,
    search: "return this.#waiters?.values().next().value;",
    replace: "return [...(this.#waiters ?? [])].at(-1);",
  },
  {
    name: "a waiter that gives up leaves its timer",
    file: "primitives/lease/waiter.ts",
    search: "this.#clock.clearTimer(this.#timer);\n    ",
    replace: "",
  },
  {
    name: "a waiter that gives up leaves its listener",
    file: "primitives/lease/waiter.ts",
    search: "this.#stopListening();\n    ",
    replace: "",
  },
  {
    name: "a lock that was granted to a waiter who had left is kept",
    file: LINE,
    search: "return this.#background.giveBack(waiter.seeker, grant);",
    replace: "return;",
  },
  {
    name: "waiters that gave up go on watching",
    file: LINE,
    search: "this.#settleDown();\n    await hints.end();",
    replace: "this.#settleDown();",
  },
  {
    name: "a watch that is active only later loses the change before it",
    file: LINE,
    search: "if (await hints.start()) return 0;",
    replace: "await hints.start();",
  },
  {
    name: "hints are not listened to",
    file: LINE,
    search: "const hints = new Hints(this.#cache, this.#clock, this.#keys.lease, () => this.#onHint());",
    replace: "const hints = new Hints(this.#cache, this.#clock, this.#keys.lease, () => {});",
  },
  {
    name: "a store fault ends a wait",
    file: LINE,
    search: "if (!isStoreFault(error)) {\n        head.fail(error);",
    replace: "if (error) {\n        head.fail(error);",
  },
  {
    name: "the line falls asleep for ever after its last waiter was served",
    file: LINE,
    search:
      "// Also when nobody waits any more: those who pump sleep until they are told so.\n      this.#alarm.ring();",
    replace: "if (this.#head) this.#alarm.ring();",
  },
  {
    name: "a lease is passed to a waiter whose own attempt is under way",
    file: LINE,
    search: "if (head.attempting || this.#first) return undefined;",
    replace: "if (this.#first) return undefined;",
  },
  {
    name: "a lost lease of this process does not wake the line",
    file: LINE,
    search: "this.#held = undefined;\n    this.#alarm.ring();\n    this.#settleDown();",
    replace: "this.#held = undefined;\n    this.#settleDown();",
  },
  {
    name: "passing a lease on counts as having held it",
    file: LINE,
    search: "const held = lease.end();",
    replace: "lease.end();\n    const held = true;",
  },
  {
    name: "a release waits until an extension was answered",
    file: "primitives/lease/lease.ts",
    search: "const first = this.#record.remove();",
    replace: "await this.#extending;\n    const first = this.#record.remove();",
  },
  {
    name: "a pass that fails half-way forgets the old record",
    file: LINE,
    search: "await lease.release();\n      return held;",
    replace: "return held;",
  },
  {
    name: "a turn never ends, so other processes starve",
    file: "primitives/lease/turns.ts",
    search: "const TURN_MS = 50;",
    replace: "const TURN_MS = 50_000_000;",
  },
  {
    name: "several locks are taken in the order in which they were named",
    file: "primitives/lock/lock-set.ts",
    search: "return [...new Set(names)].sort().map(",
    replace: "return [...new Set(names)].map(",
  },
  {
    name: "several locks: those already taken are kept when the next is not free",
    file: "primitives/lock/lock-set.ts",
    search: "await releaseAll(locks);\n    throw error;",
    replace: "throw error;",
  },
  {
    name: "the fence gate admits a lower token",
    file: "primitives/lock/fence-gate.ts",
    search: "if (highest > fencingToken) throw",
    replace: "if (highest > 2 * fencingToken) throw",
  },
];
