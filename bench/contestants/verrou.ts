import { Verrou } from "@verrou/core";
import { redisStore } from "@verrou/core/drivers/redis";
import type { Contestant, Subject } from "./contestant.ts";
import { openIoredis, TUNED } from "./ioredis.ts";

export const contestant: Contestant = {
  id: "verrou",
  name: "verrou",
  role: "peer",
  packages: ["@verrou/core"],
  client: "ioredis",
  remark: "names ioredis 5 as its peer, and runs on 6",
  variants: [
    { name: "default", offers: ["lock"], open: (url) => open(url, false, {}) },
    { name: "tuned", tuning: TUNED, offers: ["lock"], open: (url) => open(url, true, { delay: 1 }) },
  ],
};

async function open(url: string, autoPipelining: boolean, retry: object): Promise<Subject> {
  const redis = await openIoredis(url, autoPipelining);
  const verrou = new Verrou({ default: "redis", stores: { redis: { driver: redisStore({ connection: redis }) } } });
  return {
    acquire: async (key, ttlMs) => {
      const lock = verrou.createLock(key, ttlMs);
      await lock.acquire({ retry });
      return () => lock.release();
    },
    close: () => redis.quit(),
  };
}
