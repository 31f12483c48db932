import { Mutex } from "redis-semaphore";
import type { Contestant, Subject } from "./contestant.ts";
import { openIoredis, TUNED } from "./ioredis.ts";

export const contestant: Contestant = {
  id: "redis-semaphore",
  name: "redis-semaphore",
  role: "peer",
  packages: ["redis-semaphore"],
  client: "ioredis",
  variants: [
    { name: "default", offers: ["lock", "renewal"], open: (url) => open(url, false, {}) },
    {
      name: "tuned",
      tuning: `${TUNED}, locks are not renewed`,
      offers: ["lock"],
      open: (url) => open(url, true, { retryInterval: 1, refreshInterval: 0 }),
    },
  ],
};

async function open(url: string, autoPipelining: boolean, options: object): Promise<Subject> {
  const redis = await openIoredis(url, autoPipelining);
  return {
    acquire: async (key, lockTimeout) => {
      const mutex = new Mutex(redis, key, { lockTimeout, acquireTimeout: Number.POSITIVE_INFINITY, ...options });
      await mutex.acquire();
      return () => mutex.release();
    },
    close: () => redis.quit(),
  };
}
