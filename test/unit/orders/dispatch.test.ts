import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Delivery } from "../../../examples/orders/deliveries.ts";
import { dispatch } from "../../../examples/orders/dispatch.ts";
import type { Handled, Worker } from "../../../examples/orders/worker.ts";

const HANDLED: Handled = { booking: "booked", waitedMs: 0, takenOver: false };

const deliveries: readonly Delivery[] = Array.from({ length: 20 }, (_, i) => ({
  order: `o-${i}`,
  customer: "c-1",
  cents: 100,
  placedAt: "2025-11-28T06:00:00.000Z",
}));

function worker(name: string, handle: (delivery: Delivery) => Promise<Handled>): Worker {
  return { name, handle, stop: async () => {} };
}

describe("dispatch", () => {
  test("hands every delivery to one worker, one at a time for each", async () => {
    const handled: string[] = [];
    let busy = 0;
    let mostBusy = 0;
    const crew = ["a", "b", "c"].map((name) =>
      worker(name, async ({ order }) => {
        mostBusy = Math.max(mostBusy, ++busy);
        await turn();
        busy--;
        handled.push(order);
        return HANDLED;
      }),
    );
    let told = 0;
    await dispatch(deliveries, crew, { signal: new AbortController().signal, onHandled: () => told++ });
    expect(handled.sort()).toEqual(deliveries.map(({ order }) => order).sort());
    expect(told).toBe(deliveries.length);
    expect(mostBusy).toBe(3);
  });

  test("fails with the first worker that fails, after the others have finished what they do", async () => {
    let finished = false;
    const steady = worker("steady", async () => {
      for (let i = 0; i < 5; i++) await turn();
      finished = true;
      return HANDLED;
    });
    const broken = worker("broken", async () => {
      throw new Error("out of paper");
    });
    const run = dispatch(deliveries, [steady, broken], { signal: new AbortController().signal, onHandled: () => {} });
    await expect(run).rejects.toThrow("broken failed with order o-1 of c-1: Error: out of paper");
    expect(finished).toBe(true);
  });

  test("delivers again what a worker had when it died, and spreads such accidents evenly", async () => {
    const handled: string[] = [];
    const diedOver: string[] = [];
    const hire = (name: string): Worker =>
      worker(name, async ({ order }) => {
        handled.push(`${order} by ${name}`);
        return HANDLED;
      });
    await dispatch(deliveries, [hire("first")], {
      signal: new AbortController().signal,
      onHandled: () => {},
      accidents: {
        count: 3,
        befall: async ({ name }, { order }) => {
          diedOver.push(`${order} ${name}`);
          return hire(`heir of ${order}`);
        },
      },
    });
    expect(diedOver).toEqual(["o-4 first", "o-9 heir of o-4", "o-14 heir of o-9"]);
    expect(handled.slice(3, 6)).toEqual(["o-3 by first", "o-4 by heir of o-4", "o-5 by heir of o-4"]);
    expect(handled).toHaveLength(deliveries.length);
  });

  test("tries again with the next delivery if a worker had nothing to die over", async () => {
    let survived = 0;
    let died = 0;
    const crew = [worker("only", async () => HANDLED)];
    await dispatch(deliveries, crew, {
      signal: new AbortController().signal,
      onHandled: () => {},
      accidents: {
        count: 1,
        befall: async (unlucky) => {
          if (survived++ < 2) return HANDLED;
          died++;
          return unlucky;
        },
      },
    });
    expect(died).toBe(1);
  });

  test("begins nothing more once it is aborted", async () => {
    const abort = new AbortController();
    let handled = 0;
    const only = worker("only", async () => HANDLED);
    await dispatch(deliveries, [only], {
      signal: abort.signal,
      onHandled: () => {
        if (++handled === 3) abort.abort();
      },
    });
    expect(handled).toBe(3);
  });
});
