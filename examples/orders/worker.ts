import { type Coordinator, connect } from "../../src/index.ts"; // in your own program: from "holdfast"
import type { Delivery } from "./deliveries.ts";
import { type Booking, Ledger } from "./ledger.ts";

/** Works on deliveries, one at a time. */
export interface Worker {
  readonly name: string;
  handle(delivery: Delivery): Promise<Handled>;
  stop(): Promise<void>;
}

export interface Handled {
  readonly booking: Booking;
  /** How long the lock had to be waited for; `undefined` without one. */
  readonly waitedMs: number | undefined;
}

export interface WorkerSettings {
  readonly name: string;
  /** Where the locks are kept. */
  readonly store: string;
  readonly ledger: string;
  /** `false` shows what the locks are for. */
  readonly lock: boolean;
}

/** A worker in this process. */
export async function startWorker(settings: WorkerSettings): Promise<Worker> {
  const hold = await connect(settings.store, { keyPrefix: "holdfast-demo:", holder: settings.name });
  return new LocalWorker(settings, hold);
}

class LocalWorker implements Worker {
  readonly name: string;
  readonly #hold: Coordinator;
  readonly #ledger: Ledger;
  readonly #lock: boolean;

  constructor({ name, ledger, lock }: WorkerSettings, hold: Coordinator) {
    this.name = name;
    this.#hold = hold;
    this.#ledger = new Ledger(ledger, name);
    this.#lock = lock;
  }

  async handle(delivery: Delivery): Promise<Handled> {
    if (!this.#lock) return { booking: await this.#ledger.book(delivery, undefined), waitedMs: undefined };

    const askedAt = performance.now();
    return this.#hold.withLock(
      `customer:${delivery.customer}`,
      async (lock) => {
        const waitedMs = performance.now() - askedAt;
        return { booking: await this.#ledger.book(delivery, lock), waitedMs };
      },
      { ttlMs: 5_000, waitMs: 60_000 },
    );
  }

  async stop(): Promise<void> {
    await this.#hold.close();
  }
}
