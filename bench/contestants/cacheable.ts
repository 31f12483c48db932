import { createKeyv } from "@keyv/redis";
import { Cacheable } from "cacheable";
import { ORDER } from "../payload.ts";
import type { Contestant, Subject } from "./contestant.ts";

export const contestant: Contestant = {
  id: "cacheable",
  name: "cacheable",
  role: "peer",
  packages: ["cacheable", "@keyv/redis", "keyv"],
  client: "node-redis",
  remark: "with the store as its only level; keyv 6 needs Node 22",
  variants: [{ name: "default", offers: ["cache"], open }],
};

async function open(url: string): Promise<Subject> {
  const cacheable = new Cacheable({ primary: createKeyv(url) });
  return {
    cache: {
      value: ORDER,
      get: (key) => cacheable.get(key),
      set: (key, ttlMs) => cacheable.set(key, ORDER, ttlMs),
      getOrSet: (key, ttl) => cacheable.getOrSet(key, async () => ORDER, { ttl }),
    },
    close: () => cacheable.disconnect(),
  };
}
