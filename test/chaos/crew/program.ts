/** One process of the crew: it uses everything that the library has, and writes down what it asked for and what it got. */

import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../../src/connect.ts";
import type { Coordinator, CoordinatorObserver } from "../../../src/coordinator.ts";
import { Journal } from "../journal.ts";
import { seekLeadership } from "./leaders.ts";
import { takeLocks } from "./locks.ts";
import { Messages } from "./messages.ts";
import { useRegisters } from "./registers.ts";
import { routeConnections } from "./routes.ts";
import type { Delivery, WorkerSettings } from "./settings.ts";
import type { Worker } from "./worker.ts";

const LOCK_LOOPS = 4;
const REGISTER_LOOPS = 2;
const OPERATION_LIMIT_MS = 1_000;
/** Who has not ended this long after it was told to says what it is at. */
const LATE_MS = 20_000;

const settings: WorkerSettings = JSON.parse(process.argv[2] ?? "");
const stop = new AbortController();
const worker: Worker = {
  settings,
  journal: new Journal(settings.journal),
  stopped: stop.signal,
  report: (report) => void (process.connected && process.send?.(report)),
};
// Whoever started us is gone: nobody would end us.
process.once("disconnect", () => process.exit(1));
let doing: "connect" | "work" | "close" | "finish messages" | "end" = "connect";
process.once("SIGTERM", () => {
  stop.abort(new Error("told to end"));
  setTimeout(() => console.error(`late to ${doing}: ${process.getActiveResourcesInfo()}`), LATE_MS).unref();
});
routeConnections(settings.routes);
await live();
doing = "end";
worker.journal.close();
process.removeAllListeners("disconnect");
process.disconnect();

async function live(): Promise<void> {
  let messages: Messages | undefined;
  const hold = await connected((event) => {
    if (event.kind === "idempotency") messages?.onEvent(event);
  });
  if (hold === undefined) return;
  messages = new Messages(worker, hold);
  process.on("message", (delivery: Delivery) => messages?.deliver(delivery));
  worker.report({ type: "ready" });
  doing = "work";
  await Promise.all([
    ...times(LOCK_LOOPS, () => takeLocks(worker, hold)),
    ...times(REGISTER_LOOPS, () => useRegisters(worker, hold.cache)),
    seekLeadership(worker, hold),
  ]);
  process.removeAllListeners("message");
  doing = "close";
  await hold.close();
  doing = "finish messages";
  await messages.idle();
}

/** The store may be out of reach when this process starts. */
async function connected(observer: CoordinatorObserver): Promise<Coordinator | undefined> {
  const { url, name: holder } = settings;
  const limits = { operationTimeoutMs: OPERATION_LIMIT_MS, connectTimeoutMs: 2_000 };
  while (!stop.signal.aborted) {
    try {
      return await connect(url, { holder, observer, ...limits });
    } catch {
      await sleep(50);
    }
  }
  return undefined;
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
