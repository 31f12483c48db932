import type { Strike } from "../nemeses/nemesis.ts";

export type Rule =
  | "exclusion"
  | "tokens"
  | "lock histories"
  | "resources"
  | "effects"
  | "results"
  | "registers"
  | "progress"
  | "mishap";

/** Something that should not be, unless it is explained. */
export interface Finding {
  readonly rule: Rule;
  readonly at: number;
  readonly what: string;
  /** What allows it: a promise that does not cover it. */
  readonly explanation?: string | undefined;
  /** How long it lasted, where that means something. */
  readonly forMs?: number;
}

export function unexplained(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ explanation }) => explanation === undefined);
}

/** The name of the fail-over during all of this time, if there was one. */
export function twoPrimaries(strikes: readonly Strike[], from: number, until: number): string | undefined {
  return strikes.find((strike) => strike.acknowledged === "truncated" && strike.from <= from && strike.until >= until)
    ?.nemesis;
}

/** The name of what made the store lose acknowledged writes between two times, if anything did. */
export function lossBetween(strikes: readonly Strike[], from: number, until: number): string | undefined {
  return strikes.find((strike) => strike.acknowledged !== "kept" && strike.from <= until && strike.until >= from)
    ?.nemesis;
}
