/** One computation across processes, on a real server. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../../src/connect.ts";
import { defineKey } from "../../../src/typed/define-key.ts";
import { typed } from "../../../src/typed/typed.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import type { Question } from "./child.ts";

type Answer = readonly { readonly by: number }[];

describe("getOrCompute between processes", () => {
  let server: RedisServer;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    server = await startServer();
  });

  afterEach(async () => {
    await Promise.all(
      children.splice(0).map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.disconnect();
        await once(child, "exit");
      }),
    );
    await server.command("FLUSHALL");
  });

  afterAll(() => server.stop());

  async function start(): Promise<ChildProcess> {
    const script = fileURLToPath(new URL("./child.ts", import.meta.url));
    const child = fork(script, [server.url], { execArgv: ["--import", "tsx"] });
    children.push(child);
    await heard(child, (message) => message === "ready");
    return child;
  }

  async function heard<T>(child: ChildProcess, isIt: (message: unknown) => boolean): Promise<T> {
    for (;;) {
      const [message] = await once(child, "message");
      if (isIt(message)) return message as T;
    }
  }

  function ask(child: ChildProcess, question: Question): Promise<Answer> {
    child.send(question);
    return heard(child, Array.isArray);
  }

  async function computations(): Promise<unknown> {
    await using hold = await connect(server.url);
    return typed(hold.cache, defineKey("computations", { ttlMs: 60_000 })).get({});
  }

  it("computes once under 500 misses at the same time in 4 processes", async () => {
    const processes = await Promise.all(Array.from({ length: 4 }, start));
    const question = { callers: 125, computeMs: 300, leaseTtlMs: 5_000 };
    const answers = await Promise.all(processes.map((child) => ask(child, question)));
    expect(answers.flat()).toHaveLength(500);
    expect(new Set(answers.flat().map(({ by }) => by)).size).toBe(1);
    expect(await computations()).toBe(1);
  }, 60_000);

  it("computes in a second process, once, when the computing one is killed", async () => {
    const [victim, ...others] = await Promise.all(Array.from({ length: 4 }, start));
    const leaseTtlMs = 2_000;
    const computing = heard(victim as ChildProcess, (message) => message === "computing");
    (victim as ChildProcess).send({ callers: 125, computeMs: 600_000, leaseTtlMs } satisfies Question);
    await computing;
    const answers = others.map((child) => ask(child, { callers: 125, computeMs: 50, leaseTtlMs }));
    (victim as ChildProcess).kill("SIGKILL");
    const values = (await Promise.all(answers)).flat();
    expect(values).toHaveLength(375);
    expect(new Set(values.map(({ by }) => by)).size).toBe(1);
    expect(values[0]?.by).not.toBe(victim?.pid);
    expect(await computations()).toBe(2);
  }, 60_000);
});
