import { AsyncResource } from "node:async_hooks";
import { copyBytes } from "../cache/bytes.ts";
import { describe } from "../cache/checks.ts";
import type {
  Cache,
  CacheOperation,
  CacheStats,
  CompareAndSetOptions,
  GetOrSetResult,
  Unwatch,
} from "../cache/contract.ts";
import { CacheCounters } from "../cache/counters.ts";
import { ClosedError, ConnectionError, HoldfastError } from "../cache/errors.ts";
import { OperationGuard } from "../cache/guard.ts";
import type { Clock } from "../runtime/clock.ts";
import { type WaitLimits, waitFor } from "../runtime/wait-for.ts";
import type { Connection } from "./connection.ts";

/** A connection, and the tenant's keys on it. */
interface Attachment {
  readonly connection: Connection;
  readonly cache: Cache;
}

export interface TenantCacheOptions {
  readonly tenantId: string;
  readonly clock: Clock;
  readonly operationTimeoutMs: number;
  readonly maxValueBytes: number;
  /** Finds or opens the tenant's connection, and lends it. */
  acquire(): Promise<{ readonly connection: Connection; readonly keyPrefix: string }>;
  onClosed(): void;
}

interface Watch {
  readonly key: string;
  readonly end: Unwatch;
}

/**
 * The cache of one tenant, for as long as the manager lives. The connection
 * below it comes and goes: it is used while an operation is under way, while a
 * key is watched and while something is retained, and when it was evicted, the
 * next operation opens another one.
 */
