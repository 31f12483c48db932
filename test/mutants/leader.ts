import type { Mutant } from "./mutant.ts";

const ELECTION = "primitives/leader/election.ts";
const TERM = "primitives/leader/held-term.ts";
const SERVE = "primitives/leader/serve.ts";
const OBSERVE = "primitives/leader/observe.ts";

/** Subtle bugs of leader election. */
export const leader: readonly Mutant[] = [
  // Terms
  {
    name: "the signal of a resigned term aborts after the store was told",
    file: TERM,
    search: "this.#controller.abort(this.#resigned());\n    const releasing = this.#line.release(this.lease);",
    replace:
      "const releasing = this.#line.release(this.lease);\n    await releasing;\n    this.#controller.abort(this.#resigned());",
  },
  {
    name: "the signal of a lost term does not abort",
    file: TERM,
    search: "this.#controller.abort(this.#lost);",
    replace: "",
  },
  {
    name: "reading the signal of a term does not compare clocks",
    file: TERM,
    search: "this.isLeader();\n    return this.#controller.signal;",
    replace: "return this.#controller.signal;",
  },
  {
    name: "a lost term stays in its line",
    file: TERM,
    search: "this.#line.lost(this.lease);",
    replace: "",
  },
  {
    name: "a term that is to end is renewed",
    file: TERM,
    search: "this.lease.stopRenewing();",
    replace: "",
  },
  {
    name: "a term is not over when it is resigned",
    file: TERM,
    search: "const releasing = this.#line.release(this.lease);\n    this.#markOver();",
    replace: "const releasing = this.#line.release(this.lease);",
  },
  {
    name: "a leader believes in what was last said, and compares no clocks",
    file: ELECTION,
    search: "return this.#term?.isLeader() ?? false;",
    replace: "return this.#term !== undefined && !this.#term.isLost && this.#term.remainingMs > -1;",
  },
  // Run and campaign
  {
    name: "the next term begins while the work of the last is running",
    file: SERVE,
    search: "const [outcome] = await Promise.allSettled([(async () => work(term))()]);",
    replace:
      "const [outcome] = await Promise.allSettled([Promise.race([(async () => work(term))(), term.over.then(() => undefined as Awaited<T>)])]);",
  },
  {
    name: "work whose lease was lost in the end counts as a leader's",
    file: SERVE,
    search: 'if (held && (ledToTheEnd || withdrawn.aborted)) return { kind: "finished", value: outcome.value };',
    replace: 'if (held || ledToTheEnd || withdrawn.aborted) return { kind: "finished", value: outcome.value };',
  },
  {
    name: "work that finished after its term counts as a leader's",
    file: SERVE,
    search: "const ledToTheEnd = term.isLeader() && !term.signal.aborted;",
    replace: "const ledToTheEnd = !term.signal.aborted || term.isLost;",
  },
  {
    name: "work that fails after its term was lost ends the candidacy",
    file: SERVE,
    search: "if (ledToTheEnd || withdrawn.aborted) throw outcome.reason;",
    replace: "throw outcome.reason;",
  },
  {
    name: "a withdrawal does not tell the work",
    file: SERVE,
    search: "const stopListening = onAbort(withdrawn, () => void job.close(withdrawn.reason));",
    replace: "const stopListening = onAbort(withdrawn, () => {});",
  },
  {
    name: "an overrun is told while the lease may still last",
    file: SERVE,
    search: "await sleep(settings.clock, settings.timing.marginMs, settled);",
    replace: "",
  },
  {
    name: "work that has stopped is told to overrun",
    file: SERVE,
    search: "if (!settled.aborted) onOverrun();",
    replace: "onOverrun();",
  },
  {
    name: "overruns are not told",
    file: SERVE,
    search: "if (!settled.aborted) onOverrun();",
    replace: "",
  },
  {
    name: "the term is not given back when its work has ended",
    file: SERVE,
    search: "const held = await term.release();",
    replace: "const held = term.isLeader();",
  },
  {
    name: "who hands over is a candidate again at once",
    file: ELECTION,
    search: 'if (ending.kind === "resigned") await this.#stepBack(withdrawn);',
    replace: "",
  },
  {
    name: "a hand-over takes the lease away under the work",
    file: ELECTION,
    search: "await (this.#job ?? term).close(reason);",
    replace: "await term.close(reason);",
  },
  {
    name: "work begins although its candidate was withdrawn in the moment of being elected",
    file: ELECTION,
    search: "if (withdrawn.aborted) return giveUp(term, withdrawn);\n        const ending",
    replace: "const ending",
  },
  {
    name: "a campaign that was withdrawn in the moment of being won gives a term",
    file: ELECTION,
    search: "if (withdrawn.aborted) return giveUp(term, withdrawn);\n      this.#settings",
    replace: "this.#settings",
  },
  {
    name: "withdrawing in the moment of being elected leaves a term behind",
    file: ELECTION,
    search: "await term.release();\n  throw withdrawn.reason;",
    replace: "throw withdrawn.reason;",
  },
  {
    name: "closing the coordinator does not resign a term that was won by campaign",
    file: ELECTION,
    search: "this.#settings.scope?.open.add(term);",
    replace: "",
  },
  {
    name: "one candidate campaigns twice",
    file: ELECTION,
    search: "if (this.#campaigning || this.isLeader) {",
    replace: "if (this.isLeader) {",
  },
  {
    name: "a candidate that is done keeps its listener",
    file: "primitives/leader/lifetime.ts",
    search: "stopListening();\n      scope?.waits.delete(wait);",
    replace: "scope?.waits.delete(wait);",
  },
  {
    name: "a candidate that is done keeps its coordinator's attention",
    file: "primitives/leader/lifetime.ts",
    search: "stopListening();\n      scope?.waits.delete(wait);",
    replace: "stopListening();",
  },
  // Observe
  {
    name: "a new leader rings no bell",
    file: "primitives/leader/seek-term.ts",
    search: "void ringBell(cache, keys.name);",
    replace: "",
  },
  {
    name: "a bell that is ringing already is not rung again",
    file: "primitives/leader/bell.ts",
    search: "if (!(await cache.compareAndSet(key, null, RUNG, 1))) await cache.compareAndSet(key, RUNG, null);",
    replace: "await cache.compareAndSet(key, null, RUNG, 1);",
  },
  {
    name: "a bell rings for ever",
    file: "primitives/leader/bell.ts",
    search: "cache.compareAndSet(key, null, RUNG, 1)",
    replace: "cache.compareAndSet(key, null, RUNG, Number.POSITIVE_INFINITY)",
  },
  {
    name: "observers do not listen to the bell",
    file: OBSERVE,
    search: "[keys.lease, bellKey(keys.name)]",
    replace: "[keys.lease]",
  },
  {
    name: "a hint that comes during a look is lost",
    file: OBSERVE,
    search: "const look = await unlessAborted(this.#ended, this.#look());",
    replace: "const look = await unlessAborted(this.#ended, this.#look());\n      this.#alarm.silence();",
  },
  {
    name: "an observer does not look again when its watch has become active",
    file: OBSERVE,
    search: "if (started === undefined || started.some(Boolean)) return;",
    replace: "if (started === undefined) return;",
  },
  {
    name: "a guess that is about to be replaced is shown as a leader",
    file: OBSERVE,
    search: "return this.#isOvertaken(look) ? nobody(look.fence, true) : look;",
    replace: "return look;",
  },
  {
    name: "who has taken the lease is shown before its term was issued",
    file: "primitives/leader/leader-info.ts",
    search: "if (fence !== undefined && fence < lastToken) return nobody(fence, true);",
    replace: "",
  },
  {
    name: "an observer that ends goes on watching",
    file: OBSERVE,
    search: "for (const hints of this.#hints) void hints.end();",
    replace: "",
  },
  {
    name: "a fault of the store ends an observation",
    file: OBSERVE,
    search: "if (!isStoreFault(error)) throw error;",
    replace: "throw error;",
  },
  {
    name: "a leader that renews is news",
    file: "primitives/leader/leader-info.ts",
    search: 'Buffer.from(nonce).toString("hex")}:',
    replace: 'Buffer.from(nonce).toString("hex") + Math.random()}:',
  },
];
