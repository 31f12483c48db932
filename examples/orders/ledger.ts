import { mkdirSync } from "node:fs";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Delivery } from "./deliveries.ts";
import { Journal } from "./journal.ts";

/** A customer's account, a JSON file. */
export interface Account {
  readonly balanceCents: number;
  /** The orders that the balance is the sum of. */
  readonly orders: readonly string[];
  /** The highest fencing token that has written here. */
  readonly fence: number;
}

/** What a booking needs to know about the lock that it runs under. */
export interface Permit {
  readonly fencingToken: number;
  readonly signal: AbortSignal;
}

/** `"found"`: whoever ran before was killed between writing the account and saying so. */
export type Booking = "booked" | "found";

/**
 * A ledger that is right only if one booking at a time is under way for each
 * customer: it reads the account, does something that takes a while, and writes
 * the account as a whole. Two that overlap lose one of their orders.
 */
export class Ledger {
  readonly journal: Journal;
  readonly #directory: string;
  readonly #worker: string;

  constructor(directory: string, worker: string) {
    this.#directory = directory;
    this.#worker = worker;
    this.journal = new Journal(directory);
    mkdirSync(join(directory, "accounts"), { recursive: true });
  }

  async read(customer: string): Promise<Account> {
    try {
      return JSON.parse(await readFile(this.#accountFile(customer), "utf8")) as Account;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return { balanceCents: 0, orders: [], fence: 0 };
    }
  }

  /** How many orders are booked, at some moment during the call. Stops when `signal` aborts. */
  async countOrders(signal: AbortSignal): Promise<number> {
    let count = 0;
    for (const file of await readdir(join(this.#directory, "accounts"))) {
      signal.throwIfAborted();
      if (file.endsWith(".json")) count += (await this.read(basename(file, ".json"))).orders.length;
    }
    return count;
  }

  /**
   * Adds an order to its customer's account, unless it is there: no guard can know what a worker did that was killed
   * before it could say so, so the effect itself has to be safe to repeat. `permit` is `undefined` when nothing is
   * locked.
   */
  async book({ order, customer, cents }: Delivery, permit: Permit | undefined): Promise<Booking> {
    const fence = permit?.fencingToken ?? null;
    const note = { customer, order, worker: this.#worker, fence };
    this.journal.append({ event: "enter", ...note });
    try {
      const account = await this.read(customer);
      if (account.orders.includes(order)) return "found";
      if (fence !== null && fence < account.fence) {
        throw new Error(`The ledger refuses token ${fence} for ${customer}: ${account.fence} has been here`);
      }
      await settle(cents);
      // Whoever lost the lock meanwhile writes nothing.
      permit?.signal.throwIfAborted();
      await this.#write(customer, {
        balanceCents: account.balanceCents + cents,
        orders: [...account.orders, order],
        fence: fence ?? account.fence,
      });
      return "booked";
    } finally {
      this.journal.append({ event: "leave", ...note });
    }
  }

  /** Replaces the file as a whole: a reader sees the old account or the new one. */
  async #write(customer: string, account: Account): Promise<void> {
    const file = this.#accountFile(customer);
    const draft = `${file}.${this.#worker}`;
    await writeFile(draft, JSON.stringify(account));
    await rename(draft, file);
  }

  #accountFile(customer: string): string {
    return join(this.#directory, "accounts", `${customer}.json`);
  }
}

/** Stands for what takes time in real life: a payment provider, a database. 1 to 4 ms. */
async function settle(cents: number): Promise<void> {
  await pause(1 + (cents % 4));
}
