/** Processes that lead and are told to end. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { connect } from "../../../src/connect.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import type { ShutdownCase } from "./shutdown-process.ts";

const PROGRAM = fileURLToPath(new URL("./shutdown-process.ts", import.meta.url));

// Each test starts a process, which may take its time on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

let server: RedisServer;
const started: ChildProcess[] = [];

beforeAll(async () => {
  server = await startServer();
});

afterEach(async () => {
  const left = started.splice(0).filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const ended = left.map((child) => once(child, "close"));
  for (const child of left) child.kill("SIGKILL");
  await Promise.all(ended);
});

afterAll(() => server.stop());

interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly lines: readonly string[];
}

interface LeadingProcess {
  readonly lines: readonly string[];
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ending>;
}

/** Starts a process that leads. */
async function leading(options: Omit<ShutdownCase, "url">): Promise<LeadingProcess> {
  const settings: ShutdownCase = { url: server.url, ...options };
  const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", PROGRAM, JSON.stringify(settings)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  const lines: string[] = [];
  if (child.stdout) createInterface(child.stdout).on("line", (line) => lines.push(line));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, lines }));
  await until("it leads", () => lines.includes("leading"), { timeoutMs: 60_000 });
  return { lines, kill: (signal) => void child.kill(signal), ended };
}

async function leaderOf(name: string): Promise<unknown> {
  await using hold = await connect(server.url);
  return await hold.election(name).leader();
}

it.each(["SIGTERM", "SIGINT"] as const)(
  "%s: tells the work, lets it finish, resigns, and ends as the signal does",
  async (signal) => {
    const { kill, ended } = await leading({});
    kill(signal);
    expect(await ended).toEqual({ code: null, signal, lines: ["leading", "told", "stopped", "resigned"] });
    expect(await leaderOf("shutdown 0")).toBeNull();
  },
);

it("lets the next candidate lead before the process has ended, long before the lease would", async () => {
  const { kill, ended } = await leading({ ttlMs: 600_000 });
  await using hold = await connect(server.url);
  const next = hold.election("shutdown 0").campaign();
  kill("SIGTERM");
  const term = await next;
  await ended;
  await term.resign();
});

it("waits for work that does not stop until the end of its lease, not for ever", async () => {
  const { kill, ended } = await leading({ work: "stubborn", ttlMs: 500 });
  kill("SIGTERM");
  expect(await ended).toMatchObject({ signal: "SIGTERM", lines: ["leading"] });
});

it("does not wait for anything when a second signal comes", async () => {
  const { kill, ended } = await leading({ work: "stubborn", ttlMs: 600_000 });
  kill("SIGTERM");
  // It is being handled when the record is no longer renewed; nothing shows that, so signals are sent until it ends.
  const again = setInterval(() => kill("SIGTERM"), 50);
  expect(await ended).toMatchObject({ signal: "SIGTERM" });
  clearInterval(again);
  const client = server.client();
  await client.del("leader:{shutdown 0}");
  client.disconnect();
});

it.each(["on", "once"] as const)("leaves the ending to a handler of the user's own (%s)", async (handler) => {
  const { kill, ended } = await leading({ handler });
  kill("SIGTERM");
  const { code, lines } = await ended;
  expect(code).toBe(7);
  expect(new Set(lines)).toEqual(new Set(["leading", "handled", "told", "stopped", "resigned"]));
  expect(await leaderOf("shutdown 0")).toBeNull();
});

it("closes several coordinators before the process ends", async () => {
  const { kill, ended } = await leading({ coordinators: 2 });
  kill("SIGTERM");
  const { signal, lines } = await ended;
  expect(signal).toBe("SIGTERM");
  expect(lines.filter((line) => line === "resigned")).toHaveLength(2);
});

it("raises the signal again for those who end the process only when they are alone, if it is told to", async () => {
  const { kill, ended } = await leading({ handler: "once", reraise: "always" });
  kill("SIGTERM");
  expect(await ended).toMatchObject({ signal: "SIGTERM" });
});

it("leaves the process alive, if it is told to", async () => {
  const { kill, ended, lines } = await leading({ reraise: "never" });
  kill("SIGTERM");
  await until("it has resigned", () => lines.includes("resigned"));
  // Nobody listens any more.
  kill("SIGTERM");
  expect(await ended).toMatchObject({ signal: "SIGTERM" });
});

it("does nothing any more once it was taken away", async () => {
  const { kill, ended } = await leading({ removed: true });
  kill("SIGTERM");
  expect(await ended).toEqual({ code: null, signal: "SIGTERM", lines: ["leading"] });
  const client = server.client();
  await client.del("leader:{shutdown 0}");
  client.disconnect();
});
