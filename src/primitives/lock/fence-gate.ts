import { describe } from "../../cache/checks.ts";
import { type CacheSource, resolveCache } from "../../cache/contract.ts";
import { checkDuration } from "../../cache/durations.ts";
import { ConfigError, HoldfastError } from "../../cache/errors.ts";
import { decodeToken, encodeToken, FENCE_RETENTION_MS } from "../lease/fence.ts";
import { hashTag } from "../lease/names.ts";

/** The resource has already seen a higher fencing token: whoever holds this one was overtaken and must stop. */
export class StaleFenceError extends HoldfastError {
  static override readonly kind: string = "StaleFenceError";
  static override readonly code: string = "ERR_STALE_FENCE";
  readonly fencingToken: number;
  readonly highestToken: number;

  constructor(resource: string, fencingToken: number, highestToken: number) {
    super(
      `"${resource}" has already admitted fencing token ${highestToken}; ${fencingToken} is older and must not write`,
      { key: resource, operation: "admit" },
    );
    this.fencingToken = fencingToken;
    this.highestToken = highestToken;
  }
}

export interface FenceGate {
  /**
   * Resolves if no higher token was admitted before, and remembers this one.
   *
   * @throws StaleFenceError if a higher one was
   */
  admit(fencingToken: number): Promise<void>;
}

export interface FenceGateOptions {
  /** How long the highest token is remembered after it rose. Default 7 days, as long as a lock's own fence. */
  readonly retentionMs?: number | undefined;
}

/**
 * Remembers the highest fencing token that was admitted to a resource, and
 * refuses lower ones.
 *
 * What it does not promise: `admit` and the write that follows are two steps, so
 * a holder that stalls between them can still write late. A resource that has
 * conditions of its own (SQL `WHERE fence <= ?`, a conditional put) should check
 * the token in the write itself; the gate is for those that have none.
 */
export function fenceGate(source: CacheSource, resource: string, options: FenceGateOptions = {}): FenceGate {
  if (typeof resource !== "string" || resource.length === 0) {
    throw new ConfigError(`fenceGate needs the name of a resource, not ${describe(resource)}`);
  }
  const { retentionMs = FENCE_RETENTION_MS } = options;
  checkDuration(retentionMs, "retentionMs", 1);
  const key = `gate:{${hashTag(resource)}}`;
  return {
    async admit(fencingToken) {
      if (!Number.isSafeInteger(fencingToken) || fencingToken <= 0) {
        throw new ConfigError(`a fencing token is a whole number above 0, not ${describe(fencingToken)}`);
      }
      const cache = await resolveCache(source);
      const token = encodeToken(fencingToken);
      let { value, wasSet } = await cache.getOrSet(key, token, retentionMs);
      while (!wasSet && decodeToken(value) !== fencingToken) {
        const highest = decodeToken(value);
        if (highest > fencingToken) throw new StaleFenceError(resource, fencingToken, highest);
        if (await cache.compareAndSet(key, value, token, retentionMs, { announce: "none" })) return;
        ({ value, wasSet } = await cache.getOrSet(key, token, retentionMs));
      }
    },
  };
}
