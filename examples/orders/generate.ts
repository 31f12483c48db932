/** Wrote orders.jsonl, and writes the same file again: `npx tsx examples/orders/generate.ts`. */

import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { type Delivery, ORDERS_FILE } from "./deliveries.ts";

const SEED = 2025;
const ORDERS = 3_000;
const CUSTOMERS = 300;
const REDELIVERIES = 1_000;
const FIRST_ORDER_AT: number = Date.UTC(2025, 10, 28, 6);
const ONE_DAY_MS = 86_400_000;

/** The text of orders.jsonl. */
export function generateOrders(): string {
  const random = randomNumbers(SEED);
  const orders = Array.from({ length: ORDERS }, () => FIRST_ORDER_AT + Math.floor(random() * ONE_DAY_MS))
    .sort((a, b) => a - b)
    .map((placedAt, i) => newOrder(i + 1, placedAt, random));

  const arrivals = orders.map((order) => ({ order, at: Date.parse(order.placedAt) + delayMs(random) }));
  for (let i = 0; i < REDELIVERIES; i++) {
    const original = arrivals[Math.floor(random() * ORDERS)] as { order: Delivery; at: number };
    // Half of the redeliveries come at once, the others when a consumer has been given up on.
    arrivals.push({ order: original.order, at: original.at + (random() < 0.5 ? 10 : delayMs(random)) });
  }
  arrivals.sort((a, b) => a.at - b.at);
  return arrivals.map(({ order }) => `${JSON.stringify(order)}\n`).join("");
}

function newOrder(number: number, placedAt: number, random: () => number): Delivery {
  return {
    order: `o-${String(number).padStart(4, "0")}`,
    customer: `c-${String(pickCustomer(random)).padStart(3, "0")}`,
    cents: 100 + Math.floor(random() * 20_000),
    placedAt: new Date(placedAt).toISOString(),
  };
}

/** The first customers order far more often than the last ones. */
function pickCustomer(random: () => number): number {
  return 1 + Math.floor(CUSTOMERS * random() ** 3);
}

/** Mostly a minute or so, sometimes half an hour. */
function delayMs(random: () => number): number {
  return Math.floor(-Math.log(1 - random()) * (random() < 0.9 ? 60_000 : 1_800_000));
}

/** Mulberry32 (Tommy Ettinger): the same numbers for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) writeFileSync(ORDERS_FILE, generateOrders());
