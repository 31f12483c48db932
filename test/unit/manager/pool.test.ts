import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import type { Connection } from "../../../src/manager/connection.ts";
import { Pool, type PoolOptions } from "../../../src/manager/pool.ts";
import type { Store } from "../../../src/manager/store.ts";
import type { Target } from "../../../src/manager/target.ts";
import { sleep } from "../../../src/runtime/clock.ts";
import { ManualClock } from "../../../src/testing/index.ts";

const OPENING_MS = 10;

let clock: ManualClock;
let pool: Pool;
let log: string[];
let failing: Set<string>;

beforeEach(() => {
  clock = new ManualClock();
  log = [];
  failing = new Set();
  pool = makePool();
});

afterEach(async () => {
  await settled(pool.close());
  expect(clock.timers).toBe(0);
});

function makePool(limits: Partial<PoolOptions> = {}): Pool {
  return new Pool({
    clock,
    maxConnections: 2,
    idleTtlMs: 1_000,
    open: async ({ label }) => {
      await sleep(clock, OPENING_MS);
      if (failing.has(label)) throw new Error(`${label} is down`);
      return storeOf(label);
    },
    onOpened: ({ label }) => log.push(`${label} opened`),
    onOpenFailed: ({ label }) => log.push(`${label} failed`),
    onEvicted: ({ label }, reason) => log.push(`${label} evicted: ${reason}`),
    ...limits,
  });
}

function storeOf(label: string): Store {
  const close = async (): Promise<void> => void log.push(`${label} closed`);
  return { cache: (keyPrefix) => createMemoryCache({ keyPrefix, clock }), close };
}

function target(label: string): Target {
  return { id: label, label, endpoints: [label], store: { memory: label } };
}

async function settled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  await clock.advance(OPENING_MS);
  return promise;
}

const acquire = (label: string): Promise<Connection> => settled(pool.acquire(target(label)));

/** Opens a connection and leaves it idle. */
async function use(label: string): Promise<void> {
  (await acquire(label)).giveBack();
}

describe("a pool", () => {
  it("opens one connection, however many ask for it at the same time and later", async () => {
    const connections = await settled(Promise.all(Array.from({ length: 50 }, () => pool.acquire(target("a")))));
    connections.push(await pool.acquire(target("a")));
    expect(new Set(connections).size).toBe(1);
    expect(log).toEqual(["a opened"]);
    for (const connection of connections) connection.giveBack();
    expect(pool).toMatchObject({ open: 1, idle: 1, opening: 0 });
  });

  it("does not remember that a connection could not be opened", async () => {
    failing.add("a");
    const outcomes = await settled(Promise.allSettled([pool.acquire(target("a")), pool.acquire(target("a"))]));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    failing.clear();
    await use("a");
    expect(log).toEqual(["a failed", "a opened"]);
  });

  it("evicts the one that was not used for longest when there are too many", async () => {
    await use("a");
    await use("b");
    await use("a");
    await use("c");
    expect(log).toEqual(["a opened", "b opened", "b closed", "b evicted: limit", "c opened"]);
  });

  it("never evicts one that is in use: it goes above the limit, and back as soon as one is idle", async () => {
    const [a, b, c] = [await acquire("a"), await acquire("b"), await acquire("c")];
    expect(pool.open).toBe(3);
    await clock.advance(10_000);
    expect(log).toEqual(["a opened", "b opened", "c opened"]);
    b.giveBack();
    expect(log.slice(3)).toEqual(["b closed", "b evicted: limit"]);
    expect(b.lend()).toBe(false);
    a.giveBack();
    c.giveBack();
    expect(pool).toMatchObject({ open: 2, idle: 2 });
  });

  it("does not evict what was just opened before those who waited have used it", async () => {
    const [a, b] = [await acquire("a"), await acquire("b")];
    const [c, again] = await settled(Promise.all([pool.acquire(target("c")), pool.acquire(target("c"))]));
    expect(c?.isOpen).toBe(true);
    for (const connection of [a, b, c, again]) connection?.giveBack();
    expect(pool.open).toBe(2);
  });

  it("evicts what was not used for idleTtlMs, counted from the last use", async () => {
    await use("a");
    await clock.advance(500);
    await use("b");
    await clock.advance(300);
    await use("a");
    await clock.advance(1_000 - 300 - OPENING_MS - 1);
    expect(log).toEqual(["a opened", "b opened"]);
    await clock.advance(1);
    expect(log.slice(2)).toEqual(["b closed", "b evicted: idle"]);
    await clock.advance(1_000);
    expect(log.slice(4)).toEqual(["a closed", "a evicted: idle"]);
    expect(clock.timers).toBe(0);
  });

  it("keeps idle connections for ever if it is told so", async () => {
    pool = makePool({ idleTtlMs: Number.POSITIVE_INFINITY });
    await use("a");
    await clock.advance(1e12);
    expect(pool.open).toBe(1);
  });

  it("opens a connection anew after it was evicted", async () => {
    await use("a");
    await clock.advance(1_000);
    await use("a");
    expect(log).toEqual(["a opened", "a closed", "a evicted: idle", "a opened"]);
  });

  it("closes what is being opened, too, and opens nothing after that", async () => {
    await use("a");
    const pending = pool.acquire(target("b"));
    const closing = pool.close();
    await expect(pool.acquire(target("c"))).rejects.toMatchObject({ code: "ERR_CLOSED" });
    await settled(closing);
    expect((await pending).isOpen).toBe(false);
    expect(log).toEqual(["a opened", "b opened", "a closed", "b closed"]);
    expect(pool).toMatchObject({ open: 0, idle: 0, opening: 0 });
  });
});
