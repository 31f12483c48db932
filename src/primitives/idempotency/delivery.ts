import { AsyncResource } from "node:async_hooks";
import type { Clock, Timer } from "../../runtime/clock.ts";
import { elapsedMs, type Instant, now } from "../../runtime/instant.ts";
import { onAbort } from "../../runtime/on-abort.ts";
import type { Scope, Wait } from "../lease/scope.ts";
import { closedError, IdempotencyInProgressError, IdempotencyMismatchError } from "./errors.ts";
import { sameInput } from "./fingerprint.ts";
import type { FinishedRecord, MessageRecord, RunningRecord } from "./record.ts";
import { replay } from "./result.ts";

const MIN_RETRY_AFTER_MS = 100;

/** What a call of a guarded handler came to. */
export interface Delivered<Result> {
  /** `"replayed"`: another delivery ran the handler, and this is what it returned. */
  readonly outcome: "executed" | "replayed";
  readonly value: Result;
}

export interface DeliveryParts<Input> {
  /** The guard's name, and the message's key. */
  readonly name: string;
  readonly key: string;
  readonly input: Input;
  readonly fingerprint: Uint8Array | undefined;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly scope: Scope | undefined;
}

/**
 * One call of a guarded handler:
 *
 *     open ──begin──▶ running ──its own run ends──▶ settled
 *       └──a record, its limit, its signal, close──────▲
 *
 * Only while it is open can anything from outside end it; once its own handler
 * runs, it ends as the run does.
 */
export class Delivery<Input, Result> implements Wait {
  readonly settled: Promise<Delivered<Result>>;
  /** Called once, when it is not open any more. */
  onLeft: () => void = () => {};
  /** How long its own handler ran; `undefined` if it was not run. */
  ranMs: number | undefined;
  place: number | undefined = undefined;
  readonly #parts: DeliveryParts<Input>;
  #context: AsyncResource | undefined;
  readonly #arrivedAt: Instant;
  readonly #stopListening: () => void;
  #isOpen = true;
  #resolve: (delivered: Delivered<Result>) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #timer: Timer;
  /** The run that stands in its way. */
  #met: RunningRecord | undefined;
  /** The store's last error. */
  #fault: unknown;

  constructor(parts: DeliveryParts<Input>) {
    const { clock, signal, scope } = parts;
    this.#parts = parts;
    this.#arrivedAt = now(clock);
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#stopListening = onAbort(signal, () => this.fail(signal?.reason));
    scope?.waits.add(this);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get input(): Input {
    return this.#parts.input;
  }

  get fingerprint(): Uint8Array | undefined {
    return this.#parts.fingerprint;
  }

  /** Since it arrived. */
  get elapsedMs(): number {
    return elapsedMs(this.#parts.clock, this.#arrivedAt);
  }

  /** Its own handler is about to run. */
  begin(): void {
    this.#leave();
  }

  /** The current async context is that of its caller: remembers it, if the handler may be called from another one. */
  rememberContext(): void {
    this.#context = new AsyncResource("holdfast.Delivery");
  }

  /** Calls the handler in the async context of who called, not of whichever delivery asked the store for all. */
  call<T>(handler: () => T): T {
    return this.#context ? this.#context.runInAsyncScope(handler) : handler();
  }

  succeed(delivered: Delivered<Result>): void {
    this.#leave();
    this.#resolve(delivered);
  }

  fail(error: unknown): void {
    this.#leave();
    this.#reject(error);
  }

  /** The coordinator was closed. */
  end(reason: Error): void {
    this.fail(closedError(this.#parts.name, this.#parts.key, reason));
  }

  /** Whether it would wait for a run, rather than be rejected. */
  waitsFor(record: RunningRecord): boolean {
    return sameInput(this.fingerprint, record.fingerprint) && this.#leftMs > 0;
  }

  /** Whether it has met a run, which it now waits for. */
  get isWaiting(): boolean {
    return this.#met !== undefined;
  }

  /** The handler is being run by somebody: waits for that, or is rejected. */
  meet(record: RunningRecord): void {
    this.#met = record;
    if (!sameInput(this.fingerprint, record.fingerprint)) return this.fail(this.#mismatch(record));
    const leftMs = this.#leftMs;
    if (leftMs <= 0) return this.fail(this.#inProgress());
    this.#timer ??= this.#parts.clock.setTimer(() => this.fail(this.#inProgress()), leftMs);
  }

  /** The handler was run by somebody: this is what it came to. */
  receive(record: FinishedRecord): void {
    if (!sameInput(this.fingerprint, record.fingerprint)) return this.fail(this.#mismatch(record));
    try {
      const value = replay(record, this.#parts.name, this.#parts.key) as Result;
      this.succeed({ outcome: "replayed", value });
    } catch (error) {
      this.fail(error);
    }
  }

  /** The store has failed. */
  meetFault(error: unknown): void {
    this.#fault = error;
  }

  get #leftMs(): number {
    return this.#parts.waitMs - this.elapsedMs;
  }

  #leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#parts.clock.clearTimer(this.#timer);
    this.#stopListening();
    this.#parts.scope?.waits.delete(this);
    this.onLeft();
  }

  #inProgress(): IdempotencyInProgressError {
    const { waitMs, clock } = this.#parts;
    const met = this.#met as RunningRecord;
    // The clock may be another machine's.
    const ranMs = Math.max(0, clock.wallMs() - met.startedAtMs);
    const waited = waitMs === 0 ? "" : `, and still was after ${waitMs} ms`;
    return new IdempotencyInProgressError(`${this.#about}: the handler is running elsewhere${waited}`, {
      key: this.#parts.key,
      operation: "idempotent",
      retryAfterMs: Math.min(Math.max(ranMs, MIN_RETRY_AFTER_MS), met.ttlMs),
      cause: this.#fault,
    });
  }

  #mismatch({ state }: MessageRecord): IdempotencyMismatchError {
    const use = state === "running" ? "is in use" : "was used";
    return new IdempotencyMismatchError(
      `${this.#about}: this key ${use} for another input; give each message a key of its own`,
      { key: this.#parts.key, operation: "idempotent" },
    );
  }

  get #about(): string {
    return `idempotent "${this.#parts.name}", key "${this.#parts.key}"`;
  }
}
