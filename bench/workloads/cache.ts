import { isDeepStrictEqual } from "node:util";
import { type CacheOperations, part, type Subject } from "../contestants/contestant.ts";
import type { Stage } from "../process/stage.ts";
import { cycle, measureLoad } from "./load.ts";
import type { Metrics, Round, Workload } from "./workload.ts";

const TTL_MS = 60_000;
const KEYS = 1_000;

interface Params extends Round {
  readonly operation: "get" | "set" | "getOrSet";
  readonly concurrency: number;
  readonly sliceMs: number;
}

/** The operations of the store below. */
export const cache: Workload = {
  name: "cache",
  title: "Cache operations",
  description:
    "Values of 200 bytes under 1,000 keys, ttl 60 s; `get` and `getOrSet` find one. Holdfast and raw ioredis take " +
    "bytes; typed Holdfast and the peers take an object and encode it.",
  offer: "cache",
  cases: ({ sliceMs }) =>
    (["get", "set", "getOrSet"] as const).flatMap((operation) =>
      [1, 64].map((concurrency) => ({
        name: `${operation} ${concurrency}`,
        params: { operation, concurrency, sliceMs },
      })),
    ),
  columns: [
    { metric: "p50Ms", title: "p50 ms", digits: 3, cases: ["get 1", "set 1", "getOrSet 1"] },
    { metric: "p99Ms", title: "p99 ms", digits: 3 },
    { metric: "p999Ms", title: "p99.9 ms", digits: 3, cases: ["get 64", "set 64", "getOrSet 64"] },
    { metric: "perSecond", title: "/s", digits: 0, cases: ["get 64", "set 64", "getOrSet 64"] },
    { metric: "clientMicros", title: "client µs", digits: 1, cases: ["get 64"] },
    { metric: "serverMicros", title: "server µs", digits: 1, cases: ["get 64"] },
  ],
  roles: { check, measure },
};

async function measure(subject: Subject, params: Params, stage: Stage): Promise<Metrics> {
  const { operation, concurrency, sliceMs, round } = params;
  const operations = part(subject, "cache");
  const nextKey = cycle(`product:${process.pid}`, KEYS);
  if (round === 0) for (let i = 0; i < KEYS; i++) await operations.set(nextKey(), TTL_MS);
  const run = {
    get: () => operations.get(nextKey()),
    set: () => operations.set(nextKey(), TTL_MS),
    getOrSet: () => operations.getOrSet(nextKey(), TTL_MS),
  }[operation];
  const metrics = await measureLoad(run, { concurrency, sliceMs }, stage);
  return round === 0 ? {} : metrics;
}

async function check(subject: Subject, _params: object, { observer }: Stage): Promise<void> {
  const operations = part(subject, "cache");
  const key = `check-${process.pid}`;
  await operations.set(key, TTL_MS);
  await expectValue(operations, "get", operations.get(key));
  await expectValue(operations, "getOrSet", operations.getOrSet(key, TTL_MS));
  await expectValue(operations, "getOrSet of an absent key", operations.getOrSet(`${key}-absent`, TTL_MS));
  // Throws unless the value is on the server, and expires.
  await observer.expiryOf(key);
}

async function expectValue({ value }: CacheOperations, what: string, answer: Promise<unknown>): Promise<void> {
  const given = await answer;
  const plain = (bytes: unknown): unknown => (Buffer.isBuffer(bytes) ? new Uint8Array(bytes) : bytes);
  if (!isDeepStrictEqual(plain(given), plain(value))) throw new Error(`${what} gave something else than was stored`);
}
