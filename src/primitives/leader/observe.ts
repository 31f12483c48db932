/**
 * Following who leads.
 *
 * Each hint (the lease was given back or expired, the bell of a new leader
 * rang) makes the observer read the record; a poll does so when no hint comes.
 * What is read is what counts, so a hint that is lost delays, and one that is
 * spurious costs one read.
 */

import { type Cache, type CacheSource, resolveCache } from "../../cache/contract.ts";
import { ClosedError, isStoreFault } from "../../cache/errors.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { onAbort } from "../../runtime/on-abort.ts";
import { Alarm } from "../lease/alarm.ts";
import { Hints } from "../lease/hints.ts";
import type { LeaseKeys } from "../lease/names.ts";
import { pollMs, retryMs } from "../lease/pace.ts";
import type { Scope } from "../lease/scope.ts";
import { bellKey } from "./bell.ts";
import { type LeaderInfo, type Look, lookForLeader } from "./leader-info.ts";
import { Lifetime } from "./lifetime.ts";

const SECOND_LOOK_MS = 20;

export interface Observation {
  readonly source: CacheSource;
  readonly keys: LeaseKeys;
  readonly clock: Clock;
  readonly scope: Scope | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Nothing is opened before the first `next`, and nothing is left open after the end, whoever brings it about. */
export function observeLeader(observation: Observation): AsyncIterableIterator<LeaderInfo | null> {
  const { signal, scope } = observation;
  let lifetime: Lifetime | undefined;
  const changes = (async function* (): AsyncGenerator<LeaderInfo | null, void, void> {
    lifetime = new Lifetime(signal, scope);
    try {
      yield* leaders(observation, lifetime.signal);
    } finally {
      lifetime.end();
    }
  })();
  return {
    next: () => changes.next(),
    return: () => {
      // Also ends a `next` that is waiting, which a generator alone would not.
      lifetime?.end();
      return changes.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* leaders(
  { source, keys, clock }: Observation,
  ended: AbortSignal,
): AsyncGenerator<LeaderInfo | null, void, void> {
  const cache = await unlessAborted(ended, resolveCache(source));
  if (cache === undefined) return;
  const observer = new Observer(cache, clock, keys, ended);
  try {
    for (let change = await observer.nextChange(); change; change = await observer.nextChange()) yield change.leader;
  } finally {
    observer.end();
  }
}

class Observer {
  readonly #cache: Cache;
  readonly #clock: Clock;
  readonly #keys: LeaseKeys;
  readonly #ended: AbortSignal;
  readonly #alarm: Alarm;
  readonly #hints: readonly Hints[];
  readonly #stopListening: () => void;
  #last: Look | undefined;
  #highestToken = 0;
  #failures = 0;

  constructor(cache: Cache, clock: Clock, keys: LeaseKeys, ended: AbortSignal) {
    this.#cache = cache;
    this.#clock = clock;
    this.#keys = keys;
    this.#ended = ended;
    this.#alarm = new Alarm(clock);
    const ring = (): void => this.#alarm.ring();
    this.#hints = [keys.lease, bellKey(keys.name)].map((key) => new Hints(cache, clock, key, ring));
    this.#stopListening = onAbort(ended, ring);
  }

  /** The next look that differs from the last; `undefined` when the observation has ended. */
  async nextChange(): Promise<Look | undefined> {
    let doubted: string | undefined;
    while (!this.#ended.aborted) {
      // Before the read: whatever changes after it rings again.
      this.#alarm.silence();
      const look = await unlessAborted(this.#ended, this.#look());
      if (look === undefined) return undefined;
      if (look === "fault") {
        await this.#alarm.sleep(this.#jitter(retryMs(this.#failures++)));
        continue;
      }
      this.#failures = 0;
      if (look.id !== this.#last?.id) {
        if (look.id === doubted || !this.#isDoubtful(look)) return this.#note(look);
        doubted = look.id;
        await sleep(this.#clock, SECOND_LOOK_MS, this.#ended);
        continue;
      }
      await this.#sleep();
    }
    return undefined;
  }

  end(): void {
    this.#stopListening();
    for (const hints of this.#hints) void hints.end();
  }

  async #look(): Promise<Look | "fault" | undefined> {
    try {
      return await lookForLeader(this.#cache, this.#keys);
    } catch (error) {
      if (error instanceof ClosedError) return undefined;
      if (!isStoreFault(error)) throw error;
      return "fault";
    }
  }

  /**
   * A candidate that has just taken the lease may have guessed too low a token,
   * and replaces it within a round trip. A lower token that stays is true: then
   * the store has lost its data.
   */
  #isDoubtful({ leader }: Look): boolean {
    return leader !== null && leader.fencingToken <= this.#highestToken;
  }

  #note(look: Look): Look {
    this.#last = look;
    this.#highestToken = look.leader?.fencingToken ?? this.#highestToken;
    return look;
  }

  async #sleep(): Promise<void> {
    const started = await unlessAborted(this.#ended, Promise.all(this.#hints.map((hints) => hints.start())));
    // Once a watch is active nothing is missed any more: look again before sleeping.
    if (started === undefined || started.some(Boolean)) return;
    const watched = this.#hints.every((hints) => hints.active);
    await this.#alarm.sleep(this.#jitter(pollMs(watched, Number.POSITIVE_INFINITY)));
  }

  #jitter(ms: number): number {
    return ms * (1 + this.#clock.random() / 4);
  }
}

/** The value of `promise`, or `undefined` as soon as `signal` aborts. Keeps no listener. */
function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) resolve(undefined);
    const stopListening = onAbort(signal, () => resolve(undefined));
    promise.then(resolve, reject).finally(stopListening);
  });
}
