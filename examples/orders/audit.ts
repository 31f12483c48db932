import { type Delivery, ordersByCustomer } from "./deliveries.ts";
import type { JournalEntry, Report } from "./journal.ts";
import type { Ledger } from "./ledger.ts";

/** One question that was asked of the ledger. It is answered well when there are no faults. */
export interface Check {
  readonly name: string;
  readonly faults: readonly string[];
}

/** Compares the ledger with the deliveries that it was made from, and looks for overlaps in its journal. */
export async function audit(ledger: Ledger, deliveries: readonly Delivery[]): Promise<readonly Check[]> {
  const entries = ledger.journal.entries();
  return [
    { name: "balances that differ from the file", faults: await wrongBalances(ledger, deliveries) },
    { name: "overlaps", faults: overlaps(entries) },
    { name: "fencing tokens that do not rise", faults: fallingFences(entries) },
    { name: "reports at the same time", faults: overlappingReports(entries) },
    { name: "terms of reporters that do not rise", faults: fallingTerms(entries) },
  ];
}

async function wrongBalances(ledger: Ledger, deliveries: readonly Delivery[]): Promise<string[]> {
  const faults: string[] = [];
  for (const [customer, orders] of ordersByCustomer(deliveries)) {
    const account = await ledger.read(customer);
    const expected = orders.reduce((sum, { cents }) => sum + cents, 0);
    const missing = orders.filter(({ order }) => !account.orders.includes(order));
    if (account.balanceCents !== expected || missing.length > 0 || account.orders.length !== orders.length) {
      faults.push(
        `${customer} has ${account.balanceCents} cents, the file says ${expected}; orders missing: ${missing.length}`,
      );
    }
  }
  return faults;
}

/** Two workers at one account at the same time. */
function overlaps(entries: readonly JournalEntry[]): string[] {
  const faults: string[] = [];
  const present = new Map<string, Set<string>>();
  for (const entry of entries.filter((each) => !isReport(each))) {
    if (entry.event === "killed") {
      for (const workers of present.values()) workers.delete(entry.worker);
      continue;
    }
    const { event, customer, worker, order } = entry;
    const workers = present.get(customer) ?? new Set();
    present.set(customer, workers);
    if (event === "leave") {
      workers.delete(worker);
      continue;
    }
    if (workers.size > 0) faults.push(`${worker} came to ${customer} with ${order} while ${[...workers]} was there`);
    workers.add(worker);
  }
  for (const [customer, workers] of present) {
    if (workers.size > 0) faults.push(`${[...workers]} never left ${customer}`);
  }
  return faults;
}

function isReport(entry: JournalEntry): entry is Report {
  return entry.event === "report" || entry.event === "reported";
}

/** Tenures of one lock in which a later one has a token that is not higher. */
function fallingFences(entries: readonly JournalEntry[]): string[] {
  const faults: string[] = [];
  const highest = new Map<string, number>();
  for (const entry of entries) {
    if (entry.event !== "enter" || entry.fence === null) continue;
    const { customer, worker, fence } = entry;
    const before = highest.get(customer) ?? 0;
    if (fence <= before) faults.push(`${worker} came to ${customer} with ${fence} after ${before}`);
    highest.set(customer, Math.max(fence, before));
  }
  return faults;
}

/** Two reports that were under way at the same time. */
function overlappingReports(entries: readonly JournalEntry[]): string[] {
  const faults: string[] = [];
  const reporting = new Set<string>();
  for (const { event, worker } of entries) {
    if (event === "reported" || event === "killed") reporting.delete(worker);
    if (event !== "report") continue;
    if (reporting.size > 0) faults.push(`${worker} began a report while ${[...reporting]} had not finished one`);
    reporting.add(worker);
  }
  for (const worker of reporting) faults.push(`${worker} never finished its report`);
  return faults;
}

/** Reports of a term that was over, or of one that two workers had. */
function fallingTerms(entries: readonly JournalEntry[]): string[] {
  const faults: string[] = [];
  let last = { worker: "", term: 0 };
  for (const entry of entries) {
    if (entry.event !== "report") continue;
    const { worker, term } = entry;
    if (term < last.term || (term === last.term && worker !== last.worker)) {
      faults.push(`${worker} reported in term ${term} after ${last.worker} in ${last.term}`);
    }
    last = { worker, term };
  }
  return faults;
}
