import { createHash } from "node:crypto";

const identities = new WeakMap<object, number>();
let count = 0;

/**
 * The same text for equal configurations, and a secret in it cannot be read.
 * What has no content to compare, such as a function or a `SecureContext`, is
 * equal to itself only.
 */
export function fingerprint(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(canonical(value)))
    .digest("base64url");
}

/** Only lists of texts, so that no `toJSON` of anybody is called. */
function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return ["bytes", Buffer.from(value).toString("base64")];
  if (Array.isArray(value)) return ["list", ...value.map(canonical)];
  if (typeof value === "function" || (typeof value === "object" && value !== null && !isPlain(value))) {
    return ["identity", identityOf(value)];
  }
  if (typeof value !== "object" || value === null) return [typeof value, String(value)];
  const entries = Object.entries(value).filter(([, content]) => content !== undefined);
  return [
    "object",
    ...entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, content]) => [name, canonical(content)]),
  ];
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function identityOf(value: object): number {
  const known = identities.get(value) ?? ++count;
  identities.set(value, known);
  return known;
}
