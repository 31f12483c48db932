import { Presets, SingleBar } from "cli-progress";
import type { Check } from "./audit.ts";
import type { JournalEntry } from "./journal.ts";
import type { Handled } from "./worker.ts";

/** A lock that took longer than this counts as waited for. */
const WAIT_MS = 2;

/** Faults that are printed; the others are counted. */
const EXAMPLES = 3;

/** What the workers did. */
export class Tally {
  booked = 0;
  duplicates = 0;
  killed = 0;
  takenOver = 0;
  /** Runs that found their order booked: whoever began them was killed too late to prevent that. */
  found = 0;
  locks = 0;
  waits = 0;
  longestWaitMs = 0;
  readonly #startedAt: number = performance.now();

  get deliveries(): number {
    return this.booked + this.found + this.duplicates;
  }

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1_000;
  }

  add({ booking, waitedMs, takenOver }: Handled): void {
    if (booking === "booked") this.booked++;
    else if (booking === "found") this.found++;
    else this.duplicates++;
    if (takenOver) this.takenOver++;
    if (waitedMs === undefined) return;
    this.locks++;
    if (waitedMs > WAIT_MS) this.waits++;
    this.longestWaitMs = Math.max(this.longestWaitMs, waitedMs);
  }
}

export interface Progress {
  update(done: number): void;
  stop(): void;
}

/** A bar on a terminal, a line for each tenth elsewhere. */
export function showProgress(total: number): Progress {
  if (process.stdout.isTTY) {
    const bar = new SingleBar(
      { stream: process.stdout, format: "{bar} {percentage}% | {value} of {total}" },
      Presets.rect,
    );
    bar.start(total, 0);
    return { update: (done) => bar.update(done), stop: () => bar.stop() };
  }
  const step = Math.ceil(total / 10);
  return {
    update: (done) => {
      if (done % step === 0 || done === total) console.log(`  ${number(done)} of ${number(total)}`);
    },
    stop: () => {},
  };
}

export function printTally(tally: Tally, journal: readonly JournalEntry[]): void {
  console.log(`
Deliveries   ${number(tally.deliveries)} in ${tally.seconds.toFixed(1)} s
  booked     ${number(tally.booked + tally.found)}
  duplicates ${number(tally.duplicates)}, caught by the guard
${killings(tally)}Locks taken  ${number(tally.locks)}
  waits      ${number(tally.waits)} longer than ${WAIT_MS} ms, the longest ${Math.round(tally.longestWaitMs)} ms
${reports(journal)}`);
}

function reports(journal: readonly JournalEntry[]): string {
  const written = journal.filter((entry) => entry.event === "report");
  const terms = new Set(written.map(({ term }) => term));
  return `Reports      ${number(written.length)}, in ${number(terms.size)} ${terms.size === 1 ? "term" : "terms"} of their leader
`;
}

function killings({ killed, takenOver, found }: Tally): string {
  if (killed === 0) return "";
  return `Workers killed ${number(killed)}, each in the middle of an order
  taken over ${number(takenOver)} of their runs, of which ${number(found)} had booked the order already
`;
}

/** Prints the audit; returns whether it passed. */
export function printAudit(checks: readonly Check[]): boolean {
  console.log("Audit of the ledger");
  for (const { name, faults } of checks) {
    console.log(`  ${faults.length === 0 ? "✓" : "✗"} ${name}: ${number(faults.length)}`);
    for (const fault of faults.slice(0, EXAMPLES)) console.log(`      ${fault}`);
    if (faults.length > EXAMPLES) console.log("      …");
  }
  const passed = checks.every(({ faults }) => faults.length === 0);
  console.log(passed ? "\nThe ledger is right." : "\nThe ledger is corrupt.");
  return passed;
}

export function number(value: number): string {
  return value.toLocaleString("en");
}
