import Redlock from "redlock4";
import type { Contestant, Subject } from "./contestant.ts";
import { openIoredis, TUNED } from "./ioredis.ts";

export const contestant: Contestant = {
  id: "redlock4",
  name: "redlock 4",
  role: "peer",
  packages: ["redlock4"],
  client: "ioredis",
  variants: [
    { name: "default", offers: ["lock"], open: (url) => open(url, false, {}) },
    {
      name: "tuned",
      tuning: TUNED,
      offers: ["lock"],
      open: (url) => open(url, true, { retryDelay: 1, retryJitter: 0 }),
    },
  ],
};

async function open(url: string, autoPipelining: boolean, settings: object): Promise<Subject> {
  const redis = await openIoredis(url, autoPipelining);
  const redlock = new Redlock([redis], { retryCount: -1, ...settings });
  return {
    acquire: async (key, ttlMs) => {
      const lock = await redlock.lock(key, ttlMs);
      return () => lock.unlock();
    },
    close: () => redis.quit(),
  };
}
