/**
 * A store knows an entry by one string. Keys are well-formed, so a lone
 * surrogate can occur in none of them and separates prefix and key beyond doubt:
 * the prefixes "a" and "ab" never meet, and no key can name an entry that lies
 * under a prefix.
 */
const SEPARATOR = "\ud800";

export function entryKey(keyPrefix: string, key: string): string {
  return keyPrefix === "" ? key : keyPrefix + SEPARATOR + key;
}

/** The key as the caller wrote it. */
export function callersKey(entry: string): string {
  return entry.slice(entry.indexOf(SEPARATOR) + 1);
}
