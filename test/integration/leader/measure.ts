import { setTimeout as sleep } from "node:timers/promises";
import { recordCommands } from "../../support/monitor.ts";
import type { RedisServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { CandidateProcess } from "./processes.ts";

const PATIENTLY = { timeoutMs: 60_000 };

/**
 * How long it takes from the call of `resign` in one process until `campaign` has resolved in another one that waits,
 * in milliseconds.
 */
export async function measureHandOvers(server: RedisServer, runs: number): Promise<number[]> {
  const [a, b] = await Promise.all([
    CandidateProcess.start(server.url, "hand-over", 15_000),
    CandidateProcess.start(server.url, "hand-over", 15_000),
  ]);
  try {
    const tookMs: number[] = [];
    let [leader, next] = [a, b];
    leader.tell("campaign");
    await leader.next("elected");
    for (let run = 0; run < runs; run++) {
      next.tell("campaign");
      await watched(server, "leader:{hand-over}");
      leader.tell("resign");
      const [resigned, elected] = await Promise.all([leader.next("resigned"), next.next("elected")]);
      tookMs.push(elected.atMs - resigned.atMs);
      [leader, next] = [next, leader];
    }
    return tookMs;
  } finally {
    await Promise.all([a.end(), b.end()]);
  }
}

/**
 * How long it takes from the expiry of a killed leader's lease until `campaign` has resolved in a process that waits,
 * in milliseconds. A server's clock ticks once a millisecond, and a key is gone when that has passed its expiry.
 */
export async function measureTakeOvers(server: RedisServer, runs: number): Promise<number[]> {
  const key = "leader:{take-over}";
  const start = (): Promise<CandidateProcess> => CandidateProcess.start(server.url, "take-over", 1_000);
  let leader = await start();
  leader.tell("campaign");
  await leader.next("elected");
  const tookMs: number[] = [];
  try {
    while (tookMs.length < runs) {
      const next = await start();
      next.tell("warm-up");
      await next.next("ready");
      next.tell("campaign");
      const elected = next.next("elected");
      // If this machine kept the leader from renewing its lease, the next one is elected already.
      const isWaiting = await Promise.race([watched(server, key).then(() => true), elected.then(() => false)]);
      await leader.end("kill");
      const goneAtMs = Number(await server.command("PEXPIRETIME", key)) + 1;
      const { wallMs } = await elected;
      if (isWaiting) tookMs.push(wallMs - goneAtMs);
      leader = next;
    }
    return tookMs;
  } finally {
    await leader.end("kill");
  }
}

/**
 * How many commands per second the server gets from a process with 125 candidates, while nothing changes: from all of 4
 * such processes on average, and from the busiest one at most.
 */
export async function measureCrowd(
  server: RedisServer,
  seconds: number,
): Promise<{ readonly mean: number; readonly most: number }> {
  const processes = await Promise.all(
    Array.from({ length: 4 }, () => CandidateProcess.start(server.url, "crowded", 15_000)),
  );
  try {
    for (const each of processes) each.tell("crowd", 125);
    await Promise.all(processes.map((each) => each.next("ready")));
    // In the process that leads nobody asks the store; in each of the others, one candidate watches for all.
    await until(
      "everybody waits",
      async () => {
        const [, watchers] = (await server.command("PUBSUB", "NUMSUB", "holdfast:0:leader:{crowded}")) as [
          string,
          number,
        ];
        return Number(watchers) === 3;
      },
      PATIENTLY,
    );
    const { sent, scripted } = await recordCommands(server, () => sleep(seconds * 1_000));
    const perConnection = new Map<string, number>();
    for (const { source } of sent) perConnection.set(source, (perConnection.get(source) ?? 0) + 1);
    // No process has more than two connections.
    const [first = 0, second = 0] = [...perConnection.values()].sort((a, b) => b - a);
    return { mean: (sent.length + scripted.length) / 4 / seconds, most: (first + second) / seconds };
  } finally {
    await Promise.all(processes.map((each) => each.end()));
  }
}

/** Waits until somebody watches the key: then a candidate sleeps, rather than being about to ask once more. */
async function watched(server: RedisServer, key: string): Promise<void> {
  const pattern = `*${key.replaceAll(/[[\]*?]/g, "\\$&")}`;
  await until(
    `${key} is watched`,
    async () => {
      const channels = (await server.command("PUBSUB", "CHANNELS", pattern)) as string[];
      return channels.length > 0;
    },
    PATIENTLY,
  );
}
