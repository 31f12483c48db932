import type { Clock, Timer } from "../../runtime/clock.ts";
import { onAbort } from "../../runtime/on-abort.ts";
import type { Lease } from "./lease.ts";
import type { Scope, Wait } from "./scope.ts";
import type { Seeker } from "./seeker.ts";

export interface WaitOptions {
  /** How long to wait; `Infinity` for ever. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Where the wait can be ended from outside. */
  readonly scope?: Scope | undefined;
}

export interface WaiterEvents {
  /** It waits no longer: it was served, has failed, or has given up. */
  left(waiter: Waiter): void;
  /** The error for a wait that ran out. */
  timedOut(waiter: Waiter): Error;
}

/** Somebody in the line for a lease, from its coming until it is served or leaves. */
export class Waiter implements Wait {
  readonly seeker: Seeker;
  /** The lease, or why it was not had. */
  readonly served: Promise<Lease>;
  place: number | undefined = undefined;
  /** An attempt of this waiter is under way; what it leaves in the store is then cleared up after it. */
  attempting = false;
  /** It has given up. */
  gone = false;
  #resolve: (lease: Lease) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  readonly #clock: Clock;
  readonly #scope: Scope | undefined;
  readonly #events: WaiterEvents;
  readonly #timer: Timer;
  readonly #stopListening: () => void;

  constructor(clock: Clock, seeker: Seeker, { waitMs, signal, scope }: WaitOptions, events: WaiterEvents) {
    this.seeker = seeker;
    this.served = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#clock = clock;
    this.#scope = scope;
    this.#events = events;
    this.#timer = clock.setTimer(() => this.end(events.timedOut(this)), waitMs);
    this.#stopListening = onAbort(signal, () => this.end(signal?.reason));
    scope?.waits.add(this);
  }

  settle(lease: Lease): void {
    this.#leave();
    this.#resolve(lease);
  }

  fail(error: unknown): void {
    this.#leave();
    this.#reject(error);
  }

  /** Gives up. */
  end(reason: unknown): void {
    this.gone = true;
    this.fail(reason);
  }

  #leave(): void {
    this.#clock.clearTimer(this.#timer);
    this.#stopListening();
    this.#scope?.waits.delete(this);
    this.#events.left(this);
  }
}
