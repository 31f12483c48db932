import { type Cache, type CacheSource, resolveCache } from "../../cache/contract.ts";
import { elapsedMs, type Instant, now } from "../../runtime/instant.ts";
import { Acquisition, type Grant } from "../lease/acquisition.ts";
import type { Lease } from "../lease/lease.ts";
import type { Line } from "../lease/line.ts";
import { lineFor } from "../lease/lines.ts";
import { type LeaseKeys, leaseKeys } from "../lease/names.ts";
import { type LeaseRecord, leaseFormat } from "../lease/record.ts";
import { type Seeker, type Seen, whyNot } from "../lease/seeker.ts";
import { LockTimeoutError } from "./errors.ts";
import { HeldLock } from "./held-lock.ts";
import type { Lock } from "./lock.ts";
import { type LockOptions, type LockSettings, lockSettings } from "./options.ts";
import { checkReentry } from "./reentry.ts";

/**
 * Takes the lock `key`, waiting for it up to `waitMs`. Within one process,
 * waiters are served first come, first served.
 *
 * @throws LockTimeoutError when it was not free in time
 * @throws LockReentryError when this async context already holds it by `withLock`
 * @throws ConfigError for a wrong option or key
 * @throws the signal's reason when `signal` aborts the wait
 */
export async function acquireLock(source: CacheSource, key: string, options?: LockOptions): Promise<Lock> {
  const keys = leaseKeys("lock", key);
  const settings = lockSettings(options);
  return await takeLock(await resolveCache(source), keys, settings);
}

/** Tries once to take the lock `key`; `null` when somebody else has it. `waitMs` has no meaning here. */
export async function tryAcquireLock(source: CacheSource, key: string, options?: LockOptions): Promise<Lock | null> {
  const keys = leaseKeys("lock", key);
  const settings = lockSettings({ ...options, waitMs: 0 });
  return await new LockSeeker(await resolveCache(source), keys, settings).tryOnce();
}

/** {@link acquireLock} for settings that were checked. What speaks against even trying is thrown at once. */
export function takeLock(cache: Cache, keys: LeaseKeys, settings: LockSettings): Promise<HeldLock> {
  settings.signal?.throwIfAborted();
  checkReentry(cache, keys, settings);
  const seeker = new LockSeeker(cache, keys, settings);
  return settings.waitMs > 0 ? seeker.wait() : seeker.tryOrFail();
}

/** Somebody who wants a lock, until it is had or given up. */
class LockSeeker implements Seeker {
  readonly acquisition: Acquisition<LeaseRecord>;
  readonly #cache: Cache;
  readonly #keys: LeaseKeys;
  readonly #settings: LockSettings;
  readonly #line: Line;
  readonly #startedAt: Instant;
  /** What a try has seen. */
  #seen: Seen = {};
  #lock: HeldLock | null = null;

  constructor(cache: Cache, keys: LeaseKeys, settings: LockSettings) {
    this.#cache = cache;
    this.#keys = keys;
    this.#settings = settings;
    this.#line = lineFor(cache, settings.clock, keys);
    this.#startedAt = now(settings.clock);
    const { timing, clock, fencing } = settings;
    this.acquisition = new Acquisition({ cache, keys, timing, clock, fencing, format: leaseFormat(settings) });
  }

  async wait(): Promise<HeldLock> {
    try {
      await this.#line.join(this, this.#settings);
    } catch (error) {
      throw this.#failed(error);
    }
    if (this.#settings.scope?.closed) await this.#giveUp(this.#settings.scope.closed);
    return this.#enter(this.#lock as HeldLock);
  }

  async tryOrFail(): Promise<HeldLock> {
    const lock = await this.tryOnce();
    if (lock) return lock;
    throw this.timedOut(this.#seen);
  }

  async tryOnce(): Promise<HeldLock | null> {
    try {
      const onSeen = (seen: Seen): void => {
        this.#seen = seen;
      };
      await this.#line.tryOnce(this, onSeen, this.#settings.signal);
    } catch (error) {
      throw this.#failed(error);
    }
    if (this.#settings.scope?.closed) await this.#giveUp(this.#settings.scope.closed);
    if (this.#lock) return this.#enter(this.#lock);
    this.#report("occupied");
    return null;
  }

  hold(grant: Grant): Lease {
    this.#lock = new HeldLock(this.#cache, this.#keys, this.#settings, this.#line, grant);
    return this.#lock.lease;
  }

  faulted(error: unknown): void {
    this.#settings.observer({ kind: "lock", name: this.#keys.name, type: "store-error", error });
  }

  timedOut(seen: Seen): LockTimeoutError {
    return timeoutError(this.#keys, this.#settings, seen);
  }

  #enter(lock: HeldLock): HeldLock {
    const { scope, observer } = this.#settings;
    scope?.open.add(lock);
    const { token: fencingToken } = lock;
    observer({ kind: "lock", name: this.#keys.name, type: "acquired", fencingToken, waitedMs: this.#waitedMs });
    return lock;
  }

  async #giveUp(reason: Error): Promise<never> {
    await this.#lock?.release();
    throw reason;
  }

  #failed(error: unknown): unknown {
    this.#report(failureOf(error, this.#settings.signal));
    return error;
  }

  #report(outcome: "occupied" | "timeout" | "aborted" | "failed"): void {
    const about = { kind: "lock", name: this.#keys.name, waitedMs: this.#waitedMs } as const;
    this.#settings.observer({ ...about, type: "not-acquired", outcome });
  }

  get #waitedMs(): number {
    return elapsedMs(this.#settings.clock, this.#startedAt);
  }
}

function failureOf(error: unknown, signal: AbortSignal | undefined): "timeout" | "aborted" | "failed" {
  if (error instanceof LockTimeoutError) return "timeout";
  return signal?.aborted ? "aborted" : "failed";
}

function timeoutError(keys: LeaseKeys, settings: LockSettings, seen: Seen): LockTimeoutError {
  const { name } = keys;
  const waited = settings.askedWaitMs === 0 ? "at once" : `within ${settings.askedWaitMs} ms`;
  return new LockTimeoutError(`lock "${name}" was not free ${waited}: ${whyNot(seen, "held")}`, {
    key: name,
    operation: "acquireLock",
    by: seen.by,
    cause: seen.error,
  });
}
