import { describe, expect, it } from "vitest";
import type { CacheInput } from "../../linearizability/models.ts";
import type { Evidence } from "../evidence.ts";
import type { Kind, RunEnd } from "../journal.ts";
import type { Keeping } from "../nemeses/nemesis.ts";
import { Author, evidenceOf, strike } from "./fabricated.ts";
import type { Rule } from "./finding.ts";
import { margins } from "./tenures.ts";
import { judgeAll } from "./verdict.ts";

const HOUR = 3_600_000;

/** The rules that were broken without an excuse, each once. */
function broken(evidence: Evidence): Rule[] {
  return [...new Set(judgeAll(evidence).violations.map(({ rule }) => rule))].sort();
}

/** The rules that were broken with one. */
function excused(evidence: Evidence): Rule[] {
  return [...new Set(judgeAll(evidence).explained.map(({ rule }) => rule))].sort();
}

describe.each<[Kind, string]>([
  ["lock", "stock"],
  ["leader", "chief"],
])("of a %s, the judge", (kind, name) => {
  const two = (
    first: { until: number; quietUntil?: number; token?: number },
    second: { from: number; token?: number; askedAt?: number },
    ...losses: [Keeping, from: number, until: number][]
  ): Evidence => {
    const [a, b] = [new Author("a"), new Author("b")];
    a.held({ kind, name, token: 7, from: 100, ...first });
    b.held({ kind, name, token: 8, until: second.from + 100, ...second });
    return evidenceOf([a, b], { strikes: losses.map((loss) => strike(...loss)) });
  };

  it("finds nothing when one came after the other", () => {
    expect(broken(two({ until: 200 }, { from: 201 }))).toEqual([]);
    expect(broken(two({ until: 200 }, { from: 201 }, ["kept", 150, 160], ["wiped", 150, 160]))).toEqual([]);
  });

  it("reports two at once, by the clocks of the first one or by its signal", () => {
    expect(broken(two({ until: 200 }, { from: 199 }))).toEqual(["exclusion", "lock histories"]);
    expect(broken(two({ until: 180, quietUntil: 200 }, { from: 199 }))).toEqual(["exclusion", "lock histories"]);
  });

  it("reports an overlap with one that is not the last one before", () => {
    const crew = ["a", "b", "c"].map((each) => new Author(each));
    const [a, b, c] = crew;
    a?.held({ kind, name, token: 7, from: 100, until: 1_000 });
    b?.held({ kind, name, token: 8, from: 200, until: 210 });
    c?.held({ kind, name, token: 9, from: 300, until: 310 });
    const { violations } = judgeAll(evidenceOf(crew));
    expect(violations.filter(({ rule }) => rule === "exclusion")).toHaveLength(2);
  });

  it("excuses two at once when the store lost what it had acknowledged while the first one had it", () => {
    for (const acknowledged of ["wiped", "truncated"] as const) {
      const evidence = two({ until: 400 }, { from: 300 }, [acknowledged, 150, 250]);
      expect(broken(evidence)).toEqual([]);
      expect(excused(evidence)).toEqual(["exclusion"]);
    }
  });

  it("does not excuse them by a fault that loses nothing, nor by a loss before or after", () => {
    for (const loss of [
      ["kept", 150, 250],
      ["wiped", 50, 60],
      ["wiped", 350, 360],
    ] as const) {
      expect(broken(two({ until: 400 }, { from: 300 }, [...loss]))).toContain("exclusion");
    }
  });

  it("reports a token that fell, or came twice, whatever the store has lost in between", () => {
    expect(broken(two({ until: 200 }, { from: 300, token: 6 }))).toEqual(["lock histories", "tokens"]);
    expect(broken(two({ until: 200 }, { from: 300, token: 7 }))).toEqual(["lock histories", "tokens"]);
    expect(broken(two({ until: 200 }, { from: 300, token: 6 }, ["wiped", 150, 250]))).toContain("tokens");
  });

  it("excuses a lower token of somebody who had asked before the loss", () => {
    const evidence = two({ until: 200 }, { from: 300, token: 6, askedAt: 90 }, ["wiped", 150, 250]);
    expect(broken(evidence)).toEqual([]);
    expect(excused(evidence)).toEqual(["tokens"]);
  });

  it("excuses a lower token where both began while there may have been two primaries, and nowhere else", () => {
    const falling = (...window: [from: number, until: number]): Evidence =>
      two({ until: 200 }, { from: 300, token: 6 }, ["truncated", ...window]);
    expect(broken(falling(50, 350))).toEqual([]);
    expect(excused(falling(50, 350))).toEqual(["tokens"]);
    expect(broken(falling(150, 350))).toContain("tokens");
    expect(broken(falling(50, 250))).toContain("tokens");
  });

  it("measures how long before the next one the signal of the first one aborted", () => {
    const [a, b] = [new Author("a"), new Author("b")];
    a.held({ kind, name, token: 7, from: 100, until: 200, abortedAt: 202 });
    b.held({ kind, name, token: 8, from: 220, until: 300 });
    expect(margins(evidenceOf([a, b]))).toEqual([{ at: 220, ms: 18 }]);
  });

  it("counts no margin of somebody whose lease the store had lost", () => {
    const [a, b] = [new Author("a"), new Author("b")];
    a.held({ kind, name, token: 7, from: 100, until: 400, abortedAt: 401 });
    b.held({ kind, name, token: 8, from: 300, until: 500 });
    expect(margins(evidenceOf([a, b], { strikes: [strike("wiped", 150, 250)] }))).toEqual([]);
  });

  it("counts no margin of a process that was stopped when its signal should have aborted", () => {
    const [a, b] = [new Author("a"), new Author("b")];
    a.held({ kind, name, token: 7, from: 100, until: 200, abortedAt: 900 });
    b.held({ kind, name, token: 8, from: 220, until: 300 });
    expect(margins(evidenceOf([a, b]))).toEqual([]);
  });
});

