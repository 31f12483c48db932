import { EventEmitter } from "eventemitter3";
import type { Cache } from "./cache/contract.ts";
import { ClosedError } from "./cache/errors.ts";
import type { LeaseEvent, LeaseObserver } from "./primitives/lease/events.ts";
import { newHolder } from "./primitives/lease/holder.ts";
import type { LossReason } from "./primitives/lease/lease.ts";
import { Scope } from "./primitives/lease/scope.ts";
import { acquireLock, tryAcquireLock } from "./primitives/lock/acquire-lock.ts";
import { inspectLock, type LockInfo } from "./primitives/lock/inspect-lock.ts";
import type { Lock } from "./primitives/lock/lock.ts";
import type { LockSet } from "./primitives/lock/lock-set.ts";
import type { LockOptions } from "./primitives/lock/options.ts";
import { withLock } from "./primitives/lock/with-lock.ts";
import type { Clock } from "./runtime/clock.ts";
import { systemClock } from "./runtime/system-clock.ts";

export interface CoordinatorOptions {
  /** The name that others see as holder. Default host, process and a random part. */
  readonly holder?: string;
  /** Is told of every lease event; the coordinator's own events are a part of them. */
  readonly observer?: LeaseObserver;
  /** Time, timers and randomness; for tests. */
  readonly clock?: Clock;
}

/** Options of a lock that the coordinator does not set itself. */
export type CoordinatorLockOptions = Omit<LockOptions, "holder" | "observer" | "clock" | "scope">;

/** An event that nobody listens to is never an error. */
export interface CoordinatorEvents {
  /** A lock ended before its holder gave it back. Its signal has been aborted. */
  lockLost: [event: { readonly key: string; readonly fencingToken: number; readonly reason: LossReason }];
  /** A lock could not be given back; it ends by its TTL. */
  releaseFailed: [event: { readonly key: string; readonly error: unknown }];
  /** A blocked event loop ran a lock's timer when most of the lease was over. Told once per lock. */
  lockStalled: [event: { readonly key: string; readonly lateMs: number }];
  /** The store failed where the library goes on by itself. */
  storeError: [event: { readonly key: string; readonly error: unknown }];
}

/**
 * The front door: a cache, and the primitives over it.
 *
 * `close` ends what is waiting, tells what is running, gives back what is held,
 * and closes what `connect` opened.
 */
export class Coordinator extends EventEmitter<CoordinatorEvents> implements AsyncDisposable {
  readonly cache: Cache;
  /** The name under which others see this coordinator. */
  readonly holder: string;
  readonly #clock: Clock;
  readonly #observer: LeaseObserver;
  readonly #scope: Scope = new Scope();
  readonly #closeCache: (() => Promise<void>) | undefined;
  #closing: Promise<void> | undefined;

  /** @param closeCache closes the cache, if it is the coordinator's to close */
  constructor(cache: Cache, options: CoordinatorOptions = {}, closeCache?: () => Promise<void>) {
    super();
    this.cache = cache;
    this.#clock = options.clock ?? systemClock;
    this.holder = options.holder ?? newHolder(this.#clock);
    this.#closeCache = closeCache;
    const also = options.observer;
    this.#observer = (event) => {
      also?.(event);
      this.#publish(event);
    };
  }

  /** See {@link withLock}. */
  withLock<T>(key: string, work: (lock: Lock) => T | Promise<T>, options?: CoordinatorLockOptions): Promise<Awaited<T>>;
  withLock<T>(
    keys: readonly string[],
    work: (locks: LockSet) => T | Promise<T>,
    options?: CoordinatorLockOptions,
  ): Promise<Awaited<T>>;
  async withLock<T>(
    keys: string | readonly string[],
    work: ((lock: Lock) => T | Promise<T>) | ((locks: LockSet) => T | Promise<T>),
    options?: CoordinatorLockOptions,
  ): Promise<Awaited<T>> {
    // The overloads of both functions are the same.
    return withLock(this.#open(), keys as string, work as (lock: Lock) => T | Promise<T>, this.#lockOptions(options));
  }

  /** See {@link acquireLock}. */
  async acquireLock(key: string, options?: CoordinatorLockOptions): Promise<Lock> {
    return acquireLock(this.#open(), key, this.#lockOptions(options));
  }

  /** See {@link tryAcquireLock}. */
  async tryAcquireLock(key: string, options?: CoordinatorLockOptions): Promise<Lock | null> {
    return tryAcquireLock(this.#open(), key, this.#lockOptions(options));
  }

  /** See {@link inspectLock}. */
  async inspectLock(key: string): Promise<LockInfo | null> {
    return inspectLock(this.#open(), key);
  }

  /**
   * Ends this coordinator; idempotent. Waits reject with `ClosedError`. Work under `withLock` has its
   * signal aborted and the rest of its lease to finish, unrenewed; other locks are given back at once.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#scope.close(new ClosedError("the coordinator was closed"));
    await this.#closeCache?.();
  }

  #open(): Cache {
    if (this.#scope.closed) throw new ClosedError("the coordinator was closed");
    return this.cache;
  }

  #lockOptions(options: CoordinatorLockOptions | undefined): LockOptions {
    return { ...options, holder: this.holder, observer: this.#observer, clock: this.#clock, scope: this.#scope };
  }

  #publish(event: LeaseEvent): void {
    const key = event.name;
    switch (event.type) {
      case "lost":
        this.emit("lockLost", { key, fencingToken: event.fencingToken, reason: event.reason });
        break;
      case "release-failed":
        this.emit("releaseFailed", { key, error: event.error });
        break;
      case "stalled":
        this.emit("lockStalled", { key, lateMs: event.lateMs });
        break;
      case "store-error":
        this.emit("storeError", { key, error: event.error });
        break;
      default:
    }
  }
}
