import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "../../support/shared-clock.ts";
import type { Journal } from "../journal.ts";

/** Something that is held for a time, as its holder can see it. */
export interface Holding {
  readonly id: number;
  /** Asked again at each step. */
  readonly holds: () => boolean;
  /** Read once: whoever listens to it learns of a loss when a timer runs. */
  readonly signal: AbortSignal;
}

/** A step that comes later than this after the one before shows that the process was stopped, or had no processor. */
export const STALL_MS = 10;
const STEP_MS = 2;
/** How long work goes on that was told to stop. */
const LINGER_MS = 60;

/**
 * Whether it is held, at a moment that is written down as the grant. Stopped between asking and writing, a process would
 * write down a moment at which it may not have held it any more.
 */
export function noteGrant(journal: Journal, { id, holds }: Pick<Holding, "id" | "holds">, token: number): boolean {
  const before = nowMs();
  const isHeld = holds();
  const at = nowMs();
  if (!isHeld || at - before > STALL_MS) return false;
  journal.write({ type: "grant", id, at, token });
  return true;
}

/**
 * Works in small steps for `workMs`, or until it is told to stop and a moment longer. Before each step it marks that it
 * still holds what it holds; the time is taken before looking, so that what is found true was true then. One half of all
 * holders look at nothing but the signal, since to ask is one way in which a loss is found out.
 */
export async function work(
  journal: Journal,
  { id, holds, signal }: Holding,
  workMs: number,
  step: () => void,
): Promise<void> {
  const asks = Math.random() < 0.5;
  const onAbort = (): void => {
    const { reason } = signal;
    journal.write({ type: "abort", id, at: nowMs(), code: String(reason?.code ?? reason) });
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  let stopAt = nowMs() + workMs;
  let isOver = false;
  for (let at = nowMs(), previous = at; at < stopAt; previous = at, at = nowMs()) {
    // After a stall, one step may come before the timer that aborts the signal.
    if (!signal.aborted && at - previous < STALL_MS) journal.mark(id, "quietUntil", at);
    const isHeld = asks ? holds() : !signal.aborted;
    if (asks && isHeld) journal.mark(id, "heldUntil", at);
    if (!isHeld && !isOver) {
      isOver = true;
      stopAt = Math.min(stopAt, at + Math.random() * LINGER_MS);
    }
    step();
    await sleep(STEP_MS);
  }
  signal.removeEventListener("abort", onAbort);
  journal.write({ type: "over", id, at: nowMs() });
}
