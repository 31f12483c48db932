/** The conformance suite under the runner of Node itself; run by `runners.test.ts`. */

import { describe, it } from "node:test";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { cacheConformance, ManualClock } from "../../../src/testing/index.ts";

const clock = new ManualClock();

cacheConformance(
  { describe, it },
  {
    name: "memory",
    open: async () => createMemoryCache({ name: "conformance", clock }),
    elapse: (ms) => clock.advance(ms),
    exactTime: true,
    exactWatch: true,
  },
);
