import { describe, it } from "vitest";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { cacheConformance } from "../../../src/testing/conformance/index.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";

const clock = new ManualClock();

cacheConformance(
  { describe, it },
  {
    name: "memory",
    open: () => createMemoryCache({ name: "conformance", clock }),
    elapse: (ms) => clock.advance(ms),
    exactTime: true,
    exactWatch: true,
  },
);
