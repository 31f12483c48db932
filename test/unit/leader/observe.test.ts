/** `leader`, `observe` and the `changed` event, in virtual time. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LeaderInfo } from "../../../src/primitives/leader/leader-info.ts";
import { encodeRecord } from "../../../src/primitives/lease/record.ts";
import { follow } from "../lock/world.ts";
import { Candidates, collect } from "./candidates.ts";

const LEASE = "leader:{reports}";

describe("observing an election", () => {
  let world: Candidates;

  beforeEach(() => {
    world = new Candidates();
  });

  afterEach(async () => {
    await world.clock.advance(120_000);
    expect(world.clock.timers, "timers left").toBe(0);
  });

  it("yields who leads now, then each change at once, and null in between", async () => {
    const { clock } = world;
    const a = world.candidate("a");
    const b = world.candidate("b");
    const first = await a.election.campaign();
    const controller = new AbortController();
    const { seen, terms, ended } = collect(world.candidate("observer").election.observe({ signal: controller.signal }));
    await clock.advance(0);
    expect(seen).toEqual(["a"]);
    await first.resign();
    await clock.advance(0);
    expect(seen).toEqual(["a", null]);
    const second = await b.election.campaign();
    await clock.advance(0);
    expect(seen).toEqual(["a", null, "b"]);
    expect(terms).toEqual([first.fencingToken, second.fencingToken]);
    await second.resign();
    await clock.advance(0);
    expect(seen).toEqual(["a", null, "b", null]);
    controller.abort();
    await ended;
  });

  it("looks again when it hears of a change while it looks", async () => {
    const { clock } = world;
    const a = world.candidate("a");
    const first = await a.election.campaign();
    const observer = world.candidate("observer");
    const controller = new AbortController();
    const { seen, ended } = collect(observer.election.observe({ signal: controller.signal }));
    // The bell of this election has fallen silent by then.
    await clock.advance(10);
    // A look that is under way, of which the answer was read before the change.
    const reading = observer.cache.inject({ fault: "hang-reply", operation: "get", times: 2 });
    await world.store().compareAndSet("leader-bell:{reports}", null, new Uint8Array([1]), 60_000);
    await clock.advance(0);
    expect(reading.hits).toBe(2);
    await first.resign();
    await clock.advance(0);
    reading.release();
    await clock.advance(0);
    expect(seen).toEqual(["a", null]);
    controller.abort();
    await ended;
  });

  it("yields null first when nobody leads", async () => {
    const { seen, ended } = collectSome(world.candidate("observer").election.observe(), 1);
    await ended;
    expect(seen).toEqual([null]);
  });

  it("hears of a leader that died when its lease expires", async () => {
    const { clock } = world;
    const a = world.candidate("a", { ttlMs: 3_000 });
    await a.election.campaign();
    const controller = new AbortController();
    const { seen, ended } = collect(world.candidate("observer").election.observe({ signal: controller.signal }));
    await clock.advance(0);
    a.cache.inject({ fault: "hang" });
    await clock.advance(2_999);
    expect(seen).toEqual(["a"]);
    await clock.advance(1);
    expect(seen).toEqual(["a", null]);
    a.cache.heal();
    controller.abort();
    await ended;
  });

  it("says nothing while the leader renews its term", async () => {
    const a = world.candidate("a");
    const term = await a.election.campaign();
    const controller = new AbortController();
    const observer = world.candidate("observer");
    const { seen, ended } = collect(observer.election.observe({ signal: controller.signal }));
    await world.clock.advance(600_000);
    expect(seen).toEqual(["a"]);
    expect(observer.cache.count({ operation: "get", key: LEASE })).toBeLessThan(150);
    controller.abort();
    await ended;
    await term.resign();
  });

  it.each(["mute", "error"] as const)("comes to know by polling what a watch does not tell (%s)", async (fault) => {
    const { clock } = world;
    const observer = world.candidate("observer");
    observer.cache.inject({ fault, operation: "watch" });
    const controller = new AbortController();
    const { seen, ended } = collect(observer.election.observe({ signal: controller.signal }));
    await clock.advance(10);
    const term = await world.candidate("a").election.campaign();
    await clock.advance(10_000);
    expect(seen).toEqual([null, "a"]);
    await term.resign();
    await clock.advance(10_000);
    expect(seen).toEqual([null, "a", null]);
    controller.abort();
    await ended;
  });

  it("always delivers the last change to a consumer that is slow, though not all in between", async () => {
    const { clock } = world;
    const seen: (string | null)[] = [];
    const observe = async (): Promise<void> => {
      for await (const leader of world.candidate("observer").election.observe()) {
        seen.push(leader?.holder ?? null);
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 1_000));
        if (leader?.holder === "last") break;
      }
    };
    const observing = observe();
    await clock.advance(10);
    for (const name of ["a", "b", "c"]) await (await world.candidate(name).election.campaign()).resign();
    const last = await world.candidate("last").election.campaign();
    await clock.advance(3_000);
    await observing;
    expect(seen).toEqual([null, "last"]);
    await last.resign();
  });

  it("waits out a store that is down", async () => {
    const { clock } = world;
    const observer = world.candidate("observer");
    observer.cache.inject({ fault: "error" });
    const { seen, ended } = collectSome(observer.election.observe(), 1);
    await clock.advance(60_000);
    expect(seen).toEqual([]);
    observer.cache.heal();
    await clock.advance(2_000);
    await ended;
    expect(seen).toEqual([null]);
  });

  it("does not show a lower token, a guess about to be replaced, unless the store has lost its data", async () => {
    const { clock } = world;
    const a = world.candidate("a");
    const term = await a.election.campaign();
    const controller = new AbortController();
    const { seen, terms, ended } = collect(world.candidate("observer").election.observe({ signal: controller.signal }));
    await clock.advance(0);
    await term.resign();
    const record = (fencingToken: number): Uint8Array =>
      encodeRecord({
        holder: "b",
        nonce: new Uint8Array(16),
        fencingToken,
        lastToken: fencingToken,
        acquiredAtMs: 0,
        ttlMs: 1,
      });
    await a.cache.compareAndSet(LEASE, null, record(7), 60_000);
    await clock.advance(5_000);
    expect(seen).toEqual(["a", null]);
    await a.cache.compareAndSet(LEASE, record(7), record(term.fencingToken + 1), 60_000);
    await clock.advance(0);
    expect(terms).toEqual([term.fencingToken, term.fencingToken + 1]);
    await a.cache.delete("leader-fence:{reports}");
    await a.cache.compareAndSet(LEASE, record(term.fencingToken + 1), record(7), 60_000);
    await clock.advance(0);
    expect(terms).toEqual([term.fencingToken, term.fencingToken + 1, 7]);
    controller.abort();
    await ended;
  });

  it("shows nobody who has taken the lease but was issued no token: if it dies there, it never led", async () => {
    const { clock } = world;
    const a = world.candidate("a", { ttlMs: 3_000 });
    const b = world.candidate("b", { ttlMs: 3_000 });
    const controller = new AbortController();
    const { seen, terms, ended } = collect(world.candidate("observer").election.observe({ signal: controller.signal }));
    const first = await b.election.campaign();
    await first.resign();
    await clock.advance(10);
    a.cache.inject({ fault: "hang", key: "leader-fence:{reports}" });
    const dead = follow(a.election.campaign());
    await clock.advance(1_000);
    expect(await a.cache.get(LEASE)).toBeDefined();
    expect(await b.election.leader()).toBeNull();
    a.cache.inject({ fault: "hang" });
    const second = b.election.campaign();
    await clock.advance(3_000);
    expect(seen).toEqual([null, "b", null, "b"].slice(-seen.length));
    expect(seen).not.toContain("a");
    expect(terms.at(-1)).toBe((await second).fencingToken);
    await (await second).resign();
    controller.abort();
    await ended;
    a.cache.heal();
    await clock.advance(1_000);
    await dead.value()?.resign();
  });

  describe("ends, without an error and leaving no watch behind,", () => {
    it("when its signal aborts, also while the store hangs", async () => {
      const { clock } = world;
      const observer = world.candidate("observer");
      const controller = new AbortController();
      const { ended } = collect(observer.election.observe({ signal: controller.signal }));
      await clock.advance(10);
      expect(observer.cache.stats().watchedKeys).toBe(2);
      observer.cache.inject({ fault: "hang", operation: "get" });
      await clock.advance(10_000);
      controller.abort(new Error("enough"));
      await ended;
      expect(observer.cache.stats().watchedKeys).toBe(0);
      observer.cache.heal();
    });

    it("when its signal aborts while a watch is being started", async () => {
      const { clock } = world;
      const observer = world.candidate("observer");
      observer.cache.inject({ fault: "hang", operation: "watch" });
      const controller = new AbortController();
      const { ended } = collect(observer.election.observe({ signal: controller.signal }));
      await clock.advance(10);
      controller.abort();
      await ended;
      observer.cache.heal();
      await clock.advance(10);
      expect(observer.cache.stats().watchedKeys).toBe(0);
    });

    it("when its signal has been aborted before", async () => {
      const { cache, election } = world.candidate("observer");
      const { seen, ended } = collect(election.observe({ signal: AbortSignal.abort() }));
      await ended;
      expect([seen, cache.count()]).toEqual([[], 0]);
    });

    it("when the consumer leaves its loop", async () => {
      const { cache, election } = world.candidate("observer");
      for await (const leader of election.observe()) {
        expect(leader).toBeNull();
        break;
      }
      await world.clock.advance(10);
      expect(cache.stats().watchedKeys).toBe(0);
    });

    it("when the consumer returns while it waits for the next change", async () => {
      const { clock } = world;
      const { cache, election } = world.candidate("observer");
      const changes = election.observe();
      await changes.next();
      const next = follow(changes.next());
      await clock.advance(10);
      expect(next.state()).toBe("pending");
      await changes.return?.();
      await clock.advance(0);
      expect(next.value()).toEqual({ done: true, value: undefined });
      expect(cache.stats().watchedKeys).toBe(0);
      const untouched = world.candidate("untouched").election.observe();
      expect(await untouched.return?.()).toEqual({ done: true, value: undefined });
    });

    it("when the cache is closed", async () => {
      const { clock } = world;
      const observer = world.candidate("observer");
      const { ended } = collect(observer.election.observe());
      await clock.advance(10);
      await observer.cache.close();
      await clock.advance(10_000);
      await ended;
    });
  });

  describe("by the changed event", () => {
    it("hears of each change from the moment it listens until it stops listening", async () => {
      const { clock } = world;
      const { cache, election } = world.candidate("observer");
      const seen: (string | null)[] = [];
      const listen = (leader: LeaderInfo | null): void => void seen.push(leader?.holder ?? null);
      election.on("changed", listen);
      await clock.advance(10);
      const term = await world.candidate("a").election.campaign();
      await clock.advance(10);
      await term.resign();
      await clock.advance(10);
      // That nobody led in the beginning was no change.
      expect(seen).toEqual(["a", null]);
      election.off("changed", listen);
      await clock.advance(10);
      expect(cache.stats().watchedKeys).toBe(0);
      await (await world.candidate("b").election.campaign()).resign();
      await clock.advance(10);
      expect(seen).toEqual(["a", null]);
    });

    it("tells of the leader that is there when somebody begins to listen, and of one only with once", async () => {
      const { clock } = world;
      const term = await world.candidate("a").election.campaign();
      const { cache, election } = world.candidate("observer");
      const seen: unknown[] = [];
      election.once("changed", (leader) => seen.push(leader?.holder));
      await clock.advance(10);
      expect(seen).toEqual(["a"]);
      expect(cache.stats().watchedKeys).toBe(0);
      election.addListener("changed", (leader) => seen.push(leader?.holder));
      await clock.advance(10);
      expect(seen).toEqual(["a", "a"]);
      election.removeAllListeners();
      await clock.advance(10);
      expect(cache.stats().watchedKeys).toBe(0);
      await term.resign();
    });

    it("costs nothing while nobody listens", async () => {
      const { cache, election } = world.candidate("a");
      election.on("elected", () => {});
      await world.clock.advance(60_000);
      expect(cache.count()).toBe(0);
    });
  });
});

function collectSome(
  changes: AsyncIterable<LeaderInfo | null>,
  count: number,
): { readonly seen: readonly (string | null)[]; readonly ended: Promise<void> } {
  const seen: (string | null)[] = [];
  const read = async (): Promise<void> => {
    for await (const leader of changes) {
      seen.push(leader?.holder ?? null);
      if (seen.length === count) break;
    }
  };
  return { seen, ended: read() };
}
