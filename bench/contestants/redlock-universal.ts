import { createLock, IoredisAdapter } from "redlock-universal";
import type { Contestant, Subject } from "./contestant.ts";
import { openIoredis, TUNED } from "./ioredis.ts";

export const contestant: Contestant = {
  id: "redlock-universal",
  name: "redlock-universal",
  role: "peer",
  packages: ["redlock-universal"],
  client: "ioredis",
  remark: "asks for Node 22, and runs on 20",
  variants: [
    { name: "default", offers: ["lock"], open: (url) => open(url, false, {}) },
    {
      name: "tuned",
      tuning: `${TUNED}, \`performance: "lean"\``,
      offers: ["lock"],
      open: (url) => open(url, true, { retryDelay: 1, performance: "lean" }),
    },
  ],
};

async function open(url: string, autoPipelining: boolean, options: object): Promise<Subject> {
  const redis = await openIoredis(url, autoPipelining);
  const adapter = new IoredisAdapter(redis);
  return {
    acquire: async (key, ttl) => {
      const lock = createLock({ adapter, key, ttl, retryAttempts: Number.MAX_SAFE_INTEGER, ...options });
      const handle = await lock.acquire();
      return () => lock.release(handle);
    },
    close: () => redis.quit(),
  };
}