export class TenantCache implements Cache {
  readonly #options: TenantCacheOptions;
  readonly #guard: OperationGuard;
  readonly #counters = new CacheCounters();
  readonly #watches = new Set<Watch>();
  #attachment: Attachment | undefined;
  #attaching: Promise<Attachment> | undefined;
  /** Operations that wait for `#attaching`. */
  #waiting = 0;
  /** Connections in use for something else than a call; see {@link retain}. */
  #retained = 0;
  #pinned: Connection | undefined;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: TenantCacheOptions) {
    this.#options = options;
    this.#guard = new OperationGuard(options.maxValueBytes);
  }

  /** Known once the tenant was connected, and the same ever after: a tenant cannot move to another store. */
  get ordered(): boolean {
    return this.#attachment?.cache.ordered ?? false;
  }

  get isConnected(): boolean {
    return this.#attachment?.connection.isOpen === true;
  }

  /** Whether the tenant was ever connected. */
  get isKnown(): boolean {
    return this.#attachment !== undefined;
  }

  /** Whether somebody waits for a connection. */
  get isConnecting(): boolean {
    return this.#waiting > 0;
  }

  /** Connects, if need be. Rejects with the signal's reason, or with what went wrong. */
  async connect(signal: AbortSignal | undefined): Promise<void> {
    const { connection } = await this.#lend({ signal });
    connection.giveBack();
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#guard.key("get", key);
    const value = await this.#perform("get", key, (cache) => cache.get(key));
    this.#counters.found(value);
    return value;
  }

  async set(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    this.#guard.write("set", key, value, ttlMs);
    const own = this.#keep(value);
    return this.#perform("set", key, (cache) => cache.set(key, own, ttlMs));
  }

  async delete(key: string): Promise<boolean> {
    this.#guard.key("delete", key);
    return this.#perform("delete", key, (cache) => cache.delete(key));
  }

  async getOrSet(key: string, value: Uint8Array, ttlMs: number): Promise<GetOrSetResult> {
    this.#guard.write("getOrSet", key, value, ttlMs);
    const own = this.#keep(value);
    return this.#perform("getOrSet", key, (cache) => cache.getOrSet(key, own, ttlMs));
  }

  async compareAndSet(
    key: string,
    expected: Uint8Array | null,
    next: Uint8Array | null,
    ttlMs?: number,
    options?: CompareAndSetOptions,
  ): Promise<boolean> {
    this.#guard.compareAndSet(key, expected, next, ttlMs);
    const [from, to] = [this.#keep(expected), this.#keep(next)];
    return this.#perform("compareAndSet", key, (cache) => cache.compareAndSet(key, from, to, ttlMs, options));
  }

  async watch(key: string, onChange: () => void): Promise<Unwatch> {
    this.#guard.watch(key, onChange);
    // Changes arrive in the context of whoever opened the connection, which may be another tenant's.
    const listener = AsyncResource.bind(onChange);
    const start = async (cache: Cache, connection: Connection): Promise<Unwatch> => {
      const unwatch = await cache.watch(key, listener);
      connection.lend();
      return this.#addWatch(key, unwatch, connection);
    };
    return this.#perform("watch", key, start);
  }

  async health(): Promise<void> {
    this.#guard.open("health");
    return this.#perform("health", undefined, (cache) => cache.health());
  }

  stats(): CacheStats {
    const { backend, state } = this.#attachment?.cache.stats() ?? { backend: "unknown", state: "connecting" };
    return {
      backend,
      state: this.#guard.closed ? "closed" : state,
      ...this.#counters.snapshot(),
      watchedKeys: new Set(Array.from(this.#watches, ({ key }) => key)).size,
    };
  }

  retain(): () => void {
    this.#retained += 1;
    this.#pin();
    let retained = true;
    return () => {
      if (!retained) return;
      retained = false;
      this.#retained -= 1;
      if (this.#retained === 0) this.#unpin();
    };
  }

  /** Ends this handle; the connection is the manager's. */
  close(): Promise<void> {
    if (this.#guard.close()) this.#options.onClosed();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#counters.inFlight > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await Promise.all([...this.#watches].map(({ end }) => end()));
    this.#unpin();
    await this.#attachment?.cache.close();
  }

  /** Calls `start` at once if there is a connection, so that the order of calls is the order of operations. */
  async #perform<T>(
    operation: CacheOperation,
    key: string | undefined,
    start: (cache: Cache, connection: Connection) => Promise<T>,
  ): Promise<T> {
    this.#counters.begin(operation);
    let lent: Attachment | undefined;
    try {
      lent = this.#lendNow() ?? (await this.#lendLater(operation, key));
      return await start(lent.cache, lent.connection);
    } catch (error) {
      this.#counters.fail(error);
      throw error;
    } finally {
      lent?.connection.giveBack();
      this.#counters.end();
      if (this.#counters.inFlight === 0) this.#onIdle?.();
    }
  }

  #lendNow(): Attachment | undefined {
    // Not past those that were called before and still wait.
    if (this.#waiting > 0 || !this.#attachment?.connection.lend()) return undefined;
    return this.#attachment;
  }

  /** Within the time limit of an operation. What waited in vain is not sent afterwards. */
  async #lendLater(operation: CacheOperation, key: string | undefined): Promise<Attachment> {
    const { tenantId, operationTimeoutMs: limitMs } = this.#options;
    const details = { operation, ...(key === undefined ? {} : { key }) };
    const failure = (problem: string, cause?: unknown): Error =>
      new ConnectionError(
        `${operation}${key === undefined ? "" : ` "${key}"`}: tenant ${describe(tenantId)} ${problem}; nothing was sent`,
        { ...details, cause },
      );
    try {
      return await this.#lend({ limitMs, timedOut: () => failure(`was not connected within ${limitMs} ms`) });
    } catch (error) {
      // What `resolve` throws may be anything; here it is a connection that could not be made.
      throw error instanceof HoldfastError ? error : failure("could not be resolved", error);
    }
  }

  async #lend(limits: WaitLimits): Promise<Attachment> {
    const known = this.#lendNow();
    if (known !== undefined) return known;
    this.#waiting += 1;
    this.#attaching ??= this.#attach();
    const attaching = this.#attaching;
    try {
      const attachment = await waitFor(this.#options.clock, attaching, limits);
      if (attachment.connection.lend()) return attachment;
      throw new ClosedError("the manager was closed");
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#endAttaching(attaching);
    }
  }

  async #attach(): Promise<Attachment> {
    const { connection, keyPrefix } = await this.#options.acquire();
    const before = this.#attachment;
    if (before?.connection === connection) return before;
    this.#attachment = { connection, cache: connection.store.cache(keyPrefix) };
    void before?.cache.close();
    this.#pin();
    return this.#attachment;
  }

  /** Everybody who waited has lent it by now. */
  #endAttaching(attaching: Promise<Attachment>): void {
    this.#attaching = undefined;
    attaching.then(
      ({ connection }) => connection.giveBack(),
      () => {},
    );
  }

  #pin(): void {
    if (this.#retained > 0 && this.#pinned === undefined && this.#attachment?.connection.lend()) {
      this.#pinned = this.#attachment.connection;
    }
  }

  #unpin(): void {
    this.#pinned?.giveBack();
    this.#pinned = undefined;
  }

  #addWatch(key: string, unwatch: Unwatch, connection: Connection): Unwatch {
    let ended: Promise<void> | undefined;
    const watch: Watch = {
      key,
      end: () => {
        this.#watches.delete(watch);
        ended ??= unwatch().finally(() => connection.giveBack());
        return ended;
      },
    };
    this.#watches.add(watch);
    return watch.end;
  }

  /** Bytes that wait for a connection are kept safe from later changes; otherwise the backend copies them. */
  #keep<T extends Uint8Array | null>(bytes: T): T {
    const isSentAtOnce = this.#waiting === 0 && this.#attachment?.connection.isOpen;
    return bytes === null || isSentAtOnce ? bytes : (copyBytes(bytes) as T);
  }
}
