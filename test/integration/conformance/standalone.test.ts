import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { disconnect, Redis } from "../../support/ioredis.ts";
import { startServer } from "../../support/redis-server.ts";
import { checkStore } from "./check-store.ts";

checkStore("one server", async () => {
  const server = await startServer();
  return { open: () => openRedisCache(server.url, { keyPrefix: "app:" }), stop: () => server.stop() };
});

checkStore("one server, through one client of the caller", async () => {
  const server = await startServer();
  const client = new Redis(server.port, { keyPrefix: "app:", db: 2, enableAutoPipelining: true });
  return {
    open: () => openRedisCache(client),
    stop: async () => {
      disconnect(client);
      await server.stop();
    },
  };
});
