/** A worker in a process of its own. Started by remote-worker.ts, which sends the settings first, then deliveries. */

import type { Delivery } from "./deliveries.ts";
import type { Reply } from "./remote-worker.ts";
import { startWorker, type Worker, type WorkerSettings } from "./worker.ts";

let worker: Worker | undefined;

process.on("message", async (message: WorkerSettings | Delivery) => {
  try {
    answer(await follow(message));
  } catch (error) {
    answer({ error: (error as Error).message });
  }
});

// The parent has no more work, or is gone.
process.once("disconnect", () => worker?.stop());

async function follow(message: WorkerSettings | Delivery): Promise<Reply> {
  if (!("order" in message)) {
    worker = await startWorker(message, () => answer({ booking: true }));
    return {};
  }
  if (worker === undefined) throw new Error("a delivery came before the settings");
  return { handled: await worker.handle(message) };
}

function answer(reply: Reply): void {
  // A parent that is gone needs no answer.
  process.send?.(reply, undefined, undefined, () => {});
}
