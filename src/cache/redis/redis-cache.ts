import { copyBytes, equalBytes } from "../bytes.ts";
import type { Cache, CacheOperation, CacheStats, CompareAndSetOptions, GetOrSetResult, Unwatch } from "../contract.ts";
import { CacheCounters } from "../counters.ts";
import { ConnectionError, OperationError } from "../errors.ts";
import type { OperationGuard } from "../guard.ts";
import { type Call, Commands } from "./commands.ts";
import type { Connection } from "./connection.ts";

export interface RedisCacheParts {
  readonly connection: Connection;
  readonly guard: OperationGuard;
  /** What stands before every key on the server. */
  readonly keyPrefix: string;
  /** What stands before every key in the name of its channel. */
  readonly channelPrefix: string;
}

/** The cache contract on a server. See `commands.ts` for what is sent, `link.ts` for faults and time limits. */
export class RedisCache implements Cache {
  readonly ordered: boolean;
  readonly #connection: Connection;
  readonly #commands: Commands;
  readonly #guard: OperationGuard;
  readonly #keyPrefix: string;
  readonly #channelPrefix: string;
  readonly #counters = new CacheCounters();
  #closing: Promise<void> | undefined;

  constructor({ connection, guard, keyPrefix, channelPrefix }: RedisCacheParts) {
    this.ordered = connection.link.writesOnce;
    this.#connection = connection;
    this.#commands = new Commands(connection);
    this.#guard = guard;
    this.#keyPrefix = keyPrefix;
    this.#channelPrefix = channelPrefix;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#guard.key("get", key);
    const value = await this.#perform("get", key, (call) => this.#commands.get(call));
    this.#counters.found(value);
    return value;
  }

  async set(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    const ttl = this.#guard.write("set", key, value, ttlMs);
    const own = copyBytes(value);
    return await this.#perform("set", key, (call) => this.#commands.set(call, own, ttl));
  }

  async delete(key: string): Promise<boolean> {
    this.#guard.key("delete", key);
    return await this.#perform("delete", key, (call) => this.#commands.delete(call));
  }

  async getOrSet(key: string, value: Uint8Array, ttlMs: number): Promise<GetOrSetResult> {
    const ttl = this.#guard.write("getOrSet", key, value, ttlMs);
    const own = copyBytes(value);
    return await this.#perform("getOrSet", key, (call) => this.#commands.getOrSet(call, own, ttl));
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
    const isAnnounced = options?.announce !== "none" && !isRenewal;
    const swap = {
      expected: expected && copyBytes(expected),
      next: next && copyBytes(next),
      ttlMs: ttl,
      channel: isAnnounced ? this.#channelPrefix + key : "",
    };
    return await this.#perform("compareAndSet", key, (call) => this.#commands.compareAndSet(call, swap));
  }

  async watch(key: string, onChange: () => void): Promise<Unwatch> {
    this.#guard.watch(key, onChange);
    throw new OperationError(`watch "${key}": not there yet`, { key, operation: "watch" });
  }

  async health(): Promise<void> {
    this.#guard.open("health");
    const { address } = this.#connection.link;
    try {
      await this.#perform("health", "", (call) => this.#commands.ping(call));
    } catch (error) {
      if (error instanceof ConnectionError) throw error;
      const { message } = error as Error;
      throw new ConnectionError(message, { address, operation: "health", cause: error });
    }
  }

  stats(): CacheStats {
    const state = this.#connection.link.isOpen ? "ready" : "connecting";
    return {
      backend: "redis",
      state: this.#guard.closed ? "closed" : state,
      ...this.#counters.snapshot(),
      watchedKeys: 0,
    };
  }

  close(): Promise<void> {
    this.#guard.close();
    this.#closing ??= this.#connection.close();
    return this.#closing;
  }

  async #perform<T>(operation: CacheOperation, key: string, start: (call: Call) => Promise<T>): Promise<T> {
    this.#counters.begin(operation);
    try {
      const fullKey = this.#keyPrefix + key;
      return await this.#connection.link.run(operation, key, (deadlineMs) =>
        start({ operation, key, fullKey, deadlineMs }),
      );
    } catch (error) {
      this.#counters.fail(error);
      throw error;
    } finally {
      this.#counters.end();
    }
  }
}
