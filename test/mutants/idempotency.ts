import type { Mutant } from "./mutant.ts";

const FLIGHT = "primitives/idempotency/flight.ts";
const DELIVERY = "primitives/idempotency/delivery.ts";
const CLAIM = "primitives/idempotency/held-claim.ts";
const RUN = "primitives/idempotency/run.ts";
const OPTIONS = "primitives/idempotency/options.ts";
const FINISH = "primitives/idempotency/finish.ts";
const MEMO = "primitives/idempotency/memo.ts";

/** Known bugs of idempotency guards, and subtle ones of our own. */
export const idempotency: readonly Mutant[] = [
  // Claim and takeover
  {
    name: "a claim is run for another input than it was made for",
    file: FLIGHT,
    search: "const runner = [...this.#waiting].find(({ fingerprint }) => isSame(fingerprint, bid.fingerprint));",
    replace: "const [runner] = this.#waiting;",
  },
  {
    name: "a claim that nobody wants any more is kept",
    file: FLIGHT,
    search: "this.#cleanUp(() => bid.acquisition.giveBack(grant)),",
    replace: "Promise.resolve(),",
  },
  {
    name: "what a claim of unknown outcome has left is not taken back",
    file: FLIGHT,
    search: "if (acquisition?.uncertain) await this.#cleanUp(",
    replace: "if (acquisition === null) await this.#cleanUp(",
  },
  {
    name: "a run that follows one without a result counts as the first",
    file: FLIGHT,
    search: "this.#seen = record;\n    this.#attempt = record.attempt + 1;",
    replace: "this.#seen = record;",
  },
  {
    name: "one store error ends a claim",
    file: FLIGHT,
    search: "const CLAIM_PATIENCE_MS = 1_000;",
    replace: "const CLAIM_PATIENCE_MS = 0;",
  },
  {
    name: "the handler runs unguarded when the store is down, although nobody asked for that",
    file: FLIGHT,
    search: 'if (first && settings.whenStoreDown === "run") await',
    replace: "if (first) await",
  },
  {
    name: "a duplicate burns a fencing token",
    file: FLIGHT,
    search: 'bid.acquisition.attempt("careful")',
    replace: 'bid.acquisition.attempt("fast")',
  },
  {
    name: "a hung handler holds its key for ever",
    file: CLAIM,
    search: "maxHoldMs: settings.maxRunMs,",
    replace: "maxHoldMs: Number.POSITIVE_INFINITY,",
  },
  {
    name: "a closing coordinator goes on renewing the claim",
    file: CLAIM,
    search: "this.#lease?.stopRenewing();",
    replace: "",
  },
  {
    name: "a signal that is asked for only after the loss never aborts",
    file: CLAIM,
    search: "if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);",
    replace: "",
  },
  {
    name: "a lost claim does not abort its handler",
    file: CLAIM,
    search: "this.#abort(this.#lost);",
    replace: "",
  },
  // Waiting for the result
  {
    name: "a store error rejects who waits for a run",
    file: FLIGHT,
    search: "!one.isWaiting && one.elapsedMs >= CLAIM_PATIENCE_MS",
    replace: "one.elapsedMs >= CLAIM_PATIENCE_MS",
  },
  {
    name: "a duplicate does not look again when its watch has become active",
    file: FLIGHT,
    search: "if (this.#waiting.size === 0 || (await hints.start())) return 0;",
    replace: "if (this.#waiting.size === 0) return 0;\n    await hints.start();",
  },
  {
    name: "a duplicate does not listen to hints",
    file: FLIGHT,
    search: "new Hints(cache, settings.clock, keys.lease, () => this.#alarm.ring());",
    replace: "new Hints(cache, settings.clock, keys.lease, () => {});",
  },
  {
    name: "who comes late is rejected by what was seen before it came",
    file: FLIGHT,
    search: "else if (this.#seen && delivery.waitsFor(this.#seen)) delivery.meet(this.#seen);",
    replace: "else if (this.#seen) delivery.meet(this.#seen);",
  },
  {
    name: "who comes late waits for the next poll",
    file: FLIGHT,
    search: "else if (this.#faults === 0) this.#alarm.ring();",
    replace: "",
  },
  {
    name: "who waits for a run that has lost its claim waits for its handler",
    file: FLIGHT,
    search: 'onLost = () => resolve({ kind: "lost" });',
    replace: "onLost = () => resolve;",
  },
  {
    name: "the limit of a wait counts from when it met the run",
    file: DELIVERY,
    search: "return this.#parts.waitMs - this.elapsedMs;",
    replace: "return this.#parts.waitMs;",
  },
  {
    name: "the limit of a wait starts anew with each look",
    file: DELIVERY,
    search: "this.#timer ??= this.#parts.clock.setTimer(() => this.fail(this.#inProgress()), leftMs);",
    replace:
      "this.#parts.clock.clearTimer(this.#timer);\n    this.#timer = this.#parts.clock.setTimer(() => this.fail(this.#inProgress()), this.#parts.waitMs);",
  },
  {
    name: "a result is replayed for another input",
    file: DELIVERY,
    search:
      "if (!sameInput(this.fingerprint, record.fingerprint)) return this.fail(this.#mismatch(record));\n    try {",
    replace: "try {",
  },
  {
    name: "a run for another input is waited for",
    file: DELIVERY,
    search:
      "if (!sameInput(this.fingerprint, record.fingerprint)) return this.fail(this.#mismatch(record));\n    const leftMs",
    replace: "const leftMs",
  },
  {
    name: "a delivery that is done keeps its listener",
    file: DELIVERY,
    search: "this.#stopListening();\n    this.#parts.scope?.waits.delete(this);",
    replace: "this.#parts.scope?.waits.delete(this);",
  },
  {
    name: "a delivery that is done keeps its coordinator's attention",
    file: DELIVERY,
    search: "this.#stopListening();\n    this.#parts.scope?.waits.delete(this);",
    replace: "this.#stopListening();",
  },
  {
    name: "aborting a caller ends the handler's run",
    file: DELIVERY,
    search: "begin(): void {\n    this.#leave();",
    replace: "begin(): void {\n    this.onLeft();",
  },
  {
    name: "the order of an input's properties makes it another input",
    file: "primitives/idempotency/fingerprint.ts",
    search: "deterministic: true,",
    replace: "deterministic: false,",
  },
  // Finish
  {
    name: "finishing overwrites whatever the key holds",
    file: FINISH,
    search: 'if (await cache.compareAndSet(key, from, to, ttlMs)) return { kind: "finished" };',
    replace: 'await cache.set(key, to, ttlMs);\n    return { kind: "finished" };',
  },
  {
    name: "a finish that was sent twice is taken for a loss",
    file: FINISH,
    search: 'found !== undefined && equalBytes(found, to) ? "finished" : "lost"',
    replace: '"lost"',
  },
  {
    name: "somebody else's record is taken for the own result",
    file: FINISH,
    search: 'found !== undefined && equalBytes(found, to) ? "finished" : "lost"',
    replace: 'found !== undefined ? "finished" : "lost"',
  },
  {
    name: "a finish that failed is not repeated",
    file: FINISH,
    search: "if (!mayPass || leftMs() <= backoffMs) return",
    replace: "if (!mayPass || leftMs() > 0 || backoffMs > 0) return",
  },
  {
    name: "a finish is repeated after the claim has ended",
    file: FINISH,
    search: "if (!mayPass || leftMs() <= backoffMs) return",
    replace: "if (!mayPass) return",
  },
  {
    name: "a hanging finish is waited for",
    file: FINISH,
    search: "await within(clock, swap(finishing), attemptLimitMs);",
    replace: "await within(clock, swap(finishing), Number.POSITIVE_INFINITY);",
  },
  {
    name: "a result is kept no longer than the claim",
    file: CLAIM,
    search: "ttlMs: resultTtlMs,",
    replace: "ttlMs: timing.ttlMs,",
  },
  {
    name: "the claim is renewed while its result is being written",
    file: CLAIM,
    search: "const validMs = this.remainingMs;\n    this.#lease?.end();",
    replace: "const validMs = this.remainingMs;",
  },
  {
    name: "a result that is too long for the store leaves no record",
    file: CLAIM,
    search: 'if (end.kind === "unknown" && isTooLong(end.error)) {',
    replace: 'if (end.kind === "finished" && isTooLong(last)) {',
  },
  {
    name: "a delivery succeeds before its result is recorded",
    file: RUN,
    search: 'const { kind, record } = await claim.finish(finished(parts, { state: "completed", result }));',
    replace:
      'delivery.succeed({ outcome: "executed", value });\n  const { kind, record } = await claim.finish(finished(parts, { state: "completed", result }));',
  },
  {
    name: "a result that could not be recorded is a success all the same",
    file: RUN,
    search: 'if (kind === "lost") {',
    replace: 'if (kind === "unknown" && record === undefined) {',
  },
  {
    name: "a store that cannot be told makes finished work fail",
    file: RUN,
    search: 'if (kind === "lost") {',
    replace: 'if (kind !== "finished") {',
  },
  {
    name: "a failed handler keeps its claim",
    file: RUN,
    search: "await claim.release();",
    replace: "",
  },
  {
    name: "every error is stored, also one that may pass",
    file: RUN,
    search: 'if (policy === "store") {',
    replace: "if (policy) {",
  },
  {
    name: "that a run was told to stop is replayed as its result",
    file: RUN,
    search: "claim.stopped(error) ?",
    replace: "claim.stopped(settings) ?",
  },
  {
    name: "an observer that throws leaves a message without anybody who ends it",
    file: OPTIONS,
    search: "observer: isolated(observer),",
    replace: "observer,",
  },
  {
    name: "a handler that throws at once is not caught",
    file: RUN,
    search: "const value = await delivery.call(() => handler(delivery.input, claim));\n    delivery.ranMs",
    replace:
      "const running = delivery.call(() => handler(delivery.input, claim));\n    const value = running instanceof Promise ? await running.catch((error) => error) : running;\n    delivery.ranMs",
  },
  // Memo and forget
  {
    name: "the memo believes in a result longer than the store keeps it",
    file: MEMO,
    search: "Math.min(leftMs, record.keptMs, this.#maxAgeMs);",
    replace: "this.#maxAgeMs;",
  },
  {
    name: "the memo believes in a result for its whole TTL",
    file: MEMO,
    search: "Math.min(leftMs, record.keptMs, this.#maxAgeMs);",
    replace: "Math.min(leftMs, record.keptMs);",
  },
  {
    name: "the memo has no bound in bytes",
    file: MEMO,
    search: '("bytes" in result ? result.bytes.length : 0)',
    replace: "0",
  },
  {
    name: "what is forgotten stays in the memo",
    file: "primitives/idempotency/idempotent.ts",
    search: "this.#desks.get(cache)?.memo?.delete(keys.lease);",
    replace: "",
  },
  {
    name: "forgetting deletes whatever the key holds",
    file: "primitives/idempotency/forget.ts",
    search: "if (await cache.compareAndSet(lease, bytes, null)) return true;",
    replace: "return await cache.delete(lease);",
  },
  {
    name: "forgetting takes the claim of a run away",
    file: "primitives/idempotency/forget.ts",
    search: 'if (record?.state === "running") {',
    replace: 'if (record?.state === "running" && record.attempt > 1_000) {',
  },
];
