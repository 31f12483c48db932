import { expect, it } from "vitest";
import { explore } from "./explore.ts";
import { simulators } from "./simulators.ts";

/** The same in every run, so that a commit is judged by itself. `npm run test:simulation` looks further. */
const SEED = 20_260_101;
const SCHEDULES = 1_500;
/** For the mutants, which only ask whether anything fails. */
const SHRINKS = process.env["HOLDFAST_FIRST_FAILURE"] === undefined;

it.each(simulators)("$name keep every promise in simulated worlds", { timeout: 240_000 }, async (simulator) => {
  const { figures, failure } = await explore(simulator, { seed: SEED, schedules: SCHEDULES, shrinks: SHRINKS });
  expect(failure).toBeUndefined();
  // A world in which nothing is granted would prove nothing.
  expect(figures.grants).toBeGreaterThan(SCHEDULES);
});
