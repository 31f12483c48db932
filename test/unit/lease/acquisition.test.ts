import { expect, it } from "vitest";
import { OperationError } from "../../../src/cache/errors.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { Acquisition, type Outcome } from "../../../src/primitives/lease/acquisition.ts";
import { leaseKeys } from "../../../src/primitives/lease/names.ts";
import { leaseFormat } from "../../../src/primitives/lease/record.ts";
import { leaseTiming } from "../../../src/primitives/lease/timing.ts";
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
