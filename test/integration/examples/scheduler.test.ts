import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";

const PROGRAM = fileURLToPath(new URL("../../../examples/scheduler/main.ts", import.meta.url));

/** One replica of the example, and the instants of the ticks that it has run. */
class Replica {
  readonly child: ChildProcess;
  readonly ticks: number[] = [];
  #heardAt = 0;

  constructor(url: string) {
    this.child = spawn(process.execPath, ["--import", "tsx", PROGRAM, url, "1000"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (this.child.stdout === null) return;
    createInterface(this.child.stdout).on("line", (line) => {
      const [, at] = /^report of (.+)$/.exec(line) ?? [];
      if (at === undefined) return;
      this.ticks.push(Date.parse(at));
      this.#heardAt = Date.now();
    });
  }

  /** It has run the current tick and had the time to record it, and the next one is not near: a kill cuts nothing off. */
  get rests(): boolean {
    const now = Date.now();
    return this.ticks.at(-1) === now - (now % 1_000) && now - this.#heardAt > 300 && now % 1_000 < 800;
  }

  async end(signal: NodeJS.Signals): Promise<string | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, "close");
      this.child.kill(signal);
      await ended;
    }
    return this.child.signalCode;
  }
}

describe("the example of scheduled work", () => {
  let server: RedisServer;
  let replicas: Replica[] = [];

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.end("SIGKILL")));
    await server.stop();
  });

  it("runs each tick once, through a crash and a shutdown of its leaders", async () => {
    replicas = Array.from({ length: 3 }, () => new Replica(server.url));
    const patiently = { timeoutMs: 40_000 };
    const all = (): number[] => replicas.flatMap(({ ticks }) => ticks);
    const running = new Set(replicas);
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      // A leader that has caught up: its last tick is the current one.
      const leader = (await until(
        "a leader rests",
        () => [...running].find(({ rests }) => rests),
        patiently,
      )) as Replica;
      expect(await leader.end(signal)).toBe(signal);
      running.delete(leader);
      const before = all().length;
      await until("somebody goes on", () => all().length > before + 2, patiently);
    }
    await Promise.all([...running].map((replica) => replica.end("SIGTERM")));
    const ticks = all().sort((a, b) => a - b);
    const [first = 0] = ticks;
    expect(ticks).toEqual(ticks.map((_, index) => first + index * 1_000));
  }, 150_000);
});
