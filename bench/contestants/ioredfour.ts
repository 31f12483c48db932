import Lock from "ioredfour";
import type { Contestant, Subject } from "./contestant.ts";
import { openIoredis } from "./ioredis.ts";

export const contestant: Contestant = {
  id: "ioredfour",
  name: "ioredfour",
  role: "peer",
  packages: ["ioredfour"],
  client: "ioredis",
  wakesWaiters: true,
  remark: "a lock has a number that rises",
  variants: [
    { name: "default", offers: ["lock"], open: (url) => open(url, false) },
    { name: "tuned", tuning: "automatic pipelining", offers: ["lock"], open: (url) => open(url, true) },
  ],
};

async function open(url: string, autoPipelining: boolean): Promise<Subject> {
  const redis = await openIoredis(url, autoPipelining);
  const locks = new Lock({ redis, namespace: "bench" });
  return {
    acquire: async (key, ttlMs) => {
      const lock = await locks.waitAcquireLock(key, ttlMs, 0);
      if (!lock.success) throw new Error(`ioredfour gave up waiting for ${key}`);
      return () => locks.releaseLock(lock);
    },
    close: () => redis.quit(),
  };
}
