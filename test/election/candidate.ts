/** A candidate in a process of its own. It writes down when it leads and when it hears that it does not any more. */

import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../src/connect.ts";
import type { Coordinator } from "../../src/coordinator.ts";
import type { Election } from "../../src/primitives/leader/election.ts";
import type { Term } from "../../src/primitives/leader/term.ts";
import { resignOnShutdown } from "../../src/shutdown.ts";
import { nowMs } from "../support/shared-clock.ts";
import { Journal } from "./journal.ts";

export interface CandidateSettings {
  readonly url: string;
  readonly election: string;
  readonly holder: string;
  readonly ttlMs: number;
  readonly journal: string;
}

/** A step that comes later than this after the one before shows that the process was stopped, or had no processor. */
const STALL_MS = 10;
const LINGER_MS = 50;

const settings: CandidateSettings = JSON.parse(process.argv[2] ?? "");
const journal = new Journal(settings.journal);
const hold = await connected();
resignOnShutdown(hold);
// Whoever started us is gone: nobody would end us.
process.once("disconnect", () => process.exit());

const candidate = hold.election(settings.election, { ttlMs: settings.ttlMs });
await candidate.run((term) => lead(candidate, term)).catch(() => {});

/** The store may be out of reach when this process starts. */
async function connected(): Promise<Coordinator> {
  for (;;) {
    try {
      return await connect(settings.url, { holder: settings.holder, connectTimeoutMs: 1_000 });
    } catch {
      await sleep(50);
    }
  }
}

/**
 * Works in steps of a millisecond until it is told to stop, lingers for a moment, and now and then resigns of its own
 * accord. Half of the terms compare clocks before each step, by `isLeader` and by reading the signal afresh; the other
 * half look at nothing but the signal that they were given in the beginning.
 */
async function lead(election: Election, term: Term): Promise<void> {
  const write = journal.begin(term.fencingToken);
  const before = nowMs();
  const isLeading = term.isLeader();
  const after = nowMs();
  // Stopped in between, it would be a moment at which it may not have led any more.
  if (isLeading && after - before < STALL_MS) write("from", after);

  const look = Math.random() < 0.5 ? bySignal(term) : byClocks(election, term);
  const resignAt = Math.random() < 0.3 ? nowMs() + Math.random() * 2 * settings.ttlMs : Number.POSITIVE_INFINITY;
  let stopAt = Number.POSITIVE_INFINITY;
  for (let at = nowMs(), previous = at; at < stopAt; previous = at, at = nowMs()) {
    const { believes, isOver } = look(at - previous > STALL_MS);
    // The time was taken before looking: what is found true was true then.
    if (believes) write("until", at);
    if (isOver) stopAt = Math.min(stopAt, at + Math.random() * LINGER_MS);
    if (at > resignAt) void election.resign();
    await sleep(1);
  }
}

type Look = (isStalled: boolean) => { readonly believes: boolean; readonly isOver: boolean };

/** After a stall, one step may come before the timer that aborts the signal. Only clocks can tell, so it says nothing. */
function bySignal({ signal }: Term): Look {
  return (isStalled) => ({ believes: !signal.aborted && !isStalled, isOver: signal.aborted });
}

function byClocks(election: Election, term: Term): Look {
  return () => {
    const { isLeader } = election;
    const isOver = term.signal.aborted;
    return { believes: isLeader || !isOver, isOver };
  };
}
