import { locks } from "./locks.ts";
import type { Mutant } from "./mutant.ts";

export interface MutantGroup {
  readonly mutants: readonly Mutant[];
  /** The test files, or folders of them, that may catch these. */
  readonly tests: readonly string[];
}

export const groups: readonly MutantGroup[] = [
  { mutants: locks, tests: ["test/unit/lock", "test/unit/lease", "test/unit/coordinator", "test/simulation"] },
];
