/** What the fields of a record may hold. Waits and retries are computed from them, so that NaN would make them spin. */

/** A token, an attempt, a revision. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

/** Milliseconds since the epoch. */
export function isTime(value: unknown): value is number {
  return Number.isFinite(value);
}

/** Milliseconds; `Infinity`: for ever. */
export function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
