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
import type { Clock } from "../../runtime/clock.ts";
import { onAbort } from "../../runtime/on-abort.ts";
import { Alarm } from "../lease/alarm.ts";
import { Hints } from "../lease/hints.ts";
import type { LeaseKeys } from "../lease/names.ts";
import { pollMs, retryMs } from "../lease/pace.ts";
import type { Scope } from "../lease/scope.ts";
import { bellKey } from "./bell.ts";
import { type LeaderInfo, type Look, lookForLeader, nobody } from "./leader-info.ts";
import { Lifetime } from "./lifetime.ts";

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
  const cache = await unlessAborted(ended, Promise.resolve(resolveCache(source)));
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
  /** The last leader that was seen, and so the highest term. */
  #lastLed: Look | undefined;
  #retries = 0;

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
    while (!this.#ended.aborted) {
      // Before the read: whatever changes after it rings again.
      this.#alarm.silence();
      const look = await unlessAborted(this.#ended, this.#look());
      if (look === undefined) return undefined;
      if (look !== "fault" && look.id !== this.#last?.id) return this.#note(look);
      if (look === "fault" || look.isPending) await this.#alarm.sleep(this.#jitter(retryMs(this.#retries++)));
      else await this.#sleep();
    }
    return undefined;
  }

  end(): void {
    this.#stopListening();
    for (const hints of this.#hints) void hints.end();
  }

  async #look(): Promise<Look | "fault" | undefined> {
    try {
      const look = await lookForLeader(this.#cache, this.#keys);
      return this.#isOvertaken(look) ? nobody(look.fence, true) : look;
    } catch (error) {
      if (error instanceof ClosedError) return undefined;
      if (!isStoreFault(error)) throw error;
      return "fault";
    }
  }

  /**
   * While the fence is where it has to be, no new term has a lower token than one that was seen before: it is a guess
   * of a candidate that is about to be replaced. If the fence is not, the store has lost its data, and terms begin anew.
   */
  #isOvertaken({ id, leader, fence }: Look): boolean {
    const highest = this.#lastLed?.leader?.fencingToken;
    if (leader === null || highest === undefined || id === this.#lastLed?.id) return false;
    return leader.fencingToken <= highest && fence !== undefined && fence >= highest;
  }

  #note(look: Look): Look {
    this.#last = look;
    if (look.leader !== null) this.#lastLed = look;
    this.#retries = 0;
    return look;
  }

  async #sleep(): Promise<void> {
    this.#retries = 0;
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
