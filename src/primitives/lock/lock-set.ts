import { describe } from "../../cache/checks.ts";
import type { Cache } from "../../cache/contract.ts";
import { ConfigError } from "../../cache/errors.ts";
import { elapsedMs, now } from "../../runtime/instant.ts";
import { type LeaseKeys, leaseKeys } from "../lease/names.ts";
import { takeLock } from "./acquire-lock.ts";
import type { LockLostError } from "./errors.ts";
import type { HeldLock } from "./held-lock.ts";
import type { Lock } from "./lock.ts";
import type { LockSettings } from "./options.ts";

/** Several locks that were taken together. It is held as long as all of them are. */
export interface LockSet extends Omit<Lock, "key" | "fencingToken"> {
  /** In the order in which they were taken. */
  readonly locks: readonly Lock[];
  /** The fencing token of each key. */
  readonly fencingTokens: Readonly<Record<string, number>>;
}

/** The keys of a set in the one order that every caller uses, so that two callers cannot wait for each other. */
export function lockOrder(names: readonly string[]): LeaseKeys[] {
  if (!Array.isArray(names) || names.length === 0) {
    throw new ConfigError(`withLock needs a key or several, not ${Array.isArray(names) ? "none" : describe(names)}`);
  }
  // By UTF-16 code units, which is the same on every machine; a locale's order is not.
  return [...new Set(names)].sort().map((name) => leaseKeys("lock", name));
}

/** Takes all locks within one `waitMs`, or none. */
export async function takeLocks(
  cache: Cache,
  keys: readonly LeaseKeys[],
  settings: LockSettings,
): Promise<HeldLockSet> {
  const startedAt = now(settings.clock);
  const locks: HeldLock[] = [];
  try {
    for (const one of keys) {
      const leftMs = Math.max(0, settings.waitMs - elapsedMs(settings.clock, startedAt));
      locks.push(await takeLock(cache, one, { ...settings, waitMs: leftMs }));
      for (const lock of locks) lock.assertHeld();
    }
  } catch (error) {
    await releaseAll(locks);
    throw error;
  }
  return new HeldLockSet(locks);
}

export class HeldLockSet implements LockSet {
  readonly locks: readonly HeldLock[];
  #signal: AbortSignal | undefined;

  constructor(locks: readonly HeldLock[]) {
    this.locks = locks;
  }

  get fencingTokens(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.locks.map((lock) => [lock.key, lock.fencingToken]));
  }

  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.any(this.locks.map((lock) => lock.signal));
    return this.#signal;
  }

  get remainingMs(): number {
    return Math.min(...this.locks.map((lock) => lock.remainingMs));
  }

  isHeld(): boolean {
    return this.locks.every((lock) => lock.isHeld());
  }

  assertHeld(): void {
    if (!this.isHeld()) throw this.lossError();
  }

  lossError(): LockLostError {
    const lost = this.locks.find((lock) => lock.wasLost) ?? this.locks.find((lock) => !lock.isHeld());
    return (lost ?? (this.locks[0] as HeldLock)).lossError();
  }

  async extend(ttlMs?: number): Promise<void> {
    await Promise.all(this.locks.map((lock) => lock.extend(ttlMs)));
  }

  release(): Promise<boolean> {
    return releaseAll(this.locks);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

/** The last one taken first. Never rejects. */
async function releaseAll(locks: readonly HeldLock[]): Promise<boolean> {
  const released = await Promise.all(locks.toReversed().map((lock) => lock.release()));
  return released.every(Boolean);
}
