import { afterAll, beforeAll, describe, it } from "vitest";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { instrument } from "../../../src/telemetry/index.ts";
import { cacheConformance, ManualClock } from "../../../src/testing/index.ts";
import { type Sdk, startSdk } from "./sdk.ts";

const clock = new ManualClock();
const backend = {
  open: async () => instrument(createMemoryCache({ name: "instrumented", clock })),
  elapse: (ms: number) => clock.advance(ms),
  exactTime: true,
  exactWatch: true,
};

cacheConformance({ describe, it }, { ...backend, name: "an instrumented cache without an SDK" });

describe("measured", () => {
  let sdk: Sdk;
  beforeAll(() => {
    sdk = startSdk();
  });
  afterAll(() => sdk.stop());

  cacheConformance({ describe, it }, { ...backend, name: "an instrumented cache with an SDK" });
});
