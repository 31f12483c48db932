/**
 * A lease that is held: renewed in time, given up by itself when it cannot be.
 *
 *     held ──renewal refused, or valid time over, or held too long──▶ lost
 *       └────────────── release(), or handed on ──────────────────▶ ended
 *
 * There is no way back to `held`. The valid time counts from before the last
 * successful write was *sent*, so it ends before the store's TTL does, whatever
 * happened to the reply; and it ends by the holder's own clocks, so a store
 * that hangs and answers nothing changes nothing about it.
 */

import type { Cache } from "../../cache/contract.ts";
import { ClosedError } from "../../cache/errors.ts";
import { type Clock, sleep, type Timer } from "../../runtime/clock.ts";
import { type ClockJumps, clockJumps, type JumpListener } from "../../runtime/clock-jumps.ts";
import { elapsedMs, type Instant, now } from "../../runtime/instant.ts";
import { StoredRecord } from "./stored-record.ts";
import { type LeaseTiming, withTtl } from "./timing.ts";
import { within } from "./within.ts";

/** Why a lease was lost. */
export type LossReason =
  /** It could not be renewed in time: the store was unreachable or hung, or this process was stalled. */
  | "expired"
  /** A renewal or release found somebody else's record, or none: stolen, deleted, evicted, lost by the store. */
  | "taken"
  /** It was held for `maxHoldMs`. */
  | "max-hold";

export interface LeaseOptions {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly key: string;
  /** What the key holds while the lease is mine. */
  readonly bytes: Uint8Array;
  /** The record with another TTL in it, for `extend`; the revision makes it differ from all before. */
  readonly encode: (ttlMs: number, revision: number) => Uint8Array;
  /** A moment before the write that started the lease was sent. */
  readonly sentAt: Instant;
  readonly timing: LeaseTiming;
  readonly renew: boolean;
  readonly maxHoldMs: number;
  readonly events: LeaseEvents;
}

/** What a lease tells its owner. Called at most once each, except for `renewed` and `stalled`. */
export interface LeaseEvents {
  lost(reason: LossReason): void;
  /** One renewal was answered, or failed. */
  renewed?(outcome: "renewed" | "refused" | "failed", error?: unknown): void;
  /** A timer ran so late that most of the lease had passed: the event loop was blocked for `lateMs`. */
  stalled?(lateMs: number): void;
  /** The lease could not be taken back before it ended by itself. */
  releaseFailed?(error: unknown): void;
}

/** A renewal is sent up to a tenth earlier than due, so that many holders do not renew in step. */
const JITTER = 0.1;
/** How long a caller waits for its release to be answered; it is repeated in the background after that. */
const RELEASE_PATIENCE_MS = 500;
const FIRST_BACKOFF_MS = 10;

