import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { disconnect, Redis } from "../../support/ioredis.ts";
import { startServer } from "../../support/redis-server.ts";
import { checkStore } from "./check-store.ts";

checkStore("one server", async () => {
  const server = await startServer();
  return { open: () => openRedisCache(server.url), stop: () => server.stop() };
});

checkStore("one server, through the caller's client and a prefix", async () => {
  const server = await startServer();
  const clients: Redis[] = [];
  return {
    open: async () => {
      const client = new Redis(server.url);
      clients.push(client);
      return openRedisCache(client, { keyPrefix: "shop:" });
    },
    stop: async () => {
      for (const client of clients) disconnect(client);
      await server.stop();
    },
  };
});
