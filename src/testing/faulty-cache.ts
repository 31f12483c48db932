import { copyBytes } from "../cache/bytes.ts";
import type {
  Cache,
  CacheOperation,
  CacheStats,
  CompareAndSetOptions,
  GetOrSetResult,
  Unwatch,
} from "../cache/contract.ts";
import { ClosedError } from "../cache/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { systemClock } from "../runtime/system-clock.ts";
import {
  ActiveFault,
  type CacheCall,
  type CallFilter,
  type Fault,
  type FaultSchedule,
  type Injection,
  matches,
} from "./faults.ts";

export interface FaultyCacheOptions {
  /** For delays. Default: the process's own. */
  readonly clock?: Clock | undefined;
  /** What `ordered` says. Default: what the cache underneath says; a call that is delayed is overtaken all the same. */
  readonly ordered?: boolean | undefined;
}

/**
 * Any cache, with faults on demand: without any it is the cache underneath.
 * Nothing is random, so a test that failed fails again.
 *
 * ```ts
 * const cache = new FaultyCache(createMemoryCache({ clock }), { clock });
 *
 * cache.inject({ fault: "lost-reply", operation: "compareAndSet", times: 1 });
 * cache.inject({ fault: "error", key: (key) => key.startsWith("fence:"), skip: 2, times: 3 });
 * const stuck = cache.inject({ fault: "hang" });
 * stuck.release();
 * cache.count({ operation: "getOrSet" });
 * ```
 *
 * A call meets the first fault, in the order of injecting, whose filter it
 * matches and which has some of its `times` left, and no other. `stats` and
 * `close` never meet one. `close` releases what hangs.
 */
export class FaultyCache implements Cache {
  readonly ordered: boolean;
  readonly #cache: Cache;
  readonly #clock: Clock;
  readonly #calls: CacheCall[] = [];
  #faults: ActiveFault[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(cache: Cache, options: FaultyCacheOptions = {}) {
    this.#cache = cache;
    this.#clock = options.clock ?? systemClock;
    this.ordered = options.ordered ?? cache.ordered;
  }

  /** Adds a fault for the calls to come. Throws a `ConfigError` when there is no such fault. */
  inject(fault: Fault & FaultSchedule): Injection {
    const active = new ActiveFault(fault, this.#clock);
    this.#faults.push(active);
    return active;
  }

  /** Ends every fault and releases what hangs. */
  heal(): void {
    for (const fault of this.#faults) fault.release();
    this.#faults = [];
  }

  /** Every call so far, the refused and the lost ones too. */
  get calls(): readonly CacheCall[] {
    return this.#calls;
  }

  /** How many of them match. */
  count(filter: CallFilter = {}): number {
    return this.#calls.filter((call) => matches(call, filter)).length;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#call("get", key, () => this.#cache.get(key));
  }

  set(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    const stored = copyIfBytes(value);
    return this.#call("set", key, () => this.#cache.set(key, stored, ttlMs));
  }

  delete(key: string): Promise<boolean> {
    return this.#call("delete", key, () => this.#cache.delete(key));
  }

  getOrSet(key: string, value: Uint8Array, ttlMs: number): Promise<GetOrSetResult> {
    const stored = copyIfBytes(value);
    return this.#call("getOrSet", key, () => this.#cache.getOrSet(key, stored, ttlMs));
  }

  compareAndSet(
    key: string,
    expected: Uint8Array | null,
    next: Uint8Array | null,
    ttlMs?: number,
    options?: CompareAndSetOptions,
  ): Promise<boolean> {
    const [from, to] = [copyIfBytes(expected), copyIfBytes(next)];
    return this.#call("compareAndSet", key, () => this.#cache.compareAndSet(key, from, to, ttlMs, options));
  }

  watch(key: string, onChange: () => void): Promise<Unwatch> {
    return this.#call("watch", key, (fault) => this.#cache.watch(key, fault?.mutes ? () => {} : onChange));
  }

  health(): Promise<void> {
    return this.#call("health", undefined, () => this.#cache.health());
  }

  stats(): CacheStats {
    return this.#cache.stats();
  }

  retain(): () => void {
    return this.#cache.retain?.() ?? (() => {});
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.heal();
    await Promise.allSettled(this.#underWay);
    await this.#cache.close();
  }

  /** Not async: without a fault, the cache underneath must be called at once, to keep its order. */
  #call<T>(
    operation: CacheOperation,
    key: string | undefined,
    execute: (fault?: ActiveFault) => Promise<T>,
  ): Promise<T> {
    const call = { operation, key };
    this.#calls.push(call);
    if (this.#closing) return Promise.reject(closed(call));
    const fault = this.#faults.find((candidate) => candidate.hit(call));
    if (fault === undefined) return execute();
    const result = fault.apply(call, () => execute(fault));
    this.#underWay.add(result);
    const settled = (): void => void this.#underWay.delete(result);
    result.then(settled, settled);
    return result;
  }
}

function closed({ operation, key }: CacheCall): ClosedError {
  return new ClosedError(`${operation}: the cache is closed`, { operation, ...(key === undefined ? {} : { key }) });
}

/** What is not bytes is passed on as it is, for the cache underneath to refuse. */
function copyIfBytes<T extends Uint8Array | null>(value: T): T {
  return value instanceof Uint8Array ? (copyBytes(value) as T) : value;
}
