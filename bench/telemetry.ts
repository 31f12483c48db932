/**
 * What the instrumented path costs without an SDK, against the bare path: pairs of short blocks, one right after the
 * other in changing order, and the median of the ratios within pairs, so that neither noise nor drift counts.
 * Run with `npx tsx bench/telemetry.ts`.
 */

import type { Cache } from "../src/cache/contract.ts";
import { createMemoryCache } from "../src/cache/memory/index.ts";
import { openRedisCache } from "../src/cache/redis/index.ts";
import { Coordinator } from "../src/coordinator.ts";
import { telemetry } from "../src/telemetry/index.ts";
import { startServer } from "../test/support/redis-server.ts";

const value = new Uint8Array(200);
const HOUR = 3_600_000;
const WARM_UP = 20;
const PAIRS = 150;

type Work = (hold: Coordinator) => Promise<unknown>;

/** One operation, and how many of them are in flight at a time. */
const WORKLOADS: readonly (readonly [string, inFlight: number, Work])[] = [
  ["get", 1, (hold) => hold.cache.get("key")],
  ["get", 64, (hold) => hold.cache.get("key")],
  ["set", 64, (hold) => hold.cache.set("key", value, HOUR)],
  ["withLock", 1, (hold) => hold.withLock("lock", () => undefined)],
];

const server = await startServer();
const redis = await openRedisCache(server.url);
const memory = createMemoryCache();
const rows = [...(await compareAll("redis", redis, 200)), ...(await compareAll("memory", memory, 2_000))];
console.table(rows);
await memory.close();
await redis.close();
await server.stop();

async function compareAll(store: string, cache: Cache, operations: number): Promise<object[]> {
  const [bare, instrumented] = [new Coordinator(cache), new Coordinator(cache, { telemetry: telemetry() })];
  const rows: object[] = [];
  for (const [operation, inFlight, work] of WORKLOADS) {
    const block = (hold: Coordinator): Promise<number> => timeOf(hold, work, inFlight, operations);
    const { bareMs, ratio } = await compare(
      () => block(bare),
      () => block(instrumented),
    );
    const cost = `${((ratio - 1) * 100).toFixed(2)} %`;
    rows.push({ store, operation, inFlight, "bare µs": ((bareMs * 1_000) / operations).toFixed(2), cost });
  }
  await bare.close();
  await instrumented.close();
  return rows;
}

type Block = () => Promise<number>;

/** The median time of the bare block, and the median of what the other one takes in relation to it. */
async function compare(bare: Block, other: Block): Promise<{ bareMs: number; ratio: number }> {
  const bareMs: number[] = [];
  const ratios: number[] = [];
  for (let pair = -WARM_UP; pair < PAIRS; pair++) {
    const firstIsBare = pair % 2 === 0;
    const first = await (firstIsBare ? bare : other)();
    const second = await (firstIsBare ? other : bare)();
    if (pair < 0) continue;
    bareMs.push(firstIsBare ? first : second);
    ratios.push(firstIsBare ? second / first : first / second);
  }
  return { bareMs: median(bareMs), ratio: median(ratios) };
}

async function timeOf(hold: Coordinator, work: Work, inFlight: number, operations: number): Promise<number> {
  const from = performance.now();
  let left = operations;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await work(hold);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return performance.now() - from;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
