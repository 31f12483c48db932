import { expect, it } from "vitest";
import { holdTrial } from "../../election/trial.ts";

it("has one leader at a time while 5 processes are killed, paused, cut off and restarted; longer: npm run test:election", async () => {
  const { violations, terms } = await holdTrial({ durationMs: 15_000, seed: 7, processes: 5, ttlMs: 600 });
  expect(violations).toEqual([]);
  expect(terms).toBeGreaterThan(1);
}, 120_000);
