/**
 * Scheduled work on several replicas: every replica has the schedule and hears its ticks, only the leader runs them,
 * and a fail-over neither loses nor repeats one.
 *
 * - Not repeated: the tick's own instant is the key of an idempotent handler, so a tick that was run is only replayed.
 * - Not lost: whoever is elected begins with the ticks of the last `catchUpMs`. Those that were run are replayed, and the
 *   ones that came while nobody led, or whose leader died over them, are run now.
 */

import { Cron } from "croner";
import type { Coordinator } from "../../src/index.ts"; // in your own program: "holdfast"

export interface ScheduleOptions {
  /** Names the election and the ticks. */
  readonly name: string;
  /** A cron pattern. It is read in UTC, so that every replica means the same instants. */
  readonly pattern: string;
  /** How long a leader that died keeps others from taking over. Default 15 s. */
  readonly ttlMs?: number;
  /** How far a new leader looks back: longer than any time in which nobody led, and than a tick's work. Default 5 min. */
  readonly catchUpMs?: number;
  /** Is told of a tick whose work failed. It is tried again with the next one, until it is older than `catchUpMs`. */
  readonly onError?: (error: unknown, at: Date) => void;
  /** Withdraws this replica. */
  readonly signal?: AbortSignal;
}

/** What is done at each tick. It runs at most once at a time; `signal` aborts when that cannot be guaranteed any more. */
export type ScheduledWork = (at: Date, signal: AbortSignal) => Promise<void>;

/** Takes part in a schedule until it is withdrawn or the coordinator is closed. */
export async function runSchedule(hold: Coordinator, options: ScheduleOptions, work: ScheduledWork): Promise<void> {
  const { name, pattern, ttlMs = 15_000, catchUpMs = 300_000, onError = console.error, signal } = options;
  const runOnce = hold.idempotent((at: Date, run) => work(at, run.signal), {
    name,
    key: (at) => at.toISOString(),
    leaseTtlMs: ttlMs,
    // Longer than anybody looks back.
    resultTtlMs: 2 * catchUpMs,
  });

  // On every replica; who does not lead has nobody waiting for it.
  let onTick = (): void => {};
  const cron = new Cron(pattern, { timezone: "UTC" }, () => onTick());

  const election = hold.election(name, { ttlMs });
  const lead = async (term: { readonly signal: AbortSignal }): Promise<void> => {
    let doneUntil = new Date(Date.now() - catchUpMs);
    while (!term.signal.aborted) {
      const at = cron.nextRun(doneUntil);
      if (at === null) return;
      // What is due was missed, or is the tick that has just been heard. A failure is tried again with the next one.
      const isDone = at.getTime() <= Date.now() && (await attempt(at));
      if (isDone) doneUntil = at;
      else {
        await new Promise<void>((resolve) => {
          onTick = resolve;
          term.signal.addEventListener("abort", () => resolve(), { once: true });
        });
      }
    }
  };
  const attempt = async (at: Date): Promise<boolean> => {
    try {
      // Not ended when the term is lost: the tick has a claim of its own, for which the next leader waits.
      await runOnce(at);
      return true;
    } catch (error) {
      onError(error, at);
      return at.getTime() < Date.now() - catchUpMs;
    }
  };

  try {
    await election.run(lead, { ...(signal && { signal }) });
  } finally {
    cron.stop();
  }
}
