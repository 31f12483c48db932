import { checkFunction } from "../../cache/choices.ts";
import { type CacheSource, resolveCache } from "../../cache/contract.ts";
import { Job } from "../lease/job.ts";
import { leaseKeys } from "../lease/names.ts";
import { takeLock } from "./acquire-lock.ts";
import { LockLostError } from "./errors.ts";
import type { HeldLock } from "./held-lock.ts";
import type { Lock } from "./lock.ts";
import { type HeldLockSet, type LockSet, lockOrder, takeLocks } from "./lock-set.ts";
import { type LockOptions, type LockSettings, lockSettings } from "./options.ts";
import { heldByCaller, runUnder } from "./reentry.ts";

/**
 * Runs `work` while holding the lock `key`, or all of several locks.
 *
 * How it settles:
 * - the work threw: with that error, untouched, whatever became of the lock;
 * - the work finished and the lock was held to the end: with its value. If only
 *   the release did not reach the store, that is no failure: the lock expires;
 * - the work finished, but the lock had been lost: with a `LockLostError` that
 *   carries the value as `result`, because exclusion was not guaranteed.
 *
 * Several keys are taken in one fixed order, so two callers cannot deadlock;
 * all or none; and released together.
 *
 * @throws LockTimeoutError when the lock was not free within `waitMs`; `work` has not run
 * @throws LockReentryError when this async context already holds the lock
 * @throws ConfigError for a wrong option or key
 */
export function withLock<T>(
  source: CacheSource,
  key: string,
  work: (lock: Lock) => T | Promise<T>,
  options?: LockOptions,
): Promise<Awaited<T>>;
export function withLock<T>(
  source: CacheSource,
  keys: readonly string[],
  work: (locks: LockSet) => T | Promise<T>,
  options?: LockOptions,
): Promise<Awaited<T>>;
export async function withLock<T>(
  source: CacheSource,
  keys: string | readonly string[],
  work: ((lock: Lock) => T | Promise<T>) | ((locks: LockSet) => T | Promise<T>),
  options?: LockOptions,
): Promise<Awaited<T>> {
  checkFunction(work, "work");
  const settings = lockSettings(options);
  if (typeof keys !== "string") {
    const order = lockOrder(keys);
    const cache = await resolveCache(source);
    const locks = await takeLocks(cache, order, settings);
    const runAll = work as (locks: LockSet) => T;
    return settle(locks, settings, () => runUnder(cache, locks.locks, () => runAll(locks)));
  }
  const one = leaseKeys("lock", keys);
  const cache = await resolveCache(source);
  const run = work as (lock: Lock) => T;
  const outer = settings.nested === "share" ? heldByCaller(cache, one) : undefined;
  if (outer) return await run(outer);
  const lock = await takeLock(cache, one, settings);
  return settle(lock, settings, () => runUnder(cache, [lock], () => run(lock)));
}

/** Runs the work, gives the lock back, and settles by the rules of {@link withLock}. */
async function settle<T>(held: HeldLock | HeldLockSet, settings: LockSettings, work: () => T): Promise<Awaited<T>> {
  const { clock, scope } = settings;
  const locks = "locks" in held ? held.locks : [held];
  const job = scope && new Job(clock, locks, scope);
  let result: Awaited<T>;
  try {
    result = await work();
  } catch (error) {
    await held.release();
    throw error;
  } finally {
    job?.done();
  }
  if (await held.release()) return result;
  const loss = held.lossError();
  throw new LockLostError(
    `${loss.message}. The work had finished: its value is in error.result, but exclusion was not guaranteed`,
    { result, cause: loss, ...(loss.key === undefined ? {} : { key: loss.key }) },
  );
}
