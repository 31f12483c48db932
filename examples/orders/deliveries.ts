import { readFile } from "node:fs/promises";

/** One line of orders.jsonl: a message of a queue that delivers each order at least once, in no particular order. */
export interface Delivery {
  readonly order: string;
  readonly customer: string;
  readonly cents: number;
  readonly placedAt: string;
}

export const ORDERS_FILE: URL = new URL("./orders.jsonl", import.meta.url);

export async function readDeliveries(): Promise<Delivery[]> {
  const lines = (await readFile(ORDERS_FILE, "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Delivery);
}

/** Each customer's orders, each order once, however often it is delivered. */
export function ordersByCustomer(deliveries: readonly Delivery[]): Map<string, Delivery[]> {
  const orders = new Map(deliveries.map((delivery) => [delivery.order, delivery]));
  const byCustomer = new Map<string, Delivery[]>();
  for (const order of orders.values()) {
    const others = byCustomer.get(order.customer) ?? [];
    byCustomer.set(order.customer, [...others, order]);
  }
  return byCustomer;
}
