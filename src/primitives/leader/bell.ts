import type { Cache } from "../../cache/contract.ts";
import { hashTag } from "../lease/names.ts";

const RUNG = new Uint8Array([1]);

/**
 * The key by which observers hear of a new leader at once. A lease that is
 * taken is not announced to its watchers, because each waiting candidate would
 * be woken for nothing; so the new leader changes this other key, which only
 * observers watch. It lives for a millisecond and nobody reads it.
 */
export function bellKey(name: string): string {
  return `leader-bell:{${hashTag(name)}}`;
}

/**
 * One command per election; two if the bell of another one, a millisecond ago,
 * is still there: to take it away is a change as well. It may fail or be
 * missed: observers also look from time to time. Never rejects.
 */
export async function ringBell(cache: Cache, name: string): Promise<void> {
  const key = bellKey(name);
  try {
    if (!(await cache.compareAndSet(key, null, RUNG, 1))) await cache.compareAndSet(key, RUNG, null);
  } catch {
    // Then observers hear of it by their next look.
  }
}
