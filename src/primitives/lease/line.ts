/**
 * The waiting line for one leased name in one process.
 *
 * First come, first served. Only the head of the line talks to the store: it
 * watches the lease, tries again, and sleeps until a change, the expiry, or a
 * fallback poll. While a lease of this process is held, the line is silent.
 *
 * A released lease is passed straight to the head, in one round trip, without
 * becoming free in between, until the turn of this process is over.
 */

import type { Cache } from "../../cache/contract.ts";
import { isStoreFault } from "../../cache/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import { waitFor } from "../../runtime/wait-for.ts";
import type { Grant, Outcome } from "./acquisition.ts";
import { Alarm } from "./alarm.ts";
import { Background } from "./background.ts";
import { Hints } from "./hints.ts";
import type { Lease } from "./lease.ts";
import type { LeaseKeys } from "./names.ts";
import { pollMs, retryMs } from "./pace.ts";
import type { LeaseRecord } from "./record.ts";
import type { Seeker, Seen } from "./seeker.ts";
import { Turns } from "./turns.ts";
import { Waiter, type WaitOptions } from "./waiter.ts";

/** Whoever waits at least this long makes its first attempt without a limit of its own. */
const PATIENT_MS = 5_000;

const NOTHING_SEEN: Seen = {};

type Inheritance = Pick<Grant, "bytes" | "record">;

export class Line {
  readonly #cache: Cache;
  readonly #clock: Clock;
  readonly #keys: LeaseKeys;
  readonly #onIdle: (keys: LeaseKeys, line: Line) => void;
  readonly #alarm: Alarm;
  /** In the order of their coming; made for the first of them, since most lines have none. */
  #waiters: Set<Waiter> | undefined;
  readonly #background: Background;
  #first: Promise<Lease> | undefined;
  #pumping = false;
  /** Whether the lease was just found taken, and nobody watches it yet: the next attempt has time for that. */
  #isTold = false;
  /** How the next attempt is made: one for a lease that may well be free issues the token along with it. */
  #way: "fast" | "careful" = "fast";
  #seen: Seen = NOTHING_SEEN;
  #held: { readonly lease: Lease; readonly record: LeaseRecord } | undefined;
  #passing = false;
  readonly #turns = new Turns();
  #looksOwed = 0;

  /** @param onIdle called when nobody waits for or holds the lease any more */
  constructor(cache: Cache, clock: Clock, keys: LeaseKeys, onIdle: (keys: LeaseKeys, line: Line) => void) {
    this.#cache = cache;
    this.#clock = clock;
    this.#keys = keys;
    this.#onIdle = onIdle;
    this.#alarm = new Alarm(clock);
    this.#background = new Background(clock);
  }

  /** Resolves when nothing of this line is under way any more, provided that nobody comes. */
  async settled(): Promise<void> {
    await this.#first?.catch(() => {});
    await this.#background.settled();
  }

  /** How many wait. */
  get length(): number {
    return this.#waiters?.size ?? 0;
  }

  /**
   * Waits for the lease. Rejects with the signal's reason, with the seeker's own
   * error when the wait runs out, or with an error that waiting cannot mend.
   * Whoever gives up leaves nothing behind.
   */
  join(seeker: Seeker, options: WaitOptions): Promise<Lease> {
    const isEmpty = this.length === 0 && !this.#pumping && this.#held === undefined;
    const isPatient = options.signal === undefined && options.waitMs >= PATIENT_MS;
    if (!(isEmpty && isPatient)) return this.#wait(seeker, options);
    this.#first = this.#goFirst(seeker, options);
    return this.#first;
  }

