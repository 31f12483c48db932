import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { ORDER_BYTES, type Order, type Receipt } from "../payload.ts";
import type { Contestant, Subject } from "./contestant.ts";
import { openIoredis } from "./ioredis.ts";

const RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
const RELEASE_SHA = createHash("sha1").update(RELEASE).digest("hex");
const DAY_MS = 86_400_000;

/** The commands that nobody can do without, sent by the client itself. Waits by trying again every millisecond. */
export const contestant: Contestant = {
  id: "floor",
  name: "raw ioredis",
  role: "floor",
  packages: ["ioredis"],
  client: "ioredis",
  remark: "`SET NX PX` and `EVALSHA`; no library",
  variants: [
    { name: "default", offers: ["lock", "guard", "cache"], open: (url) => open(url, false) },
    {
      name: "pipelining",
      tuning: "automatic pipelining",
      offers: ["lock", "guard", "cache"],
      open: (url) => open(url, true),
    },
  ],
};

async function open(url: string, autoPipelining: boolean): Promise<Subject> {
  const redis = await openIoredis(url, autoPipelining);
  await redis.script("LOAD", RELEASE);
  return {
    acquire: async (key, ttlMs) => {
      const token = randomUUID();
      while ((await redis.set(key, token, "PX", ttlMs, "NX")) === null) await sleep(1);
      return () => redis.evalsha(RELEASE_SHA, 1, key, token);
    },
    guard: (handler) => (order) => deliver(redis, handler, order),
    cache: {
      value: ORDER_BYTES,
      get: (key) => redis.getBuffer(key),
      set: (key, ttlMs) => redis.set(key, ORDER_BYTES, "PX", ttlMs),
      getOrSet: async (key, ttlMs) =>
        (await redis.setBuffer(key, ORDER_BYTES, "PX", ttlMs, "NX", "GET")) ?? ORDER_BYTES,
    },
    close: () => redis.quit(),
  };
}

/** As little as can be: no fingerprint, no owner, no renewal of the claim. */
async function deliver(redis: Redis, handler: (order: Order) => Promise<Receipt>, order: Order): Promise<unknown> {
  const key = `order:${order.id}`;
  const earlier = await redis.set(key, "running", "PX", 30_000, "NX", "GET");
  if (earlier !== null) return JSON.parse(earlier);
  const receipt = await handler(order);
  await redis.set(key, JSON.stringify(receipt), "PX", DAY_MS);
  return receipt;
}
