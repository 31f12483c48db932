import { groupBy } from "../../linearizability/checker.ts";
import type { Evidence, Result, Settlement } from "../evidence.ts";
import type { Effect } from "../world.ts";
import { type Finding, lossBetween } from "./finding.ts";

/**
 * What a message does is done once, unless the run that did it died or lost its claim before it could be recorded; and
 * everybody who is told what it came to is told the same.
 */
export function judgeMessages(evidence: Evidence): Finding[] {
  return [...judgeEffects(evidence), ...judgeResults(evidence)];
}

function judgeEffects(evidence: Evidence): Finding[] {
  const { effects, tenures, strikes } = evidence;
  const excuse = excuses(evidence);
  const runs = new Map(tenures.filter(({ kind }) => kind === "run").map(({ by, from }) => [by, from]));
  const claimedAt = ({ run, at }: Effect): number => runs.get(run) ?? at;
  return [...groupBy(effects, ({ message }) => message).values()].flatMap((done) => {
    // In the order of their claims: a run that lost its claim may have its effect after the one that took over.
    const [first, ...again] = done.toSorted((a, b) => claimedAt(a) - claimedAt(b));
    let before = first;
    return again.map((effect): Finding => {
      const explanation = before && (excuse(before) ?? lossBetween(strikes, claimedAt(before), claimedAt(effect)));
      const what = `message ${effect.message} was done by ${before?.run}, and again by ${effect.run}`;
      before = effect;
      return { rule: "effects", at: effect.at, what, explanation };
    });
  });
}

/** Why the run that had an effect is not the last one of its message, by the rules of the guard. */
function excuses({ settlements, killed }: Evidence): (effect: Effect) => string | undefined {
  return ({ run }) => {
    switch (settlements.get(run)?.how) {
      case undefined:
        return killed.has(run.replace(/#.*/, "")) ? "its worker died" : undefined;
      case "lost":
        return "it lost its claim";
      case "unrecorded":
        return "the store could not be told in time";
      default:
        return undefined;
    }
  };
}

function judgeResults({ results, settlements, strikes }: Evidence): Finding[] {
  return [...groupBy(results, ({ message }) => message).values()].flatMap((told) => {
    const binding = told.filter((result) => isBinding(result, settlements)).toSorted((a, b) => a.at - b.at);
    const [first] = binding;
    const other = binding.find(({ run }) => run !== first?.run);
    if (first === undefined || other === undefined) return [];
    const what = `message ${first.message} came to ${first.run}, and then to ${other.run}`;
    return { rule: "results", at: other.at, what, explanation: lossBetween(strikes, first.at, other.at) };
  });
}

/** Whether it is a result that has been recorded; that of a worker that died has, if others were told of it. */
function isBinding({ run, isReplayed }: Result, settlements: ReadonlyMap<string, Settlement>): boolean {
  const how = settlements.get(run)?.how;
  return how === "recorded" || (how === undefined && isReplayed);
}