  /** The way of most acquisitions. A first attempt ends by the store's own time limit: it needs no place in the line. */
  async #goFirst(seeker: Seeker, options: WaitOptions): Promise<Lease> {
    const startedMs = this.#clock.monotonicMs();
    this.#pumping = true;
    try {
      const outcome = await this.#attemptFirst(seeker);
      if (outcome?.kind === "granted") {
        if (!options.scope?.closed) return this.#start(seeker, outcome.grant);
        this.#background.giveBack(seeker, outcome.grant);
      }
      if (outcome?.kind === "occupied") {
        this.#seen = { by: outcome.by };
        this.#isTold = true;
      }
      const waitedMs = this.#clock.monotonicMs() - startedMs;
      // Not awaited: it stands in front before those who have come meanwhile begin to try.
      return this.#wait(seeker, { ...options, waitMs: Math.max(0, options.waitMs - waitedMs) }, "first");
    } finally {
      this.#first = undefined;
      this.#pumping = false;
      if (this.length > 0) this.#startPump();
      else this.#settleDown();
    }
  }

  /** `undefined` when the store was at fault. */
  #attemptFirst(seeker: Seeker): Promise<Outcome | undefined> {
    return seeker.acquisition.attempt(this.#takeWay()).catch((error: unknown) => {
      if (!isStoreFault(error)) throw error;
      this.#fault(seeker, error);
      return undefined;
    });
  }

  #wait(seeker: Seeker, options: WaitOptions, place: "first" | "last" = "last"): Promise<Lease> {
    const { signal, scope } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (scope?.closed) {
      this.#background.takeBack(seeker);
      return Promise.reject(scope.closed);
    }
    const waiter = new Waiter(this.#clock, seeker, options, {
      left: () => this.#left(waiter),
      timedOut: () => seeker.timedOut(this.#seen),
    });
    if (place === "first" || this.#waiters === undefined) this.#waiters = new Set([waiter, ...(this.#waiters ?? [])]);
    else this.#waiters.add(waiter);
    this.#startPump();
    return waiter.served;
  }

  #left(waiter: Waiter): void {
    this.#waiters?.delete(waiter);
    if (!waiter.gone) return;
    if (!waiter.attempting) this.#background.takeBack(waiter.seeker);
    if (this.length === 0) this.#alarm.ring();
  }

  #fault(seeker: Seeker, error: unknown): void {
    this.#seen = { error };
    seeker.faulted(error);
  }

  /**
   * Tries once, past the line. `undefined`: somebody else has the lease; `onSeen` is told who. Rejects with the
   * signal's reason as soon as that aborts; what the try takes all the same is given back.
   */
  async tryOnce(
    seeker: Seeker,
    onSeen: (seen: Seen) => void,
    signal: AbortSignal | undefined,
  ): Promise<Lease | undefined> {
    signal?.throwIfAborted();
    const trying = this.#tryNow(seeker, onSeen, signal);
    if (signal === undefined) return trying;
    try {
      return await waitFor(this.#clock, trying, { signal });
    } catch (error) {
      if (signal.aborted) this.#background.add(this.#undo(trying));
      throw error;
    }
  }

  /** Nobody waits for it any more; what it takes from now on it gives back by itself. */
  async #undo(trying: Promise<Lease | undefined>): Promise<void> {
    const lease = await trying.catch(() => undefined);
    if (lease !== undefined) await this.release(lease);
  }

  async #tryNow(
    seeker: Seeker,
    onSeen: (seen: Seen) => void,
    signal: AbortSignal | undefined,
  ): Promise<Lease | undefined> {
    try {
      const outcome = await seeker.acquisition.attempt("fast");
      if (outcome.kind === "occupied") onSeen({ by: outcome.by });
      if (outcome.kind !== "granted") return undefined;
      if (!signal?.aborted) return this.#start(seeker, outcome.grant);
      this.#background.giveBack(seeker, outcome.grant);
    } finally {
      if (seeker.acquisition.uncertain) this.#background.takeBack(seeker);
      this.#settleDown();
    }
    return undefined;
  }

  /** Gives a lease back, or passes it on. Resolves to whether it was held until now; never rejects. */
  async release(lease: Lease): Promise<boolean> {
    const head = this.#head;
    const inheritance = head && this.#passable(lease, head);
    const released = inheritance ? this.#pass(lease, inheritance, head) : lease.release();
    if (head) this.#alarm.ring();
    try {
      return await released;
    } finally {
      if (this.#held?.lease === lease) this.#held = undefined;
      // Also when nobody waits any more: those who pump sleep until they are told so.
      this.#alarm.ring();
      this.#settleDown();
    }
  }

  get #head(): Waiter | undefined {
    return this.#waiters?.values().next().value;
  }

  /** What of a lease may be passed to the head. If it may not, the head stands back after the release. */
  #passable(lease: Lease, head: Waiter): Inheritance | undefined {
    if (this.#held?.lease !== lease || !lease.isHeld()) return undefined;
    // An attempt that is under way may find what was passed, or be granted a second time; and who tries first, is first.
    if (head.attempting || this.#first) return undefined;
    const { bytes } = lease;
    const { record } = this.#held;
    const inTurn = this.#turns.mayPass(this.#clock.monotonicMs());
    if (bytes && inTurn && head.seeker.acquisition.canInherit(record)) return { bytes, record };
    this.#looksOwed = this.#turns.looks;
    return undefined;
  }

  async #pass(lease: Lease, from: Inheritance, head: Waiter): Promise<boolean> {
    this.#passing = true;
    head.attempting = true;
    const held = lease.end();
    try {
      const outcome = await head.seeker.acquisition.inherit(from);
      if (outcome === undefined) {
        lease.foundTaken();
        return false;
      }
      if (outcome.kind === "granted") this.#grant(head, outcome.grant);
      return held;
    } catch {
      // Which of the two records is in the store is unknown: remove the old one; the head will find its own.
      await lease.release();
      return held;
    } finally {
      head.attempting = false;
      this.#passing = false;
      if (head.gone) this.#background.takeBack(head.seeker);
    }
  }

  #hold(seeker: Seeker, grant: Grant): Lease {
    const lease = seeker.hold(grant);
    this.#held = { lease, record: grant.record };
    this.#seen = { by: grant.record };
    return lease;
  }

  /** A lease of this line was lost. */
  lost(lease: Lease): void {
    if (this.#held?.lease !== lease) return;
    this.#held = undefined;
    this.#alarm.ring();
    this.#settleDown();
  }

  #grant(waiter: Waiter, grant: Grant): void {
    if (waiter.gone) return this.#background.giveBack(waiter.seeker, grant);
    waiter.settle(this.#hold(waiter.seeker, grant));
  }

  #startPump(): void {
    if (!this.#pumping) this.#background.add(this.#pump());
  }

  /** Runs while anybody waits: makes the head try, and puts the line to sleep in between. */
  async #pump(): Promise<void> {
    this.#pumping = true;
    const hints = new Hints(this.#cache, this.#clock, this.#keys.lease, () => this.#onHint());
    let failures = 0;
    for (let head = this.#head; head; head = this.#head) {
      if (this.#passing || this.#held?.lease.isHeld()) {
        await this.#alarm.sleep(Number.POSITIVE_INFINITY);
        continue;
      }
      if (this.#looksOwed > 0) {
        await this.#letOthersGoFirst();
        continue;
      }
      if (this.#isTold) {
        this.#isTold = false;
        await hints.start();
        continue;
      }
      this.#alarm.silence();
      const sleepMs = await this.#try(head, hints, failures);
      failures = this.#seen.error === undefined ? 0 : failures + 1;
      if (sleepMs > 0) await this.#alarm.sleep(sleepMs);
    }
    this.#pumping = false;
    this.#settleDown();
    await hints.end();
  }

  /** Something became of the lease, and of all that can be announced its end is the likeliest. */
  #onHint(): void {
    this.#way = "fast";
    this.#alarm.ring();
  }

  #takeWay(): "fast" | "careful" {
    const way = this.#way;
    this.#way = "careful";
    return way;
  }

  /** One attempt of the head; returns how long to sleep before the next. */
  async #try(head: Waiter, hints: Hints, failures: number): Promise<number> {
    head.attempting = true;
    try {
      const outcome = await head.seeker.acquisition.attempt(this.#takeWay());
      if (outcome.kind === "granted") {
        this.#startTurn();
        this.#grant(head, outcome.grant);
        return 0;
      }
      if (outcome.kind === "missed") return 1;
      this.#seen = { by: outcome.by };
      this.#turns.sawAnother();
      this.#looksOwed = this.#turns.looks;
      // Once the watch is active, nothing is missed any more: try again before sleeping.
      if (await hints.start()) return 0;
      return this.#jitter(pollMs(hints.active, outcome.by?.ttlMs ?? 0));
    } catch (error) {
      if (!isStoreFault(error)) {
        head.fail(error);
        return 0;
      }
      this.#fault(head.seeker, error);
      return this.#jitter(retryMs(failures));
    } finally {
      head.attempting = false;
      if (head.gone) this.#background.takeBack(head.seeker);
    }
  }

  /** Holds a lease that came from the store: a turn of this process begins. */
  #start(seeker: Seeker, grant: Grant): Lease {
    this.#startTurn();
    return this.#hold(seeker, grant);
  }

  #startTurn(): void {
    this.#turns.start(this.#clock.monotonicMs());
    this.#looksOwed = 0;
  }

  /** Stands back for as long as other processes take to hear of the release. */
  async #letOthersGoFirst(): Promise<void> {
    const looks = this.#looksOwed;
    this.#looksOwed = 0;
    try {
      for (let look = 0; look < looks; look++) {
        if ((await this.#cache.get(this.#keys.lease)) !== undefined) return;
      }
      this.#way = "fast";
    } catch {
      // The attempt that follows will meet the same fault and report it.
    }
  }

  #jitter(ms: number): number {
    return ms * (1 + this.#clock.random() / 4);
  }

  #settleDown(): void {
    if (this.length === 0 && this.#held === undefined && !this.#pumping) this.#onIdle(this.#keys, this);
  }
}
