import { expect, it } from "vitest";
import { OperationError } from "../../../src/cache/errors.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { Acquisition, type Outcome } from "../../../src/primitives/lease/acquisition.ts";
import { leaseKeys } from "../../../src/primitives/lease/names.ts";
import { leaseFormat } from "../../../src/primitives/lease/record.ts";
import { leaseTiming } from "../../../src/primitives/lease/timing.ts";
import { FaultyCache } from "../../../src/testing/faulty-cache.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";
import { LateCache } from "./late-cache.ts";

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
  cache.delayNext();
  await expect(acquisition.attempt("fast")).rejects.toThrow(OperationError);
  await clock.advance(1_000);
  const granted = bytesOf(await acquisition.attempt("fast"));
  expect(granted).toBeDefined();
  await cache.arrive();
  expect(await cache.get(keys.lease)).toEqual(granted);
});

it.each(["fast", "careful"] as const)(
  "gives no token from before a fail-over that lost the fence (%s)",
  async (way) => {
    const clock = new ManualClock();
    const cache = new FaultyCache(createMemoryCache({ clock }), { clock });
    const keys = leaseKeys("lock", "job");
    const timing = leaseTiming(5_000);
    const newAcquisition = (): Acquisition =>
      new Acquisition({
        cache,
        keys,
        timing,
        clock,
        format: leaseFormat({ holder: "test", timing, clock }),
        fencing: true,
      });
    const tokenOf = (outcome: Outcome): number => (outcome.kind === "granted" ? outcome.grant.record.fencingToken : 0);

    cache.inject({ fault: "delay", delayMs: 1_000, times: way === "fast" ? 2 : 1 });
    const waiting = newAcquisition().attempt(way);
    await clock.advance(500);
    const lost = tokenOf(await newAcquisition().attempt("fast"));
    expect(lost).toBeGreaterThan(0);
    // The new primary knows of neither the lease nor the fence.
    await cache.delete(keys.lease);
    await cache.delete(keys.fence);
    await clock.advance(500);
    expect(tokenOf(await waiting)).toBeGreaterThan(lost);
  },
);
