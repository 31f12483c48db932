import type { LeaseObserver } from "./events.ts";
import type { LeaseEvents, LossReason } from "./lease.ts";
import type { LeaseKind } from "./names.ts";

/** Whose lease it is. */
export interface LeaseOwner {
  /** The lease is lost; what exactly that was is the owner's to report. */
  onLost(reason: LossReason): void;
}

/** What every lease tells its observer, whatever it is for; that it stalled only once. */
export class LeaseReport implements LeaseEvents {
  readonly #observer: LeaseObserver;
  readonly #kind: LeaseKind;
  readonly #name: string;
  readonly #owner: LeaseOwner;
  #hasStalled = false;

  constructor(observer: LeaseObserver, kind: LeaseKind, name: string, owner: LeaseOwner) {
    this.#observer = observer;
    this.#kind = kind;
    this.#name = name;
    this.#owner = owner;
  }

  lost(reason: LossReason): void {
    this.#owner.onLost(reason);
  }

  renewed(outcome: "renewed" | "refused" | "failed", error?: unknown): void {
    const about = { kind: this.#kind, name: this.#name };
    this.#observer({ ...about, type: "renewed", outcome });
    if (error !== undefined) this.#observer({ ...about, type: "store-error", error });
  }

  stalled(lateMs: number): void {
    if (this.#hasStalled) return;
    this.#hasStalled = true;
    this.#observer({ kind: this.#kind, name: this.#name, type: "stalled", lateMs });
  }

  releaseFailed(error: unknown): void {
    this.#observer({ kind: this.#kind, name: this.#name, type: "release-failed", error });
  }
}
