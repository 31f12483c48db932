import type { Cache } from "../cache/contract.ts";
import { CasFailedError } from "../cache/errors.ts";
import { within } from "../primitives/lease/within.ts";
import { type Clock, sleep } from "../runtime/clock.ts";

const FIRST_BACKOFF_MS = 1;
const LONGEST_BACKOFF_MS = 100;
const ATTEMPTS = 25;

/** One read-modify-write; resolves to `undefined` when somebody else was faster. */
type Attempt<T> = () => Promise<{ readonly result: T } | undefined>;

/**
 * Repeats a read-modify-write until its compare-and-set succeeds.
 *
 * Whoever was opposed tries again in turn with the others of this process, so
 * that however many they are, only those of other processes oppose it; and with
 * full jitter between its attempts (Brooker, "Exponential backoff and jitter",
 * 2015), for a second or two.
 *
 * @throws CasFailedError after 25 attempts
 */
export async function repeatUntilUnopposed<T>(
  cache: Cache,
  key: string,
  clock: Clock,
  attempt: Attempt<T>,
): Promise<T> {
  const done = (await attempt()) ?? (await inTurn(cache, key, clock, () => tryAgain(clock, attempt)));
  if (done !== undefined) return done.result;
  throw new CasFailedError(
    `update "${key}": somebody else changed it before each of ${ATTEMPTS} attempts was written; nothing was written. ` +
      "Protect a key that is so hot by a lock",
    { key, operation: "update" },
  );
}

async function tryAgain<T>(clock: Clock, attempt: Attempt<T>): Promise<{ readonly result: T } | undefined> {
  for (let failures = 1; failures < ATTEMPTS; failures++) {
    if (failures > 1) {
      await sleep(clock, clock.random() * Math.min(FIRST_BACKOFF_MS * 2 ** failures, LONGEST_BACKOFF_MS));
    }
    const done = await attempt();
    if (done !== undefined) return done;
  }
  return undefined;
}

/** By cache and key: resolves when the last turn that somebody waits for, or has, is over. Never rejects. */
const lines = new WeakMap<Cache, Map<string, Promise<unknown>>>();

/**
 * A turn is a courtesy, not a lock: the next one begins after this time at the
 * latest, so that neither work that hangs nor an update inside of an update stops
 * the others for ever.
 */
const LONGEST_TURN_MS = 1_000;

async function inTurn<T>(cache: Cache, key: string, clock: Clock, work: () => Promise<T>): Promise<T> {
  const line = lines.get(cache) ?? new Map<string, Promise<unknown>>();
  lines.set(cache, line);
  const before = line.get(key) ?? Promise.resolve();
  const turn = before.then(work);
  const over = before.then(() => within(clock, turn, LONGEST_TURN_MS));
  line.set(key, over);
  try {
    return await turn;
  } finally {
    if (line.get(key) === over) line.delete(key);
  }
}
