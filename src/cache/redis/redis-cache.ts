import type { Clock } from "../../runtime/clock.ts";
import { copyBytes, equalBytes } from "../bytes.ts";
import type { Cache, CacheOperation, CacheStats, CompareAndSetOptions, GetOrSetResult, Unwatch } from "../contract.ts";
import { CacheCounters } from "../counters.ts";
import { ConnectionError } from "../errors.ts";
import type { OperationGuard } from "../guard.ts";
import { type Call, Commands } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { Capabilities } from "./server.ts";
import type { Subscriber } from "./subscriber.ts";
import { Watches } from "./watches.ts";

export interface RedisCacheParts {
  readonly clock: Clock;
  readonly guard: OperationGuard;
  readonly connection: Connection<Capabilities>;
  readonly subscriber: Subscriber;
  /** What stands before every key on the server. */
  readonly keyPrefix: string;
  /** What stands before every key in the name of its channel. */
  readonly channelPrefix: string;
}

/** The cache contract on a server. See `commands.ts` for what is sent, `link.ts` for faults and time limits. */
export class RedisCache implements Cache {
  readonly ordered: boolean;
  readonly #connection: Connection<Capabilities>;
  readonly #commands: Commands;
  readonly #guard: OperationGuard;
  readonly #keyPrefix: string;
  readonly #channelPrefix: string;
  readonly #counters = new CacheCounters();
  readonly #watches: Watches;
  #closing: Promise<void> | undefined;

  constructor({ clock, guard, connection, subscriber, keyPrefix, channelPrefix }: RedisCacheParts) {
    this.ordered = connection.link.writesOnce;
    this.#connection = connection;
    this.#commands = new Commands(connection);
    this.#guard = guard;
    this.#keyPrefix = keyPrefix;
    this.#channelPrefix = channelPrefix;
    const readRemainingMs = (key: string): Promise<number> =>
      this.#run("watch", key, (call) => this.#commands.remainingMs(call));
    this.#watches = new Watches({ clock, subscriber, channelPrefix, readRemainingMs });
    connection.onReconnected = () => this.#watches.wakeAll();
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#guard.key("get", key);
    const value = await this.#perform("get", key, (call) => this.#commands.get(call));
    this.#counters.found(value);
    if (value !== undefined) this.#watches.onFound(key);
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
    const result = await this.#perform("getOrSet", key, (call) => this.#commands.getOrSet(call, own, ttl));
    this.#watches.onFound(key);
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
    return await this.#count("watch", () => this.#watches.add(key, onChange));
  }

  async health(): Promise<void> {
    this.#guard.open("health");
    try {
      await this.#perform("health", "", (call) => this.#commands.ping(call));
    } catch (error) {
      if (error instanceof ConnectionError) throw error;
      const { address } = this.#connection.link;
      throw new ConnectionError((error as Error).message, { address, operation: "health", cause: error });
    }
  }

  stats(): CacheStats {
    const state = this.#connection.link.isOpen ? "ready" : "connecting";
    return {
      backend: "redis",
      state: this.#guard.closed ? "closed" : state,
      ...this.#counters.snapshot(),
      watchedKeys: this.#watches.size,
    };
  }

  close(): Promise<void> {
    this.#guard.close();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#watches.close();
    await this.#connection.close();
  }

  #perform<T>(operation: CacheOperation, key: string, start: (call: Call) => Promise<T>): Promise<T> {
    return this.#count(operation, () => this.#run(operation, key, start));
  }

  async #count<T>(operation: CacheOperation, work: () => Promise<T>): Promise<T> {
    this.#counters.begin(operation);
    try {
      return await work();
    } catch (error) {
      this.#counters.fail(error);
      throw error;
    } finally {
      this.#counters.end();
    }
  }

  #run<T>(operation: CacheOperation, key: string, start: (call: Call) => Promise<T>): Promise<T> {
    const fullKey = this.#keyPrefix + key;
    return this.#connection.link.run(operation, key, (deadlineMs) => start({ operation, key, fullKey, deadlineMs }));
  }
}
