import { Idempotency } from "@node-idempotency/core";
import { RedisStorageAdapter } from "@node-idempotency/storage-adapter-redis";
import type { Contestant, Subject } from "./contestant.ts";

export const contestant: Contestant = {
  id: "node-idempotency",
  name: "node-idempotency",
  role: "peer",
  packages: ["@node-idempotency/core", "@node-idempotency/storage-adapter-redis"],
  client: "node-redis",
  remark: "brings node-redis 4; there is nothing to tune, node-redis pipelines by itself",
  variants: [{ name: "default", offers: ["guard"], open }],
};

async function open(url: string): Promise<Subject> {
  const storage = new RedisStorageAdapter({ url });
  await storage.connect();
  const idempotency = new Idempotency(storage);
  return {
    guard: (handler) => async (order) => {
      const request = { headers: { "idempotency-key": order.id }, path: "/orders", method: "POST", body: { ...order } };
      const earlier = await idempotency.onRequest(request);
      if (earlier !== undefined) return earlier.body;
      const receipt = await handler(order);
      await idempotency.onResponse(request, { body: receipt });
      return receipt;
    },
    close: () => storage.disconnect(),
  };
}
