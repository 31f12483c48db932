import type { TermEntry } from "./journal.ts";

export interface Verdict {
  readonly terms: number;
  /** From the moment at which one leader stopped believing in its term until the next one led. */
  readonly gapsMs: readonly number[];
  readonly violations: readonly string[];
}

/**
 * Judges the journals of all processes together:
 * - no two terms have the same number, and the numbers rise in the order in which terms began;
 * - no process took itself for the leader, by its clocks or because its signal had not aborted, when the next term had
 *   begun;
 * - whoever heard that its term is over heard it in time, unless it was stopped: that is the rule before, for those
 *   who listen to their signal only.
 */
export function judge(entries: readonly TermEntry[]): Verdict {
  const led = entries.filter(({ from }) => from > 0).sort((a, b) => a.from - b.from);
  const violations: string[] = [];
  const gapsMs: number[] = [];
  led.forEach((next, index) => {
    const term = led[index - 1];
    if (term === undefined) return;
    const gapMs = next.from - Math.max(term.until, term.from);
    gapsMs.push(gapMs);
    if (gapMs <= 0) {
      violations.push(`terms ${term.token} and ${next.token} overlapped by ${(-gapMs).toFixed(3)} ms`);
    }
    if (next.token <= term.token) violations.push(`term ${next.token} came after term ${term.token}`);
  });
  return { terms: led.length, gapsMs, violations };
}
