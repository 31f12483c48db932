import { groupBy } from "../../linearizability/checker.ts";
import { STALL_MS } from "../crew/holding.ts";
import { type Evidence, lastRelied, type Tenure } from "../evidence.ts";
import type { Strike } from "../nemeses/nemesis.ts";
import { type Finding, lossBetween, twoPrimaries } from "./finding.ts";

/** One after the other, for each lock, election and message; one that has been granted is compared with all before it. */
export interface Succession {
  readonly before: Tenure;
  readonly next: Tenure;
}

/** How long before the next holder had it the signal of a holder that had lost it aborted. */
export interface Margin {
  readonly at: number;
  readonly ms: number;
}

export function judgeTenures({ tenures, strikes }: Evidence): Finding[] {
  return byName(tenures).flatMap((sorted) => [...judgeExclusion(sorted, strikes), ...judgeTokens(sorted, strikes)]);
}

/**
 * Whose event loop was not running is not counted: it has no margin, but nothing that it could have done either. Nor is
 * who had lost it in the store, together with other acknowledged writes.
 */
export function margins({ tenures, strikes }: Evidence): Margin[] {
  return byName(tenures).flatMap((sorted) =>
    successions(sorted, ({ quietUntil }) => quietUntil).flatMap(({ before, next }) => {
      const { abortedAt, quietUntil } = before;
      if (abortedAt === undefined || abortedAt - quietUntil > STALL_MS) return [];
      if (lossBetween(strikes, before.askedAt, next.from) !== undefined) return [];
      return { at: next.from, ms: next.from - abortedAt };
    }),
  );
}

/** When somebody has it, nobody before still takes himself for the holder: neither by clocks nor by a silent signal. */
function judgeExclusion(sorted: readonly Tenure[], strikes: readonly Strike[]): Finding[] {
  return successions(sorted, lastRelied).flatMap(({ before, next }) => {
    const forMs = lastRelied(before) - next.from;
    if (forMs < 0) return [];
    const by = before.heldUntil >= next.from ? "by its clocks" : "by its signal";
    const what = `${next.kind} ${next.name}: ${next.by} had it when ${before.by} still had ${by}, for ${forMs.toFixed(3)} ms`;
    return {
      rule: "exclusion",
      at: next.from,
      what,
      explanation: lossBetween(strikes, before.askedAt, next.from),
      forMs,
    };
  });
}

/**
 * Excused is who had asked before the other one had it, if the store lost the fence in between; and who began while there
 * may have been two primaries, as the other one did: there is no order between the two.
 */
function judgeTokens(sorted: readonly Tenure[], strikes: readonly Strike[]): Finding[] {
  const findings: Finding[] = [];
  let highest: Tenure | undefined;
  for (const next of sorted) {
    if (highest === undefined || next.token > highest.token) {
      highest = next;
      continue;
    }
    const what = `${next.kind} ${next.name}: ${next.by} got token ${next.token} after ${highest.by} had got ${highest.token}`;
    const hadAsked = next.askedAt < highest.from;
    const explanation = hadAsked
      ? lossBetween(strikes, highest.askedAt, next.from)
      : twoPrimaries(strikes, highest.from, next.from);
    findings.push({ rule: "tokens", at: next.from, what, explanation });
  }
  return findings;
}

/** Each tenure after the first one, with the one that lasted longest of those before it. */
export function successions(sorted: readonly Tenure[], endOf: (tenure: Tenure) => number): Succession[] {
  const all: Succession[] = [];
  let before: Tenure | undefined;
  for (const next of sorted) {
    if (before) all.push({ before, next });
    if (before === undefined || endOf(next) > endOf(before)) before = next;
  }
  return all;
}

export function byName(tenures: readonly Tenure[]): Tenure[][] {
  const groups = groupBy(tenures, ({ kind, name }) => `${kind} ${name}`);
  return [...groups.values()].map((group) => group.toSorted((a, b) => a.from - b.from));
}
