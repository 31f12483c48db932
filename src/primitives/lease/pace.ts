/** How often those who wait for a key ask the store. */

/** Polling is the fallback: for hints that were lost, within these bounds at the pace of the record's TTL … */
const POLL_WATCHED_MIN_MS = 1_000;
const POLL_WATCHED_MAX_MS = 5_000;
/** … and for a store that gives no hints. */
const POLL_UNWATCHED_MS = 100;
const FIRST_RETRY_MS = 20;
const LONGEST_RETRY_MS = 1_000;

/** Until the next look at a key that is taken. */
export function pollMs(isWatched: boolean, ttlMs: number): number {
  return isWatched ? Math.min(POLL_WATCHED_MAX_MS, Math.max(POLL_WATCHED_MIN_MS, ttlMs)) : POLL_UNWATCHED_MS;
}

/** Until the next attempt after as many `failures` in a row, 0 for the first. */
export function retryMs(failures: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
}
