/** Guarded handlers in several processes on a real server. The figures are printed. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../../src/connect.ts";
import { recordCommands, type SeenCommand } from "../../support/monitor.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { HandlerProcess, type Message, type Result } from "./processes.ts";

/** How many messages the worker that is killed was working on. */
const KILLED_RUNS = 50;
const PROCESSES = 4;
const DUPLICATES = 250;

describe("guarded handlers in several processes", { timeout: 60_000 }, () => {
  let server: RedisServer;
  const processes: HandlerProcess[] = [];

  beforeAll(async () => {
    server = await startServer();
  });

  afterEach(async () => {
    await Promise.all(processes.splice(0).map((one) => one.end()));
    await server.command("FLUSHALL");
  });

  afterAll(() => server.stop());

  const start = async (): Promise<HandlerProcess> => {
    const started = await HandlerProcess.start(server.url);
    processes.push(started);
    return started;
  };

  test("1,000 duplicates of one message at once: one run, one result, few commands", async () => {
    const crew = await Promise.all(Array.from({ length: PROCESSES }, start));
    const messages = new Array<Message>(DUPLICATES).fill({ key: "o-1", workMs: 500 });
    let results: Result[] = [];
    const { sent } = await recordCommands(server, async () => {
      results = (await Promise.all(crew.map((one) => one.deliver({ messages, leaseTtlMs: 30_000 })))).flat();
    });

    expect(crew.flatMap(({ running }) => running)).toEqual(["o-1"]);
    expect(results).toHaveLength(PROCESSES * DUPLICATES);
    expect(results.filter(({ outcome }) => outcome === "executed")).toHaveLength(1);
    expect(new Set(results.map(({ value }) => JSON.stringify(value))).size).toBe(1);

    const commands = sent.filter(isAbout("o-1"));
    console.log(`1,000 duplicates in ${PROCESSES} processes: ${commands.length} commands: ${countByName(commands)}`);
    expect(commands.length).toBeLessThan(6 * PROCESSES + 2);
  });

  test("a worker that is killed is taken over as soon as its lease has expired", async () => {
    const worker = await start();
    const keys = Array.from({ length: KILLED_RUNS }, (_, i) => `o-${i}`);
    // Leases of different lengths, so that they end one after the other.
    keys.forEach((key, i) => {
      worker.deliver({ messages: [{ key, workMs: 600_000 }], leaseTtlMs: 3_000 + 60 * i }).catch(() => {});
    });
    await until("all handlers run", () => worker.running.length === KILLED_RUNS);

    await using hold = await connect(server.url);
    const takenOverAtMs = new Map<string, number>();
    const handle = hold.idempotent(
      async ({ key }: Message, { attempt }) => {
        takenOverAtMs.set(key, wallMs());
        return attempt;
      },
      { name: "ship", key: ({ key }) => key },
    );
    const waiting = keys.map((key) => handle.outcome({ key, workMs: 600_000 }));
    await until("all duplicates wait", () => hold.cache.stats().watchedKeys === KILLED_RUNS);
    await worker.end("kill");
    const expiresAtMs = await Promise.all(keys.map((key) => server.command("PEXPIRETIME", `idem:{ship:${key}}`)));

    expect(await Promise.all(waiting)).toEqual(keys.map(() => ({ outcome: "executed", value: 2 })));
    const lateMs = keys.map((key, i) => (takenOverAtMs.get(key) ?? 0) - Number(expiresAtMs[i])).sort((a, b) => a - b);
    const medianMs = lateMs[KILLED_RUNS / 2] ?? Number.NaN;
    console.log(
      `takeover after SIGKILL: median ${medianMs.toFixed(2)} ms of ${KILLED_RUNS}, worst ${lateMs.at(-1)?.toFixed(2)} ms`,
    );
    expect(lateMs[0]).toBeGreaterThan(-1);
    // Far below the pace of polling; the machine may be busy.
    expect(medianMs).toBeLessThan(500);
  });

  test("a worker that is killed while nobody waits is taken over at the next delivery", async () => {
    const worker = await start();
    worker.deliver({ messages: [{ key: "o-1", workMs: 600_000 }], leaseTtlMs: 300 }).catch(() => {});
    await until("the handler runs", () => worker.running.length === 1);
    await worker.end("kill");
    await until("the lease has expired", async () => (await server.command("EXISTS", "idem:{ship:o-1}")) === 0);
    const [result] = await (await start()).deliver({ messages: [{ key: "o-1", workMs: 1 }], leaseTtlMs: 300 });
    expect(result?.outcome).toBe("executed");
  });
});

function isAbout(key: string): (command: SeenCommand) => boolean {
  return ({ args }) => args.some((arg) => arg.includes(`{ship:${key}}`));
}

function countByName(commands: readonly SeenCommand[]): string {
  const counts = new Map<string, number>();
  for (const { name } of commands) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
}

/** With fractions of a millisecond, by the clock that the server's expiry times are of. */
function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