export class Lease implements JumpListener {
  readonly #options: LeaseOptions;
  readonly #jumps: ClockJumps;
  #renewing: boolean;
  #timing: LeaseTiming;
  readonly #record: StoredRecord;
  #revision = 0;
  #state: "held" | "lost" | "ended" = "held";
  #lossReason: LossReason | undefined;
  /** The lease is valid for `#spanMs` from `#sentAt`. */
  #sentAt: Instant;
  #spanMs: number;
  readonly #heldSince: Instant;
  /** Lets the cache disconnect again, if it does that by itself. */
  readonly #letGo: (() => void) | undefined;
  #timer: Timer;
  /** By the monotonic clock: when the next renewal is due. */
  #renewAtMs: number;
  #failures = 0;
  #ending: Promise<boolean> | undefined;
  #extending: Promise<unknown> | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#renewing = options.renew;
    this.#timing = options.timing;
    this.#record = new StoredRecord(options.cache, options.key, options.bytes);
    this.#sentAt = options.sentAt;
    this.#spanMs = spanOf(options.timing);
    this.#heldSince = options.sentAt;
    this.#letGo = options.cache.retain?.();
    this.#jumps = clockJumps(options.clock);
    this.#jumps.add(this);
    this.#renewAtMs = this.#nextRenewal();
    this.#arm();
  }

  get key(): string {
    return this.#options.key;
  }

  /** What the key holds while the lease is mine; `undefined` while an `extend` leaves that open. */
  get bytes(): Uint8Array | undefined {
    return this.#record.isSettled && this.#extending === undefined ? this.#record.bytes : undefined;
  }

  get lossReason(): LossReason | undefined {
    return this.#lossReason;
  }

  /**
   * Compares clocks now; does not wait for a timer that a blocked event loop has
   * not run. Once it was `false` it stays so: if the time is over, the lease is
   * lost by this call.
   */
  isHeld(): boolean {
    return this.#check();
  }

  /** How long the lease is still valid, 0 when it is not held. */
  get remainingMs(): number {
    return this.#state === "held" ? Math.max(0, this.#validForMs()) : 0;
  }

  /**
   * Makes the lease last `ttlMs` from now, and from renewal to renewal from now
   * on. Resolves to whether it is held; rejects with the store's error when the
   * outcome is unknown, in which case the lease is believed in for the shorter
   * of both times.
   */
  extend(ttlMs: number = this.#timing.ttlMs): Promise<boolean> {
    const before = this.#extending ?? Promise.resolve();
    const extended = before.then(() => this.#extend(ttlMs));
    const settled = extended
      .catch(() => {})
      .then(() => {
        if (this.#extending === settled) this.#extending = undefined;
      });
    this.#extending = settled;
    return extended;
  }

  async #extend(ttlMs: number): Promise<boolean> {
    const timing = withTtl(this.#timing, ttlMs);
    if (this.isHeld() && !this.#record.isSettled) await this.#rewrite(this.#timing);
    if (!this.isHeld()) return false;
    if (timing !== this.#timing) {
      this.#revision += 1;
      this.#record.replace(this.#options.encode(ttlMs, this.#revision));
      this.#timing = timing;
    }
    // If the answer is lost, the shorter of both times may be what the store has.
    if (spanOf(timing) < this.#validForMs()) {
      this.#validFrom(now(this.#options.clock), timing);
      this.#renewAtMs = this.#nextRenewal();
      this.#arm();
    }
    await this.#rewrite(timing);
    return this.isHeld();
  }

  async #rewrite(timing: LeaseTiming): Promise<void> {
    const sentAt = now(this.#options.clock);
    this.#renewed(await this.#record.write(timing.ttlMs), sentAt, timing);
  }

  /**
   * Gives the lease back. Never rejects; idempotent.
   *
   * @returns whether the lease was held until now. `true` does not promise that
   *   the key is gone: if the store did not answer, the release is repeated in
   *   the background until the lease has ended by itself.
   */
  release(): Promise<boolean> {
    this.#ending ??= this.#release(this.end());
    return this.#ending;
  }

  /** From now on the lease ends when its valid time is over. */
  stopRenewing(): void {
    this.#renewing = false;
  }

  /** The store was found to hold something else, after this lease had been ended. */
  foundTaken(): void {
    if (this.#lossReason === undefined) this.#lose("taken");
  }

  /** Stops believing in the lease without touching the store. Returns whether it was held. */
  end(): boolean {
    const held = this.isHeld();
    if (this.#state === "held") this.#state = "ended";
    this.#stop();
    return held;
  }

  async #release(held: boolean): Promise<boolean> {
    if (this.#lossReason === "taken") return false;
    const { clock } = this.#options;
    const untilMs = this.#validForMs();
    const startedAt = now(clock);
    const first = this.#record.remove();
    const answered = await within(clock, first, RELEASE_PATIENCE_MS);
    if (answered === true) return held;
    if (answered === false) {
      if (held) this.foundTaken();
      return false;
    }
    void this.#keepRemoving(first, () => untilMs - elapsedMs(clock, startedAt));
    return held;
  }

  /** Repeats a release that failed or hangs, until the lease has ended by itself. */
  async #keepRemoving(first: Promise<boolean>, leftMs: () => number): Promise<void> {
    const { clock, events } = this.#options;
    let attempt = first;
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 2, 1_000)) {
      try {
        // Whatever the answer, the record is not there any more.
        await attempt;
        return;
      } catch (error) {
        if (leftMs() <= backoffMs || error instanceof ClosedError) return events.releaseFailed?.(error);
      }
      await sleep(clock, backoffMs * (0.5 + clock.random() / 2));
      attempt = this.#record.remove();
    }
  }

  #renew(): void {
    const { clock, events } = this.#options;
    const sentAt = now(clock);
    const timing = this.#timing;
    // If this attempt is not answered in its time, another one follows; a late answer still counts.
    this.#renewAtMs = sentAt.monotonicMs + timing.attemptLimitMs;
    this.#record.write(timing.ttlMs).then(
      (renewed) => this.#renewed(renewed, sentAt, timing),
      (error: unknown) => {
        if (this.#state !== "held") return;
        const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures++, timing.attemptLimitMs);
        this.#renewAtMs = clock.monotonicMs() + backoffMs * (1 - JITTER * clock.random());
        this.#arm();
        events.renewed?.("failed", error);
      },
    );
  }

  #renewed(renewed: boolean, sentAt: Instant, timing: LeaseTiming): void {
    // An answer that comes too late brings nothing back; one from before an `extend` says nothing any more.
    if (!this.#check() || timing !== this.#timing) return;
    this.#options.events.renewed?.(renewed ? "renewed" : "refused");
    if (!renewed) return this.#lose("taken");
    this.#failures = 0;
    if (sentAt.monotonicMs >= this.#sentAt.monotonicMs) this.#validFrom(sentAt, timing);
    this.#renewAtMs = this.#nextRenewal();
    this.#arm();
  }

  /** Loses the lease if its time is over; returns whether it is held. */
  #check(): boolean {
    if (this.#state === "held" && this.#validForMs() <= 0)
      this.#lose(this.#holdableForMs() <= 0 ? "max-hold" : "expired");
    return this.#state === "held";
  }

  #tick(dueMs: number): void {
    const { clock, events } = this.#options;
    const nowMs = clock.monotonicMs();
    const lateMs = nowMs - dueMs;
    if (lateMs > this.#timing.ttlMs / 2) events.stalled?.(lateMs);
    if (!this.#check()) return;
    if (this.#renewing && nowMs >= this.#renewAtMs) this.#renew();
    this.#arm();
  }

  /** The end may have come nearer, or be past. */
  onClockJump(): void {
    if (this.#check()) this.#arm();
  }

  /** One timer, for whatever comes first: the next renewal, or the end of the valid time. */
  #arm(): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const endMs = nowMs + this.#validForMs();
    const dueMs = this.#renewing ? Math.min(endMs, this.#renewAtMs) : endMs;
    clock.clearTimer(this.#timer);
    this.#timer = clock.setTimer(() => this.#tick(dueMs), Math.max(1, dueMs - nowMs));
  }

  #validFrom(sentAt: Instant, timing: LeaseTiming): void {
    this.#sentAt = sentAt;
    this.#spanMs = spanOf(timing);
  }

  #validForMs(): number {
    const { clock } = this.#options;
    return Math.min(this.#spanMs - elapsedMs(clock, this.#sentAt), this.#holdableForMs());
  }

  #holdableForMs(): number {
    const { clock, maxHoldMs } = this.#options;
    return maxHoldMs - elapsedMs(clock, this.#heldSince);
  }

  #nextRenewal(): number {
    const { clock } = this.#options;
    return this.#sentAt.monotonicMs + this.#timing.renewEveryMs * (1 - JITTER * clock.random());
  }

  #lose(reason: LossReason): void {
    this.#state = "lost";
    this.#lossReason = reason;
    this.#stop();
    this.#options.events.lost(reason);
  }

  #stop(): void {
    this.#letGo?.();
    this.#jumps.delete(this);
    this.#options.clock.clearTimer(this.#timer);
  }
}

/** How long a lease may be believed in after the write that started its TTL was sent. */
function spanOf({ ttlMs, marginMs }: LeaseTiming): number {
  return ttlMs - marginMs;
}
