import { setTimeout as sleep } from "node:timers/promises";
import { HoldfastError } from "../../../src/cache/errors.ts";
import type { Coordinator } from "../../../src/coordinator.ts";
import type { Lock } from "../../../src/primitives/lock/lock.ts";
import { nowMs } from "../../support/shared-clock.ts";
import { type Holding, noteGrant, work } from "./holding.ts";
import { pick } from "./luck.ts";
import { LOCKS } from "./settings.ts";
import type { Worker } from "./worker.ts";

/** How often somebody who holds something writes to what it protects. */
const WRITE_EVERY_MS = 40;

/** Takes one lock after the other, in both ways, mostly for a short time and now and then for several leases. */
export async function takeLocks(worker: Worker, hold: Coordinator): Promise<void> {
  const { journal, settings, stopped } = worker;
  while (!stopped.aborted) {
    const name = pick(LOCKS);
    const id = journal.newId();
    const options = { ttlMs: settings.ttlMs, waitMs: 2 * settings.ttlMs, signal: stopped };
    journal.write({ type: "ask", id, at: nowMs(), kind: "lock", name });
    const under = (lock: Lock): Promise<void> => useLock(worker, lock, id);
    try {
      if (Math.random() < 0.5) await hold.withLock(name, under, options);
      else {
        const lock = await hold.acquireLock(name, options);
        await under(lock);
        await lock.release();
      }
    } catch (error) {
      // Not free in time, the store out of reach, or lost: what matters was written down.
      if (!(error instanceof HoldfastError) && !stopped.aborted) throw error;
    }
    await sleep(5 + Math.random() * 30);
  }
}

async function useLock(worker: Worker, lock: Lock, id: number): Promise<void> {
  const holding: Holding = { id, holds: () => lock.isHeld(), signal: lock.signal };
  if (!noteGrant(worker.journal, holding, lock.fencingToken)) return;
  const { ttlMs } = worker.settings;
  const workMs = Math.random() < 0.25 ? (0.1 + 1.5 * Math.random()) * ttlMs : 5 + Math.random() * 60;
  await work(worker.journal, holding, workMs, writing(worker, `lock ${lock.key}`, id, lock.fencingToken));
}

/** A careless holder: it writes on, whatever has become of what it holds. */
export function writing(worker: Worker, resource: string, id: number, token: number): () => void {
  let dueAt = 0;
  return () => {
    const at = nowMs();
    if (at < dueAt) return;
    dueAt = at + WRITE_EVERY_MS;
    worker.report({ type: "write", resource, token, id });
  };
}
