import { expect, test } from "vitest";
import { createMemoryCache } from "../../src/cache/memory/index.ts";
import { ManualClock } from "../../src/testing/index.ts";
import { agreesWithModel } from "./cache-model/property.ts";

test("the memory cache agrees with the model, to the millisecond and to the call", async () => {
  const clock = new ManualClock();
  await agreesWithModel(
    {
      open: async () => createMemoryCache({ name: "model", clock }),
      elapse: (ms) => clock.advance(ms),
      nowMs: () => clock.monotonicMs(),
      toleranceMs: 0,
    },
    { numRuns: 1_000 },
  );
  expect(clock.timers).toBe(0);
});
