/**
 * The connections of a manager: one per target, opened when it is needed, closed
 * when nobody has used it for long, or when there are too many.
 *
 *     ──acquire──▶ opening ──▶ busy ◀──lend / last giveBack──▶ idle ──evicted──▶ closed
 *                     └─failed─▶ (forgotten; the next acquire tries again)
 *
 * Only idle connections are evicted, the least recently used first. When all are
 * busy, one more is opened all the same: to wait for another tenant's connection
 * could be to wait for ever, as a lock may be held on it. As soon as one becomes
 * idle, the number falls back to the limit.
 */

import { ClosedError } from "../cache/errors.ts";
import type { Clock, Timer } from "../runtime/clock.ts";
import { Connection } from "./connection.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";

export interface PoolOptions {
  readonly clock: Clock;
  readonly maxConnections: number;
  readonly idleTtlMs: number;
  open(target: Target): Promise<Store>;
  onOpened(target: Target): void;
  onOpenFailed(target: Target, error: unknown): void;
  onEvicted(target: Target, reason: EvictionReason): void;
}

export type EvictionReason =
  /** It was not used for `idleTtlMs`. */
  | "idle"
  /** It was the one not used for longest when there were more than `maxConnections`. */
  | "limit";

interface Opening {
  readonly connection: Promise<Connection>;
  /** How many wait for it, and will use it. */
  waiting: number;
}

export class Pool {
  readonly #options: PoolOptions;
  readonly #opening = new Map<string, Opening>();
  readonly #open = new Map<string, Connection>();
  /** The open ones that nobody uses, least recently used first. */
  readonly #idle = new Set<Connection>();
  readonly #closing = new Set<Promise<void>>();
  #idleTimer: Timer | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open.size;
  }

  get opening(): number {
    return this.#opening.size;
  }

  get idle(): number {
    return this.#idle.size;
  }

  /** The connection to a target, which the caller has to give back. */
  async acquire(target: Target): Promise<Connection> {
    const open = this.#open.get(target.id);
    if (open?.lend()) return open;
    const underWay = this.#opening.get(target.id);
    if (underWay !== undefined) {
      underWay.waiting += 1;
      return underWay.connection;
    }
    if (this.#closed) throw new ClosedError("the manager was closed");
    const opening: Opening = { connection: Promise.resolve().then(() => this.#connect(target, opening)), waiting: 1 };
    this.#opening.set(target.id, opening);
    this.#settle();
    return opening.connection;
  }

  /** Waits for the connections that are being opened, then closes all. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#opening.values()].map(({ connection }) => connection));
    this.#options.clock.clearTimer(this.#idleTimer);
    for (const connection of [...this.#open.values()]) this.#remove(connection);
    await Promise.all(this.#closing);
  }

  onBusy(connection: Connection): void {
    this.#idle.delete(connection);
  }

  onIdle(connection: Connection): void {
    if (this.#open.get(connection.target.id) !== connection) return;
    connection.idleSinceMs = this.#options.clock.monotonicMs();
    this.#idle.add(connection);
    this.#settle();
    this.#watchIdle();
  }

  async #connect(target: Target, opening: Opening): Promise<Connection> {
    const { open, onOpened, onOpenFailed } = this.#options;
    try {
      const store = await open(target);
      // Whoever waits uses it from now on, so it cannot be evicted before they get to it.
      const connection = new Connection(target, store, this, opening.waiting);
      this.#opening.delete(target.id);
      this.#open.set(target.id, connection);
      onOpened(target);
      return connection;
    } catch (error) {
      this.#opening.delete(target.id);
      onOpenFailed(target, error);
      throw error;
    }
  }

  /** Brings the number of connections down to the limit, as far as there are idle ones. */
  #settle(): void {
    const { maxConnections } = this.#options;
    for (const connection of this.#idle) {
      if (this.#open.size + this.#opening.size <= maxConnections) return;
      this.#evict(connection, "limit");
    }
  }

  /** One timer, for the connection that has been idle for longest. */
  #watchIdle(): void {
    const { clock, idleTtlMs } = this.#options;
    const [first] = this.#idle;
    if (this.#idleTimer !== undefined || first === undefined || this.#closed) return;
    this.#idleTimer = clock.setTimer(
      () => {
        this.#idleTimer = undefined;
        for (const connection of this.#idle) {
          if (clock.monotonicMs() - connection.idleSinceMs < idleTtlMs) break;
          this.#evict(connection, "idle");
        }
        this.#watchIdle();
      },
      first.idleSinceMs + idleTtlMs - clock.monotonicMs(),
    );
  }

  #evict(connection: Connection, reason: EvictionReason): void {
    this.#remove(connection);
    this.#options.onEvicted(connection.target, reason);
  }

  #remove(connection: Connection): void {
    this.#idle.delete(connection);
    this.#open.delete(connection.target.id);
    const closing: Promise<void> = connection.close().then(() => void this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
