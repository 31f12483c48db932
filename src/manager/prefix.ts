import { createHash } from "node:crypto";
import { checkKeyPrefix, describe } from "../cache/checks.ts";
import { ConfigError } from "../cache/errors.ts";

const MAX_PREFIX_BYTES = 512;
/** Names that are longer when they are encoded become a hash: every key of the tenant begins with it. */
const MAX_READABLE = 128;

/**
 * The key prefix of a tenant for whom none was configured: `tenant:acme:`.
 *
 * No two tenants get the same, and none is the beginning of another's: what
 * stands between the colons is the percent-encoded name, which contains no
 * colon, or, where that would be long, `#` and the SHA-256 of the name. It has no
 * braces, so the hash tags of keys stay what they are.
 */
export function derivedPrefix(tenantId: string): string {
  if (tenantId.isWellFormed()) {
    const readable = encodeURIComponent(tenantId);
    if (readable.length <= MAX_READABLE) return `tenant:${readable}:`;
  }
  return `tenant:#${createHash("sha256").update(tenantId, "utf16le").digest("hex")}:`;
}

/** @throws ConfigError when a configured prefix is not usable */
export function checkPrefix(keyPrefix: unknown, tenantId: string): string {
  const what = `the keyPrefix of tenant ${describe(tenantId)}`;
  checkKeyPrefix(keyPrefix, what);
  const bytes = Buffer.byteLength(keyPrefix);
  if (bytes <= MAX_PREFIX_BYTES) return keyPrefix;
  throw new ConfigError(`${what} has ${bytes} bytes; at most ${MAX_PREFIX_BYTES} are allowed`);
}
