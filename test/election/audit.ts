import type { TermEntry } from "./journal.ts";

export interface Verdict {
  readonly terms: number;
  /** From the moment at which one leader stopped believing in its term until the next one led. */
  readonly gapsMs: readonly number[];
  readonly violations: readonly string[];
}

/**
 * Judges the journals of all processes together:
 * - the numbers of the terms rise in the order in which the terms began;
 * - when a term began, no process took itself for the leader of an earlier one any more: by its clocks, or, if it listens
 *   to nothing else, because its signal had not aborted.
 */
export function judge(entries: readonly TermEntry[]): Verdict {
  const led = entries
    .filter(({ from }) => from > 0)
    .map((term) => ({ ...term, until: Math.max(term.from, term.until) }))
    .sort((a, b) => a.from - b.from);
  const violations: string[] = [];
  const gapsMs: number[] = [];
  let longest: TermEntry | undefined;
  let highest = 0;
  for (const term of led) {
    if (term.token <= highest) violations.push(`term ${term.token} came after term ${highest}`);
    highest = Math.max(highest, term.token);
    if (longest !== undefined) {
      const gapMs = term.from - longest.until;
      gapsMs.push(gapMs);
      if (gapMs <= 0)
        violations.push(`terms ${longest.token} and ${term.token} overlapped by ${(-gapMs).toFixed(3)} ms`);
    }
    if (longest === undefined || term.until > longest.until) longest = term;
  }
  return { terms: led.length, gapsMs, violations };
}
