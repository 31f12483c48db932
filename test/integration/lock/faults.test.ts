/** Faults of a real server while locks are held. The margins are printed: those of 100 samples are in docs/locks.md. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Coordinator } from "../../../src/coordinator.ts";
import { LockLostError } from "../../../src/primitives/lock/errors.ts";
import { startProxy, type TcpProxy } from "../../support/proxy.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { connectBriskly, follow, holdMany, type Stall, type Watched, watchLock } from "./fault-bench.ts";

const TTL_MS = 1_500;

describe("while locks are held", () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let hold: Coordinator;
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

  beforeEach(async () => {
    process.on("unhandledRejection", onUnhandled);
    server = await startServer();
    proxy = await startProxy(server);
    hold = await connectBriskly(proxy.url);
  });

  afterEach(async () => {
    await hold.close();
    await proxy.close();
    await server.stop();
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled.splice(0)).toEqual([]);
  });

  /** All locks are lost by the end of their lease; prints by how much. */
  const expectAllLostInTime = async (fault: string, held: readonly Watched[], stall: Stall): Promise<void> => {
    await until("every lock is lost", () => held.every((one) => one.marginMs() !== undefined), { everyMs: 50 });
    const stalledMs = stall.end();
    const worst = Math.min(...held.map((one) => one.marginMs() ?? Number.NaN));
    console.log(`${fault}: worst margin ${worst.toFixed(1)} ms of ${held.length} locks, ttl ${TTL_MS} ms`);
    // A process that gets no processor cannot abort in time; this machine may be that busy.
    expect(worst).toBeGreaterThanOrEqual(-stalledMs);
    for (const { lock } of held) {
      expect(lock.isHeld()).toBe(false);
      expect(lock.signal.reason).toBeInstanceOf(LockLostError);
    }
  };

  it.each([
    ["the server is stopped (SIGSTOP)", () => server.pause(), () => server.resume()],
    ["the server is paused (CLIENT PAUSE)", () => server.command("CLIENT", "PAUSE", 3 * TTL_MS), () => undefined],
    ["the network delivers nothing, either way", () => proxy.partition(), () => proxy.heal()],
    ["requests arrive and replies do not", () => proxy.toClient.hold(), () => proxy.heal()],
    ["the server is killed", () => server.kill(), () => server.start()],
  ])("%s for longer than the lease: the signal aborts before it ends", async (fault, begin, end) => {
    const held = await holdMany(hold, "job", TTL_MS);
    const stall = follow(held);
    await begin();
    await expectAllLostInTime(fault, held, stall);
    await end();
    await until("the store is reachable", () => hold.cache.health().then(() => true));
    // Whatever was left behind is gone, and the next holder has a higher token.
    const next = await hold.acquireLock("job 0", { ttlMs: TTL_MS, waitMs: 10_000 });
    const [first] = held;
    expect(next.fencingToken).toBeGreaterThan(first?.lock.fencingToken ?? Number.NaN);
    expect(await first?.lock.release()).toBe(false);
    expect(await next.release()).toBe(true);
  });

  it("the server restarts with its data within the lease: the locks are kept", async () => {
    const held = await holdMany(hold, "job", 4_000);
    await server.restart({ keepData: true });
    await until("the store is reachable", () => hold.cache.health().then(() => true));
    await Promise.all(held.map(({ lock }) => lock.extend()));
    for (const { lock } of held) expect(await lock.release()).toBe(true);
  });

  it("the server restarts without its data: the locks are lost by their next renewal, and tokens still rise", async () => {
    const held = await holdMany(hold, "job", TTL_MS);
    const stall = follow(held);
    await server.restart({ keepData: false });
    await expectAllLostInTime("restart without data", held, stall);
    for (const [i, { lock }] of held.entries()) {
      const next = await hold.acquireLock(`job ${i}`);
      expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
      await next.release();
    }
  });

  it("the record is deleted or overwritten by hand: the lock is lost by its next renewal", async () => {
    const held = await holdMany(hold, "job", TTL_MS);
    const stall = follow(held);
    for (const [i] of held.entries()) {
      if (i % 2 === 0) await server.command("DEL", `lock:{job ${i}}`);
      else await server.command("SET", `lock:{job ${i}}`, "by hand", "PX", 2_000);
    }
    await expectAllLostInTime("stolen by hand", held, stall);
    expect(await held[1]?.lock.release()).toBe(false);
    expect(String(await server.command("GET", "lock:{job 1}"))).toBe("by hand");
  });

  it("the connection is reset after a renewal was applied and before it was answered: the lock is kept", async () => {
    const lock = await hold.acquireLock("job", { ttlMs: TTL_MS });
    for (let round = 0; round < 3; round++) {
      await proxy.cutReply({ afterBytes: 0, request: "lock:{job}" });
      await until("the lock is renewed", () => lock.remainingMs > TTL_MS / 2);
      expect(lock.isHeld()).toBe(true);
    }
    expect(await lock.release()).toBe(true);
  });

  it("the event loop is blocked past the lease: isHeld is right at once, the signal follows", async () => {
    const watched = watchLock(await hold.acquireLock("job", { ttlMs: TTL_MS }), TTL_MS);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * TTL_MS);
    expect(watched.lock.isHeld()).toBe(false);
    expect(watched.lock.signal.aborted).toBe(true);
    expect(await watched.lock.release()).toBe(false);
  });
});

describe("while a lock is taken or given back", () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let hold: Coordinator;

  beforeEach(async () => {
    server = await startServer();
    proxy = await startProxy(server);
    hold = await connectBriskly(proxy.url);
  });

  afterEach(async () => {
    await hold.close();
    await proxy.close();
    await server.stop();
  });

  const keys = async (): Promise<string[]> => ((await server.command("KEYS", "lock:*")) as string[]).map(String);

  it("a reset after it was taken and before the answer costs no more than a retry", async () => {
    const cut = proxy.cutReply({ afterBytes: 0, request: "lock:{job}" });
    const startedMs = performance.now();
    const lock = await hold.acquireLock("job", { ttlMs: 30_000 });
    await cut;
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(lock.isHeld()).toBe(true);
    expect(await lock.release()).toBe(true);
    expect(await keys()).toEqual([]);
  });

  it("a reset after the release was applied and before the answer is no failure of the work", async () => {
    const value = await hold.withLock("job", async () => {
      void proxy.cutReply({ afterBytes: 0, request: "lock:{job}" });
      return "done";
    });
    expect(value).toBe("done");
    await until("nothing is left", async () => (await keys()).length === 0);
  });

  it("an acquisition that gives up takes back what it may have left", async () => {
    proxy.toClient.hold();
    await expect(hold.acquireLock("job", { ttlMs: 30_000, waitMs: 200 })).rejects.toMatchObject({
      code: "ERR_LOCK_TIMEOUT",
    });
    proxy.heal();
    await until("nothing is left", async () => (await keys()).length === 0);
  });

  it("a release that cannot reach the store neither fails nor delays the work", async () => {
    const startedMs = performance.now();
    const value = await hold.withLock(
      "job",
      () => {
        proxy.partition();
        return "done";
      },
      { ttlMs: 30_000 },
    );
    expect(value).toBe("done");
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    proxy.heal();
    await until("the release is made up for", async () => (await keys()).length === 0);
  });

  it("an error of the work is its own, whatever the store does", async () => {
    const mistake = new Error("the work's own");
    const run = hold.withLock("job", () => {
      proxy.partition();
      throw mistake;
    });
    await expect(run).rejects.toBe(mistake);
    proxy.heal();
  });
});
