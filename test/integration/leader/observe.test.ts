import { afterAll, beforeAll, expect, it } from "vitest";
import { connect } from "../../../src/connect.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { collect } from "../../unit/leader/candidates.ts";
import { median } from "./processes.ts";

let server: RedisServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.stop());

it("hears of each leader when it is elected, and when it resigns, not by its next poll 5 s later", async () => {
  await using observing = await connect(server.url);
  await using hold = await connect(server.url, { holder: "a" });
  const { seen, terms } = collect(observing.election("x").observe());
  await until("it observes", () => seen.length === 1);
  // Both watches are active once the election has been read again.
  await until("it watches", async () => {
    const [, lease, , bell] = (await server.command(
      "PUBSUB",
      "NUMSUB",
      "holdfast:0:leader:{x}",
      "holdfast:0:leader-bell:{x}",
    )) as number[];
    return Number(lease) === 1 && Number(bell) === 1;
  });
  const tookMs: number[] = [];
  for (let round = 0; round < 5; round++) {
    const startedAt = performance.now();
    const term = await hold.election("x").campaign();
    await until("it is seen", () => terms.at(-1) === term.fencingToken);
    await term.resign();
    await until("its end is seen", () => seen.at(-1) === null);
    tookMs.push(performance.now() - startedAt);
  }
  expect(seen).toEqual([null, ...Array.from({ length: 5 }, () => ["a", null]).flat()]);
  expect(median(tookMs)).toBeLessThan(2_500);
});

it("goes on where it was when the server was gone for a while", async () => {
  const own = await startServer();
  try {
    await using observing = await connect(own.url);
    const { seen } = collect(observing.election("x").observe());
    await until("it observes", () => seen.length === 1);
    await own.kill();
    await own.start();
    await using hold = await connect(own.url, { holder: "a" });
    const term = await hold.election("x").campaign();
    await until("it sees the leader", () => seen.at(-1) === "a");
    await term.resign();
    await until("it sees the end", () => seen.at(-1) === null);
    expect(seen).toEqual([null, "a", null]);
  } finally {
    await own.stop();
  }
});
