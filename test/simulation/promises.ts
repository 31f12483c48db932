import { expect, it } from "vitest";
import { explore, type Simulator } from "./explore.ts";

/** The same in every run, so that a commit is judged by itself. `npm run test:simulation` looks further. */
const SEED = 20_260_101;
const SCHEDULES = 2_000;
/** For the mutants, which only ask whether anything fails. */
const SHRINKS = process.env["HOLDFAST_FIRST_FAILURE"] === undefined;

export function itKeepsEveryPromise<Schedule>(simulator: Simulator<Schedule>): void {
  it(`${simulator.name} keep every promise in simulated worlds`, { timeout: 240_000 }, async () => {
    const { figures, failure } = await explore(simulator, { seed: SEED, schedules: SCHEDULES, shrinks: SHRINKS });
    expect(failure).toBeUndefined();
    // A world in which nothing is granted would prove nothing.
    expect(figures.grants).toBeGreaterThan(SCHEDULES / 2);
  });
}
