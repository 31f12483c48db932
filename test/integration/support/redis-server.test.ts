import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { runningServers } from "../../support/running-servers.ts";
import { until } from "../../support/until.ts";

describe("a private server", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  test("answers on its port and on its socket", async () => {
    expect(await server.command("PING")).toBe("PONG");
    expect(existsSync(server.socketPath)).toBe(true);
  });

  test("a restart keeps the data or loses it, and the port stays", async () => {
    await server.command("SET", "key", "value");
    await server.restart({ keepData: true });
    expect(await server.command("GET", "key")).toBe("value");
    await server.restart({ keepData: false });
    expect(await server.command("GET", "key")).toBeNull();
  });

  test("paused, it keeps its connections and answers nothing until it is resumed", async () => {
    server.pause();
    let answered = false;
    const answer = server.command("PING").then(() => {
      answered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(answered).toBe(false);
    server.resume();
    await answer;
  });
});

test("configuration, password and ACL users reach the server", async () => {
  const server = await startServer({
    config: { maxmemory: "2mb" },
    lines: ["user reader on >secret ~* +@read"],
  });
  expect(await server.command("CONFIG", "GET", "maxmemory")).toEqual(["maxmemory", "2097152"]);
  expect(await server.command("ACL", "USERS")).toEqual(["default", "reader"]);
  expect(runningServers).toContain(server);
  await server.stop();
  expect(runningServers).not.toContain(server);
});

test("a server that cannot start says why", async () => {
  await expect(startServer({ config: { maxmemory: "nonsense" } })).rejects.toThrow(/maxmemory/);
});

test("a test process that is killed takes its servers with it", async () => {
  const script = `
    import { startServer } from "./test/support/redis-server.ts";
    const server = await startServer();
    console.log(server.pid);
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = await new Promise<number>((resolve) => child.stdout.once("data", (chunk) => resolve(Number(chunk))));
  child.kill("SIGKILL");
  await until("the server is gone", () => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    execFileSync("kill", ["-0", String(pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
