import { afterAll, describe, it } from "vitest";
import { createManager, type Manager } from "../../../src/manager/index.ts";
import { cacheConformance, ManualClock } from "../../../src/testing/index.ts";

const clock = new ManualClock();
const managers: Manager[] = [];

afterAll(() => Promise.all(managers.map((manager) => manager.close())));

cacheConformance(
  { describe, it },
  {
    name: "a tenant's cache over memory",
    // Two clients of one store are one tenant in two managers.
    open: async () => {
      const manager = createManager({ resolve: () => ({ url: "memory:conformance" }), clock });
      managers.push(manager);
      return manager.get("{a}:b");
    },
    elapse: (ms) => clock.advance(ms),
    exactTime: true,
  },
);
