import { groupBy } from "../../linearizability/checker.ts";
import { type Evidence, lastRelied } from "../evidence.ts";
import type { Strike } from "../nemeses/nemesis.ts";
import type { Finding } from "./finding.ts";
import { byName, successions } from "./tenures.ts";

/** After the end of a fault; far more than it takes, since the machine may have other things to do. */
export const RECOVERY_LIMIT_MS = 60_000;

/** Everything gets on again when a fault is over. */
export function judgeProgress({ strikes }: Evidence): Finding[] {
  return strikes.flatMap(({ nemesis, until, recoveredMs }) =>
    Object.entries(recoveredMs)
      // JSON has no Infinity.
      .filter(([, ms]) => ms === null || ms > RECOVERY_LIMIT_MS)
      .map(([sign]): Finding => {
        const what = `${RECOVERY_LIMIT_MS / 1_000} s after the end of "${nemesis}" there was still nothing of ${sign}`;
        return { rule: "progress", at: until, what };
      }),
  );
}

export const THINGS = ["holder", "leader", "effect", "answer"] as const;
export type Thing = (typeof THINGS)[number];

/**
 * How long at most something was not to be had, around a time: a lock held by nobody, nobody leading, no message dealt
 * with, no answer for a register. For locks and registers, that of which it is true the longest.
 */
export function unavailability(evidence: Evidence): (strike: Strike) => Record<Thing, number> {
  const gaps: Record<Thing, Gap[]> = {
    holder: vacancies(evidence, "lock"),
    leader: vacancies(evidence, "leader"),
    effect: silences(evidence.effects.map(({ at }) => at)),
    answer: [...groupBy(evidence.operations, ({ input }) => registerOf(input.key)).values()].flatMap((operations) =>
      silences(operations.filter(({ output }) => output !== undefined).map(({ returnedAt }) => returnedAt)),
    ),
  };
  const longest = (thing: Thing, { from, until }: Strike): number =>
    Math.max(0, ...gaps[thing].filter((gap) => gap.from <= until && gap.until >= from).map(lengthOf));
  return (strike) =>
    Object.fromEntries(THINGS.map((thing) => [thing, longest(thing, strike)])) as Record<Thing, number>;
}

interface Gap {
  readonly from: number;
  readonly until: number;
}

function vacancies({ tenures }: Evidence, kind: "lock" | "leader"): Gap[] {
  return byName(tenures.filter((tenure) => tenure.kind === kind)).flatMap((sorted) =>
    successions(sorted, lastRelied).map(({ before, next }) => ({ from: lastRelied(before), until: next.from })),
  );
}

function silences(times: readonly number[]): Gap[] {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted.slice(1).map((until, index) => ({ from: sorted[index] ?? until, until }));
}

function lengthOf({ from, until }: Gap): number {
  return until - from;
}

/** Its key without the number that changes every few seconds. */
function registerOf(key: string): string {
  return key.replace(/\d+$/, "");
}
