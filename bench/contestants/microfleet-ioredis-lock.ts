import { createLock } from "@microfleet/ioredis-lock";
import type { Contestant, Subject } from "./contestant.ts";
import { openIoredis, TUNED } from "./ioredis.ts";

export const contestant: Contestant = {
  id: "microfleet-ioredis-lock",
  name: "@microfleet/ioredis-lock",
  role: "peer",
  packages: ["@microfleet/ioredis-lock"],
  client: "ioredis",
  remark: "names ioredis 4 and 5 as its peers, and runs on 6",
  variants: [
    { name: "default", offers: ["lock"], open: (url) => open(url, false, {}) },
    { name: "tuned", tuning: TUNED, offers: ["lock"], open: (url) => open(url, true, { delay: 1, jitter: 1 }) },
  ],
};

async function open(url: string, autoPipelining: boolean, options: object): Promise<Subject> {
  const redis = await openIoredis(url, autoPipelining);
  return {
    acquire: async (key, timeout) => {
      const lock = createLock(redis, { timeout, retries: Number.POSITIVE_INFINITY, ...options });
      await lock.acquire(key);
      return () => lock.release();
    },
    close: () => redis.quit(),
  };
}
