/** Causes of causes are followed this deep: an error may be its own. */
const MAX_DEPTH = 8;

/**
 * Whether work that failed only passes on why it had to stop: with the reason of
 * its signal itself, as `fetch` does, or with that as a cause, as an `AbortError` of Node.
 */
export function saysWhy(error: unknown, reason: unknown, depth: number = MAX_DEPTH): boolean {
  if (error === reason) return true;
  return depth > 0 && error instanceof Error && saysWhy(error.cause, reason, depth - 1);
}
