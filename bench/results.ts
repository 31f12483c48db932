import { readFile, writeFile } from "node:fs/promises";

/** A figure over the rounds of a run. */
export interface Figure {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  readonly rounds: number;
}

/** Entry → metric → figure. */
export type CaseResults = Readonly<Record<string, Readonly<Record<string, Figure>>>>;

export interface Results {
  readonly machine: Machine;
  /** Package → version. */
  readonly versions: Readonly<Record<string, string>>;
  /** Workload → case. */
  readonly workloads: Readonly<Record<string, Readonly<Record<string, CaseResults>>>>;
  /** What did not do what it should, a line each. */
  readonly failures: readonly string[];
}

export interface Machine {
  readonly date: string;
  readonly server: string;
  readonly node: string;
  readonly processor: string;
  readonly cores: number;
  readonly pinned: boolean;
  /** Processes that wanted to run before the first figure was taken: above 0, others were at work. */
  readonly loadBefore: number;
  readonly minutes: number;
}

export function figureOf(values: readonly number[]): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    lowest: at(0),
    highest: at(sorted.length - 1),
    rounds: sorted.length,
  };
}

export async function writeResults(path: URL, results: Results): Promise<void> {
  const rounded = (_key: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
  await writeFile(path, `${JSON.stringify(results, rounded, 1)}\n`);
}

export async function readResults(path: URL): Promise<Results> {
  return JSON.parse(await readFile(path, "utf8"));
}
