import { describe } from "../../cache/checks.ts";
import { ConfigError } from "../../cache/errors.ts";
import { hashTag, type LeaseKeys } from "../lease/names.ts";

/**
 * The keys of one message. In the name colons are encoded, so that the first
 * colon ends it: "a" + "b:c" and "a:b" + "c" are two messages.
 *
 * @throws ConfigError unless `key` is a non-empty string. Its length is the cache's to check
 */
export function messageKeys(name: string, key: string): LeaseKeys {
  if (typeof key !== "string" || key.length === 0) {
    throw new ConfigError(`idempotent "${name}": the key of an input is a non-empty string, not ${describe(key)}`);
  }
  const tag = `{${hashTag(name).replaceAll(":", encodeURIComponent)}:${hashTag(key)}}`;
  return { name: key, lease: `idem:${tag}`, fence: `idem-fence:${tag}` };
}
