/**
 * Loaded before each test file: the file fails when it leaves something open that would keep a process alive
 * (sockets, timers, servers, child processes), or a server of ours running. With HOLDFAST_TRACE_LEAKS=1 it tells
 * where each of them was made.
 */
import { createHook } from "node:async_hooks";
import { afterAll, expect } from "vitest";
import { runningServers } from "./running-servers.ts";

// Vitest's own channel to its parent, and files being read.
const OF_THE_RUNNER = new Set(["PipeWrap", "MessagePort", "FSReqCallback", "FSReqPromise", "CloseReq", "Immediate"]);
// What is closing takes a few turns of the event loop until it is closed.
const SETTLE_MS = 1_000;

const madeAt = process.env["HOLDFAST_TRACE_LEAKS"] ? traceOrigins() : undefined;
const before = countOpen();

afterAll(async () => {
  expect(
    [...runningServers].map(({ url }) => url),
    "servers that were not stopped",
  ).toEqual([]);
  const deadline = performance.now() + SETTLE_MS;
  let left = leftOpen();
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    left = leftOpen();
  }
  if (left.length > 0 && madeAt) console.error([...madeAt.values()].join("\n\n"));
  expect(left, "left open by this file").toEqual([]);
});

function countOpen(): Map<string, number> {
  const open = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (!OF_THE_RUNNER.has(name)) open.set(name, (open.get(name) ?? 0) + 1);
  }
  return open;
}

/** What is open now and was not at the start: `["TCPSocketWrap × 2"]`. */
function leftOpen(): string[] {
  return [...countOpen()]
    .map(([name, count]) => ({ name, count: count - (before.get(name) ?? 0) }))
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `${name} × ${count}`);
}

/** Where each open resource was made, by its asynchronous id. Slow, hence only on demand. */
function traceOrigins(): Map<number, string> {
  const origins = new Map<number, string>();
  createHook({
    init(id, type) {
      if (/Timeout|TCP|Pipe|Process/.test(type)) origins.set(id, `${type} ${new Error("made here").stack}`);
    },
    destroy(id) {
      origins.delete(id);
    },
  }).enable();
  return origins;
}
