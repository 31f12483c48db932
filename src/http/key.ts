import { parseItem } from "structured-headers";

/** As in UUIDs with room to spare: a longer key is refused. */
const MAX_KEY_LENGTH = 255;

/** Printable ASCII without space, quote and comma: what clients send that do not quote. */
const PLAIN = /^[\x21\x23-\x2b\x2d-\x7e]+$/;

export type ReadKey = { readonly key: string } | { readonly fault: string };

/**
 * Reads the value of an `Idempotency-Key` header: a structured-field string
 * (RFC 9651), in quotes, as the draft of the standard says, or the same without
 * them, as most clients send it. Parameters are ignored.
 */
export function readKey(value: string): ReadKey {
  const key = value.startsWith('"') ? unquote(value) : plain(value);
  if (key === undefined) return { fault: "The Idempotency-Key header must be one string" };
  if (key.length === 0) return { fault: "The idempotency key is empty" };
  if (key.length > MAX_KEY_LENGTH) {
    return { fault: `The idempotency key has ${key.length} characters; at most ${MAX_KEY_LENGTH} are allowed` };
  }
  return { key };
}

function unquote(value: string): string | undefined {
  try {
    const [item] = parseItem(value);
    return typeof item === "string" ? item : undefined;
  } catch {
    return undefined;
  }
}

function plain(value: string): string | undefined {
  return value === "" || PLAIN.test(value) ? value : undefined;
}
