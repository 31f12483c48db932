import { CasFailedError } from "../cache/errors.ts";
import { type Clock, sleep } from "../runtime/clock.ts";

const FIRST_BACKOFF_MS = 1;
const LONGEST_BACKOFF_MS = 100;
const ATTEMPTS = 25;

/**
 * Repeats a read-modify-write until its compare-and-set succeeds, with full
 * jitter in between (Brooker, "Exponential backoff and jitter", 2015): a second
 * or two under heavy contention, then it gives up.
 *
 * @param attempt resolves to `undefined` when somebody else was faster
 * @throws CasFailedError after 25 attempts
 */
export async function repeatUntilUnopposed<T>(
  key: string,
  clock: Clock,
  attempt: () => Promise<{ readonly result: T } | undefined>,
): Promise<T> {
  for (let failures = 0; failures < ATTEMPTS; failures++) {
    if (failures > 0) {
      await sleep(clock, clock.random() * Math.min(FIRST_BACKOFF_MS * 2 ** failures, LONGEST_BACKOFF_MS));
    }
    const done = await attempt();
    if (done !== undefined) return done.result;
  }
  throw new CasFailedError(
    `update "${key}": somebody else changed it before each of ${ATTEMPTS} attempts was written; nothing was written. ` +
      "Protect a key that is so hot by a lock",
    { key, operation: "update" },
  );
}
