import { expect, it } from "vitest";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { lineFor } from "../../../src/primitives/lease/lines.ts";
import { leaseKeys } from "../../../src/primitives/lease/names.ts";
import { acquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";

it("a line is kept while its lease is held or waited for, and then forgotten", async () => {
  const clock = new ManualClock();
  const cache = createMemoryCache({ clock });
  const keys = leaseKeys("lock", "job");
  const first = await acquireLock(cache, "job", { clock });
  const line = lineFor(cache, clock, keys);
  const second = acquireLock(cache, "job", { clock });
  await first.release();
  expect(lineFor(cache, clock, keys)).toBe(line);
  await (await second).release();
  await clock.advance(0);
  expect(lineFor(cache, clock, keys)).not.toBe(line);
  await cache.close();
});
