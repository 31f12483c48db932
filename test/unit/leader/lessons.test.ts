/** What went wrong in published libraries, where it concerns leaders. The numbers are those of docs/lessons.md. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LeadershipLostError } from "../../../src/primitives/leader/errors.ts";
import type { Term } from "../../../src/primitives/leader/term.ts";
import { follow } from "../lock/world.ts";
import { Candidates, untilAborted } from "./candidates.ts";

const LEASE = "leader:{reports}";

describe("lessons about leaders", () => {
  let world: Candidates;
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

  beforeEach(() => {
    world = new Candidates();
    process.on("unhandledRejection", onUnhandled);
  });

  afterEach(async () => {
    await world.clock.advance(120_000);
    expect(world.clock.timers, "timers left").toBe(0);
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled.splice(0)).toEqual([]);
  });

  it.each(["hang", "hang-reply", "error", "lost-reply"] as const)(
    "1: the work has heard that its term is over before the next term begins, whatever the store does (%s)",
    async (fault) => {
      const { clock } = world;
      const a = world.candidate("a", { ttlMs: 3_000 });
      const b = world.candidate("b", { ttlMs: 3_000 });
      const controller = new AbortController();
      const happened: string[] = [];
      const running = follow(
        a.election.run(
          async (term) => {
            await untilAborted(term);
            happened.push("heard");
          },
          { signal: controller.signal },
        ),
      );
      await clock.advance(10);
      const next = follow(b.election.campaign());
      b.election.on("elected", () => happened.push("next"));
      await clock.advance(10);
      a.cache.inject({ fault });
      await clock.advance(20_000);
      expect(happened).toEqual(["heard", "next"]);
      a.cache.heal();
      controller.abort();
      await next.value()?.resign();
      await clock.advance(1_000);
      expect(running.state()).not.toBe("pending");
      await b.election.resign();
    },
  );

  it("2: renewals that fail for a while do not end the term, nor renewing", async () => {
    const { clock } = world;
    const { cache, election } = world.candidate("a", { ttlMs: 3_000 });
    const term = await election.campaign();
    for (let outage = 0; outage < 5; outage++) {
      cache.inject({ fault: "error", operation: "compareAndSet" });
      await clock.advance(1_500);
      cache.heal();
      await clock.advance(3_000);
      expect(term.isLeader()).toBe(true);
    }
    await term.resign();
  });

  it("4: a lost reply to a campaign leaves no orphan that the candidate would wait for", async () => {
    const { clock } = world;
    const { cache, election } = world.candidate("a");
    cache.inject({ fault: "lost-reply", times: 1, operation: "getOrSet", key: LEASE });
    const campaigning = follow(election.campaign());
    await clock.advance(100);
    expect(campaigning.state()).toBe("fulfilled");
    await campaigning.value()?.resign();
  });

  it("5: a resignation that does not reach the store neither fails finished work nor hides its error", async () => {
    const { clock } = world;
    const { cache, election } = world.candidate("a");
    const error = new Error("the work's own");
    const unreachable = (): unknown => cache.inject({ fault: "error", operation: "compareAndSet" });
    const finished = follow(
      election.run(() => {
        unreachable();
        return "done";
      }),
    );
    await clock.advance(1_000);
    expect(finished.value()).toBe("done");
    cache.heal();
    await clock.advance(15_000);
    const failed = follow(
      election.run(() => {
        unreachable();
        throw error;
      }),
    );
    await clock.advance(1_000);
    expect(failed.error()).toBe(error);
    cache.heal();
  });

  it("8: a candidate that slept through its lease cannot come back with the higher term", async () => {
    const { clock } = world;
    const sleeper = world.candidate("sleeper", { ttlMs: 1_000 });
    const other = world.candidate("other", { ttlMs: 1_000 });
    // It has taken the lease, and sleeps before its token is issued.
    const asleep = sleeper.cache.inject({ fault: "hang", key: "leader-fence:{reports}" });
    const late = follow(sleeper.election.campaign());
    await clock.advance(10);
    const term = other.election.campaign();
    await clock.advance(2_000);
    const { fencingToken } = await term;
    asleep.release();
    await clock.advance(100);
    expect(late.state()).toBe("pending");
    await other.election.resign();
    await clock.advance(100);
    expect(late.value()?.fencingToken).toBeGreaterThan(fencingToken);
    await sleeper.election.resign();
  });

  it("10: a candidate that waits asks the store a few times a minute, not several times a second", async () => {
    const { clock } = world;
    const a = world.candidate("a");
    const b = world.candidate("b");
    const term = await a.election.campaign();
    const waiting = follow(b.election.campaign());
    await clock.advance(10);
    const before = b.cache.count();
    await clock.advance(60_000);
    expect(b.cache.count() - before).toBeLessThan(25);
    await term.resign();
    await clock.advance(0);
    expect(waiting.state()).toBe("fulfilled");
    await b.election.resign();
  });

  it("12: a resignation reaches the store although the signal that caused it has been aborted", async () => {
    const { clock } = world;
    const { cache, election } = world.candidate("a");
    const controller = new AbortController();
    const running = follow(election.run(untilAborted, { signal: controller.signal }));
    await clock.advance(10);
    controller.abort();
    await clock.advance(0);
    expect(running.state()).toBe("fulfilled");
    expect(await cache.get(LEASE)).toBeUndefined();
  });

  it("13: a thousand candidates that give up leave no listener, timer, watch or key behind", async () => {
    const { clock } = world;
    const a = world.candidate("a");
    const term = await a.election.campaign();
    const cache = world.client();
    const controller = new AbortController();
    const waits = Array.from({ length: 1_000 }, (_, i) =>
      follow(world.electionOver(cache, `b${i}`).campaign({ signal: controller.signal })),
    );
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown): void => void warnings.push(warning);
    process.on("warning", onWarning);
    await clock.advance(1_000);
    expect(cache.stats().watchedKeys).toBe(1);
    controller.abort();
    await clock.advance(0);
    process.off("warning", onWarning);
    expect(waits.every((wait) => wait.state() === "rejected")).toBe(true);
    expect(cache.stats().watchedKeys).toBe(0);
    expect(warnings).toEqual([]);
    await term.resign();
    expect(await cache.get(LEASE)).toBeUndefined();
  });

  it("14: setting a clock does not make a second leader", async () => {
    const { clock } = world;
    const a = world.candidate("a", { ttlMs: 3_000 });
    const b = world.candidate("b", { ttlMs: 3_000 });
    const term = await a.election.campaign();
    const waiting = follow(b.election.campaign());
    for (const jumpMs of [-3_600_000, 7_200_000]) {
      clock.jumpWall(jumpMs);
      await clock.advance(1);
      expect([a.election.isLeader, waiting.state() === "fulfilled"]).not.toEqual([true, true]);
    }
    // The wall clock went forwards by more than the lease: the leader could as well have been suspended.
    expect(term.signal.reason).toBeInstanceOf(LeadershipLostError);
    await clock.advance(4_000);
    expect(waiting.state()).toBe("fulfilled");
    await b.election.resign();
  });

  it("a work that ignores its signal is reported, and nothing new is started beside it", async () => {
    const { clock } = world;
    const overrun: Term[] = [];
    let started = 0;
    let finish = (): void => {};
    const { cache, election } = world.candidate("a", { ttlMs: 3_000, onOverrun: (term) => overrun.push(term) });
    const controller = new AbortController();
    const running = follow(
      election.run(
        () => {
          started += 1;
          return new Promise<void>((resolve) => (finish = resolve));
        },
        { signal: controller.signal },
      ),
    );
    await clock.advance(10);
    await cache.delete(LEASE);
    await clock.advance(60_000);
    expect([started, overrun.length]).toEqual([1, 1]);
    controller.abort();
    await clock.advance(60_000);
    expect(running.state()).toBe("pending");
    finish();
    await clock.advance(0);
    expect(running.state()).toBe("rejected");
  });
});
