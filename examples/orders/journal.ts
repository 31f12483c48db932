import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A worker went to a customer's account or came back from it, reported, or was killed wherever it was. */
export type JournalEntry = Visit | Report | { readonly event: "killed"; readonly worker: string };

export interface Visit {
  readonly event: "enter" | "leave";
  readonly customer: string;
  readonly order: string;
  readonly worker: string;
  /** The fencing token of the lock; `null` without one. */
  readonly fence: number | null;
}

/** The leader among the workers began a report, or has finished it. */
export type Report = { readonly worker: string; readonly term: number } & (
  | { readonly event: "report" }
  /** With the orders that it has found; `null` if it had to stop. */
  | { readonly event: "reported"; readonly orders: number | null }
);

/**
 * Who was at which account, and who reported, in the order in which it happened: all workers, in
 * whatever process, append to one file, and an append is atomic. So the file
 * orders the events by itself, without anybody's clock.
 */
export class Journal {
  readonly #file: string;

  constructor(directory: string) {
    this.#file = join(directory, "journal.jsonl");
  }

  /** Synchronous, so that what follows the call follows the entry. */
  append(entry: JournalEntry): void {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }

  entries(): JournalEntry[] {
    const lines = readFileSync(this.#file, "utf8").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line) as JournalEntry);
  }
}