describe("of a resource that checks tokens, the judge", () => {
  const written = (...writes: [token: number, accepted: boolean][]): Evidence =>
    evidenceOf([], {
      writes: writes.map(([token, accepted], index) => {
        return { at: 10 * index, doneAt: 10 * index + 5, resource: "stock", token, accepted, by: "a#1" };
      }),
    });

  it("finds nothing when lower ones are refused", () => {
    const evidence = written([7, true], [8, true], [7, false], [8, true]);
    expect(broken(evidence)).toEqual([]);
  });

  it("reports a stale write that was let in, and one that was refused without need", () => {
    expect(broken(written([8, true], [7, true]))).toEqual(["resources"]);
    expect(broken(written([7, true], [8, false]))).toEqual(["resources"]);
  });
});

describe("of a message, the judge", () => {
  const done = (
    how: RunEnd | "died" | "never ended",
    ...losses: [Keeping, from: number, until: number][]
  ): Evidence => {
    const [a, b] = [new Author("a", { wasKilled: how === "died" }), new Author("b")];
    const message = "message-1";
    const hasEnded = how !== "died" && how !== "never ended";
    const first = a.held({ kind: "run", name: message, token: 1, from: 100, until: 200, ...(hasEnded ? { how } : {}) });
    const second = b.held({ kind: "run", name: message, token: 2, from: 300, until: 400, how: "recorded" });
    return evidenceOf([a, b], {
      effects: [
        { at: 150, message, run: first },
        { at: 350, message, run: second },
      ],
      strikes: losses.map((loss) => strike(...loss)),
    });
  };

  it("reports an effect that happened again after a run that was recorded", () => {
    expect(broken(done("recorded"))).toEqual(["effects"]);
    expect(broken(done("recorded", ["kept", 150, 250]))).toEqual(["effects"]);
    expect(broken(done("never ended"))).toEqual(["effects"]);
  });

  it("excuses it when the first run died, lost its claim, or could not be recorded, or when the record was lost", () => {
    for (const how of ["died", "lost", "unrecorded"] as const) {
      expect(broken(done(how))).toEqual([]);
      expect(excused(done(how))).toEqual(["effects"]);
    }
    expect(broken(done("recorded", ["wiped", 220, 250]))).toEqual([]);
  });

  it("goes by the order of the claims, not by that of the effects", () => {
    const [a, b] = [new Author("a"), new Author("b")];
    const late = a.held({ kind: "run", name: "m", token: 1, from: 100, until: 200, how: "lost" });
    const run = b.held({ kind: "run", name: "m", token: 2, from: 300, until: 400, how: "recorded" });
    const effects = [
      { at: 350, message: "m", run },
      { at: 900, message: "m", run: late },
    ];
    expect(broken(evidenceOf([a, b], { effects }))).toEqual([]);
  });

  it("reports two runs at once", () => {
    const [a, b] = [new Author("a"), new Author("b")];
    a.held({ kind: "run", name: "m", token: 1, from: 100, until: 200 });
    b.held({ kind: "run", name: "m", token: 2, from: 150, until: 400, how: "recorded" });
    expect(broken(evidenceOf([a, b]))).toContain("exclusion");
  });

  it("reports two results of one message, unless the first one was never recorded", () => {
    const told = (how: RunEnd, isReplayed: boolean): Evidence => {
      const [a, b] = [new Author("a"), new Author("b")];
      const first = a.held({ kind: "run", name: "m", token: 1, from: 100, until: 200, how });
      const second = b.held({ kind: "run", name: "m", token: 2, from: 300, until: 400, how: "recorded" });
      a.told("m", first, 210, isReplayed);
      b.told("m", second, 410, false);
      return evidenceOf([a, b]);
    };
    expect(broken(told("recorded", false))).toEqual(["results"]);
    expect(broken(told("unrecorded", true))).toEqual([]);
  });
});

