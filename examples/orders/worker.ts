import { type Coordinator, connect, type Idempotent } from "../../src/index.ts"; // in your own program: from "holdfast"
import type { Delivery } from "./deliveries.ts";
import { type Booking, Ledger } from "./ledger.ts";
import { takeTurnsReporting } from "./reporter.ts";

/** Works on deliveries, one at a time. */
export interface Worker {
  readonly name: string;
  handle(delivery: Delivery): Promise<Handled>;
  stop(): Promise<void>;
}

/** What came of a delivery. */
export interface Handled {
  /** `"duplicate"`: the order was handled before, by an earlier delivery. */
  readonly booking: Booking | "duplicate";
  /** How long the lock had to be waited for; `undefined` without one. */
  readonly waitedMs: number | undefined;
  /** Whether another worker had begun, and was killed. */
  readonly takenOver: boolean;
}

export interface WorkerSettings {
  readonly name: string;
  /** Where locks and results are kept. */
  readonly store: string;
  readonly ledger: string;
  /** Keeps the results of one run of the demo apart from those of others. */
  readonly run: string;
  /** `false` shows what the locks are for. */
  readonly lock: boolean;
}

/** How long others wait for a worker that was killed. */
const LEASE_MS = 3_000;

/** @param onBooking called whenever the worker is in the middle of an order */
export async function startWorker(settings: WorkerSettings, onBooking: () => void = () => {}): Promise<Worker> {
  const hold = await connect(settings.store, { keyPrefix: "holdfast-demo:", holder: settings.name });
  return new LocalWorker(settings, hold, onBooking);
}

class LocalWorker implements Worker {
  readonly name: string;
  readonly #hold: Coordinator;
  readonly #ledger: Ledger;
  readonly #lock: boolean;
  readonly #onBooking: () => void;
  /** However often an order is delivered, and to whichever worker: it is booked by one of them, once. */
  readonly #bookOnce: Idempotent<Delivery, Handled>;
  readonly #reporting: Promise<void>;

  constructor({ name, ledger, run, lock }: WorkerSettings, hold: Coordinator, onBooking: () => void) {
    this.name = name;
    this.#hold = hold;
    this.#ledger = new Ledger(ledger, name);
    this.#lock = lock;
    this.#onBooking = onBooking;
    this.#bookOnce = hold.idempotent(
      async (delivery: Delivery, { attempt }) => ({ ...(await this.#book(delivery)), takenOver: attempt > 1 }),
      { name: `book ${run}`, key: ({ order }) => order, leaseTtlMs: LEASE_MS, waitMs: 60_000, resultTtlMs: 600_000 },
    );
    this.#reporting = takeTurnsReporting(hold, this.#ledger, { name, run });
  }

  async handle(delivery: Delivery): Promise<Handled> {
    const { outcome, value } = await this.#bookOnce.outcome(delivery);
    return outcome === "executed" ? value : { booking: "duplicate", waitedMs: undefined, takenOver: false };
  }

  async stop(): Promise<void> {
    await this.#hold.close();
    await this.#reporting;
  }

  /** Under the lock of the customer, for that is whose account it changes. */
  async #book(delivery: Delivery): Promise<Omit<Handled, "takenOver">> {
    if (!this.#lock) return { booking: await this.#ledger.book(delivery, undefined), waitedMs: undefined };

    const askedAt = performance.now();
    return this.#hold.withLock(
      `customer:${delivery.customer}`,
      async (lock) => {
        const waitedMs = performance.now() - askedAt;
        const booking = this.#ledger.book(delivery, lock);
        this.#onBooking();
        return { booking: await booking, waitedMs };
      },
      { ttlMs: LEASE_MS, waitMs: 60_000 },
    );
  }
}
