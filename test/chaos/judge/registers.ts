import { groupBy, judge } from "../../linearizability/checker.ts";
import { cacheModel } from "../../linearizability/models.ts";
import type { CacheOperation, Evidence } from "../evidence.ts";
import type { Strike } from "../nemeses/nemesis.ts";
import { type Finding, lossBetween } from "./finding.ts";

/** How much later or earlier than by our clock a value may expire; a migration gives it what was left of its time. */
const TOLERANCE_MS = 100;

/**
 * The history of each key is linearizable. A restart without data is an operation of its own, and no excuse; a fail-over
 * that lost writes excuses the keys that were in use meanwhile.
 */
export function judgeRegisters({ operations, strikes }: Evidence): Finding[] {
  const model = cacheModel(TOLERANCE_MS);
  return [...groupBy(operations, ({ input }) => input.key)].flatMap(([key, history]) => {
    const from = Math.min(...history.map(({ calledAt }) => calledAt));
    const until = Math.max(...history.map(endOf));
    const wipes = strikes.filter(({ acknowledged }) => acknowledged === "wiped").map((strike) => wipe(key, strike));
    const { isLinearizable, longest } = judge(model, [...history, ...wipes.filter(between(from, until))]);
    if (isLinearizable) return [];
    const truncating = strikes.filter(({ acknowledged }) => acknowledged === "truncated");
    const what = `the history of register ${key} is not linearizable (${longest.length} of ${history.length} operations fit)`;
    return { rule: "registers", at: until, what, explanation: lossBetween(truncating, from, until) };
  });
}

function wipe(key: string, { from, until }: Strike): CacheOperation {
  return { input: { name: "wipe", key }, output: {}, calledAt: from, returnedAt: until };
}

function between(from: number, until: number): (operation: CacheOperation) => boolean {
  return ({ calledAt, returnedAt }) => calledAt <= until && returnedAt >= from;
}

function endOf({ calledAt, returnedAt, output }: CacheOperation): number {
  return output === undefined ? calledAt : returnedAt;
}
