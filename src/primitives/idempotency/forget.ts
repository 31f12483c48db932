import type { Cache } from "../../cache/contract.ts";
import type { LeaseKeys } from "../lease/names.ts";
import { IdempotencyInProgressError } from "./errors.ts";
import { decodeRecord } from "./record.ts";

/**
 * Removes the record of a message that is over, or whatever else is under its
 * key. By compare-and-set, so that a run which starts meanwhile keeps its claim.
 */
export async function forget(cache: Cache, name: string, { name: key, lease }: LeaseKeys): Promise<boolean> {
  for (;;) {
    const bytes = await cache.get(lease);
    if (bytes === undefined) return false;
    const record = decodeRecord(bytes);
    if (record?.state === "running") {
      throw new IdempotencyInProgressError(
        `forget "${name}", key "${key}": the handler is running; abort it, or wait until it is done`,
        { key, operation: "forget", retryAfterMs: record.ttlMs },
      );
    }
    if (await cache.compareAndSet(lease, bytes, null)) return true;
  }
}
