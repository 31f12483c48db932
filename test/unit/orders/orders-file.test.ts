import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ORDERS_FILE, ordersByCustomer, readDeliveries } from "../../../examples/orders/deliveries.ts";
import { generateOrders } from "../../../examples/orders/generate.ts";

test("orders.jsonl is what its generator writes", () => {
  expect(readFileSync(ORDERS_FILE, "utf8") === generateOrders()).toBe(true);
});

test("orders.jsonl has a quarter duplicates, is out of order, and has busy customers", async () => {
  const deliveries = await readDeliveries();
  const orders = ordersByCustomer(deliveries);
  const counts = [...orders.values()].map((ofOne) => ofOne.length);
  expect(deliveries).toHaveLength(4_000);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3_000);
  expect(orders.size).toBeGreaterThan(250);
  expect(Math.max(...counts)).toBeGreaterThan(300);
  const late = deliveries.filter(({ placedAt }, i) => placedAt < (deliveries[i - 1]?.placedAt ?? ""));
  expect(late.length).toBeGreaterThan(1_000);
});
