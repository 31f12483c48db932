import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { startSentinel } from "../../support/redis-sentinel.ts";
import { checkStore } from "./check-store.ts";

checkStore("a Sentinel pair", async () => {
  const sentinel = await startSentinel();
  return { open: () => openRedisCache(sentinel.url), stop: () => sentinel.stop() };
});
