import type { Rule } from "./judge/finding.ts";
import type { NemesisVerdict, Verdict } from "./judge/verdict.ts";
import type { Keeping } from "./nemeses/nemesis.ts";

const GUARANTEED: Readonly<Record<Keeping, string>> = {
  kept: "everything",
  wiped: "tokens rise; holders may overlap until the next renewal, messages may be run again",
  truncated: "tokens rise; holders may overlap until the next renewal, messages may be run again",
};

const COLUMNS: readonly [title: string, cell: (verdict: NemesisVerdict) => string][] = [
  ["fault", ({ nemesis }) => nemesis],
  ["strikes", ({ strikes }) => String(strikes)],
  ["guaranteed", ({ acknowledged }) => GUARANTEED[acknowledged]],
  ["promises broken", ({ violations }) => String(violations)],
  ["overlaps, longest", overlaps],
  ["stale writes refused", ({ staleWrites }) => String(staleWrites)],
  ["messages run again", ({ explained }) => String(sum(explained, ["effects", "results"]))],
  ["registers rolled back", ({ explained }) => String(explained.registers ?? 0)],
  [
    "longest without a holder, a leader, an effect, an answer",
    ({ longestWithoutMs }) => seconds(Object.values(longestWithoutMs)),
  ],
  ["recovered within", ({ longestRecoveryMs }) => seconds([longestRecoveryMs])],
  [
    "least margin of a signal",
    ({ leastMarginMs }) => (leastMarginMs === undefined ? "" : `${leastMarginMs.toFixed(1)} ms`),
  ],
];

/** A table for each nemesis, and everything that is not explained. */
export function inWords({ nemeses, violations, explained, counts }: Verdict): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const table = [
    row(COLUMNS.map(([title]) => title)),
    row(COLUMNS.map(() => "---")),
    ...nemeses.map((verdict) => row(COLUMNS.map(([, cell]) => cell(verdict)))),
  ];
  const { operations, unknown, lock, leader, run, messages, writes } = counts;
  const whys = new Map<string, number>();
  for (const { rule, explanation } of explained) {
    const why = `${rule}: ${explanation}`;
    whys.set(why, (whys.get(why) ?? 0) + 1);
  }
  return [
    ...table,
    "",
    `${operations} cache operations (${unknown} of unknown outcome), ${lock} locks, ${leader} terms, ` +
      `${run} runs for ${messages} messages, ${writes} fenced writes`,
    ...[...whys].map(([why, times]) => `explained, ${times} ×: ${why}`),
    ...violations.map(({ rule, what }) => `✗ ${rule}: ${what}`),
    violations.length === 0 ? "nothing unexplained" : `${violations.length} unexplained`,
  ].join("\n");
}

function overlaps({ explained, longestOverlapMs }: NemesisVerdict): string {
  const count = explained.exclusion ?? 0;
  return count === 0 ? "0" : `${count}, ${longestOverlapMs.toFixed(0)} ms`;
}

function sum(explained: NemesisVerdict["explained"], rules: readonly Rule[]): number {
  return rules.reduce((total, rule) => total + (explained[rule] ?? 0), 0);
}

function seconds(ms: readonly number[]): string {
  return `${ms.map((each) => (each / 1_000).toFixed(1)).join(", ")} s`;
}
