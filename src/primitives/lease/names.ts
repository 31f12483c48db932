import { describe, MAX_KEY_BYTES } from "../../cache/checks.ts";
import { ConfigError, OperationError } from "../../cache/errors.ts";

/** What a lease is for. Names of different kinds never meet. */
export type LeaseKind = "lock" | "leader" | "compute";

/** The two keys of a leased name. The braces put them into one slot of a cluster. */
export interface LeaseKeys {
  /** What the user called it. */
  readonly name: string;
  /** Holds the holder's record; its TTL is the lease. */
  readonly lease: string;
  /** Holds the highest fencing token ever issued. */
  readonly fence: string;
}

const FENCE_PREFIX: Readonly<Record<LeaseKind, string>> = {
  lock: "fence",
  leader: "leader-fence",
  compute: "compute-fence",
};

/**
 * Throws `ConfigError` unless `name` is a non-empty string, and `OperationError` (`ERR_INVALID_KEY`) when a key of it
 * would be too long for the cache.
 */
export function leaseKeys(kind: LeaseKind, name: string): LeaseKeys {
  if (typeof name !== "string" || name.length === 0) {
    throw new ConfigError(`a ${kind} needs a name: a non-empty string, not ${describe(name)}`);
  }
  const tag = `{${hashTag(name)}}`;
  const keys = { name, lease: `${kind}:${tag}`, fence: `${FENCE_PREFIX[kind]}:${tag}` };
  // The longer of the two, so that no lease is taken whose token cannot be issued.
  if (keys.fence.length * 3 > MAX_KEY_BYTES) checkLength(kind, name, keys.fence);
  return keys;
}

function checkLength(kind: LeaseKind, name: string, longestKey: string): void {
  const tooMany = Buffer.byteLength(longestKey) - MAX_KEY_BYTES;
  if (tooMany <= 0) return;
  throw new OperationError(
    `the name of the ${kind} ${describe(name)} is ${tooMany} bytes too long: its keys have at most ${MAX_KEY_BYTES}, ` +
      "and braces and percent signs count three each",
    { key: name.slice(0, 64), operation: kind, code: "ERR_INVALID_KEY" },
  );
}

/**
 * A name as the inside of a hash tag. A cluster hashes what stands between the
 * first `{` and the first `}` behind it, so braces in a name would cut the tag
 * short; they are percent-encoded, as is the percent sign.
 */
export function hashTag(name: string): string {
  return /[{}%]/.test(name) ? name.replace(/[{}%]/g, encodeURIComponent) : name;
}
