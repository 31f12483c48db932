import { createKeyv } from "@keyv/redis";
import { createCache } from "cache-manager";
import { ORDER } from "../payload.ts";
import type { Contestant, Subject } from "./contestant.ts";

export const contestant: Contestant = {
  id: "cache-manager",
  name: "cache-manager",
  role: "peer",
  packages: ["cache-manager", "@keyv/redis", "keyv"],
  client: "node-redis",
  remark: "keyv 6 needs Node 22",
  variants: [{ name: "default", offers: ["cache"], open }],
};

async function open(url: string): Promise<Subject> {
  const cache = createCache({ stores: [createKeyv(url)] });
  return {
    cache: {
      value: ORDER,
      get: (key) => cache.get(key),
      set: (key, ttlMs) => cache.set(key, ORDER, ttlMs),
      getOrSet: (key, ttlMs) => cache.wrap(key, async () => ORDER, ttlMs),
    },
    close: () => cache.disconnect(),
  };
}
