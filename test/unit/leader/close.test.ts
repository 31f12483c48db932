/** Closing a coordinator with candidates, leaders and observers, in virtual time. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClosedError } from "../../../src/cache/errors.ts";
import { connect } from "../../../src/connect.ts";
import type { Coordinator } from "../../../src/coordinator.ts";
import type { Term } from "../../../src/primitives/leader/term.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";
import { follow } from "../lock/world.ts";
import { collect, untilAborted } from "./candidates.ts";

describe("a coordinator with elections", () => {
  let clock: ManualClock;
  let hold: Coordinator;
  let other: Coordinator;
  const store = "memory:elections to close";

  beforeEach(async () => {
    clock = new ManualClock();
    hold = await connect(store, { clock, holder: "a" });
    other = await connect(store, { clock, holder: "b" });
  });

  afterEach(async () => {
    await hold.close();
    await other.close();
    await clock.advance(60_000);
    expect(clock.timers, "timers left").toBe(0);
  });

  it("resigns when it closes: the work is told and finishes, then the next candidate leads at once", async () => {
    const leader = hold.election("reports");
    const next = other.election("reports");
    let term: Term | undefined;
    const running = follow(
      leader.run(async (given) => {
        term = given;
        await untilAborted(given);
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 3_000));
        return "flushed";
      }),
    );
    await clock.advance(10);
    const waiting = follow(next.campaign());
    await clock.advance(10);
    const closing = follow(hold.close());
    await clock.advance(0);
    expect(term?.signal.reason).toBeInstanceOf(ClosedError);
    await clock.advance(2_999);
    expect([closing.state(), waiting.state(), leader.isLeader]).toEqual(["pending", "pending", true]);
    await clock.advance(1);
    expect([closing.state(), waiting.state(), leader.isLeader]).toEqual(["fulfilled", "fulfilled", false]);
    expect(running.value()).toBe("flushed");
  });

  it("waits for work that does not stop until the end of its lease, no longer", async () => {
    const leader = hold.election("reports", { ttlMs: 5_000 });
    const overrun: unknown[] = [];
    hold.on("leaderOverrun", (event) => overrun.push(event));
    let finish = (): void => {};
    const running = follow(leader.run(() => new Promise<void>((resolve) => (finish = resolve))));
    await clock.advance(10);
    const token = leader.term?.fencingToken;
    const closing = follow(hold.close());
    await clock.advance(4_800);
    expect(closing.state()).toBe("pending");
    await clock.advance(200);
    expect(closing.state()).toBe("fulfilled");
    expect(leader.isLeader).toBe(false);
    await clock.advance(1_000);
    expect(overrun).toEqual([{ name: "reports", fencingToken: token }]);
    expect(running.state()).toBe("pending");
    finish();
    await clock.advance(0);
    expect(running.error()).toMatchObject({ code: "ERR_LEADERSHIP_LOST" });
  });

  it("gives back a term that was won by campaign at once, and tells its holder", async () => {
    const term = await hold.election("reports").campaign();
    const waiting = follow(other.election("reports").campaign());
    await clock.advance(10);
    await hold.close();
    expect(term.signal.reason).toBeInstanceOf(ClosedError);
    await clock.advance(0);
    expect(waiting.state()).toBe("fulfilled");
  });

  it("rejects who waits with ClosedError, ends observations, and refuses everything afterwards", async () => {
    const term = await other.election("reports").campaign();
    const candidate = hold.election("reports");
    const waits = [follow(candidate.run(untilAborted)), follow(hold.election("reports").campaign())];
    const { seen, ended } = collect(candidate.observe());
    candidate.on("changed", () => {});
    await clock.advance(10);
    await hold.close();
    await ended;
    await clock.advance(0);
    expect(waits.map((wait) => wait.error())).toEqual([expect.any(ClosedError), expect.any(ClosedError)]);
    expect(seen).toEqual(["b"]);
    expect(() => hold.election("reports")).toThrow(ClosedError);
    await expect(candidate.run(untilAborted)).rejects.toThrow(ClosedError);
    await expect(candidate.campaign()).rejects.toThrow(ClosedError);
    await expect(candidate.leader()).rejects.toThrow(ClosedError);
    expect(await candidate.observe().next()).toEqual({ done: true, value: undefined });
    await term.resign();
  });

  it("ends the pause after a hand-over as well", async () => {
    const candidate = hold.election("reports");
    const running = follow(candidate.run(untilAborted));
    await clock.advance(10);
    await candidate.resign();
    await clock.advance(100);
    await hold.close();
    await clock.advance(0);
    expect(running.error()).toBeInstanceOf(ClosedError);
  });

  it("tells of a lost leadership, and nobody has to listen", async () => {
    const lost: unknown[] = [];
    hold.on("leadershipLost", (event) => lost.push(event));
    const term = await hold.election("reports", { ttlMs: 1_000 }).campaign();
    await other.cache.delete("leader:{reports}");
    await clock.advance(1_000);
    expect(lost).toEqual([{ name: "reports", fencingToken: term.fencingToken, reason: "taken" }]);
  });
});
