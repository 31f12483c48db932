import { describe, expect, it } from "vitest";
import { fuzz } from "./target.ts";
import { targets } from "./targets.ts";

/** The same in every run, so that a commit is judged by itself. `npm run test:fuzz` looks further. */
const SEED = 20_260_101;

describe("whatever others have written", () => {
  it.each(targets)("$name keep their promises", { timeout: 240_000 }, async (target) => {
    const { tally, failure } = await fuzz(target, { seed: SEED, runs: target.runs });
    expect(failure).toBeUndefined();
    expect(Object.keys(tally).sort()).toEqual(target.outcomes.toSorted());
  });
});
