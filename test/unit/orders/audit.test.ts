import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { audit } from "../../../examples/orders/audit.ts";
import type { Delivery } from "../../../examples/orders/deliveries.ts";
import { Ledger, type Permit } from "../../../examples/orders/ledger.ts";

let directory: string;
let ledger: Ledger;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-audit-"));
  ledger = new Ledger(directory, "worker-1");
});

afterEach(() => rm(directory, { recursive: true }));

function delivery(order: string, cents = 100): Delivery {
  return { order, customer: "c-1", cents, placedAt: "2025-11-28T06:00:00.000Z" };
}

function permit(fencingToken: number, signal: AbortSignal = new AbortController().signal): Permit {
  return { fencingToken, signal };
}

/** The audit's questions, each with the number of faults. */
async function faults(deliveries: readonly Delivery[]): Promise<Record<string, number>> {
  return Object.fromEntries((await audit(ledger, deliveries)).map((check) => [check.name, check.faults.length]));
}

const CLEAN = {
  "balances that differ from the file": 0,
  overlaps: 0,
  "fencing tokens that do not rise": 0,
  "reports at the same time": 0,
  "terms of reporters that do not rise": 0,
};

describe("the audit of the ledger", () => {
  test("finds nothing where each order was booked once, under rising tokens", async () => {
    const deliveries = [delivery("o-1"), delivery("o-2", 50), delivery("o-1")];
    const booked: string[] = [];
    for (const [i, next] of deliveries.entries()) booked.push(await ledger.book(next, permit(i + 1)));
    expect(booked).toEqual(["booked", "booked", "found"]);
    expect(await faults(deliveries)).toEqual(CLEAN);
  });

  test("finds an order that is missing", async () => {
    await ledger.book(delivery("o-1"), permit(1));
    expect(await faults([delivery("o-1"), delivery("o-2")])).toEqual({
      ...CLEAN,
      "balances that differ from the file": 1,
    });
  });

  test("finds two workers at one account, and the order that it cost", async () => {
    const other = new Ledger(directory, "worker-2");
    await Promise.all([ledger.book(delivery("o-1"), undefined), other.book(delivery("o-2"), undefined)]);
    expect(await faults([delivery("o-1"), delivery("o-2")])).toEqual({
      ...CLEAN,
      "balances that differ from the file": 1,
      overlaps: 1,
    });
  });

  test("finds a worker that never left", async () => {
    await ledger.book(delivery("o-1"), permit(1));
    ledger.journal.append({ event: "enter", customer: "c-2", order: "o-9", worker: "worker-1", fence: 1 });
    expect(await faults([delivery("o-1")])).toEqual({ ...CLEAN, overlaps: 1 });
  });

  test("does not hold it against a worker that it was killed", async () => {
    await ledger.book(delivery("o-1"), permit(1));
    const other = new Ledger(directory, "worker-2");
    ledger.journal.append({ event: "enter", customer: "c-1", order: "o-2", worker: "worker-1", fence: 2 });
    ledger.journal.append({ event: "killed", worker: "worker-1" });
    await other.book(delivery("o-2"), permit(3));
    expect(await faults([delivery("o-1"), delivery("o-2")])).toEqual(CLEAN);
  });

  test("finds a token that does not rise", async () => {
    await ledger.book(delivery("o-1"), permit(7));
    await ledger.book(delivery("o-1"), permit(7));
    expect(await faults([delivery("o-1")])).toEqual({ ...CLEAN, "fencing tokens that do not rise": 1 });
  });

  describe("of reports", () => {
    const begin = (worker: string, term: number): void => ledger.journal.append({ event: "report", worker, term });
    const finish = (worker: string, term: number): void =>
      ledger.journal.append({ event: "reported", worker, term, orders: 1 });

    test("finds nothing where one leader follows another, also one that was killed", async () => {
      begin("worker-1", 3);
      finish("worker-1", 3);
      begin("worker-1", 3);
      ledger.journal.append({ event: "killed", worker: "worker-1" });
      begin("worker-2", 4);
      finish("worker-2", 4);
      expect(await faults([])).toEqual(CLEAN);
    });

    test("finds two at the same time", async () => {
      begin("worker-1", 3);
      begin("worker-2", 4);
      finish("worker-1", 3);
      finish("worker-2", 4);
      expect(await faults([])).toEqual({ ...CLEAN, "reports at the same time": 1 });
    });

    test("finds one of a term that is over, and a term that two workers had", async () => {
      for (const [worker, term] of [
        ["worker-1", 3],
        ["worker-2", 4],
        ["worker-1", 3],
        ["worker-2", 3],
      ] as const) {
        begin(worker, term);
        finish(worker, term);
      }
      expect(await faults([])).toEqual({ ...CLEAN, "terms of reporters that do not rise": 2 });
    });
  });
});

describe("the ledger", () => {
  test("refuses a token lower than one that has written", async () => {
    await ledger.book(delivery("o-1"), permit(7));
    await expect(ledger.book(delivery("o-2"), permit(6))).rejects.toThrow("refuses token 6");
    expect(await ledger.read("c-1")).toMatchObject({ balanceCents: 100, orders: ["o-1"] });
  });

  test("writes nothing once the lock is lost", async () => {
    const lost = AbortSignal.abort(new Error("lock lost"));
    await expect(ledger.book(delivery("o-1"), permit(1, lost))).rejects.toThrow("lock lost");
    expect(await ledger.read("c-1")).toMatchObject({ balanceCents: 0 });
  });
});
