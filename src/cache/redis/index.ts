export type { RedisClient } from "./client.ts";
export { openRedisCache } from "./open.ts";
export type { RedisCacheOptions, RedisConfig, RedisNode } from "./options.ts";
