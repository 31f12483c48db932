/** `run` and `campaign`, in virtual time. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError, OperationError } from "../../../src/cache/errors.ts";
import { election } from "../../../src/primitives/leader/election.ts";
import { CampaignTimeoutError, ElectionBusyError, LeadershipLostError } from "../../../src/primitives/leader/errors.ts";
import type { Term } from "../../../src/primitives/leader/term.ts";
import { Scope } from "../../../src/primitives/lease/scope.ts";
import { sleep } from "../../../src/runtime/clock.ts";
import { uncaughtDuring } from "../../support/uncaught.ts";
import { follow } from "../lock/world.ts";
import { Candidates, untilAborted } from "./candidates.ts";

describe("an election", () => {
  let world: Candidates;

  beforeEach(() => {
    world = new Candidates();
  });

  afterEach(async () => {
    await world.clock.advance(120_000);
    expect(world.clock.timers, "timers left").toBe(0);
  });

  describe("campaign", () => {
    it("gives a term to one candidate and lets the other wait", async () => {
      const { clock } = world;
      const a = world.candidate("a");
      const b = world.candidate("b");
      const term = await a.election.campaign();
      expect(term).toMatchObject({ name: "reports", electedAt: new Date(clock.wallMs()) });
      expect([a.election.isLeader, a.election.term]).toEqual([true, term]);
      const waiting = follow(b.election.campaign());
      await clock.advance(60_000);
      expect([waiting.state(), b.election.isLeader, b.election.term]).toEqual(["pending", false, undefined]);
      expect(await term.resign()).toBe(true);
      await clock.advance(0);
      expect(waiting.state()).toBe("fulfilled");
      expect(b.election.isLeader).toBe(true);
      expect(waiting.value()?.fencingToken).toBeGreaterThan(term.fencingToken);
      await waiting.value()?.resign();
    });

    it("wakes the next candidate at once when the leader resigns, and when its lease expires", async () => {
      const { clock } = world;
      const a = world.candidate("a", { ttlMs: 3_000 });
      const b = world.candidate("b", { ttlMs: 3_000 });
      await a.election.campaign();
      const waiting = follow(b.election.campaign());
      await clock.advance(10);
      expect(await a.election.resign()).toBe(true);
      await clock.advance(0);
      expect(waiting.state()).toBe("fulfilled");
      // And now b dies: nothing reaches the store any more.
      const again = follow(a.election.campaign());
      await clock.advance(10);
      b.cache.inject({ fault: "hang" });
      await clock.advance(2_989);
      expect(again.state()).toBe("pending");
      await clock.advance(2);
      expect(again.state()).toBe("fulfilled");
      b.cache.heal();
      await again.value()?.resign();
    });

    it("tries once with waitMs 0, and names the leader when it gives up", async () => {
      const { clock } = world;
      const a = world.candidate("a");
      const b = world.candidate("b");
      const term = await a.election.campaign({ waitMs: 0 });
      const refused = b.election.campaign({ waitMs: 0 });
      await expect(refused).rejects.toBeInstanceOf(CampaignTimeoutError);
      await expect(refused).rejects.toMatchObject({
        code: "ERR_CAMPAIGN_TIMEOUT",
        holder: "a",
        fencingToken: term.fencingToken,
        key: "reports",
      });
      const waiting = follow(b.election.campaign({ waitMs: 100 }));
      await clock.advance(100);
      expect(waiting.error()).toMatchObject({ code: "ERR_CAMPAIGN_TIMEOUT", holder: "a" });
      await term.resign();
    });

    it("ends its wait with the signal's reason and leaves nothing behind", async () => {
      const { clock } = world;
      const a = world.candidate("a");
      const b = world.candidate("b");
      const term = await a.election.campaign();
      const controller = new AbortController();
      const waiting = follow(b.election.campaign({ signal: controller.signal }));
      await clock.advance(10);
      const reason = new Error("no longer interested");
      controller.abort(reason);
      await clock.advance(0);
      expect(waiting.error()).toBe(reason);
      expect(b.cache.stats().watchedKeys).toBe(0);
      await term.resign();
      await clock.advance(10_000);
      expect(await b.election.leader()).toBeNull();
      await expect(b.election.campaign({ signal: controller.signal })).rejects.toBe(reason);
    });

    it("does not end a term that was won when the signal aborts later", async () => {
      const a = world.candidate("a");
      const controller = new AbortController();
      const term = await a.election.campaign({ signal: controller.signal });
      controller.abort();
      await world.clock.advance(30_000);
      expect(term.isLeader()).toBe(true);
      await term.resign();
    });

    it("refuses a second campaign of the same candidate, which would be waiting for itself", async () => {
      const a = world.candidate("a");
      const term = await a.election.campaign();
      await expect(a.election.campaign()).rejects.toBeInstanceOf(ElectionBusyError);
      await expect(a.election.run(untilAborted)).rejects.toMatchObject({ code: "ERR_ELECTION_BUSY" });
      await term.resign();
      await (await a.election.campaign()).resign();
    });

    it("refuses it also while the first one waits", async () => {
      const leader = await world.candidate("leader").election.campaign();
      const a = world.candidate("a");
      const waiting = follow(a.election.campaign());
      await world.clock.advance(10);
      await expect(a.election.campaign({ waitMs: 0 })).rejects.toBeInstanceOf(ElectionBusyError);
      await leader.resign();
      await world.clock.advance(0);
      await waiting.value()?.resign();
    });

    it("leaves nothing with its coordinator when it is over", async () => {
      const scope = new Scope();
      const { election } = world.candidate("a", { scope });
      await (await election.campaign()).resign();
      await election.run(() => {});
      expect([...scope.waits.toArray(), ...scope.open.toArray()]).toEqual([]);
    });

    it("lets two candidates of one process take turns", async () => {
      const cache = world.client();
      const a = world.electionOver(cache, "a");
      const b = world.electionOver(cache, "b");
      const first = await a.campaign();
      const second = follow(b.campaign());
      await world.clock.advance(10);
      await first.resign();
      await world.clock.advance(0);
      expect(second.value()?.fencingToken).toBeGreaterThan(first.fencingToken);
      await b.resign();
    });

    it("is won by the next candidate of the process when its leader has lost it, whether or not that one resigns", async () => {
      const cache = world.client();
      const first = await world.electionOver(cache, "a", { ttlMs: 3_000 }).campaign();
      const second = follow(world.electionOver(cache, "b", { ttlMs: 3_000 }).campaign());
      await cache.delete("leader:{reports}");
      await world.clock.advance(1_100);
      expect(first.isLeader()).toBe(false);
      expect(second.value()?.isLeader()).toBe(true);
      await second.value()?.resign();
    });

    it("refuses options that are wrong, naming them, before anything is sent", async () => {
      const { cache } = world.candidate("a");
      expect(() => election(cache, "")).toThrow(ConfigError);
      expect(() => election(cache, "x", { ttlMs: 99 })).toThrow(/ttlMs/);
      expect(() => election(cache, "x", { ttlMs: 1_000, renewEveryMs: 990 })).toThrow(/renewEveryMs/);
      await expect(election(cache, "x").campaign({ waitMs: -1 })).rejects.toThrow(/waitMs/);
      expect(cache.count()).toBe(0);
    });

    it("finds its cache anew for each call, when it is given a function", async () => {
      const caches = [world.client(), world.client()];
      let calls = 0;
      const tenants = election(() => caches[calls++ % 2] as never, "reports", { clock: world.clock });
      const term = await tenants.campaign();
      await term.resign();
      await tenants.leader();
      expect(caches.map((cache) => cache.count({ operation: "get" }) > 0)).toEqual([false, true]);
    });
  });

  describe("a term", () => {
    it("ends by itself when the store hangs, before the lease does, whatever the store does later", async () => {
      const { clock } = world;
      const { cache, election } = world.candidate("a", { ttlMs: 3_000 });
      const term = await election.campaign();
      const sinceMs = clock.monotonicMs();
      const { signal } = term;
      let endedAfterMs = Number.NaN;
      signal.addEventListener("abort", () => {
        endedAfterMs = clock.monotonicMs() - sinceMs;
      });
      cache.inject({ fault: "hang-reply" });
      await clock.advance(10_000);
      expect(endedAfterMs).toBeGreaterThan(2_900);
      expect(endedAfterMs).toBeLessThan(3_000);
      expect(signal.reason).toBeInstanceOf(LeadershipLostError);
      cache.heal();
      await clock.advance(10_000);
      expect([term.isLeader(), election.isLeader, election.term, term.remainingMs]).toEqual([
        false,
        false,
        undefined,
        0,
      ]);
      expect(() => term.assertLeader()).toThrow(LeadershipLostError);
      expect(await term.resign()).toBe(false);
    });

    it("is over for whoever looks after a stall, before any timer has run", async () => {
      const { clock } = world;
      const { election } = world.candidate("a", { ttlMs: 3_000 });
      const term = await election.campaign();
      const { signal } = term;
      clock.block(3_000);
      expect(election.isLeader).toBe(false);
      expect(term.signal.aborted).toBe(true);
      expect(signal.aborted).toBe(true);
    });

    it("has a signal that has aborted for whoever reads it after a stall, whatever else was looked at", async () => {
      const { election } = world.candidate("a", { ttlMs: 3_000 });
      const term = await election.campaign();
      world.clock.block(3_000);
      expect(term.signal.aborted).toBe(true);
    });

    it("does not survive a suspended machine, whose monotonic clock stood still", async () => {
      const { election } = world.candidate("a", { ttlMs: 3_000 });
      const term = await election.campaign();
      world.clock.suspend(3_000);
      expect(term.isLeader()).toBe(false);
      expect(term.signal.aborted).toBe(true);
    });

    it("is lost as soon as a renewal finds another record, and says so once", async () => {
      const { clock } = world;
      const { cache, election } = world.candidate("a", { ttlMs: 3_000 });
      const lost: unknown[] = [];
      election.on("lost", (event) => lost.push(event));
      const term = await election.campaign();
      await cache.delete("leader:{reports}");
      await clock.advance(1_000);
      expect(lost).toEqual([{ term, reason: "taken" }]);
      expect(term.signal.reason).toMatchObject({ code: "ERR_LEADERSHIP_LOST" });
      expect(world.eventsOf("lost")).toMatchObject([{ kind: "leader", name: "reports", reason: "taken" }]);
      await clock.advance(10_000);
      expect(lost).toHaveLength(1);
    });

    it("aborts its signal before a resignation is sent", async () => {
      const { cache, election } = world.candidate("a");
      const term = await election.campaign();
      let sentBefore: number | undefined;
      const sent = (): number => cache.count({ operation: "compareAndSet", key: "leader:{reports}" });
      const before = sent();
      term.signal.addEventListener("abort", () => {
        sentBefore = sent() - before;
      });
      await term.resign();
      expect(sentBefore).toBe(0);
      expect(term.signal.reason).toMatchObject({ code: "ERR_LEADERSHIP_RESIGNED" });
      expect(sent() - before).toBe(1);
      await term.resign();
      expect(sent() - before).toBe(1);
    });

    it("resigns at the end of its scope", async () => {
      const { election } = world.candidate("a");
      {
        await using term = await election.campaign();
        expect(term.isLeader()).toBe(true);
      }
      expect(await election.leader()).toBeNull();
    });

    it("shows its holder, its number and its metadata to others", async () => {
      const a = world.candidate("a", { metadata: { address: "10.0.0.7:80" } });
      const b = world.candidate("b");
      expect(await b.election.leader()).toBeNull();
      const term = await a.election.campaign();
      expect(await b.election.leader()).toEqual({
        holder: "a",
        fencingToken: term.fencingToken,
        electedAt: term.electedAt,
        metadata: { address: "10.0.0.7:80" },
      });
      await term.resign();
      await a.cache.set("leader:{reports}", new Uint8Array([1, 2, 3]), 1_000);
      expect(await b.election.leader()).toMatchObject({ fencingToken: 0 });
    });
  });

  describe("run", () => {
    it("runs the work while leading, resigns, and resolves with its value", async () => {
      const { election } = world.candidate("a");
      const elected: Term[] = [];
      election.on("elected", (term) => elected.push(term));
      let term: Term | undefined;
      const value = await election.run((given) => {
        term = given;
        expect(election.term).toBe(given);
        return 42;
      });
      expect(value).toBe(42);
      expect(elected).toEqual([term]);
      expect(term?.signal.aborted).toBe(true);
      expect(await election.leader()).toBeNull();
    });

    it("resigns and rejects with the work's own error", async () => {
      const { election } = world.candidate("a");
      const error = new Error("the work's own");
      await expect(election.run(() => Promise.reject(error))).rejects.toBe(error);
      await expect(
        election.run(() => {
          throw error;
        }),
      ).rejects.toBe(error);
      expect(await election.leader()).toBeNull();
    });

    it("campaigns again after a loss, with a higher term", async () => {
      const { clock } = world;
      const { cache, election } = world.candidate("a", { ttlMs: 3_000 });
      const controller = new AbortController();
      const terms: number[] = [];
      const running = election.run(
        async (term) => {
          terms.push(term.fencingToken);
          await untilAborted(term);
        },
        { signal: controller.signal },
      );
      await clock.advance(10);
      for (let loss = 1; loss <= 3; loss++) {
        cache.inject({ fault: "error" });
        await clock.advance(4_000);
        expect(election.isLeader).toBe(false);
        cache.heal();
        await clock.advance(2_000);
        expect(election.isLeader).toBe(true);
      }
      expect(terms).toEqual([...terms].sort((x, y) => x - y));
      expect(new Set(terms).size).toBe(4);
      controller.abort();
      await running;
    });

    it("waits for the work of a lost term to settle before it campaigns again, and reports that it does not", async () => {
      const { clock } = world;
      const overrun: Term[] = [];
      const a = world.candidate("a", { ttlMs: 3_000, onOverrun: (term) => overrun.push(term) });
      const b = world.candidate("b", { ttlMs: 3_000 });
      const events: Term[] = [];
      a.election.on("overrun", (term) => events.push(term));
      let started = 0;
      let finish = (): void => {};
      const controller = new AbortController();
      const running = follow(
        a.election.run(
          () => {
            started += 1;
            return new Promise<void>((resolve) => {
              finish = resolve;
            });
          },
          { signal: controller.signal },
        ),
      );
      await clock.advance(10);
      const term = a.election.term;
      const waiting = b.election.campaign();
      a.cache.inject({ fault: "hang" });
      await clock.advance(2_980);
      expect(overrun).toEqual([]);
      await clock.advance(3_000);
      a.cache.heal();
      expect(overrun).toEqual([term]);
      expect(events).toEqual([term]);
      expect(world.eventsOf("overrun")).toMatchObject([{ kind: "leader", fencingToken: term?.fencingToken }]);
      const next = await waiting;
      await next.resign();
      await clock.advance(60_000);
      // Nobody leads, and yet nothing new is started beside the old work.
      expect([started, running.state()]).toEqual([1, "pending"]);
      finish();
      await clock.advance(10);
      expect(started).toBe(2);
      expect(overrun).toHaveLength(1);
      controller.abort();
      finish();
      await clock.advance(10);
      expect(running.state()).toBe("fulfilled");
    });

    it("calls it an overrun, too, when the work has resigned its term and goes on", async () => {
      const overruns: number[] = [];
      const { election } = world.candidate("a", {
        ttlMs: 3_000,
        onOverrun: ({ fencingToken }) => void overruns.push(fencingToken),
      });
      const withdrawal = new AbortController();
      const running = follow(
        election.run(
          async (term) => {
            await term.resign();
            await sleep(world.clock, 1_000);
          },
          { signal: withdrawal.signal },
        ),
      );
      await world.clock.advance(500);
      expect(overruns).toHaveLength(1);
      withdrawal.abort(new Error("enough"));
      await world.clock.advance(1_000);
      expect(running.state()).toBe("fulfilled");
    });

    it("does not call it an overrun when the work stops within the margin", async () => {
      const { clock } = world;
      const overrun: Term[] = [];
      const { cache, election } = world.candidate("a", { ttlMs: 3_000, onOverrun: (term) => overrun.push(term) });
      const controller = new AbortController();
      const running = election.run(
        async (term) => {
          await untilAborted(term);
          await new Promise<void>((resolve) => void clock.setTimer(resolve, 20));
        },
        { signal: controller.signal },
      );
      await clock.advance(10);
      cache.inject({ fault: "hang" });
      await clock.advance(5_000);
      cache.heal();
      await clock.advance(5_000);
      expect(overrun).toEqual([]);
      controller.abort();
      await clock.advance(20);
      await running;
    });

    it("goes on after a loss when the work fails, and tells of an error that is not the loss itself", async () => {
      const { clock } = world;
      const { cache, election } = world.candidate("a", { ttlMs: 3_000 });
      const failed: unknown[] = [];
      election.on("workFailed", ({ error }) => failed.push(error));
      const own = new Error("could not save");
      const controller = new AbortController();
      let round = 0;
      const running = election.run(
        async (term) => {
          round += 1;
          await untilAborted(term);
          if (round === 1) term.signal.throwIfAborted();
          // As timers, streams and fetch do.
          if (round === 2) throw new DOMException("aborted", { name: "AbortError", cause: term.signal.reason });
          if (round === 3) throw own;
        },
        { signal: controller.signal },
      );
      for (let loss = 1; loss <= 3; loss++) {
        await clock.advance(10);
        await cache.delete("leader:{reports}");
        await clock.advance(2_000);
      }
      expect(round).toBe(4);
      expect(failed).toEqual([own]);
      controller.abort();
      await running;
    });

    it("campaigns again when the work finished but its term had been lost unnoticed", async () => {
      const { cache, election } = world.candidate("a");
      let round = 0;
      const value = await election.run(async () => {
        round += 1;
        if (round === 1) await cache.delete("leader:{reports}");
        return round;
      });
      expect(value).toBe(2);
      expect(world.eventsOf("lost")).toMatchObject([{ reason: "taken" }]);
    });

    it("rejects with the signal's reason while waiting", async () => {
      const { clock } = world;
      const a = world.candidate("a");
      const b = world.candidate("b");
      const term = await a.election.campaign();
      const controller = new AbortController();
      const running = follow(b.election.run(untilAborted, { signal: controller.signal }));
      await clock.advance(10);
      const reason = new Error("shutting down");
      controller.abort(reason);
      await clock.advance(0);
      expect(running.error()).toBe(reason);
      await term.resign();
    });

    it("tells the work of the signal's abort and settles as the work does", async () => {
      const { clock } = world;
      const { election } = world.candidate("a");
      const controller = new AbortController();
      let reason: unknown;
      const running = follow(
        election.run(
          async ({ signal }) => {
            await untilAborted({ signal } as Term);
            reason = signal.reason;
            await new Promise<void>((resolve) => void clock.setTimer(resolve, 1_000));
            return "flushed";
          },
          { signal: controller.signal },
        ),
      );
      await clock.advance(10);
      controller.abort("enough");
      await clock.advance(999);
      // It is still the leader while it finishes.
      expect([reason, running.state(), (await election.leader())?.holder]).toEqual(["enough", "pending", "a"]);
      await clock.advance(1);
      expect(running.value()).toBe("flushed");
      expect(await election.leader()).toBeNull();
    });

    it("rejects as the work does that fails while it is told to finish", async () => {
      const { election } = world.candidate("a");
      const controller = new AbortController();
      const error = new Error("could not flush");
      const running = election.run(
        async (term) => {
          await untilAborted(term);
          throw error;
        },
        { signal: controller.signal },
      );
      await world.clock.advance(10);
      controller.abort();
      await expect(running).rejects.toBe(error);
      expect(await election.leader()).toBeNull();
    });

    it("remains a candidate when the work itself resigns its term", async () => {
      const { election } = world.candidate("a");
      let round = 0;
      const running = follow(
        election.run(async (term) => {
          round += 1;
          if (round === 1) await term.resign();
          return round;
        }),
      );
      await world.clock.advance(500);
      expect([round, running.state()]).toEqual([1, "pending"]);
      await world.clock.advance(1_000);
      expect(running.value()).toBe(2);
    });

    it("does not pass off work that finished after its lease as work of a leader", async () => {
      const { clock } = world;
      const { cache, election } = world.candidate("a", { ttlMs: 3_000 });
      const controller = new AbortController();
      const running = follow(
        election.run(
          async (term) => {
            await untilAborted(term);
            await new Promise<void>((resolve) => void clock.setTimer(resolve, 5_000));
            return "late";
          },
          { signal: controller.signal },
        ),
      );
      await clock.advance(10);
      controller.abort();
      await clock.advance(2_980);
      expect(await cache.get("leader:{reports}")).toBeUndefined();
      await clock.advance(3_000);
      expect(running.error()).toBeInstanceOf(LeadershipLostError);
      expect(running.error()).toMatchObject({ result: "late", key: "reports" });
    });

    it("gives the term back when it is withdrawn in the moment of being elected", async () => {
      const { election } = world.candidate("a");
      for (const takePart of [
        (signal: AbortSignal) => election.run(() => expect.unreachable(), { signal }),
        (signal: AbortSignal) => election.campaign({ signal }),
      ]) {
        const controller = new AbortController();
        const reason = new Error("changed my mind");
        election.once("elected", () => controller.abort(reason));
        await expect(takePart(controller.signal)).rejects.toBe(reason);
        expect(await election.leader()).toBeNull();
      }
    });

    it("neither fails nor leaves a term behind when a listener throws, whose error is uncaught as in a timer", async () => {
      const { clock } = world;
      const { cache, election } = world.candidate("a", { ttlMs: 3_000 });
      const faults = { elected: new Error("elected"), lost: new Error("lost") };
      const uncaught = await uncaughtDuring(async () => {
        election.on("elected", () => {
          throw faults.elected;
        });
        election.on("lost", () => {
          throw faults.lost;
        });
        let round = 0;
        const running = follow(
          election.run(async (term) => {
            round += 1;
            if (round === 1) await untilAborted(term);
            return round;
          }),
        );
        await clock.advance(10);
        await cache.delete("leader:{reports}");
        await clock.advance(2_000);
        expect(running.value()).toBe(2);
        expect(await election.leader()).toBeNull();
      });
      expect(uncaught).toEqual([faults.elected, faults.lost, faults.elected]);
    });

    it("is as little disturbed by an observer or an onOverrun that throws", async () => {
      const { clock } = world;
      const fault = new Error("a fault");
      const failing = (): never => {
        throw fault;
      };
      const { cache, election } = world.candidate("a", { ttlMs: 3_000, observer: failing, onOverrun: failing });
      let round = 0;
      const uncaught = await uncaughtDuring(async () => {
        const running = follow(
          election.run(async () => {
            round += 1;
            if (round === 1) await sleep(clock, 10_000);
            return round;
          }),
        );
        await clock.advance(10);
        await cache.delete("leader:{reports}");
        await clock.advance(20_000);
        expect(running.value()).toBe(2);
        expect(await election.leader()).toBeNull();
      });
      expect(uncaught.length).toBeGreaterThan(5);
      expect(new Set(uncaught)).toEqual(new Set([fault]));
    });

    it("refuses work that is no function, before anything is sent", async () => {
      const { cache, election } = world.candidate("a");
      await expect(election.run(undefined as never)).rejects.toThrow(ConfigError);
      expect(cache.count()).toBe(0);
    });

    it("gives up on an error that waiting cannot mend", async () => {
      const { cache, election } = world.candidate("a");
      const error = new OperationError("the key is wrong", { code: "ERR_INVALID_KEY" });
      cache.inject({ fault: "error", error });
      await expect(election.run(untilAborted)).rejects.toBe(error);
    });

    it("waits out a store that is down", async () => {
      const { clock } = world;
      const { cache, election } = world.candidate("a");
      cache.inject({ fault: "error" });
      const running = follow(election.run(() => "done"));
      await clock.advance(600_000);
      expect(running.state()).toBe("pending");
      cache.heal();
      await clock.advance(2_000);
      expect(running.value()).toBe("done");
    });
  });

  describe("resign", () => {
    it("hands over when the work has stopped, and remains a candidate behind the others", async () => {
      const { clock } = world;
      const a = world.candidate("a");
      const b = world.candidate("b");
      const controller = new AbortController();
      const leaders: string[] = [];
      const runs = [a, b].map(({ election }, index) =>
        election.run(
          async (term) => {
            leaders.push("ab".charAt(index));
            await untilAborted(term);
            await new Promise<void>((resolve) => void clock.setTimer(resolve, 100));
          },
          { signal: controller.signal },
        ),
      );
      const settled = Promise.allSettled(runs);
      await clock.advance(10);
      const resigned = follow(a.election.resign());
      await clock.advance(99);
      expect([resigned.state(), leaders]).toEqual(["pending", ["a"]]);
      await clock.advance(1);
      expect([resigned.value(), leaders]).toEqual([true, ["a", "b"]]);
      await clock.advance(10_000);
      expect(leaders).toEqual(["a", "b"]);
      void b.election.resign();
      await clock.advance(100);
      expect(leaders).toEqual(["a", "b", "a"]);
      controller.abort();
      await clock.advance(100);
      await settled;
    });

    it("is elected again after a while when nobody else wants it", async () => {
      const { clock } = world;
      const { election } = world.candidate("a");
      const controller = new AbortController();
      const running = election.run(untilAborted, { signal: controller.signal });
      await clock.advance(10);
      await election.resign();
      await clock.advance(500);
      expect(election.isLeader).toBe(false);
      await clock.advance(1_000);
      expect(election.isLeader).toBe(true);
      controller.abort();
      await running;
    });

    it("is no error for who does not lead", async () => {
      const { election } = world.candidate("a");
      expect(await election.resign()).toBe(false);
      const term = await election.campaign();
      await term.resign();
      expect(await election.resign()).toBe(false);
    });
  });
});
