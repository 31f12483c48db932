import type { Cache } from "../cache/contract.ts";
import { createMemoryCache } from "../cache/memory/index.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Target } from "./target.ts";

/** An open connection, on which the caches of any number of tenants live side by side. */
export interface Store {
  cache(keyPrefix: string): Cache;
  /** Lets what is under way finish, then disconnects. */
  close(): Promise<void>;
}

export interface StoreLimits {
  readonly clock: Clock;
  readonly operationTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxValueBytes: number;
}

/** Opens stores, and keeps the embedded ones alive: a memory store without a connection would be forgotten. */
export class Stores {
  readonly #limits: StoreLimits;
  /** The store that `memory:` means in this manager, which is nobody else's. */
  readonly #ownName: string;
  readonly #kept = new Map<string, Cache>();

  constructor(limits: StoreLimits) {
    this.#limits = limits;
    this.#ownName = `manager:${Buffer.from(limits.clock.randomBytes(16)).toString("hex")}`;
  }

  async open({ store }: Target): Promise<Store> {
    if ("memory" in store) return this.#openMemory(store.memory || this.#ownName);
    // Loaded on demand: who uses the memory store need not load a Redis client.
    const { openRedisStore } = await import("../cache/redis/open.ts");
    return openRedisStore(store.redis, this.#limits);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#kept.values()].map((cache) => cache.close()));
  }

  #openMemory(name: string): Store {
    const { clock, maxValueBytes } = this.#limits;
    const cache = (keyPrefix: string): Cache => createMemoryCache({ name, keyPrefix, clock, maxValueBytes });
    if (!this.#kept.has(name)) this.#kept.set(name, cache(""));
    return { cache, close: async () => {} };
  }
}
