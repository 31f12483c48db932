import Redlock from "redlock5";
import type { Contestant, Subject } from "./contestant.ts";
import { openIoredis, TUNED } from "./ioredis.ts";

export const contestant: Contestant = {
  id: "redlock5",
  name: "redlock 5 beta",
  role: "peer",
  packages: ["redlock5"],
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
      const lock = await redlock.acquire([key], ttlMs);
      return () => lock.release();
    },
    close: () => redis.quit(),
  };
}
