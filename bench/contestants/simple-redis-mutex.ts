import { createClient } from "redis";
import { lock } from "simple-redis-mutex";
import type { Contestant, Subject } from "./contestant.ts";

export const contestant: Contestant = {
  id: "simple-redis-mutex",
  name: "simple-redis-mutex",
  role: "peer",
  packages: ["simple-redis-mutex", "redis"],
  client: "node-redis",
  wakesWaiters: true,
  remark: "counts a fencing token after it has the lock",
  variants: [
    { name: "default", offers: ["lock"], open: (url) => open(url, {}) },
    {
      name: "tuned",
      tuning: "tries again every millisecond; node-redis pipelines by itself",
      offers: ["lock"],
      open: (url) => open(url, { pollingInterval: 1 }),
    },
  ],
};

async function open(url: string, options: object): Promise<Subject> {
  const client = createClient({ url });
  await client.connect();
  return {
    acquire: (key, timeout) => lock(client as never, key, { timeout, ...options }),
    close: () => client.close(),
  };
}