describe("of a register, the judge", () => {
  const key = "{north}1";
  const set = (value: string): CacheInput => ({ name: "set", key, value, ttlMs: HOUR });
  const get: CacheInput = { name: "get", key };

  it("reports a history that is not linearizable, also across a fault that loses nothing", () => {
    const a = new Author("a");
    a.called(set("x"), 1, 2, {});
    a.called(get, 20, 21, { value: null });
    expect(broken(evidenceOf([a]))).toEqual(["registers"]);
    expect(broken(evidenceOf([a], { strikes: [strike("kept", 5, 10)] }))).toEqual(["registers"]);
  });

  it("takes a restart without data for a deletion of everything, no more and no less", () => {
    const [gone, there] = [new Author("a"), new Author("b")];
    for (const author of [gone, there]) author.called(set("x"), 1, 2, {});
    gone.called(get, 20, 21, { value: null });
    there.called(get, 20, 21, { value: "x" });
    const strikes = [strike("wiped", 5, 10)];
    expect(broken(evidenceOf([gone], { strikes }))).toEqual([]);
    expect(broken(evidenceOf([there], { strikes }))).toEqual(["registers"]);
  });

  it("excuses a key that was in use during a fail-over that loses writes, and no other", () => {
    const a = new Author("a");
    a.called(set("x"), 1, 2, {});
    a.called(get, 20, 21, { value: null });
    expect(excused(evidenceOf([a], { strikes: [strike("truncated", 5, 10)] }))).toEqual(["registers"]);
    expect(broken(evidenceOf([a], { strikes: [strike("truncated", 50, 60)] }))).toEqual(["registers"]);
  });

  it("lets an operation of unknown outcome have taken effect, but none that is said not to have been executed", () => {
    const failed = (code: string): Evidence => {
      const a = new Author("a");
      a.failed(set("x"), 1, code);
      a.called(get, 20, 21, { value: "x" });
      return evidenceOf([a]);
    };
    expect(broken(failed("ERR_CACHE_TIMEOUT"))).toEqual([]);
    expect(broken(failed("ERR_CONNECTION_LOST"))).toEqual([]);
    expect(broken(failed("ERR_CONNECTION"))).toEqual(["registers"]);
    expect(broken(failed("ERR_OPERATION"))).toEqual(["registers"]);
    expect(broken(failed("ERR_NEVER_HEARD_OF"))).toEqual(["mishap"]);
  });
});

describe("of everything else, the judge", () => {
  it("reports what does not get on after a fault", () => {
    const stuck = { ...strike("kept", 5, 10), recoveredMs: { messages: Number.POSITIVE_INFINITY } };
    expect(broken(evidenceOf([], { strikes: [stuck] }))).toEqual(["progress"]);
  });

  it("reports processes that crashed and things left behind", () => {
    expect(broken(evidenceOf([], { mishaps: ["worker-1.0 ended by itself"] }))).toEqual(["mishap"]);
  });

  it("names what it found with the fault during which it was", () => {
    const [a, b] = [new Author("a"), new Author("b")];
    a.held({ kind: "lock", name: "stock", token: 7, from: 100, until: 400 });
    b.held({ kind: "lock", name: "stock", token: 8, from: 300, until: 500 });
    const strikes = [
      strike("kept", 10, 20),
      strike("wiped", 150, 250),
      { ...strike("kept", 150, 250), nemesis: "beside" },
      { ...strike("kept", 600, 700), nemesis: "later" },
    ];
    const { nemeses } = judgeAll(evidenceOf([a, b], { strikes }));
    const overlaps = nemeses.map(({ nemesis, explained, longestOverlapMs }) => [
      nemesis,
      explained.exclusion,
      longestOverlapMs,
    ]);
    expect(overlaps).toEqual([
      ["kept", undefined, 0],
      ["wiped", 1, 100],
      ["beside", undefined, 0],
      ["later", undefined, 0],
    ]);
  });
});
