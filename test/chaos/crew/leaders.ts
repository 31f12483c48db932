import type { Coordinator } from "../../../src/coordinator.ts";
import { nowMs } from "../../support/shared-clock.ts";
import { type Holding, noteGrant, work } from "./holding.ts";
import { writing } from "./locks.ts";
import { ELECTION } from "./settings.ts";
import type { Worker } from "./worker.ts";

/** Is a candidate; leads for some leases, then lets others. */
export async function seekLeadership(worker: Worker, hold: Coordinator): Promise<void> {
  const { journal, settings, stopped } = worker;
  const candidate = hold.election(ELECTION, { ttlMs: settings.ttlMs });
  let id = 0;
  const ask = (): void => {
    id = journal.newId();
    journal.write({ type: "ask", id, at: nowMs(), kind: "leader", name: ELECTION });
  };
  ask();
  await candidate
    .run(
      async (term) => {
        const holding: Holding = { id, holds: () => term.isLeader(), signal: term.signal };
        if (noteGrant(journal, holding, term.fencingToken)) {
          const leadMs = (0.2 + 3 * Math.random()) * settings.ttlMs;
          await work(journal, holding, leadMs, writing(worker, `leader ${ELECTION}`, id, term.fencingToken));
        }
        ask();
        await term.resign();
      },
      { signal: stopped },
    )
    .catch((error: unknown) => {
      if (!stopped.aborted) throw error;
    });
}
