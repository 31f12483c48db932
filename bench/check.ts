import type { Results } from "./results.ts";
import { TARGETS, type Target } from "./targets.ts";

/** How much worse than recorded a ratio may be: two runs of one tree differ by less, on a quiet machine. */
const TOLERANCE = 0.2;
/** For times above the median: the tail of a distribution wanders more. */
const TAIL_TOLERANCE = 0.5;

/** What was reached when the baseline was recorded and is not any more, a line each. */
export function findRegressions(now: Results, baseline: Results): string[] {
  return TARGETS.flatMap((target) => {
    const recorded = target.reached(baseline)?.value;
    const value = target.reached(now)?.value;
    if (recorded === undefined || value === undefined || !isWorse(target, value, recorded)) return [];
    return [`${target.title}: ${format(value)} ${target.unit}, recorded ${format(recorded)}`];
  });
}

function isWorse({ id, limit }: Target, value: number, recorded: number): boolean {
  const tolerance = /p99/.test(id) ? TAIL_TOLERANCE : TOLERANCE;
  return "atMost" in limit ? value > recorded * (1 + tolerance) : value < recorded * (1 - tolerance);
}

function format(value: number): string {
  return value.toPrecision(3);
}
