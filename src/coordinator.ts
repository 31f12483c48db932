import { EventEmitter } from "eventemitter3";
import { checkFunction, checkText } from "./cache/choices.ts";
import type { Cache } from "./cache/contract.ts";
import { ClosedError } from "./cache/errors.ts";
import type { IdempotentHandler } from "./primitives/idempotency/context.ts";
import type { IdempotencyEvent } from "./primitives/idempotency/events.ts";
import { type Idempotent, idempotent } from "./primitives/idempotency/idempotent.ts";
import type { IdempotentOptions } from "./primitives/idempotency/options.ts";
import { Election } from "./primitives/leader/election.ts";
import type { ElectionOptions } from "./primitives/leader/options.ts";
import type { LeaseEvent } from "./primitives/lease/events.ts";
import { newHolder } from "./primitives/lease/holder.ts";
import type { LossReason } from "./primitives/lease/lease.ts";
import { settleLines } from "./primitives/lease/lines.ts";
import { Scope } from "./primitives/lease/scope.ts";
import { within } from "./primitives/lease/within.ts";
import { acquireLock, tryAcquireLock } from "./primitives/lock/acquire-lock.ts";
import { inspectLock, type LockInfo } from "./primitives/lock/inspect-lock.ts";
import type { Lock } from "./primitives/lock/lock.ts";
import type { LockSet } from "./primitives/lock/lock-set.ts";
import type { LockOptions } from "./primitives/lock/options.ts";
import { withLock } from "./primitives/lock/with-lock.ts";
import type { Clock } from "./runtime/clock.ts";
import { isolated } from "./runtime/isolated.ts";
import { systemClock } from "./runtime/system-clock.ts";

/**
 * Is told what happens to locks, terms and guarded handlers; called synchronously. What it throws disturbs nothing and
 * nobody: it goes where the errors of timers go (`uncaughtException`). The same holds for listeners of the events.
 */
export type CoordinatorObserver = (event: LeaseEvent | IdempotencyEvent) => void;

const LINES_SETTLE_MS = 2_000;

export interface CoordinatorOptions {
  /** The name that others see as holder. Default host, process and a random part. */
  readonly holder?: string | undefined;
  /** Is told of everything that happens; the coordinator's own events are a part of that. */
  readonly observer?: CoordinatorObserver | undefined;
  /** What `telemetry()` of `holdfast/telemetry` gives: measures store operations and all that happens. */
  readonly telemetry?: CoordinatorTelemetry | undefined;
  /** Time, timers and randomness; for tests. */
  readonly clock?: Clock | undefined;
}

/** What measures a coordinator. */
export interface CoordinatorTelemetry {
  instrument(cache: Cache): Cache;
  readonly observer: CoordinatorObserver;
}

/** What the coordinator sets itself. */
interface OwnOptions extends Required<Pick<LockOptions & ElectionOptions, "holder" | "clock" | "scope">> {
  readonly observer: CoordinatorObserver;
}

export type CoordinatorLockOptions = Omit<LockOptions, keyof OwnOptions>;

export type CoordinatorElectionOptions = Omit<ElectionOptions, keyof OwnOptions>;

export type CoordinatorIdempotentOptions<Input> = Omit<IdempotentOptions<Input>, keyof OwnOptions>;

/** An event that nobody listens to is never an error. */
export interface CoordinatorEvents {
  /** A lock ended before its holder gave it back. Its signal has been aborted. */
  lockLost: [event: { readonly key: string; readonly fencingToken: number; readonly reason: LossReason }];
  /** A term of a candidate of this coordinator ended before it was given back. Its signal has been aborted. */
  leadershipLost: [event: { readonly name: string; readonly fencingToken: number; readonly reason: LossReason }];
  /** The work of a leader is still running although its lease is over; another one may lead beside it. */
  leaderOverrun: [event: { readonly name: string; readonly fencingToken: number }];
  /**
   * The claim of a guarded handler's run ended before the run did, or (`"unrecorded"`) its result could not be
   * recorded. The handler may be run again.
   */
  idempotencyLost: [
    event: {
      readonly name: string;
      readonly key: string;
      readonly attempt: number;
      readonly reason: LossReason | "unrecorded";
    },
  ];
  /** A handler's result could not be kept: duplicates of the message get an `IdempotencyResultError`. */
  resultOmitted: [event: { readonly name: string; readonly key: string; readonly reason: "too-large" | "unencodable" }];
  /** A lock, a leadership or the claim of a run that failed could not be given back; it ends by its TTL. */
  releaseFailed: [event: { readonly key: string; readonly error: unknown }];
  /** A blocked event loop ran a lock's timer when most of the lease was over. Told once per lock. */
  lockStalled: [event: { readonly key: string; readonly lateMs: number }];
  /** The same for a leader. Told once per term. */
  leaderStalled: [event: { readonly name: string; readonly lateMs: number }];
  /** The store failed where the library goes on by itself. */
  storeError: [event: { readonly key: string; readonly error: unknown }];
}

/**
 * The front door: a cache, and the primitives over it.
 *
 * `close` ends what is waiting, tells what is running, gives back what is held,
 * and closes what `connect` opened.
 */
export class Coordinator extends EventEmitter<CoordinatorEvents> implements AsyncDisposable {
  readonly cache: Cache;
  /** The name under which others see this coordinator. */
  readonly holder: string;
  readonly #clock: Clock;
  readonly #scope: Scope = new Scope();
  readonly #closeCache: (() => Promise<void>) | undefined;
  readonly #own: OwnOptions;
  readonly #source: () => Cache = () => this.#open();
  #closing: Promise<void> | undefined;

