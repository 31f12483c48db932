import type { Clock } from "../../runtime/clock.ts";
import type { Closable, Scope } from "../lease/scope.ts";
import type { HeldLock } from "./held-lock.ts";

/**
 * Work that runs under locks. When its coordinator closes, the work is told by
 * its signal and has until the end of its lease to finish: nothing renews the
 * locks any more, but they are not taken away from under it.
 */
export class Job implements Closable {
  readonly #clock: Clock;
  readonly #locks: readonly HeldLock[];
  readonly #scope: Scope;
  #onDone: (() => void) | undefined;

  /** From now on the scope closes the job, and by it the locks. */
  constructor(clock: Clock, locks: readonly HeldLock[], scope: Scope) {
    this.#clock = clock;
    this.#locks = locks;
    this.#scope = scope;
    for (const lock of locks) scope.open.delete(lock);
    scope.open.add(this);
  }

  done(): void {
    this.#scope.open.delete(this);
    this.#onDone?.();
  }

  async close(reason: Error): Promise<void> {
    const leftMs = Math.min(...this.#locks.map((lock) => lock.remainingMs));
    for (const lock of this.#locks) lock.windDown(reason);
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(resolve, leftMs);
      this.#onDone = () => {
        this.#clock.clearTimer(timer);
        resolve();
      };
    });
    await Promise.all(this.#locks.map((lock) => lock.release()));
  }
}
