import type { Mutant } from "./mutant.ts";

const HINTS = "primitives/lease/hints.ts";
const PACE = "primitives/lease/pace.ts";
const ALARM = "primitives/lease/alarm.ts";
const PERSIST = "primitives/lease/persist.ts";
const LINE = "primitives/lease/line.ts";
const TURNS = "primitives/lease/turns.ts";

/** Bugs in how those wait who wait for a key: hints, pace, and who goes first. */
export const waiting: readonly Mutant[] = [
  {
    name: "a watch that becomes active after its end goes on",
    file: HINTS,
    search: "if (this.#ended) await this.end();",
    replace: "",
  },
  {
    name: "a watch that was refused is tried at every look",
    file: HINTS,
    search: "this.#retryAtMs = this.#clock.monotonicMs() + RETRY_WATCH_MS;",
    replace: "",
  },
  {
    name: "a watch that was refused once is never tried again",
    file: HINTS,
    search: "const RETRY_WATCH_MS = 5_000;",
    replace: "const RETRY_WATCH_MS = 5_000_000;",
  },
  {
    name: "a watch that is forbidden ends the wait",
    file: HINTS,
    search: "// Forbidden, or the store is at fault: waiting goes on by polling.",
    replace: 'if (this.#key) throw new Error("no watch");',
  },
  {
    name: "who watches polls all the same",
    file: PACE,
    search: "return isWatched ? ",
    replace: "return isWatched && ttlMs < 0 ? ",
  },
  {
    name: "a lost hint is waited for as long as the lease lasts",
    file: PACE,
    search: "const POLL_WATCHED_MAX_MS = 5_000;",
    replace: "const POLL_WATCHED_MAX_MS = 5_000_000;",
  },
  {
    name: "who waits without hints hardly looks",
    file: PACE,
    search: "const POLL_UNWATCHED_MS = 100;",
    replace: "const POLL_UNWATCHED_MS = 10_000;",
  },
  {
    name: "a store that is down is asked without a pause that grows",
    file: PACE,
    search: "Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS)",
    replace: "Math.min(FIRST_RETRY_MS * (failures < 0 ? 2 : 1), LONGEST_RETRY_MS)",
  },
  {
    name: "the pause after a store fault grows without end",
    file: PACE,
    search: "const LONGEST_RETRY_MS = 1_000;",
    replace: "const LONGEST_RETRY_MS = 1_000_000;",
  },
  {
    name: "a line counts no failures",
    file: LINE,
    search: "failures = this.#seen.error === undefined ? 0 : failures + 1;",
    replace: "failures = 0;",
  },
  {
    name: "several waiters poll in phase",
    file: LINE,
    search: "return ms * (1 + this.#clock.random() / 4);",
    replace: "return ms;",
  },
  {
    name: "who has just released does not let others go first",
    file: TURNS,
    search: "return LOOKS_OF_COURTESY[this.#othersSince] ?? 0;",
    replace: "return 0;",
  },
  {
    name: "an alarm that rings before the sleep is not heard",
    file: ALARM,
    search: "this.#rung = true;\n    this.#wake?.();",
    replace: "this.#wake?.();",
  },
  {
    name: "an alarm that rings leaves its timer",
    file: ALARM,
    search: "this.#clock.clearTimer(timer);\n          resolve();",
    replace: "resolve();",
  },
  {
    name: "a clean-up that fails is not repeated",
    file: PERSIST,
    search: "if (!isStoreFault(error) || clock.monotonicMs() - startedMs > LONGEST_MS) return;",
    replace: "return;",
  },
  {
    name: "a clean-up is repeated for ever",
    file: PERSIST,
    search: "const LONGEST_MS = 30_000;",
    replace: "const LONGEST_MS = 30_000_000;",
  },
  {
    name: "an answer that comes in time leaves its timer",
    file: "primitives/lease/within.ts",
    search: "clock.clearTimer(timer);\n      resolve(value);",
    replace: "resolve(value);",
  },
  {
    name: "a callback of a signal stays when it is not wanted any more",
    file: "runtime/on-abort.ts",
    search: "if (callbacks.size === 0) signal.removeEventListener(",
    replace: "if (callbacks.size < 0) signal.removeEventListener(",
  },
  {
    name: "a sleep that ended leaves its listener",
    file: "runtime/clock.ts",
    search: 'signal?.removeEventListener("abort", wake);',
    replace: "",
  },
  {
    name: "a renewal that is answered at the last moment comes too late",
    file: "primitives/lease/timing.ts",
    search: "if (renewEveryMs + attemptLimitMs + marginMs >= ttlMs) {",
    replace: "if (renewEveryMs >= ttlMs) {",
  },
  {
    name: "a line is forgotten while its lease is held",
    file: LINE,
    search: "if (this.length === 0 && this.#held === undefined && !this.#pumping) this.#onIdle(this.#keys, this);",
    replace: "if (this.length === 0 && !this.#pumping) this.#onIdle(this.#keys, this);",
  },
  {
    name: "a line is never forgotten",
    file: LINE,
    search: "if (this.length === 0 && this.#held === undefined && !this.#pumping) this.#onIdle(this.#keys, this);",
    replace: "if (this.length < 0) this.#onIdle(this.#keys, this);",
  },
  {
    name: "who waits burns a fencing token at every look",
    file: LINE,
    search: 'this.#way = "careful";\n    return way;',
    replace: "return way;",
  },
  {
    name: "a bag forgets where it has put something",
    file: "runtime/bag.ts",
    search: "last.place = place;",
    replace: "",
  },
  {
    name: "a bag takes out somebody else when it is told twice",
    file: "runtime/bag.ts",
    search: "item.place = undefined;",
    replace: "",
  },
  {
    name: "a map lets go of what has come in the place of another",
    file: "runtime/busy-map.ts",
    search: "if (slot?.item !== item) return;",
    replace: "if (slot === undefined) return;",
  },
];
