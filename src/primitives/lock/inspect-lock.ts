import { type CacheSource, resolveCache } from "../../cache/contract.ts";
import { leaseKeys } from "../lease/names.ts";
import { decodeRecord } from "../lease/record.ts";

/** Who holds a lock, as its record tells. It may have changed by the time you read this. */
export interface LockInfo {
  readonly holder: string;
  /** 0 when the lock was taken with `fencing: false`. */
  readonly fencingToken: number;
  /** By the holder's wall clock. */
  readonly acquiredAt: Date;
  /** How long the lock outlives its holder; not how much of that is left. */
  readonly ttlMs: number;
  readonly metadata?: unknown;
}

/** Reads who holds the lock `key`; `null` when nobody does. For people and logs: never decide by it. */
export async function inspectLock(source: CacheSource, key: string): Promise<LockInfo | null> {
  const keys = leaseKeys("lock", key);
  const cache = await resolveCache(source);
  const bytes = await cache.get(keys.lease);
  if (bytes === undefined) return null;
  const record = decodeRecord(bytes);
  if (record === undefined) {
    return {
      holder: "unknown (the record cannot be read)",
      fencingToken: 0,
      acquiredAt: new Date(Number.NaN),
      ttlMs: 0,
    };
  }
  const { holder, fencingToken, acquiredAtMs, ttlMs, metadata } = record;
  return {
    holder,
    fencingToken,
    acquiredAt: new Date(acquiredAtMs),
    ttlMs,
    ...(metadata === undefined ? {} : { metadata }),
  };
}
