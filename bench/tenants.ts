/**
 * What a manager does to many tenants. Run with `npx tsx bench/tenants.ts [seconds]`, by default for a minute.
 *
 * 1. 200 targets at random through at most 100 connections, while locks are held on 20 of them.
 * 2. 10,000 tenants of one server: connections, memory, and the time of a `get`.
 */

import { createManager } from "../src/manager/index.ts";
import { acquireLock } from "../src/primitives/lock/acquire-lock.ts";
import { withLock } from "../src/primitives/lock/with-lock.ts";
import { startServer } from "../test/support/redis-server.ts";

const TARGETS = 200;
const WORKERS = 50;
const seconds = Number(process.argv[2] ?? 60);
const value = new Uint8Array(100);
const HOUR = 3_600_000;

const server = await startServer({ config: { databases: TARGETS } });
console.table([await randomUse()]);
console.table([await manyTenants()]);
await server.stop();

async function randomUse(): Promise<object> {
  await using manager = createManager({
    resolve: (tenantId) => ({ url: `${server.url}/${tenantId}` }),
    maxConnections: TARGETS / 2,
  });
  const locks = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => acquireLock(await manager.get(String(index)), "held")),
  );
  const until = performance.now() + seconds * 1_000;
  const tally = { uses: 0, failures: 0, most: 0 };
  const worker = async (number: number): Promise<void> => {
    while (performance.now() < until) {
      try {
        const cache = await manager.get(String(Math.floor(Math.random() * TARGETS)));
        await withLock(cache, `job ${number}`, () => cache.set(`key ${number}`, value, HOUR));
        await cache.get(`key ${number}`);
        tally.uses += 1;
      } catch (error) {
        console.error(error);
        tally.failures += 1;
      }
      tally.most = Math.max(tally.most, manager.stats().connections);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, (_, number) => worker(number)));
  const { connections, opened, evicted } = manager.stats();
  const stillHeld = locks.filter((lock) => lock.isHeld()).length;
  await Promise.all(locks.map((lock) => lock.release()));
  return {
    seconds,
    ...tally,
    "connections at the end": connections,
    opened,
    evicted,
    "locks held": `${stillHeld} of 20`,
  };
}

async function manyTenants(): Promise<object> {
  await using manager = createManager({ resolve: () => ({ url: server.url }) });
  await manager.get("warm-up");
  const ids = Array.from({ length: 10_000 }, (_, index) => `tenant-${index}`);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const from = performance.now();
  const caches = await Promise.all(ids.map((id) => manager.get(id)));
  const firstMs = performance.now() - from;
  globalThis.gc?.();
  const bytes = (process.memoryUsage().heapUsed - before) / caches.length;
  const again = performance.now();
  for (let round = 0; round < 10; round++) for (const id of ids) await manager.get(id);
  return {
    tenants: manager.stats().tenants,
    connections: manager.stats().connections,
    "first get, µs": ((firstMs * 1_000) / ids.length).toFixed(2),
    "later get, µs": (((performance.now() - again) * 1_000) / (10 * ids.length)).toFixed(2),
    "bytes per tenant": globalThis.gc ? Math.round(bytes) : "run with node --expose-gc",
  };
}
