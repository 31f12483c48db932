import { describe } from "../../cache/checks.ts";
import { ConfigError } from "../../cache/errors.ts";

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

/** Throws `ConfigError` unless `name` is a non-empty string. Its length is the cache's to check. */
export function leaseKeys(kind: LeaseKind, name: string): LeaseKeys {
  if (typeof name !== "string" || name.length === 0) {
    throw new ConfigError(`a ${kind} needs a name: a non-empty string, not ${describe(name)}`);
  }
  const tag = `{${hashTag(name)}}`;
  return { name, lease: `${kind}:${tag}`, fence: `${FENCE_PREFIX[kind]}:${tag}` };
}

/**
 * A name as the inside of a hash tag. A cluster hashes what stands between the
 * first `{` and the first `}` behind it, so braces in a name would cut the tag
 * short; they are percent-encoded, as is the percent sign.
 */
export function hashTag(name: string): string {
  return /[{}%]/.test(name) ? name.replace(/[{}%]/g, encodeURIComponent) : name;
}
