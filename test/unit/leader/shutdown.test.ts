/** What needs no process of its own; the rest is in test/integration/leader/shutdown.test.ts. */

import { expect, it } from "vitest";
import { resignOnShutdown } from "../../../src/shutdown.ts";

// A signal that nobody sends, and that would not end the runner.
const signals = ["SIGWINCH"] as const;

it("tells of a close that failed, and listens no longer", async () => {
  const error = new Error("could not close");
  const errors: unknown[] = [];
  const told = new Promise<void>((resolve) => {
    resignOnShutdown(
      { close: () => Promise.reject(error) },
      {
        signals,
        reraise: "never",
        onError: (reason) => {
          errors.push(reason);
          resolve();
        },
      },
    );
  });
  process.emit("SIGWINCH", "SIGWINCH");
  await told;
  await new Promise((resolve) => setImmediate(resolve));
  expect(errors).toEqual([error]);
  expect(process.listenerCount("SIGWINCH")).toBe(0);
});

it("closes once, and does nothing after it was taken away", async () => {
  let closed = 0;
  const hold = {
    close: async () => {
      closed += 1;
    },
  };
  const remove = resignOnShutdown(hold, { signals, reraise: "never" });
  remove();
  process.emit("SIGWINCH", "SIGWINCH");
  expect([closed, process.listenerCount("SIGWINCH")]).toEqual([0, 0]);
  resignOnShutdown(hold, { signals, reraise: "never" });
  process.emit("SIGWINCH", "SIGWINCH");
  await new Promise((resolve) => setImmediate(resolve));
  process.emit("SIGWINCH", "SIGWINCH");
  expect(closed).toBe(1);
});
