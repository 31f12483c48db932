import { type Cache, type CacheSource, resolveCache } from "../../cache/contract.ts";
import { ClosedError } from "../../cache/errors.ts";
import { elapsedMs, now } from "../../runtime/instant.ts";
import { Acquisition } from "../lease/acquisition.ts";
import type { Lease } from "../lease/lease.ts";
import type { Line } from "../lease/line.ts";
import { lineFor } from "../lease/lines.ts";
import { type LeaseKeys, leaseKeys } from "../lease/names.ts";
import { leaseFormat } from "../lease/record.ts";
import type { Seeker, Seen } from "../lease/seeker.ts";
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
  return takeLock(await resolveCache(source), leaseKeys("lock", key), lockSettings(options));
}

/** Tries once to take the lock `key`; `null` when somebody else has it. `waitMs` has no meaning here. */
export async function tryAcquireLock(source: CacheSource, key: string, options?: LockOptions): Promise<Lock | null> {
  const keys = leaseKeys("lock", key);
  const settings = lockSettings({ ...options, waitMs: 0 });
  const cache = await resolveCache(source);
  const lock = await obtain(cache, keys, settings, (line, seeker) => line.tryOnce(seeker));
  return lock ?? null;
}

/** {@link acquireLock} for settings that were checked. */
export async function takeLock(cache: Cache, keys: LeaseKeys, settings: LockSettings): Promise<HeldLock> {
  settings.signal?.throwIfAborted();
  if (settings.waitMs > 0) checkReentry(cache, keys, settings);
  let seen: Seen = {};
  const lock = await obtain(cache, keys, settings, (line, seeker) =>
    settings.waitMs > 0 ? line.join(seeker, settings) : line.tryOnce(seeker, (now) => (seen = now)),
  );
  if (lock) return lock;
  throw timeoutError(keys, settings, seen);
}

type Way = (line: Line, seeker: Seeker) => Promise<Lease | undefined>;

async function obtain(cache: Cache, keys: LeaseKeys, settings: LockSettings, way: Way): Promise<HeldLock | undefined> {
  const { clock, observer } = settings;
  const startedAt = now(clock);
  const line = lineFor(cache, clock, keys);
  const about = { kind: "lock", name: keys.name } as const;
  let lock: HeldLock | undefined;
  const seeker: Seeker = {
    acquisition: new Acquisition({ cache, keys, format: leaseFormat(settings), ...settings }),
    hold: (grant, onLost) => {
      lock = new HeldLock(cache, keys, settings, line, grant, onLost);
      return lock.lease;
    },
    timedOut: (seen) => timeoutError(keys, settings, seen),
  };
  try {
    await way(line, seeker);
  } catch (error) {
    const outcome = failureOf(error, settings.signal);
    observer({ ...about, type: "not-acquired", outcome, waitedMs: elapsedMs(clock, startedAt) });
    throw error;
  }
  if (settings.scope?.closed) {
    await lock?.release();
    throw new ClosedError(`acquireLock "${keys.name}": the coordinator was closed`, { key: keys.name });
  }
  if (lock) settings.scope?.open.add(lock);
  const waitedMs = elapsedMs(clock, startedAt);
  if (lock) observer({ ...about, type: "acquired", fencingToken: lock.token, waitedMs });
  else observer({ ...about, type: "not-acquired", outcome: "occupied", waitedMs });
  return lock;
}

function failureOf(error: unknown, signal: AbortSignal | undefined): "timeout" | "aborted" | "failed" {
  if (error instanceof LockTimeoutError) return "timeout";
  return signal?.aborted ? "aborted" : "failed";
}

function timeoutError(keys: LeaseKeys, settings: LockSettings, seen: Seen): LockTimeoutError {
  const { name } = keys;
  const waited = settings.waitMs === 0 ? "at once" : `within ${settings.waitMs} ms`;
  const holder = seen.by ? `it is held by ${seen.by.holder}` : "it is held";
  const why = seen.error === undefined ? holder : "the store was at fault";
  return new LockTimeoutError(`lock "${name}" was not free ${waited}: ${why}`, {
    key: name,
    operation: "acquireLock",
    by: seen.by,
    cause: seen.error,
  });
}
