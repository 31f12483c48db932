import { setTimeout as pause } from "node:timers/promises";
import { ClosedError, type Coordinator, type Term } from "../../src/index.ts"; // in your own program: from "holdfast"
import type { Ledger } from "./ledger.ts";

/** How long nobody reports when the worker that did was killed. */
const LEASE_MS = 3_000;
const EVERY_MS = 500;

export interface ReporterSettings {
  readonly name: string;
  /** Keeps the election of one run of the demo apart from those of others. */
  readonly run: string;
}

/** Takes its turn at reporting how far the ledger is: every worker does, and one of them reports. Until `hold` closes. */
export async function takeTurnsReporting(hold: Coordinator, ledger: Ledger, settings: ReporterSettings): Promise<void> {
  const election = hold.election(`reporter ${settings.run}`, { ttlMs: LEASE_MS });
  try {
    await election.run(async (term) => {
      while (!term.signal.aborted) {
        await report(ledger, settings.name, term);
        await pause(EVERY_MS, undefined, { signal: term.signal }).catch(() => {});
      }
    });
  } catch (error) {
    // It was another one's turn until the end.
    if (!(error instanceof ClosedError)) throw error;
  }
}

async function report(ledger: Ledger, worker: string, { fencingToken: term, signal }: Term): Promise<void> {
  ledger.journal.append({ event: "report", worker, term });
  let orders: number | null = null;
  try {
    orders = await ledger.countOrders(signal);
  } finally {
    ledger.journal.append({ event: "reported", worker, term, orders });
  }
}
