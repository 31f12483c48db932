import { groupBy } from "../../linearizability/checker.ts";
import type { Evidence } from "../evidence.ts";
import type { Strike } from "../nemeses/nemesis.ts";
import { type Finding, type Rule, unexplained } from "./finding.ts";
import { judgeLockHistories } from "./lock-histories.ts";
import { judgeMessages } from "./messages.ts";
import { judgeProgress, THINGS, type Thing, unavailability } from "./progress.ts";
import { judgeRegisters } from "./registers.ts";
import { judgeResources } from "./resources.ts";
import { judgeTenures, margins } from "./tenures.ts";

/** What was seen from the beginnings of the strikes of one nemesis to those of the next ones. */
export interface NemesisVerdict {
  readonly nemesis: string;
  readonly acknowledged: Strike["acknowledged"];
  readonly strikes: number;
  /** How often a promise was broken. */
  readonly violations: number;
  /** How often each rule was broken, in ways that the promises allow. */
  readonly explained: Partial<Record<Rule, number>>;
  readonly longestOverlapMs: number;
  /** Writes under a token that was overtaken, which the resource refused. */
  readonly staleWrites: number;
  readonly longestWithoutMs: Record<Thing, number>;
  readonly longestRecoveryMs: number;
  /** The least time between the signal of a holder that lost it and the next holder. */
  readonly leastMarginMs: number | undefined;
}

export interface Verdict {
  readonly violations: readonly Finding[];
  readonly explained: readonly Finding[];
  readonly nemeses: readonly NemesisVerdict[];
  readonly counts: Readonly<
    Record<"operations" | "unknown" | "lock" | "leader" | "run" | "messages" | "writes", number>
  >;
}

export function judgeAll(evidence: Evidence): Verdict {
  const findings = [
    ...judgeTenures(evidence),
    ...judgeLockHistories(evidence),
    ...judgeResources(evidence),
    ...judgeMessages(evidence),
    ...judgeRegisters(evidence),
    ...judgeProgress(evidence),
    ...evidence.mishaps.map((what): Finding => ({ rule: "mishap", at: 0, what })),
  ].sort((a, b) => a.at - b.at);
  const explained = findings.filter(({ explanation }) => explanation !== undefined);
  return {
    violations: unexplained(findings),
    explained,
    nemeses: judgeNemeses(evidence, findings),
    counts: count(evidence),
  };
}

function judgeNemeses(evidence: Evidence, findings: readonly Finding[]): NemesisVerdict[] {
  const { strikes, writes } = evidence;
  const starts = [...new Set(strikes.map(({ from }) => from))].sort((a, b) => a - b);
  const refused = writes.filter(({ accepted }) => !accepted);
  const names = new Set(strikes.map((strike) => strike.nemesis));
  const gapsAround = unavailability(evidence);
  const allMargins = margins(evidence);
  return [...groupBy(strikes, ({ nemesis }) => nemesis)].map(([nemesis, own]) => {
    // Two that struck together, or one right after the other, share what was seen.
    const spans = own.map((strike) => ({
      from: strike.from,
      until: starts.find((start) => start > strike.until) ?? Number.POSITIVE_INFINITY,
    }));
    const isDuring = ({ at }: { readonly at: number }): boolean =>
      spans.some(({ from, until }) => from <= at && at < until);
    const found = findings.filter(isDuring);
    // Of two that struck together, only one explains it.
    const explained = found.filter(
      ({ explanation }) => explanation !== undefined && (explanation === nemesis || !names.has(explanation)),
    );
    const violations = unexplained(found).length;
    const gaps = own.map(gapsAround);
    const margin = Math.min(...allMargins.filter(isDuring).map(({ ms }) => ms));
    return {
      nemesis,
      acknowledged: own[0]?.acknowledged ?? "kept",
      strikes: own.length,
      violations,
      explained: Object.fromEntries(
        [...groupBy(explained, ({ rule }) => rule)].map(([rule, all]) => [rule, all.length]),
      ),
      longestOverlapMs: Math.max(0, ...explained.map(({ forMs = 0 }) => forMs)),
      staleWrites: refused.filter(isDuring).length,
      longestWithoutMs: Object.fromEntries(
        THINGS.map((thing) => [thing, Math.max(...gaps.map((gap) => gap[thing]))]),
      ) as Record<Thing, number>,
      longestRecoveryMs: Math.max(...own.flatMap(({ recoveredMs }) => Object.values(recoveredMs))),
      leastMarginMs: Number.isFinite(margin) ? margin : undefined,
    };
  });
}

function count({ operations, tenures, effects, writes }: Evidence): Verdict["counts"] {
  const held = (kind: string): number => tenures.filter((tenure) => tenure.kind === kind).length;
  return {
    operations: operations.length,
    unknown: operations.filter(({ output }) => output === undefined).length,
    lock: held("lock"),
    leader: held("leader"),
    run: held("run"),
    messages: new Set(effects.map(({ message }) => message)).size,
    writes: writes.length,
  };
}
