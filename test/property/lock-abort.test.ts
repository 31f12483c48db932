import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acquireLock } from "../../src/primitives/lock/acquire-lock.ts";
import { inspectLock } from "../../src/primitives/lock/inspect-lock.ts";
import { follow, World } from "../unit/lock/world.ts";

/** Store operations take this long, so that an abort can fall into any of them. */
const LATENCY_MS = 10;

describe("a wait that is aborted at any moment", () => {
  it("rejects at once, or has given the lock; in either case nothing stays behind", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 0, max: 150 }),
        fc.integer({ min: 0, max: 150 }),
        fc.integer({ min: 1, max: 4 }),
        async (ordered, fenceKnown, abortAtMs, releaseAtMs, waiters) => {
          const world = new World();
          const [holder, cache] = [world.client(), world.client({ ordered })];
          if (fenceKnown) await (await acquireLock(cache, "job", world.options())).release();
          const lock = await acquireLock(holder, "job", world.options({ renew: false }));
          cache.inject({ fault: "delay", delayMs: LATENCY_MS });

          const reason = new Error("aborted");
          const controller = new AbortController();
          const aborted = follow(acquireLock(cache, "job", world.options({ signal: controller.signal })));
          const others = Array.from({ length: waiters - 1 }, () =>
            follow(acquireLock(cache, "job", world.options({ waitMs: 400 }))),
          );
          const schedule: [number, () => void][] = [
            [abortAtMs, () => controller.abort(reason)],
            [releaseAtMs, () => void lock.release()],
          ];
          for (const [atMs, act] of schedule.sort(([a], [b]) => a - b)) {
            await world.clock.advance(Math.max(0, atMs - world.clock.monotonicMs()));
            act();
          }
          await world.clock.advance(0);
          expect(aborted.state()).not.toBe("pending");
          if (aborted.state() === "rejected") expect(aborted.error()).toBe(reason);
          void aborted.value()?.release();

          await world.clock.advance(1_000);
          for (const other of others) {
            expect(other.state()).not.toBe("pending");
            void other.value()?.release();
          }
          await world.clock.advance(1_000);
          expect(await inspectLock(world.store(), "job")).toBeNull();
          expect(world.clock.timers).toBe(0);
          expect(cache.stats().watchedKeys).toBe(0);
        },
      ),
      { numRuns: 500 },
    );
  }, 60_000);
});
