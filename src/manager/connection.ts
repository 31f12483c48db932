import type { Store } from "./store.ts";
import type { Target } from "./target.ts";

/** Is told when a connection begins and ceases to be used. */
export interface ConnectionOwner {
  onBusy(connection: Connection): void;
  onIdle(connection: Connection): void;
}

/**
 * An open store and the number of those who use it right now: operations,
 * watches, leases. While there is one it is not closed.
 */
export class Connection {
  readonly target: Target;
  readonly store: Store;
  /** On the monotonic clock. */
  idleSinceMs = 0;
  readonly #owner: ConnectionOwner;
  #users: number;
  #isOpen = true;

  /** @param users how many use it from the beginning; each will give it back */
  constructor(target: Target, store: Store, owner: ConnectionOwner, users: number) {
    this.target = target;
    this.store = store;
    this.#owner = owner;
    this.#users = users;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Begins to use it; `false` when it was closed. Whoever gets `true` calls {@link giveBack} once. */
  lend(): boolean {
    if (!this.#isOpen) return false;
    this.#users += 1;
    if (this.#users === 1) this.#owner.onBusy(this);
    return true;
  }

  giveBack(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#owner.onIdle(this);
  }

  /** From now on nobody can begin to use it; resolves when it is disconnected. Never rejects. */
  async close(): Promise<void> {
    this.#isOpen = false;
    // A connection that cannot be closed in good order is gone as well.
    await this.store.close().catch(() => {});
  }
}
