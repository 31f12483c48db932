import { BentoCache, bentostore } from "bentocache";
import { redisDriver } from "bentocache/drivers/redis";
import { ORDER } from "../payload.ts";
import type { Contestant, Subject } from "./contestant.ts";
import { openIoredis } from "./ioredis.ts";

export const contestant: Contestant = {
  id: "bentocache",
  name: "bentocache",
  role: "peer",
  packages: ["bentocache"],
  client: "ioredis",
  remark: "only its second level, the store; names ioredis 5 as its peer, and runs on 6",
  variants: [
    { name: "default", offers: ["cache"], open: (url) => open(url, false) },
    { name: "tuned", tuning: "automatic pipelining", offers: ["cache"], open: (url) => open(url, true) },
  ],
};

async function open(url: string, autoPipelining: boolean): Promise<Subject> {
  const connection = await openIoredis(url, autoPipelining);
  const bento = new BentoCache({
    default: "store",
    stores: { store: bentostore().useL2Layer(redisDriver({ connection })) },
  });
  return {
    cache: {
      value: ORDER,
      get: (key) => bento.get({ key }),
      set: (key, ttl) => bento.set({ key, value: ORDER, ttl }),
      getOrSet: (key, ttl) => bento.getOrSet({ key, factory: () => ORDER, ttl }),
    },
    close: () => bento.disconnectAll(),
  };
}
