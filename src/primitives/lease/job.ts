import type { Clock } from "../../runtime/clock.ts";
import type { Closable, Scope } from "./scope.ts";

/** Something held by a lease, with work under it. */
export interface Held extends Closable {
  readonly remainingMs: number;
  /** Tells the work to finish: its signal aborts and nothing is renewed, but the lease lasts until it ends by itself. */
  windDown(reason: unknown): void;
  /** Gives the lease back; idempotent, never rejects. */
  release(): Promise<boolean>;
}

/**
 * Work that runs under leases. When it is closed, by its coordinator or by its
 * owner, the work is told by its signal and has until the end of its lease to
 * finish: nothing renews the leases any more, but they are not taken away from
 * under it.
 */
export class Job implements Closable {
  readonly #clock: Clock;
  readonly #held: readonly Held[];
  readonly #scope: Scope | undefined;
  #isDone = false;
  #onDone: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** From now on the scope closes the job, and by it what is held. */
  constructor(clock: Clock, held: readonly Held[], scope: Scope | undefined) {
    this.#clock = clock;
    this.#held = held;
    this.#scope = scope;
    for (const one of held) scope?.open.delete(one);
    scope?.open.add(this);
  }

  done(): void {
    this.#scope?.open.delete(this);
    this.#isDone = true;
    this.#onDone?.();
  }

  /** Idempotent. Resolves when everything was given back. */
  close(reason: unknown): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: unknown): Promise<void> {
    for (const one of this.#held) one.windDown(reason);
    // Again and again, because a timer may run early: what still counts as held must not be released under the work.
    // And not in smaller steps than a timer takes: what is left may be less than a clock can tell.
    for (let leftMs = this.#leftMs(); leftMs > 0 && !this.#isDone; leftMs = this.#leftMs()) {
      await this.#doneWithin(Math.max(1, leftMs));
    }
    await Promise.all(this.#held.map((one) => one.release()));
  }

  #leftMs(): number {
    return Math.max(...this.#held.map((one) => one.remainingMs));
  }

  #doneWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(resolve, ms);
      this.#onDone = () => {
        this.#clock.clearTimer(timer);
        resolve();
      };
    });
  }
}
