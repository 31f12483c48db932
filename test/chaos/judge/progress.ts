import type { Evidence } from "../evidence.ts";
import type { Strike } from "../nemeses/nemesis.ts";
import { SIGNS, type Sign } from "../world.ts";
import type { Finding } from "./finding.ts";

/** After the end of a fault; far more than it takes, since the machine may have other things to do. */
export const RECOVERY_LIMIT_MS = 60_000;

/** Everything gets on again when a fault is over. */
export function judgeProgress({ strikes }: Evidence): Finding[] {
  return strikes.flatMap(({ nemesis, until, recoveredMs }) =>
    SIGNS.filter((sign) => recoveredMs[sign] > RECOVERY_LIMIT_MS).map((sign): Finding => {
      const what = `${RECOVERY_LIMIT_MS / 1_000} s after the end of "${nemesis}" there was still no ${sign}`;
      return { rule: "progress", at: until, what };
    }),
  );
}

/** The longest time without something, for each thing, that touches a strike. */
export function unavailability(evidence: Evidence): (strike: Strike) => Record<Sign, number> {
  const gaps = Object.fromEntries(SIGNS.map((sign) => [sign, gapsIn(timesOf(evidence, sign))])) as Record<Sign, Gap[]>;
  return ({ from, until }) =>
    Object.fromEntries(
      SIGNS.map((sign) => [
        sign,
        Math.max(0, ...gaps[sign].filter((gap) => gap.from <= until && gap.until >= from).map(lengthOf)),
      ]),
    ) as Record<Sign, number>;
}

interface Gap {
  readonly from: number;
  readonly until: number;
}

function gapsIn(times: readonly number[]): Gap[] {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted.slice(1).map((until, index) => ({ from: sorted[index] ?? until, until }));
}

function lengthOf({ from, until }: Gap): number {
  return until - from;
}

function timesOf({ tenures, effects, operations }: Evidence, sign: Sign): number[] {
  switch (sign) {
    case "effect":
      return effects.map(({ at }) => at);
    case "answer":
      return operations.filter(({ output }) => output !== undefined).map(({ returnedAt }) => returnedAt);
    default:
      return tenures.filter(({ kind }) => kind === sign).map(({ from }) => from);
  }
}
