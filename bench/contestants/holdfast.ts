import { codec, defineKey, typed, unchecked } from "../../dist/cache/index.js";
import { type Coordinator, connect } from "../../dist/index.js";
import { ORDER, ORDER_BYTES, type Order } from "../payload.ts";
import type { CacheOperations, Contestant, Subject } from "./contestant.ts";

/** The library as it was built, through its front door. */
export const contestant: Contestant = {
  id: "holdfast",
  name: "holdfast",
  role: "holdfast",
  packages: [],
  client: "ioredis",
  wakesWaiters: true,
  variants: [
    {
      name: "default",
      offers: ["lock", "renewal", "guard", "cache", "codec"],
      open: async (url) => {
        const hold = await connect(url);
        return { ...locks(hold, true), ...others(hold, bytes(hold)) };
      },
    },
    {
      name: "fencing: false",
      tuning: "no fencing token, like the peers",
      offers: ["lock"],
      open: async (url) => {
        const hold = await connect(url);
        return { ...locks(hold, false), close: () => hold.close() };
      },
    },
    {
      name: "typed",
      tuning: "typed keys: objects as CBOR",
      offers: ["cache"],
      open: async (url) => {
        const hold = await connect(url);
        return others(hold, objects(hold));
      },
    },
  ],
};

function locks(hold: Coordinator, fencing: boolean): Pick<Subject, "acquire" | "lead"> {
  return {
    acquire: async (key, ttlMs) => {
      const lock = await hold.acquireLock(key, { ttlMs, waitMs: Number.POSITIVE_INFINITY, fencing });
      return () => lock.release();
    },
    lead: async (name, ttlMs) => {
      const election = hold.election(name, { ttlMs });
      await election.campaign();
      return () => election.resign();
    },
  };
}

function others(hold: Coordinator, cache: CacheOperations): Subject {
  return {
    guard: (handler) => hold.idempotent(handler, { name: "bench", key: (order) => order.id }),
    cache,
    codec,
    close: () => hold.close(),
  };
}

function bytes({ cache }: Coordinator): CacheOperations {
  return {
    value: new Uint8Array(ORDER_BYTES),
    get: (key) => cache.get(key),
    set: (key, ttlMs) => cache.set(key, ORDER_BYTES, ttlMs),
    getOrSet: async (key, ttlMs) => (await cache.getOrSet(key, ORDER_BYTES, ttlMs)).value,
  };
}

function objects({ cache }: Coordinator): CacheOperations {
  const order = defineKey("{key}", { ttlMs: 60_000, schema: unchecked<Order>() });
  const orders = typed(cache, order);
  return {
    value: ORDER,
    get: (key) => orders.get({ key }),
    set: (key) => orders.set({ key }, ORDER),
    getOrSet: async (key) => (await orders.getOrSet({ key }, ORDER)).value,
  };
}
