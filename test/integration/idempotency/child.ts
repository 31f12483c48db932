/** A process of its own that handles messages. Its handler takes `workMs`. */

import { connect } from "../../../src/connect.ts";
import type { Batch, Message, Report } from "./processes.ts";

const [url = ""] = process.argv.slice(2);
const hold = await connect(url);
const tell = (report: Report): void => void (process.connected && process.send?.(report));

const guarded = (leaseTtlMs: number): ((message: Message) => Promise<unknown>) => {
  const handle = hold.idempotent(
    async ({ key, workMs }: Message) => {
      tell({ event: "running", key });
      await new Promise((resolve) => setTimeout(resolve, workMs));
      return { key, by: process.pid, at: new Date() };
    },
    { name: "ship", key: ({ key }) => key, leaseTtlMs },
  );
  return (message) => handle.outcome(message);
};

process.on("message", async ({ messages, leaseTtlMs }: Batch) => {
  const handle = guarded(leaseTtlMs);
  const results = await Promise.all(messages.map(handle));
  tell({ event: "done", results: JSON.stringify(results) });
});
process.once("disconnect", () => hold.close());
tell({ event: "ready" });
