import type { Mutant } from "../../test/mutants/mutant.ts";
import type { MutantGroup } from "../../test/mutants/mutants.ts";
import type { Caught } from "./laboratory.ts";

export interface Verdict {
  readonly area: string;
  readonly mutant: Mutant;
  /** `undefined`: by nothing. */
  readonly caught: Caught | undefined;
}

const LAYERS = ["unit", "property", "simulation", "integration"];

/** How many of each area were caught by which kind of test. */
export function inShort(verdicts: readonly Verdict[], groups: readonly MutantGroup[]): string {
  const rows = groups
    .map(({ area }) => ({ area, all: verdicts.filter((verdict) => verdict.area === area) }))
    .filter(({ all }) => all.length > 0);
  const line = (area: string, all: readonly Verdict[]): string[] => [
    area,
    String(all.length),
    ...LAYERS.map((layer) => String(all.filter((verdict) => layerOf(verdict) === layer).length)),
    String(all.filter(({ caught }) => !caught).length),
  ];
  return table([
    ["area", "mutants", ...LAYERS, "survived"],
    ...rows.map(({ area, all }) => line(area, all)),
    line("all", verdicts),
  ]);
}

/** Each mutant with the test that caught it. */
export function inFull(verdicts: readonly Verdict[], groups: readonly MutantGroup[]): string {
  const sections = groups.map(({ area, mutants }) => {
    const rows = mutants.flatMap((mutant) => {
      const verdict = verdicts.find((one) => one.mutant === mutant);
      return verdict ? [[mutant.name, caughtBy(verdict), verdict.caught?.file ?? ""]] : [];
    });
    return rows.length === 0 ? "" : `\n## ${area}\n\n${table([["mutant", "caught by", "in"], ...rows])}\n`;
  });
  return `# Mutants\n\n${inShort(verdicts, groups)}\n${sections.join("")}`;
}

function caughtBy({ caught }: Verdict): string {
  return caught ? caught.test.replaceAll("|", "\\|") : "**nothing**";
}

function layerOf({ caught }: Verdict): string | undefined {
  return LAYERS.find((layer) => caught?.file.startsWith(`test/${layer}/`));
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
