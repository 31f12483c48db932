import { afterAll, beforeAll, describe, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { cacheConformance } from "../../../src/testing/index.ts";
import { agreesWithModel, realTime } from "../../property/cache-model/property.ts";

/** A store that runs. */
export interface RunningStore {
  open(): Promise<Cache>;
  stop(): Promise<void>;
}

/** Holds a store, in real time, against the conformance suite and against the model. */
export function checkStore(name: string, start: () => Promise<RunningStore>): void {
  describe(name, () => {
    let store: RunningStore;
    beforeAll(async () => {
      store = await start();
    });
    afterAll(() => store?.stop());
    const open = (): Promise<Cache> => store.open();

    cacheConformance({ describe, it }, { name, open });

    it("agrees with the model", async () => {
      // Failing runs are shrunk in real time, too; the limit ends that.
      await agreesWithModel({ ...realTime, open }, { numRuns: 40, interruptAfterTimeLimit: 45_000 });
    }, 60_000);
  });
}
