import { isStoreFault } from "../../cache/errors.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";

const LONGEST_MS = 30_000;

/**
 * Repeats a clean-up in the background while the store is at fault, for half a
 * minute at most; what it could not remove then expires by its TTL. Never rejects.
 */
export async function persist(clock: Clock, cleanUp: () => Promise<unknown>): Promise<void> {
  const startedMs = clock.monotonicMs();
  for (let backoffMs = 20; ; backoffMs = Math.min(backoffMs * 2, 1_000)) {
    try {
      await cleanUp();
      return;
    } catch (error) {
      if (!isStoreFault(error) || clock.monotonicMs() - startedMs > LONGEST_MS) return;
    }
    await sleep(clock, backoffMs * (0.5 + clock.random() / 2));
  }
}