  /**
   * @param closeCache closes the cache, if it is the coordinator's to close
   * @throws ConfigError naming the option that is wrong
   */
  constructor(cache: Cache, options: CoordinatorOptions = {}, closeCache?: () => Promise<void>) {
    super();
    const { observer, telemetry, clock = systemClock, holder = newHolder(clock) } = options;
    checkText(holder, "holder");
    if (observer !== undefined) checkFunction(observer, "observer");
    if (telemetry !== undefined) checkFunction(telemetry?.instrument, "telemetry.instrument", "that of telemetry()");
    this.cache = telemetry === undefined ? cache : telemetry.instrument(cache);
    this.holder = holder;
    this.#clock = clock;
    this.#closeCache = closeCache;
    const told = [observer, telemetry?.observer, this.#publish].filter((one) => one !== undefined).map(isolated);
    const tellAll: CoordinatorObserver = (event) => told.forEach((one) => void one(event));
    this.#own = { holder, observer: tellAll, clock, scope: this.#scope };
  }

  /** See {@link withLock}. */
  withLock<T>(key: string, work: (lock: Lock) => T | Promise<T>, options?: CoordinatorLockOptions): Promise<Awaited<T>>;
  withLock<T>(
    keys: readonly string[],
    work: (locks: LockSet) => T | Promise<T>,
    options?: CoordinatorLockOptions,
  ): Promise<Awaited<T>>;
  withLock<T>(
    keys: string | readonly string[],
    work: ((lock: Lock) => T | Promise<T>) | ((locks: LockSet) => T | Promise<T>),
    options?: CoordinatorLockOptions,
  ): Promise<Awaited<T>> {
    // The overloads of both functions are the same.
    return withLock(this.#source, keys as string, work as (lock: Lock) => T, this.#with(options));
  }

  /** See {@link acquireLock}. */
  acquireLock(key: string, options?: CoordinatorLockOptions): Promise<Lock> {
    return acquireLock(this.#source, key, this.#with(options));
  }

  /** See {@link tryAcquireLock}. */
  tryAcquireLock(key: string, options?: CoordinatorLockOptions): Promise<Lock | null> {
    return tryAcquireLock(this.#source, key, this.#with(options));
  }

  /** See {@link inspectLock}. */
  inspectLock(key: string): Promise<LockInfo | null> {
    return inspectLock(this.#source, key);
  }

  /** See {@link election}. */
  election(name: string, options?: CoordinatorElectionOptions): Election {
    return new Election(this.#open(), name, { ...options, ...this.#own });
  }

  /** See {@link idempotent}. */
  idempotent<Input, Result>(
    handler: IdempotentHandler<Input, Result>,
    options: CoordinatorIdempotentOptions<Input>,
  ): Idempotent<Input, Result> {
    return idempotent(this.#source, handler, { ...options, ...this.#own });
  }

  /**
   * Ends this coordinator; idempotent. Waits reject with `ClosedError`. Work under `withLock`, of a leader or of a
   * guarded handler has its signal aborted and the rest of its lease to finish, unrenewed; other locks, and terms that
   * were won by `campaign`, are given back at once.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#scope.close(new ClosedError("the coordinator was closed"));
    } finally {
      await this.#leaveCache();
    }
  }

  async #leaveCache(): Promise<void> {
    if (this.#closeCache === undefined) return;
    // Attempts whose caller has left may still have to give back what they got.
    await within(this.#clock, settleLines(this.cache), LINES_SETTLE_MS);
    await this.#closeCache();
  }

  #open(): Cache {
    const { closed } = this.#scope;
    if (closed) throw new ClosedError(closed.message, { cause: closed });
    return this.cache;
  }

  #with(options: CoordinatorLockOptions | undefined): LockOptions {
    return options === undefined ? this.#own : { ...options, ...this.#own };
  }

  readonly #publish: CoordinatorObserver = (event) => {
    if (event.kind === "idempotency") this.#publishIdempotency(event);
    else this.#publishLease(event);
  };

  #publishLease(event: LeaseEvent): void {
    const { name, name: key } = event;
    const isLock = event.kind === "lock";
    switch (event.type) {
      case "lost": {
        const { fencingToken, reason } = event;
        if (isLock) this.emit("lockLost", { key, fencingToken, reason });
        else this.emit("leadershipLost", { name, fencingToken, reason });
        break;
      }
      case "overrun":
        this.emit("leaderOverrun", { name, fencingToken: event.fencingToken });
        break;
      case "release-failed":
        this.emit("releaseFailed", { key, error: event.error });
        break;
      case "stalled":
        if (isLock) this.emit("lockStalled", { key, lateMs: event.lateMs });
        else this.emit("leaderStalled", { name, lateMs: event.lateMs });
        break;
      case "store-error":
        this.emit("storeError", { key, error: event.error });
        break;
      default:
    }
  }

  #publishIdempotency(event: IdempotencyEvent): void {
    const { name, key } = event;
    switch (event.type) {
      case "lost":
        this.emit("idempotencyLost", { name, key, attempt: event.attempt, reason: event.reason });
        break;
      case "result-omitted":
        this.emit("resultOmitted", { name, key, reason: event.reason });
        break;
      case "release-failed":
        this.emit("releaseFailed", { key, error: event.error });
        break;
      case "store-error":
        this.emit("storeError", { key, error: event.error });
        break;
      default:
    }
  }
}
