/** A process that leads and is about to be told to end. What it prints tells what happened in which order. */

import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../../src/connect.ts";
import type { Term } from "../../../src/primitives/leader/term.ts";
import { resignOnShutdown, type ShutdownOptions } from "../../../src/shutdown.ts";

export interface ShutdownCase {
  readonly url: string;
  readonly ttlMs?: number;
  /** Default: the work stops when it is told to, after a moment. */
  readonly work?: "stubborn";
  /** How the user's own handler listens, if there is one. It ends the process with code 7. */
  readonly handler?: "on" | "once";
  readonly reraise?: ShutdownOptions["reraise"];
  readonly coordinators?: number;
  /** Takes the helper away again before the signal comes. */
  readonly removed?: boolean;
}

const {
  url,
  ttlMs = 15_000,
  work,
  handler,
  reraise,
  coordinators = 1,
  removed,
}: ShutdownCase = JSON.parse(process.argv[2] ?? "");

// It lives until it is told to end.
setInterval(() => {}, 1_000);
if (handler === "once") process.once("SIGTERM", () => void handle());
for (let i = 0; i < coordinators; i++) await lead(i);
if (handler === "on") process.on("SIGTERM", () => void handle());
console.log("leading");

async function lead(index: number): Promise<void> {
  const hold = await connect(url);
  const remove = resignOnShutdown(hold, { ...(reraise && { reraise }) });
  if (removed) remove();
  const election = hold.election(`shutdown ${index}`, { ttlMs });
  const elected = new Promise((resolve) => election.once("elected", resolve));
  void election.run(work === "stubborn" ? () => new Promise(() => {}) : stopInTime).then(() => console.log("resigned"));
  await elected;
}

async function stopInTime({ signal }: Term): Promise<void> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  console.log("told");
  await sleep(100);
  console.log("stopped");
}

async function handle(): Promise<void> {
  console.log("handled");
  await sleep(1_000);
  process.exit(7);
}
