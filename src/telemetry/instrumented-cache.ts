import type { Attributes } from "@opentelemetry/api";
import type {
  Cache,
  CacheOperation,
  CacheStats,
  CompareAndSetOptions,
  GetOrSetResult,
  Unwatch,
} from "../cache/contract.ts";
import { HoldfastError } from "../cache/errors.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { currentInstruments } from "./instruments.ts";

/**
 * A cache whose operations are measured, by the semantic conventions for
 * database clients. Without an SDK each call goes straight to the cache below.
 */
export class InstrumentedCache implements Cache {
  readonly #cache: Cache;
  readonly #attributes = new Map<CacheOperation, Attributes>();

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  get ordered(): boolean {
    return this.#cache.ordered;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return currentInstruments() ? this.#measure("get", () => this.#cache.get(key)) : this.#cache.get(key);
  }

  set(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    return currentInstruments()
      ? this.#measure("set", () => this.#cache.set(key, value, ttlMs))
      : this.#cache.set(key, value, ttlMs);
  }

  delete(key: string): Promise<boolean> {
    return currentInstruments() ? this.#measure("delete", () => this.#cache.delete(key)) : this.#cache.delete(key);
  }

  getOrSet(key: string, value: Uint8Array, ttlMs: number): Promise<GetOrSetResult> {
    return currentInstruments()
      ? this.#measure("getOrSet", () => this.#cache.getOrSet(key, value, ttlMs))
      : this.#cache.getOrSet(key, value, ttlMs);
  }

  compareAndSet(
    key: string,
    expected: Uint8Array | null,
    next: Uint8Array | null,
    ttlMs?: number,
    options?: CompareAndSetOptions,
  ): Promise<boolean> {
    return currentInstruments()
      ? this.#measure("compareAndSet", () => this.#cache.compareAndSet(key, expected, next, ttlMs, options))
      : this.#cache.compareAndSet(key, expected, next, ttlMs, options);
  }

  watch(key: string, onChange: () => void): Promise<Unwatch> {
    return currentInstruments()
      ? this.#measure("watch", () => this.#cache.watch(key, onChange))
      : this.#cache.watch(key, onChange);
  }

  health(): Promise<void> {
    return currentInstruments() ? this.#measure("health", () => this.#cache.health()) : this.#cache.health();
  }

  stats(): CacheStats {
    return this.#cache.stats();
  }

  retain(): () => void {
    return this.#cache.retain?.() ?? (() => {});
  }

  close(): Promise<void> {
    return this.#cache.close();
  }

  async #measure<T>(operation: CacheOperation, call: () => Promise<T>): Promise<T> {
    const startedMs = systemClock.monotonicMs();
    let attributes = this.#attributesOf(operation);
    try {
      return await call();
    } catch (error) {
      attributes = { ...attributes, "error.type": error instanceof HoldfastError ? error.code : "_OTHER" };
      throw error;
    } finally {
      currentInstruments()?.operationDuration.record((systemClock.monotonicMs() - startedMs) / 1_000, attributes);
    }
  }

  #attributesOf(operation: CacheOperation): Attributes {
    const known = this.#attributes.get(operation);
    if (known !== undefined) return known;
    const attributes = { "db.system.name": this.#cache.stats().backend, "db.operation.name": operation };
    this.#attributes.set(operation, attributes);
    return attributes;
  }
}
