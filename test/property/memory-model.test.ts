import { describe, expect, it } from "vitest";
import { createMemoryCache } from "../../src/cache/memory/index.ts";
import { ManualClock } from "../../src/testing/index.ts";
import { type Breakage, breakages, broken } from "../support/broken-caches.ts";
import { agreesWithModel } from "./cache-model/property.ts";

let stores = 0;

function check(clock: ManualClock, breakage?: Breakage): Promise<void> {
  const name = `model ${stores++}`;
  return agreesWithModel(
    {
      open: async () => {
        const cache = createMemoryCache({ name, clock });
        return breakage ? broken(cache, breakage) : cache;
      },
      elapse: (ms) => clock.advance(ms),
      nowMs: () => clock.monotonicMs(),
      toleranceMs: 0,
    },
    { numRuns: 1_000, ...(breakage ? { endOnFailure: true, seed: 1 } : {}) },
  );
}

describe("the memory cache and the model", () => {
  it("agree, to the millisecond and to the call of a watcher", async () => {
    const clock = new ManualClock();
    await check(clock);
    expect(clock.timers).toBe(0);
  });

  it.each(breakages.filter((breakage) => !breakage.beyondTheModel))("disagree when $bug", async (breakage) => {
    await expect(check(new ManualClock(), breakage)).rejects.toThrow("Property failed");
  });
});
