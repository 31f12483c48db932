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

export interface StoreOptions {
  readonly clock: Clock;
  readonly operationTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxValueBytes: number;
  /** Measures what is done on a cache. */
  readonly telemetry: { instrument(cache: Cache): Cache } | undefined;
}

/** Opens stores, and keeps the embedded ones alive: a memory store without a connection would be forgotten. */
export class Stores {
  readonly #options: StoreOptions;
  /** The store that `memory:` means in this manager, which is nobody else's. */
  readonly #ownName: string;
  readonly #kept = new Map<string, Cache>();

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#ownName = `manager:${Buffer.from(options.clock.randomBytes(16)).toString("hex")}`;
  }

  async open(target: Target): Promise<Store> {
    const store = await this.#open(target);
    const { telemetry } = this.#options;
    if (telemetry === undefined) return store;
    return { cache: (keyPrefix) => telemetry.instrument(store.cache(keyPrefix)), close: () => store.close() };
  }

  async #open({ store }: Target): Promise<Store> {
    if ("memory" in store) return this.#openMemory(store.memory || this.#ownName);
    // Loaded on demand: who uses the memory store need not load a Redis client.
    const { openRedisStore } = await import("../cache/redis/open.ts");
    return openRedisStore(store.redis, this.#options);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#kept.values()].map((cache) => cache.close()));
  }

  #openMemory(name: string): Store {
    const { clock, maxValueBytes } = this.#options;
    const cache = (keyPrefix: string): Cache => createMemoryCache({ name, keyPrefix, clock, maxValueBytes });
    if (!this.#kept.has(name)) this.#kept.set(name, cache(""));
    return { cache, close: async () => {} };
  }
}
