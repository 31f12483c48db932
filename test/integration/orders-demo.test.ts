import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startServer } from "../support/redis-server.ts";

const A_WHOLE_RUN = 120_000;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-demo-"));
});

afterEach(() => rm(directory, { recursive: true }));

interface Run {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs the demo to its end. `onOutput` sees what it has printed so far. */
async function demo(args: readonly string[], onOutput?: (output: string, pid: number) => void): Promise<Run> {
  const child = spawn(process.execPath, ["--import", "tsx", "examples/orders/main.ts", ...args], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      onOutput?.(output, child.pid as number);
    });
  }
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  // The ledger is gone, whatever happened.
  expect((await readdir(directory)).filter((name) => name.startsWith("holdfast-"))).toEqual([]);
  return { exitCode, output };
}

const RIGHT = [
  /booked +3,000/,
  /duplicates 1,000, caught by the guard/,
  /Locks taken +3,000/,
  /Reports +[1-9]/,
  /overlaps: 0/,
  /reports at the same time: 0/,
  /terms of reporters that do not rise: 0/,
  /The ledger is right/,
];

describe("npm run demo", () => {
  test("books every order once under locks in memory", { timeout: A_WHOLE_RUN }, async () => {
    const { exitCode, output } = await demo([]);
    for (const line of RIGHT) expect(output).toMatch(line);
    expect(exitCode).toBe(0);
  });

  test("books every order once with four processes and a server, two of which are killed", {
    timeout: A_WHOLE_RUN,
  }, async () => {
    const server = await startServer();
    try {
      const { exitCode, output } = await demo(["--store", server.url, "--workers", "4", "--kill", "2"]);
      for (const line of RIGHT) expect(output).toMatch(line);
      expect(output).toMatch(/Workers killed 2/);
      expect(output).toMatch(/taken over 2 of their runs/);
      expect(exitCode).toBe(0);
    } finally {
      await server.stop();
    }
  });

  test("corrupts the ledger without locks, and says so", { timeout: A_WHOLE_RUN }, async () => {
    const { exitCode, output } = await demo(["--no-lock"]);
    expect(output).toMatch(/✗ balances that differ from the file: [1-9]/);
    expect(output).toMatch(/✗ overlaps: [1-9]/);
    expect(output).toMatch(/The ledger is corrupt/);
    expect(exitCode).toBe(1);
  });

  test("ends cleanly on Ctrl-C", async () => {
    let asked = false;
    const { exitCode, output } = await demo([], (soFar, pid) => {
      if (asked || !soFar.includes("400 of 4,000")) return;
      asked = true;
      process.kill(pid, "SIGINT");
    });
    expect(output).toMatch(/Interrupted/);
    expect(exitCode).toBe(130);
  });

  test("says what is wrong with a server that is not there", async () => {
    // Nobody listens on port 1.
    const { exitCode, output } = await demo(["--store", "redis://127.0.0.1:1"]);
    expect(output).toMatch(/The demo failed: .*127\.0\.0\.1:1/);
    expect(exitCode).toBe(1);
  });

  test("explains its usage when an option is unknown", async () => {
    const { exitCode, output } = await demo(["--unknown"]);
    expect(output).toMatch(/Unknown option '--unknown'.*Usage: npm run demo/s);
    expect(exitCode).toBe(2);
  });
});
