import { expect, it } from "vitest";
import { OperationError } from "../../../src/cache/errors.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { Acquisition, type Outcome } from "../../../src/primitives/lease/acquisition.ts";
import { leaseKeys } from "../../../src/primitives/lease/names.ts";
import { leaseFormat } from "../../../src/primitives/lease/record.ts";
import { leaseTiming } from "../../../src/primitives/lease/timing.ts";
import { FaultyCache } from "../../../src/testing/faulty-cache.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";

/** A cache whose next compare-and-set fails, and is executed when the test says so. */
class LateCache extends FaultyCache {
  delaysNext = false;
  execute: () => Promise<boolean> = () => Promise.resolve(false);

  override compareAndSet(...args: Parameters<FaultyCache["compareAndSet"]>): Promise<boolean> {
    if (!this.delaysNext) return super.compareAndSet(...args);
    this.delaysNext = false;
    this.execute = () => super.compareAndSet(...args);
    return Promise.reject(new OperationError("no answer in time", { code: "ERR_CACHE_TIMEOUT" }));
  }
}

function bytesOf(outcome: Outcome): Uint8Array | undefined {
  return outcome.kind === "granted" ? outcome.grant.bytes : undefined;
}

it("holds a record that no late command of its own can replace", async () => {
  const clock = new ManualClock();
  const cache = new LateCache(createMemoryCache({ clock }), { clock });
  const keys = leaseKeys("lock", "job");
  const timing = leaseTiming(1_000);
  const format = leaseFormat({ holder: "test", timing, clock });
  const acquisition = new Acquisition({ cache, keys, timing, clock, format, fencing: false });

  cache.inject({ fault: "lost-reply", operation: "getOrSet", times: 1 });
  await expect(acquisition.attempt("fast")).rejects.toThrow(OperationError);
  await clock.advance(1);
  cache.delaysNext = true;
  await expect(acquisition.attempt("fast")).rejects.toThrow(OperationError);
  await clock.advance(1_000);
  const granted = bytesOf(await acquisition.attempt("fast"));
  expect(granted).toBeDefined();
  await cache.execute();
  expect(await cache.get(keys.lease)).toEqual(granted);
});
