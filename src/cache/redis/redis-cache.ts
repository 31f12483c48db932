import { copyBriefly, equalBytes } from "../bytes.ts";
import type { Cache, CacheOperation, CacheStats, CompareAndSetOptions, GetOrSetResult, Unwatch } from "../contract.ts";
import { CacheCounters } from "../counters.ts";
import { ConnectionError } from "../errors.ts";
import type { OperationGuard } from "../guard.ts";
import type { KeyCall } from "./request.ts";
import type { RedisStore } from "./store.ts";
import type { Watch } from "./watches.ts";

export interface RedisCacheOptions {
  readonly guard: OperationGuard;
  /** Stands before every key on the server. */
  readonly keyPrefix: string;
  /** Lets go of the store, when everything of this cache has ended. */
  release(): Promise<void>;
}

/** The keys with one prefix of a store, as a cache. */
export class RedisCache implements Cache {
  readonly ordered: boolean;
  readonly #store: RedisStore;
  readonly #guard: OperationGuard;
  readonly #keyPrefix: string;
  readonly #release: () => Promise<void>;
  readonly #counters = new CacheCounters();
  readonly #watches = new Set<Watch>();
  /** Called when no operation is under way any more. */
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(store: RedisStore, { guard, keyPrefix, release }: RedisCacheOptions) {
    this.ordered = store.isOrdered;
    this.#store = store;
    this.#guard = guard;
    this.#keyPrefix = keyPrefix;
    this.#release = release;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#guard.key("get", key);
    const value = await this.#perform("get", key, (call) => this.#store.commands.get(call));
    this.#counters.found(value);
    if (value !== undefined) this.#store.watches.onFound(this.#keyPrefix + key);
    return value;
  }

  async set(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    const ttl = this.#guard.write("set", key, value, ttlMs);
    const own = copyBriefly(value);
    await this.#perform("set", key, (call) => this.#store.commands.set(call, own, ttl));
  }

  async delete(key: string): Promise<boolean> {
    this.#guard.key("delete", key);
    return await this.#perform("delete", key, (call) => this.#store.commands.delete(call));
  }

  async getOrSet(key: string, value: Uint8Array, ttlMs: number): Promise<GetOrSetResult> {
    const ttl = this.#guard.write("getOrSet", key, value, ttlMs);
    const own = copyBriefly(value);
    const result = await this.#perform("getOrSet", key, (call) => this.#store.commands.getOrSet(call, own, ttl));
    if (result.wasSet) this.#store.watches.onSet(this.#keyPrefix + key, ttl);
    else this.#store.watches.onFound(this.#keyPrefix + key);
    return result;
  }

  async compareAndSet(
    key: string,
    expected: Uint8Array | null,
    next: Uint8Array | null,
    ttlMs?: number,
    options?: CompareAndSetOptions,
  ): Promise<boolean> {
    const ttl = this.#guard.compareAndSet(key, expected, next, ttlMs);
    const isRenewal = expected !== null && next !== null && equalBytes(expected, next);
    const swap = {
      expected: expected && copyBriefly(expected),
      next: next && copyBriefly(next),
      ttlMs: ttl,
      announce: options?.announce !== "none" && !isRenewal,
    };
    return await this.#perform("compareAndSet", key, (call) => this.#store.commands.compareAndSet(call, swap));
  }

  async watch(key: string, onChange: () => void): Promise<Unwatch> {
    this.#guard.watch(key, onChange);
    const watch = await this.#count("watch", this.#addWatch(key, onChange));
    return async () => {
      this.#watches.delete(watch);
      await watch.end();
    };
  }

  async #addWatch(key: string, onChange: () => void): Promise<Watch> {
    const watch = await this.#store.watches.add(this.#callOn("watch", key), onChange);
    this.#watches.add(watch);
    return watch;
  }

  async health(): Promise<void> {
    this.#guard.open("health");
    try {
      const ping = this.#store.run(this.#store.call("health"), (call) => this.#store.commands.ping(call));
      await this.#count("health", ping);
    } catch (error) {
      if (error instanceof ConnectionError) throw error;
      const { address } = this.#store;
      throw new ConnectionError((error as Error).message, { address, operation: "health", cause: error });
    }
  }

  stats(): CacheStats {
    const state = this.#store.isConnected ? "ready" : "connecting";
    return {
      backend: "redis",
      state: this.#guard.closed ? "closed" : state,
      ...this.#counters.snapshot(),
      watchedKeys: new Set(Array.from(this.#watches, ({ key }) => key)).size,
    };
  }

  close(): Promise<void> {
    this.#guard.close();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#whenIdle();
    const watches = [...this.#watches];
    this.#watches.clear();
    await Promise.all(watches.map((watch) => watch.end()));
    await this.#release();
  }

  #perform<T>(operation: CacheOperation, key: string, start: (call: KeyCall) => Promise<T>): Promise<T> {
    return this.#count(operation, this.#store.run(this.#callOn(operation, key), start));
  }

  #callOn(operation: CacheOperation, key: string): KeyCall {
    return this.#store.callOn(operation, key, this.#keyPrefix + key);
  }

  #count<T>(operation: CacheOperation, result: Promise<T>): Promise<T> {
    this.#counters.begin(operation);
    return result.then(this.#succeeded as (value: T) => T, this.#failed);
  }

  // Made once, and not for each operation.

  readonly #succeeded = (value: unknown): unknown => {
    this.#ended();
    return value;
  };

  readonly #failed = (error: unknown): never => {
    this.#counters.fail(error);
    this.#ended();
    throw error;
  };

  #ended(): void {
    this.#counters.end();
    if (this.#onIdle !== undefined && this.#counters.inFlight === 0) this.#onIdle();
  }

  async #whenIdle(): Promise<void> {
    if (this.#counters.inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }
}
