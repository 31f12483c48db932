import fc from "fast-check";
import { expect, test } from "vitest";
import { type Expiring, ExpiryQueue } from "../../src/cache/memory/expiry-queue.ts";

const expiry = fc.oneof(fc.nat({ max: 20 }), fc.constant(Number.POSITIVE_INFINITY));
const step = fc.record({ entry: fc.nat({ max: 9 }), expiresAtMs: fc.option(expiry, { nil: "removed" as const }) });

test("the queue's first entry is always one that expires first, whatever was placed, moved or removed", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const entries = Array.from({ length: 10 }, (): Expiring => ({ expiresAtMs: 0, queueIndex: -1 }));
      const queue = new ExpiryQueue<Expiring>();
      const queued = new Set<Expiring>();
      for (const { entry: index, expiresAtMs } of steps) {
        const entry = entries[index] as Expiring;
        if (expiresAtMs === "removed") {
          queue.remove(entry);
          queued.delete(entry);
        } else {
          entry.expiresAtMs = expiresAtMs;
          queue.place(entry);
          if (expiresAtMs === Number.POSITIVE_INFINITY) queued.delete(entry);
          else queued.add(entry);
        }
        expect(queue.size).toBe(queued.size);
        const earliest = Math.min(...[...queued].map((each) => each.expiresAtMs));
        expect(queue.peek()?.expiresAtMs ?? Number.POSITIVE_INFINITY).toBe(earliest);
      }
    }),
    { numRuns: 500 },
  );
});
