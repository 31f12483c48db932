import { describe } from "./cache/checks.ts";
import { checkOptions } from "./cache/choices.ts";
import { type Cache, isCache } from "./cache/contract.ts";
import { checkDuration } from "./cache/durations.ts";
import { ConfigError } from "./cache/errors.ts";
import { createMemoryCache } from "./cache/memory/index.ts";
import type { RedisClient, RedisConfig } from "./cache/redis/index.ts";
import type { CacheConfig } from "./config/load-config.ts";
import { Coordinator, type CoordinatorOptions } from "./coordinator.ts";

/**
 * What to connect to:
 * - `"memory:"`: a private store in this process; `"memory:NAME"`: one shared by that name in this process
 * - `"redis://…"`, `"rediss://…"`, `"redis+sentinel://…"`, `"redis+cluster://…"`, `"redis+unix://…"`, or the same as an object
 * - what `loadConfig` gives
 * - an `ioredis` client, `Redis` or `Cluster`: stays yours, `close` does not touch it
 * - any {@link Cache}: stays yours as well
 */
export type ConnectTarget = string | RedisConfig | CacheConfig | RedisClient | Cache;

export interface ConnectOptions extends CoordinatorOptions {
  /** Put before every key, as it is. Not for a `Cache` that is handed in. */
  readonly keyPrefix?: string | undefined;
  /** The longest time one store operation may take. Default 2,000. Redis only. */
  readonly operationTimeoutMs?: number | undefined;
  /** The longest time that connecting may take. Default 5,000. Redis only. */
  readonly connectTimeoutMs?: number | undefined;
  /** The largest value that the cache takes. Default 1 MiB. */
  readonly maxValueBytes?: number | undefined;
}

/**
 * Connects to a store and gives the coordinator over it.
 *
 * @throws ConnectionError when the store cannot be reached, refuses us, is still
 *   loading or is a replica; says which. Nothing is left open.
 * @throws ConfigError when the target or an option is wrong, or when there is none because `loadConfig` found
 *   the cache disabled
 */
export async function connect(target: ConnectTarget | undefined, options: ConnectOptions = {}): Promise<Coordinator> {
  checkOptions(options, "connect");
  // The memory store has no use for them, but the code that runs on it today runs on a server tomorrow.
  for (const limit of ["operationTimeoutMs", "connectTimeoutMs"] as const) {
    if (options[limit] !== undefined) checkDuration(options[limit], limit, 1);
  }
  const { cache, owned } = await open(storeOf(target), options);
  try {
    return new Coordinator(cache, options, owned ? () => cache.close() : undefined);
  } catch (error) {
    if (owned) await cache.close();
    throw error;
  }
}

/** What to open, without the wrapping of `loadConfig`. */
function storeOf(target: ConnectTarget | undefined): Exclude<ConnectTarget, CacheConfig> {
  if (target === undefined) {
    throw new ConfigError(
      "connect got undefined instead of a store: loadConfig gives that when the cache is disabled " +
        "(CACHE_ENABLED is not true). Enable it, or do not connect",
    );
  }
  if (!isCacheConfig(target)) return target;
  return target.type === "memory" ? "memory:" : target.redis;
}

function isCacheConfig(target: ConnectTarget): target is CacheConfig {
  return typeof target === "object" && target !== null && "type" in target && "manager" in target;
}

async function open(
  target: Exclude<ConnectTarget, CacheConfig>,
  options: ConnectOptions,
): Promise<{ cache: Cache; owned: boolean }> {
  if (typeof target !== "string" && (typeof target !== "object" || target === null)) {
    throw new ConfigError(
      `connect takes a URL, a configuration, an ioredis client or a Cache, not ${describe(target)}`,
    );
  }
  if (isCache(target)) {
    if (options.keyPrefix !== undefined) {
      throw new ConfigError("keyPrefix cannot be used with a Cache that is handed in: give the prefix to that cache");
    }
    return { cache: target, owned: false };
  }
  const { keyPrefix, maxValueBytes, clock, operationTimeoutMs, connectTimeoutMs } = options;
  const common = { keyPrefix, maxValueBytes, clock };
  if (typeof target === "string" && target.startsWith("memory:")) {
    const name = target.slice("memory:".length) || undefined;
    return { cache: createMemoryCache({ ...common, name }), owned: true };
  }
  // Loaded on demand: who uses the memory store need not load a Redis client.
  const { openRedisCache } = await import("./cache/redis/index.ts");
  return { cache: await openRedisCache(target, { ...common, operationTimeoutMs, connectTimeoutMs }), owned: true };
}
